/**
 * Judges an entry by itself, by the one before it and by its header: numbers, sums and times (F5, F10, F11, F12). What an entry of another system does
 * not say is not judged.
 */
import type { EntryFacts, PlaylistEntry, PlaylistHeader } from '../hls/index.js';
import { ptsDelta, TICKS_PER_MS } from '../model/index.js';
import { JOURNAL_NAME } from '../storage/index.js';
import { finding, type Finding, type FindingDetail, type FindingKind } from './checkFindings.js';
import { ticksOf } from './entry.js';

/** Wall time may part from media time by so much of a duration (docs/design/time.md), and by what is rounded away. */
const MAX_SLEW = 0.0005;
const TOLERANCE_MS = 2;
/** A longer loss is a gap (docs/design/time.md). */
const MIN_GAP_MS = 1000;
/** EXTINF is in microseconds; a tick is more than eleven. */
const TOLERANCE_90K = 2;

/** An entry on its way through a check. */
export interface Listed {
  readonly entry: PlaylistEntry;
  readonly line: number;
  /** Nothing unreadable lies between it and the one before. */
  readonly adjacent: boolean;
}

/** What is wrong with `listed`, which comes after `before`. */
export function judgeEntry(listed: Listed, before: PlaylistEntry | undefined, header: PlaylistHeader | undefined): Finding[] {
  const { entry } = listed;
  const { facts, uri } = entry;
  const found: Finding[] = [];
  const fault = (kind: FindingKind, message: string, more: Partial<FindingDetail> = {}): void =>
    void found.push(
      finding(kind, {
        file: JOURNAL_NAME,
        entry: facts?.index,
        line: listed.line,
        message: `${JOURNAL_NAME}: ${uri}: ${message}`,
        ...more,
      }),
    );

  const [misspelt] = misspeltNames(entry);
  if (misspelt !== undefined) fault('entry_incomplete', `"${misspelt}" looks like a name that was damaged`);
  else if (facts === undefined && before?.facts !== undefined) fault('entry_incomplete', 'its #livetape line is missing');
  else if (facts !== undefined && entry.wallMs === undefined) fault('entry_incomplete', 'it has no date-time');

  if (header !== undefined && Math.round(entry.durationUs / 1e6) > header.targetDurationSec) {
    fault('duration_wrong', `it lasts longer than the target duration (F12)`, {
      expected: `at most ${header.targetDurationSec} s`,
      seen: `${entry.durationUs / 1e6} s`,
    });
  }
  if (facts?.pts) {
    const said = ptsDelta(facts.pts.first90k, facts.pts.end90k);
    if (Math.abs(said - ticksOf(entry.durationUs)) > TOLERANCE_90K) {
      fault('duration_wrong', 'EXTINF is not what its time stamps say', {
        expected: `${said / 90_000} s`,
        seen: `${entry.durationUs / 1e6} s`,
      });
    }
  }
  if (facts === undefined || before?.facts === undefined) return found;
  judgeNumbers(entry, facts, before.facts, listed.adjacent, fault);
  if (listed.adjacent) judgeTimes(entry, facts, before, fault);
  return found;
}

type Fault = (kind: FindingKind, message: string, more?: Partial<FindingDetail>) => void;

function judgeNumbers(entry: PlaylistEntry, facts: EntryFacts, before: EntryFacts, adjacent: boolean, fault: Fault): void {
  if (facts.index <= before.index)
    fault('number_wrong', 'its number is not above that of the entry before (F5)', {
      expected: `above ${before.index}`,
      seen: String(facts.index),
    });
  const sequence = before.mediaSequence + 1;
  const discontinuity = before.discontinuitySequence + (entry.discontinuity ? 1 : 0);
  const follows = (value: number, least: number): boolean => (adjacent ? value === least : value >= least);
  if (!follows(facts.mediaSequence, sequence))
    fault('sequence_wrong', 'its media sequence number does not follow on (F10)', {
      expected: String(sequence),
      seen: String(facts.mediaSequence),
    });
  if (!follows(facts.discontinuitySequence, discontinuity))
    fault('sequence_wrong', 'its discontinuity sequence number does not follow on (F10)', {
      expected: String(discontinuity),
      seen: String(facts.discontinuitySequence),
    });
  const sum = before.cumulativeBytes + facts.sizeBytes;
  if (!follows(facts.cumulativeBytes, sum))
    fault('sums_wrong', 'its cumulative size does not add up', { expected: String(sum), seen: String(facts.cumulativeBytes) });
}

