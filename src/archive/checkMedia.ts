/**
 * Judges a segment's media by what its entry says (F1, F3, F4, sizes, CRC, time stamps). Open GOPs, B-frames, the last segment of a run and one that was cut by force
 * have ends that are not to be had from their media to the tick, so those are allowed what the recorder allows itself (docs/design/time.md).
 */
import type { PlaylistEntry } from '../hls/index.js';
import { PTS_MODULUS, ptsDelta, TICKS_PER_SECOND } from '../model/index.js';
import { finding, type Finding, type FindingDetail, type FindingKind } from './checkFindings.js';
import type { Probe } from './probe.js';

/** The key of an entry that a repair made of a damaged segment: kinds of findings, comma-separated, that are known and not told again. */
export const DAMAGED_KEY = 'damaged';

/** What is wrong with the media of `entry`. */
export function judgeMedia(entry: PlaylistEntry, line: number, probe: Probe): Finding[] {
  const { facts, uri } = entry;
  const found: Finding[] = [];
  const known = knownDamage(entry);
  const fault = (kind: FindingKind, message: string, more: Partial<FindingDetail> = {}): void => {
    const isKnown = kind !== 'segment_size' && kind !== 'segment_crc' && known.includes(kind);
    if (!isKnown) found.push(finding(kind, { file: uri, entry: facts?.index, line, message: `${uri}: ${message}`, ...more }));
  };
  if (known.length > 0)
    found.push(
      finding('segment_damaged', { file: uri, entry: facts?.index, line, message: `${uri}: entered by a repair with ${known.join(', ')}` }),
    );

  if (facts && probe.sizeBytes !== facts.sizeBytes)
    fault('segment_size', `it has ${probe.sizeBytes} bytes, not ${facts.sizeBytes}`, {
      expected: String(facts.sizeBytes),
      seen: String(probe.sizeBytes),
    });
  if (facts && probe.crc32 !== facts.crc32)
    fault('segment_crc', 'its bytes are not those that were recorded', { expected: hex(facts.crc32), seen: hex(probe.crc32) });
  if (probe.sizeBytes === 0 || probe.wholeBytes !== probe.sizeBytes)
    fault('segment_packets', `its first ${probe.wholeBytes} bytes of ${probe.sizeBytes} are whole packets (F1)`);
  // Another system begins its segments as it likes.
  if (facts === undefined) return found;
  if (!probe.startsWithTables) fault('segment_tables', 'it does not begin with PAT and PMT (F3)');
  if (probe.program?.referencePid !== undefined && !facts.forced && !probe.startsWithKeyframe)
    fault('segment_keyframe', 'it does not begin at a random access point (F4)');
  judgeStamps(entry, probe, fault);
  return found;
}

/** Kinds of damage with which a repair entered this segment. */
export function knownDamage(entry: PlaylistEntry): readonly string[] {
  const pair = entry.facts?.unknownKeys.find((known) => known.startsWith(`${DAMAGED_KEY}=`));
  return pair === undefined ? [] : pair.slice(DAMAGED_KEY.length + 1).split(',');
}

type Fault = (kind: FindingKind, message: string, more?: Partial<FindingDetail>) => void;

function judgeStamps({ facts }: PlaylistEntry, probe: Probe, fault: Fault): void {
  if (facts?.pts === undefined) return;
  const { first90k, end90k } = facts.pts;
  if (first90k >= PTS_MODULUS || end90k >= PTS_MODULUS) return fault('segment_times', 'its entry has time stamps of more than 33 bits');
  // One that was cut by force begins between frames, and perhaps by the sound alone.
  const slack90k = TICKS_PER_SECOND + 2 * probe.longestInterval90k;
  if (probe.pts === undefined) {
    if (!facts.forced) fault('segment_times', 'it has no time stamps, and its entry says that it has');
    return;
  }
  const early90k = ptsDelta(first90k, probe.pts.first90k);
  if (facts.forced ? probe.timedUnits > 1 && Math.abs(early90k) > 2 * slack90k : early90k !== 0)
    fault('segment_times', 'it does not begin at the time stamp that its entry says', {
      expected: String(first90k),
      seen: String(probe.pts.first90k),
    });
  const over90k = ptsDelta(end90k, probe.pts.end90k);
  const besideGoesOn = probe.lastBeside90k !== undefined && ptsDelta(probe.lastBeside90k, end90k) <= slack90k;
  const endsWrong = over90k > slack90k || (over90k < -slack90k && !besideGoesOn);
  if (probe.timedUnits > 1 && endsWrong)
    fault('segment_times', 'it does not end at the time stamp that its entry says', {
      expected: String(end90k),
      seen: String(probe.pts.end90k),
    });
  if (facts.forced) return;
  const keys = new Set(probe.keyframes.map((key) => `${key.offsetBytes}@${key.pts90k}`));
  const missing = facts.keyframes.map((key) => `${key.offsetBytes}@${key.pts90k}`).find((key) => !keys.has(key));
  if (missing !== undefined) fault('segment_keys', `no keyframe lies at ${missing}`);
}

const hex = (crc: number): string => crc.toString(16).padStart(8, '0');
