/**
 * What an elementary stream is: from its stream_type (ISO/IEC 13818-1, table 2-34; ATSC A/53 and A/52, SCTE 35 and 172, Blu-ray) and, where
 * that says "private", from its descriptors (EN 300 468, table 12; registration identifiers of SMPTE-RA).
 */
import type { Descriptor, Pmt, PmtStream } from './psi.js';
import type { Track, TrackRole } from './sink.js';

const VIDEO: Readonly<Record<number, string>> = {
  0x01: 'mpeg1video',
  0x02: 'mpeg2video',
  0x10: 'mpeg4',
  0x1b: 'h264',
  0x21: 'jpeg2000',
  0x24: 'h265',
  0x33: 'h266',
  0x42: 'cavs',
  0xd1: 'dirac',
  0xd2: 'avs2',
  0xd4: 'avs3',
  0xea: 'vc1',
};
const AUDIO: Readonly<Record<number, string>> = {
  0x03: 'mp2',
  0x04: 'mp2',
  0x0f: 'aac',
  0x11: 'aac_latm',
  0x1c: 'aac',
  0x81: 'ac3',
  0x87: 'eac3',
  0x8a: 'dts',
};
/** User private types as Blu-ray uses them, in programs registered as HDMV. */
const HDMV_AUDIO: Readonly<Record<number, string>> = {
  0x80: 'pcm_bluray',
  0x81: 'ac3',
  0x82: 'dts',
  0x83: 'truehd',
  0x84: 'eac3',
  0x85: 'dts',
  0x86: 'dts',
  0xa1: 'eac3',
  0xa2: 'dts',
};
const DATA: Readonly<Record<number, string>> = { 0x05: 'sections', 0x82: 'scte27', 0x86: 'scte35', 0x90: 'pgs' };
/** Registration descriptor's format_identifier (2.6.8). */
const REGISTERED: Readonly<Record<string, readonly [TrackRole, string]>> = {
  'AC-3': ['audio', 'ac3'],
  EAC3: ['audio', 'eac3'],
  'AC-4': ['audio', 'ac4'],
  DTS1: ['audio', 'dts'],
  DTS2: ['audio', 'dts'],
  DTS3: ['audio', 'dts'],
  Opus: ['audio', 'opus'],
  BSSD: ['audio', 's302m'],
  HEVC: ['video', 'h265'],
  AV01: ['video', 'av1'],
  'VC-1': ['video', 'vc1'],
  drac: ['video', 'dirac'],
  KLVA: ['data', 'klv'],
  'ID3 ': ['data', 'id3'],
  CUEI: ['data', 'scte35'],
};
/** Descriptor tags of DVB that name a codec by being there. */
const DVB: Readonly<Record<number, readonly [TrackRole, string]>> = {
  0x56: ['data', 'teletext'],
  0x59: ['data', 'dvbsub'],
  0x6a: ['audio', 'ac3'],
  0x7a: ['audio', 'eac3'],
  0x7b: ['audio', 'dts'],
  0x7c: ['audio', 'aac'],
};

/** The track that `stream` of `pmt` is. */
export function describeTrack(stream: PmtStream, pmt: Pmt): Track {
  const [role, codec] = roleAndCodec(stream, pmt);
  return { pid: stream.pid, role, streamType: stream.streamType, codec, language: language(stream.descriptors) };
}

/** Whether the PID carries PES packets; the others carry sections (2.4.4). */
export const carriesPes = (track: Track): boolean => !['sections', 'scte35', 'scte27'].includes(track.codec);

function roleAndCodec({ streamType, descriptors }: PmtStream, pmt: Pmt): readonly [TrackRole, string] {
  const video = VIDEO[streamType];
  if (video !== undefined) return ['video', video];
  const bluRay = streamType >= 0x80 && registration(pmt.descriptors) === 'HDMV' ? HDMV_AUDIO[streamType] : undefined;
  const audio = bluRay ?? AUDIO[streamType];
  if (audio !== undefined) return ['audio', audio];
  const registered = REGISTERED[registration(descriptors) ?? ''];
  if (streamType === 0x06 || (streamType >= 0x80 && DATA[streamType] === undefined)) {
    if (registered) return registered;
    for (const { tag, data } of descriptors) {
      const found = DVB[tag];
      if (found) return found;
      // extension descriptor (EN 300 468, 6.4): AC-4
      if (tag === 0x7f && data[0] === 0x15) return ['audio', 'ac4'];
    }
  }
  if (streamType === 0x15) return ['data', isId3(descriptors) ? 'id3' : 'metadata'];
  return ['data', DATA[streamType] ?? 'private'];
}

function registration(descriptors: readonly Descriptor[]): string | undefined {
  const found = descriptors.find(({ tag, data }) => tag === 0x05 && data.length >= 4);
  return found && String.fromCharCode(...found.data.subarray(0, 4));
}

/** Timed metadata of HLS: a metadata descriptor (2.6.60) whose format is 'ID3 '. */
function isId3(descriptors: readonly Descriptor[]): boolean {
  return descriptors.some(
    ({ tag, data }) => (tag === 0x26 || tag === 0x25 || tag === 0x05) && String.fromCharCode(...data).includes('ID3 '),
  );
}

/** Of the ISO 639, teletext or subtitling descriptor. */
function language(descriptors: readonly Descriptor[]): string | undefined {
  const found = descriptors.find(({ tag, data }) => (tag === 0x0a || tag === 0x56 || tag === 0x59) && data.length >= 3);
  if (!found) return undefined;
  const code = String.fromCharCode(...found.data.subarray(0, 3));
  return /^[A-Za-z]{3}$/.test(code) ? code : undefined;
}