function judgeTimes(entry: PlaylistEntry, facts: EntryFacts, before: PlaylistEntry, fault: Fault): void {
  if (entry.wallMs === undefined || before.wallMs === undefined) return;
  const lastedMs = before.durationUs / 1000;
  const endMs = before.wallMs + lastedMs;
  const aheadMs = entry.wallMs - endMs;
  const slackMs = lastedMs * MAX_SLEW + TOLERANCE_MS;
  const times = { expected: iso(endMs), seen: iso(entry.wallMs) };
  if (entry.wallMs < before.wallMs || aheadMs < -slackMs) fault('time_wrong', 'it begins before the segment before it ends (F11)', times);
  else if (!entry.discontinuity && aheadMs > slackMs)
    fault('time_wrong', 'it begins after the segment before it ends, without a discontinuity (F11)', times);
  if (entry.discontinuity && !facts.gap && aheadMs > MIN_GAP_MS + slackMs)
    fault('time_wrong', 'it begins more than a second after the segment before it ends, and names no gap', times);
  if (facts.gap && Math.abs(facts.gap.fromMs - Math.floor(endMs)) > TOLERANCE_MS)
    fault('time_wrong', 'its gap does not begin where the segment before it ends', { expected: iso(endMs), seen: iso(facts.gap.fromMs) });
  if (entry.discontinuity || !facts.pts || !before.facts?.pts) return;
  const step = ptsDelta(before.facts.pts.end90k, facts.pts.first90k);
  if (Math.abs(step) > TICKS_PER_MS)
    fault('duration_wrong', 'its time stamps do not go on where those of the segment before it end', {
      expected: String(before.facts.pts.end90k),
      seen: String(facts.pts.first90k),
    });
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Names that an entry or a header of ours can hold, to tell a damaged one from one that a later version adds. */
const TAGS = ['#EXT-X-DISCONTINUITY', '#EXT-X-PROGRAM-DATE-TIME', '#EXTINF', '#livetape', '#EXT-X-ENDLIST'];
const HEADER_TAGS = [
  '#EXTM3U',
  '#EXT-X-VERSION',
  '#EXT-X-TARGETDURATION',
  '#EXT-X-MEDIA-SEQUENCE',
  '#EXT-X-DISCONTINUITY-SEQUENCE',
  '#EXT-X-PLAYLIST-TYPE',
  '#livetape',
];
const KEYS = ['pts', 'keys', 'head', 'cut', 'lost', 'tei', 'sync', 'scr', 'gap', 'why', 'epoch', 'damaged'];

/** Names in an entry that are nearly ones of ours. */
export function misspeltNames({ unknownTags, facts }: PlaylistEntry): string[] {
  const tags = unknownTags.map(nameOf).filter((name) => isNearly(name, TAGS));
  return [...tags, ...(facts?.unknownKeys ?? []).map(keyOf).filter((key) => isNearly(key, KEYS))];
}

/** A tag of the header that is nearly one of ours: damage, not news. */
export function misspeltInHeader(header: PlaylistHeader): string | undefined {
  return header.unknownTags.map(nameOf).find((name) => isNearly(name, HEADER_TAGS));
}

const nameOf = (tag: string): string => /^[^: ]*/.exec(tag)?.[0] ?? '';
const keyOf = (pair: string): string => pair.slice(0, pair.indexOf('='));

/** Of a known name's length, with one letter that differs; longer names may have two. */
function isNearly(name: string, known: readonly string[]): boolean {
  return known.some((other) => {
    if (other === name || Math.abs(other.length - name.length) > 1) return false;
    if (other.length !== name.length) return other.length > 6 && (other.startsWith(name) || name.startsWith(other));
    let differ = 0;
    for (let i = 0; i < name.length; i++) if (name[i] !== other[i]) differ += 1;
    return differ <= (name.length > 6 ? 2 : 1);
  });
}
