/** Which streams the wall shows, and in which order. Pure. */
import type { ArchiveLine, Stream } from '../../api';
import { streamState, type StateTone } from '../../parts/streamState';

/** How a stream does, as far as one chooses by it. */
export type Group = 'recording' | 'no-signal' | 'failed' | 'stopped';
export const GROUPS: readonly Group[] = ['recording', 'no-signal', 'failed', 'stopped'];

export type Sort = 'name' | 'state' | 'bitrate' | 'size' | 'gaps';

/** What is shown, and how. */
export interface Choice {
  /** Words that are all to be found in the code, the title or the source. */
  readonly search: string;
  readonly group: Group | undefined;
  readonly sort: Sort;
}

/** What of a stream decides about its place. */
export interface WallLine {
  readonly code: string;
  readonly title: string;
  readonly source: string;
  readonly group: Group;
  /** Bits per second. */
  readonly bitrate: number;
  readonly sizeBytes: number;
  /** Of the last day. */
  readonly gapSec: number;
}

/** What the wall shows. */
export interface Arranged {
  /** Codes, in order. */
  readonly codes: readonly string[];
  /** How many of each group the search finds. */
  readonly counts: Readonly<Record<Group, number>>;
  /** How many the search finds. */
  readonly found: number;
}

const GROUP_OF: Readonly<Record<StateTone, Group>> = { ok: 'recording', waiting: 'no-signal', bad: 'failed', off: 'stopped' };
/** The worst first. */
const RANK: Readonly<Record<Group, number>> = { failed: 0, 'no-signal': 1, recording: 2, stopped: 3 };

/** What decides about the place of a stream. @param nowMs - UTC milliseconds */
export function wallLine(stream: Stream, archive: ArchiveLine | undefined, nowMs: number): WallLine {
  return {
    code: stream.code,
    title: stream.title === '' ? stream.code : stream.title,
    source: stream.source,
    group: GROUP_OF[streamState(stream, nowMs, 'utc').tone],
    bitrate: stream.status.input?.bitrate ?? 0,
    sizeBytes: archive?.total_size_bytes ?? 0,
    gapSec: archive?.last_day.gap_sec ?? 0,
  };
}

/** Puts them in order. Of equal ones the name decides, so that the order stands still. */
export function arrange(lines: readonly WallLine[], { search, group, sort }: Choice): Arranged {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = lines.filter(({ code, title, source }) => {
    const text = `${code} ${title} ${source}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const counts = { recording: 0, 'no-signal': 0, failed: 0, stopped: 0 };
  for (const line of found) counts[line.group] += 1;
  const shown = group === undefined ? [...found] : found.filter((line) => line.group === group);
  shown.sort((a, b) => BY[sort](a, b) || NAMES.compare(a.title, b.title) || NAMES.compare(a.code, b.code));
  return { codes: shown.map(({ code }) => code), counts, found: found.length };
}

/** `Channel 9` comes before `Channel 10`. */
const NAMES = new Intl.Collator('en', { numeric: true });

const BY: Readonly<Record<Sort, (a: WallLine, b: WallLine) => number>> = {
  name: () => 0,
  state: (a, b) => RANK[a.group] - RANK[b.group],
  bitrate: (a, b) => b.bitrate - a.bitrate,
  size: (a, b) => b.sizeBytes - a.sizeBytes,
  gaps: (a, b) => b.gapSec - a.gapSec,
};
