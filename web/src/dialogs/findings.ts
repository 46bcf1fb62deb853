/** What a probe found, in words: tracks, what a browser will not play, keyframes that come too seldom, errors; and what would be recorded of it. Pure. */
import type { ProbeReport, ProbeTrack } from '../api';
import { bitrateText, countText } from '../time/format';

type Program = ProbeReport['programs'][number];

/** Codecs, as people call them. */
const NAMES: Readonly<Record<string, string>> = {
  h264: 'H.264',
  h265: 'HEVC (H.265)',
  h266: 'VVC (H.266)',
  mpeg1video: 'MPEG-1 video',
  mpeg2video: 'MPEG-2 video',
  mpeg4: 'MPEG-4 part 2',
  av1: 'AV1',
  vc1: 'VC-1',
  aac: 'AAC',
  aac_latm: 'AAC (LATM)',
  ac3: 'AC-3',
  eac3: 'E-AC-3',
  ac4: 'AC-4',
  mp2: 'MPEG audio (MP2)',
  dts: 'DTS',
  opus: 'Opus',
  teletext: 'teletext',
  dvbsub: 'DVB subtitles',
  scte35: 'SCTE-35',
};
/** What Chromium, Firefox and Safari all play out of a transport stream, by hls.js. Data is not played, and not missed. */
const PLAYED = new Set(['h264', 'aac']);

const ERRORS: Readonly<Record<string, readonly [one: string, many: string]>> = {
  continuity: ['continuity error', 'continuity errors'],
  transport_error: ['packet marked as damaged', 'packets marked as damaged'],
  sync_bytes: ['byte out of sync', 'bytes out of sync'],
  scrambled: ['scrambled packet', 'scrambled packets'],
  crc: ['table with a wrong checksum', 'tables with a wrong checksum'],
  rtp_lost: ['RTP packet lost', 'RTP packets lost'],
};

export const codecText = (codec: string): string => NAMES[codec] ?? codec;

/** `1920 × 1080, 25 fps, 4.2 Mbit/s, keyframe every 2 s`: what is known of a track, without its codec. */
export function trackText({ width, height, frame_rate: rate, bitrate, language, gop }: ProbeTrack): string {
  return [
    width !== null && height !== null ? `${width} × ${height}` : '',
    rate === null ? '' : `${Number(rate.toFixed(2))} fps`,
    language ?? '',
    bitrate === null ? '' : bitrateText(bitrate),
    keyframesText(gop),
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function keyframesText(gop: ProbeTrack['gop']): string {
  if (gop === null) return '';
  if (gop.mean_sec === null) return gop.keyframes === 0 ? 'no keyframe seen' : 'one keyframe seen';
  const [mean, most] = [gop.mean_sec, gop.max_sec ?? gop.mean_sec].map((sec) => Number(sec.toFixed(1)));
  return mean === most ? `keyframe every ${mean} s` : `keyframe every ${mean} s (${most} s at most)`;
}

/** `3 continuity errors, 1 RTP packet lost`; empty when there was none. */
export function errorsText(errors: ProbeReport['errors']): string {
  return Object.entries(errors)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${countText(count)} ${ERRORS[kind]?.[count === 1 ? 0 : 1] ?? kind}`)
    .join(', ');
}

/** What would be recorded: the program that the source names, else the first with video (docs/guide/sources.md). */
export function recordedPrograms({ programs }: ProbeReport, source: string): readonly Program[] {
  const asked = /[?&]program=([^&#]*)/.exec(source)?.[1];
  if (asked === 'all') return programs;
  const hasVideo = ({ tracks }: Program): boolean => tracks.some(({ role }) => role === 'video');
  const chosen = asked === undefined ? (programs.find(hasVideo) ?? programs[0]) : programs.find(({ number }) => number === Number(asked));
  return chosen === undefined ? [] : [chosen];
}

/** Bits per second that would be recorded; undefined where that is not known. */
export function recordedBitrate(report: ProbeReport, source: string): number | undefined {
  if (report.programs.length <= 1) return report.bitrate ?? undefined;
  const rates = recordedPrograms(report, source).flatMap(({ tracks }) => tracks.map(({ bitrate }) => bitrate ?? 0));
  const sum = rates.reduce((all, rate) => all + rate, 0);
  return sum > 0 ? sum : undefined;
}

/**
 * What is worth knowing before it is saved.
 * @param segmentSec - what is wished for
 */
export function warnings(report: ProbeReport, source: string, segmentSec: number): string[] {
  const programs = recordedPrograms(report, source);
  const tracks = programs.flatMap((program) => program.tracks);
  const found: string[] = [];
  if (report.programs.length === 0) found.push('No program was seen in it: it carries no table that names one.');
  else if (programs.length === 0) found.push('The program that the source names is not in it.');
  const unplayed = new Set(tracks.filter(({ role, codec }) => role !== 'data' && !PLAYED.has(codec)).map(({ codec }) => codecText(codec)));
  if (unplayed.size > 0) {
    found.push(`Browsers commonly do not play ${listText([...unplayed])}. It is recorded all the same, and other players play it.`);
  }
  if (tracks.some(({ scrambled_packets: count }) => count > 0))
    found.push('It is scrambled: it is recorded as it comes, and nothing plays it.');
  const apart = Math.max(0, ...tracks.map(({ gop }) => gop?.max_sec ?? 0));
  if (apart > segmentSec) {
    found.push(
      `Keyframes are up to ${Number(apart.toFixed(1))} s apart, and segments begin at keyframes: they will be longer than the ${segmentSec} s that are wished for.`,
    );
  }
  return found;
}

function listText(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
