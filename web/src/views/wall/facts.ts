/** What a tile says of a stream, in words. Pure. */
import type { ArchiveLine, Stream } from '../../api';
import { bitrateText, bytesText, countText, lengthText } from '../../time/format';

/** `12 d 4 h, 1.25 TB`; what there is to say when nothing is recorded. */
export function archiveText(archive: ArchiveLine | undefined): string {
  if (archive === undefined) return '';
  const { dvr_range: range, problem, total_size_bytes: bytes } = archive;
  if (problem !== null) return 'cannot be read';
  if (range === null) return 'nothing recorded yet';
  return `${lengthText(Date.parse(range.last_segment_at) - Date.parse(range.started_at))}, ${bytesText(bytes)}`;
}

/** `no gaps in 24 h`, `3 gaps, 2 min 5 s in 24 h`. */
export function gapsText(archive: ArchiveLine | undefined): string {
  if (archive === undefined || archive.dvr_range === null || archive.problem !== null) return '';
  const { gaps, gap_sec: sec } = archive.last_day;
  if (gaps === 0) return 'no gaps in 24 h';
  return `${countText(gaps)} ${gaps === 1 ? 'gap' : 'gaps'}, ${lengthText(sec * 1000)} in 24 h`;
}

/** `4.2 Mbit/s`; empty where nothing is received. */
export function inputText({ input, recording }: Stream['status']): string {
  return input === null || recording === null ? '' : bitrateText(input.bitrate);
}

/** What comes has no pictures: a radio. */
export function isSoundAlone(status: Stream['status'] | undefined): boolean {
  const tracks = status?.program?.tracks ?? [];
  return tracks.some(({ role }) => role === 'audio') && tracks.every(({ role }) => role !== 'video');
}

/** The moment of the newest picture, UTC milliseconds; undefined when there can be none. */
export function newestPictureMs(stream: Stream | undefined, archive: ArchiveLine | undefined, nowMs: number): number | undefined {
  // Its end belongs to what comes next.
  if (archive !== undefined) return archive.dvr_range === null ? undefined : Date.parse(archive.dvr_range.last_segment_at) - 100;
  if (!stream?.dvr || stream.status.signal !== 'present') return undefined;
  return Math.floor(nowMs / 1000) * 1000 - 2000 * stream.dvr.segment_duration;
}
