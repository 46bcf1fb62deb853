/** mpegts: bytes of a transport stream in, facts about it out (ISO/IEC 13818-1). Synchronous; imports nothing from Node. */
export { StreamAnalyzer, type GopFacts, type ProgramReport, type StreamReport, type TrackReport } from './analyzer.js';
export { TsReader, type TsReaderOptions } from './reader.js';
export type { SpanConsumer } from './blocks.js';
export type { Program, ScanErrors, ScannerSink, Tables, Track, TrackRole, Unit } from './sink.js';
export {
  NULL_PID,
  PACKET_SIZE,
  PAT_PID,
  PCR_HZ,
  PID_COUNT,
  SYNC_BYTE,
  addToTimestamps,
  hasPayload,
  payloadStart,
  readCounter,
  readPcr,
  readPesTimes,
  readPid,
  startsUnit,
  writeCounter,
} from './packet.js';
export { PictureReader, type CodedPicture } from './picture.js';
export type { H264Sps } from './h264.js';
export type { H265Sps } from './h265.js';
