/** A recording and a source that are well, for tests of what the server says of them. */
import type { RecorderStatus, RecordingStatus, SourceStatus } from '../recorder/index.js';

/** One that is recorded since `startedMs`, with a gap behind it. */
export function recordingStatus(code: string, startedMs: number): RecordingStatus {
  return {
    recording: {
      id: code,
      streamCode: code,
      status: 'recording',
      startedAt: new Date(startedMs),
      stoppedAt: undefined,
      segmentDir: `/dvr/${code}`,
    },
    error: undefined,
    session: {
      signal: 'present',
      program: {
        number: 1,
        pmtPid: 4096,
        pcrPid: 256,
        referencePid: 256,
        tracks: [
          { pid: 256, role: 'video', streamType: 0x1b, codec: 'h264', language: undefined },
          { pid: 257, role: 'audio', streamType: 0x0f, codec: 'aac', language: 'eng' },
        ],
      },
      programs: [1],
      errors: { continuity: 0, transportError: 0, syncSkippedBytes: 0, scrambled: 0, crc: 0 },
      timestampErrors: 0,
      receivedBytes: 1880,
      queuedBytes: 0,
      droppedBytes: 0,
      clockBehindMs: 0,
    },
    segmentCount: 3,
    sizeBytes: 5640,
    restarts: 0,
    healed: 0,
    retention: { prunedSegments: 1, prunedBytes: 1880, graceSkipped: 0, failures: 0, clockInDoubt: false },
    lastGap: { fromMs: startedMs, toMs: startedMs + 2500, reason: 'signal' },
    openGap: undefined,
  };
}

/** One that is connected. */
export function sourceStatus(): SourceStatus {
  return {
    url: 'udp://@239.0.0.1:5000',
    state: 'connected',
    detail: 'raw TS',
    receivedBytes: 1880,
    connections: 1,
    rtpLostPackets: 0,
    foreignDatagrams: 0,
    kernelDrops: 0,
  };
}

/** One that runs. */
export function recorderStatus(index: number): RecorderStatus {
  return {
    index,
    state: 'running',
    pid: 4711,
    startedAt: new Date(0),
    restarts: 0,
    streams: 1,
    eventLoopDelay: { meanSec: 0.001, p99Sec: 0.002, maxSec: 0.003 },
    residentBytes: 1e8,
    cpuSec: 1,
  };
}
