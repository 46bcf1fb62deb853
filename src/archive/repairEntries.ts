/**
 * Makes the entries of a repaired playlist, one after another: good ones stay as they are, what was changed, added or removed before
 * them shows in their discontinuity, gap and numbers, and what is not known of a segment is read from its media and its neighbours.
 */
import type { EntryFacts, PlaylistEntry } from '../hls/index.js';
import { ptsDelta, TICKS_PER_MS, TICKS_PER_SECOND, type GapReason } from '../model/index.js';
import type { FindingKind } from './checkFindings.js';
import { DAMAGED_KEY } from './checkMedia.js';
import { misspeltNames } from './checkEntry.js';
import { entryOf, ticksOf } from './entry.js';
import type { Probe } from './probe.js';
import type { WallTimeSource } from './repairActions.js';

/** A hole in the time stamps up to this long is no jump (docs/design/time.md); frames that reach beyond the next keyframe are none either. */
const HOLE_90K = TICKS_PER_SECOND;
const OVERLAP_90K = TICKS_PER_SECOND / 2;
/** A shorter loss is a discontinuity without a gap. */
const MIN_GAP_MS = 1000;
/** As an entry is judged (checkEntry.ts). */
const MAX_SLEW = 0.0005;
const TOLERANCE_MS = 1.01;

/** A segment on its way into the repaired playlist. */
export interface Candidate {
  readonly number: number;
  readonly uri: string;
  /** What an entry says of it, in the playlist or in one that was set aside. */
  readonly entry: PlaylistEntry | undefined;
  /** Its media, where the entry is not to be believed. */
  readonly probe: Probe | undefined;
  /** What is wrong with its media and stays so. */
  readonly damage: readonly FindingKind[];
  /** The entry before it in the playlist that it comes from is the one before it here. */
  readonly adjacent: boolean;
  readonly modifiedMs: number | undefined;
  /** When the next begins whose entry is known; no guess may reach beyond. */
  readonly untilMs: number | undefined;
}

/** What may say when a segment was, besides its entry and its neighbours. */
export interface TimeHints {
  readonly startedAtMs: number | undefined;
  readonly lastSegmentAtMs: number | undefined;
  /** The run with which the playlist ends: its first segment, and how long it is. */
  readonly lastRun?: { readonly number: number; readonly lengthMs: number } | undefined;
  readonly gaps: readonly { readonly fromMs: number; readonly toMs: number; readonly reason: GapReason | undefined }[];
}

/** An entry of the repaired playlist. */
export interface Repaired {
  readonly entry: PlaylistEntry;
  /** When it begins, also where the entry leaves that to the one before; UTC milliseconds. */
  readonly wallMs: number;
  readonly wallTimeFrom: WallTimeSource;
  /** It has a gap that its own entry did not have. */
  readonly gapAdded: boolean;
  /** Something but its sequence numbers differs from its own entry. */
  readonly changed: boolean;
}

/** Numbers that run on from entry to entry. */
export interface Running {
  readonly mediaSequence: number;
  /** Of the entry before. */
  readonly discontinuitySequence: number;
  readonly cumulativeBytes: number;
}

interface Stamps {
  readonly first90k: number;
  readonly end90k: number;
}

/** Time stamps of a candidate; a probe is believed more than an entry. */
function stampsOf(candidate: Candidate): Stamps | undefined {
  if (candidate.probe === undefined) return candidate.entry?.facts?.pts;
  const { pts } = candidate.probe;
  const said = candidate.entry?.facts?.pts;
  // One that was cut by force begins between frames; its entry knows where.
  const forced = said !== undefined && pts !== undefined && candidate.entry?.facts?.forced === true;
  return forced && Math.abs(ptsDelta(said.first90k, pts.first90k)) < HOLE_90K ? { ...pts, first90k: said.first90k } : pts;
}

/** Whether one whose length is still to be said may be said to last until the next begins. */
function mayReach(end90k: number, first90k: number): boolean {
  const step = ptsDelta(end90k, first90k);
  return step >= -OVERLAP_90K && step <= HOLE_90K;
}

/** Whether one whose length is said ends where the next begins. */
function meets(end90k: number, first90k: number): boolean {
  return Math.abs(ptsDelta(end90k, first90k)) <= TICKS_PER_MS;
}

/** Length of a candidate in microseconds, when it is followed by `next`. */
function durationOf(candidate: Candidate, next: Candidate | undefined, before: PlaylistEntry | undefined): number {
  const said = candidate.entry?.durationUs;
  if (candidate.probe === undefined) return said ?? before?.durationUs ?? 0;
  const stamps = stampsOf(candidate);
  if (stamps === undefined) return said ?? before?.durationUs ?? 0;
  const following = next && stampsOf(next);
  if (following && mayReach(stamps.end90k, following.first90k)) {
    const to90k = ptsDelta(stamps.first90k, following.first90k);
    if (to90k > 0) return usOf(to90k);
  }
  return usOf(Math.max(1, ptsDelta(stamps.first90k, stamps.end90k)));
}

const usOf = (ticks: number): number => Math.round((ticks * 1000) / TICKS_PER_MS);

/** Follows candidates in order and knows the run with which they end. */
export class LastRun {
  #number: number | undefined;
  #lengthUs = 0;
  #before: Candidate | undefined;

  add(candidate: Candidate): void {
    const before = this.#before;
    this.#before = candidate;
    const [last, stamps] = [before && stampsOf(before), stampsOf(candidate)];
    const goesOn = last !== undefined && stamps !== undefined && mayReach(last.end90k, stamps.first90k);
    if (!goesOn) [this.#number, this.#lengthUs] = [candidate.number, 0];
    else if (before !== undefined) this.#lengthUs += durationOf(before, candidate, undefined);
  }

  end(): TimeHints['lastRun'] {
    const last = this.#before;
    if (last === undefined || this.#number === undefined) return undefined;
    return { number: this.#number, lengthMs: (this.#lengthUs + durationOf(last, undefined, undefined)) / 1000 };
  }
}

/** Makes the entries in order; `ahead` are the candidates that follow, as far as two. */
export class EntryMaker {
  readonly #hints: TimeHints;
  #before: { readonly entry: PlaylistEntry; readonly end90k: number | undefined; readonly endMs: number } | undefined;
  #running: Running;
  /** That of the entry before, as the playlist said it. */
  #ownDiscontinuity: number | undefined;

  constructor(hints: TimeHints, running: Running) {
    this.#hints = hints;
    this.#running = running;
  }

  next(candidate: Candidate, ahead: readonly Candidate[]): Repaired {
    const own = candidate.entry;
    const before = this.#before;
    const durationUs = durationOf(candidate, ahead[0], before?.entry);
    const stamps = stampsOf(candidate);
    const follows = before?.end90k !== undefined && stamps !== undefined && meets(before.end90k, stamps.first90k);
    const unknown = before?.end90k === undefined || stamps === undefined;
    const lostTag = this.#lostTag(candidate, ahead[0]);
    const said = own?.discontinuity === true || lostTag;
    // Where nothing was taken out or put in, what the entry says holds; elsewhere the time stamps decide.
    const discontinuity = before === undefined ? said : candidate.adjacent && (follows || unknown) ? said : said || !follows;
    const wall = this.#wallTime(candidate, ahead, durationUs / 1000, discontinuity);
    const gap = this.#gap(candidate, wall.ms, discontinuity);
    const facts = this.#facts(candidate, durationUs, gap);
    const entry = this.#number({
      discontinuity,
      wallMs:
        own !== undefined && own.facts === undefined && candidate.probe === undefined && own.wallMs === undefined ? undefined : wall.ms,
      durationUs,
      uri: candidate.uri,
      facts,
      unknownTags: own === undefined ? [] : without(own.unknownTags, misspeltNames(own)),
    });
    // The end that its own time stamps have, for the next to follow: a hole in between was counted into the duration.
    const end90k = stamps && (stamps.first90k + ticksOf(durationUs)) % 2 ** 33;
    const changed = own === undefined || !sameButNumbers(own, entry);
    this.#before = { entry, end90k, endMs: wall.ms + durationUs / 1000 };
    const gapAdded = gap !== undefined && (own?.facts?.gap === undefined || own.facts.gap.fromMs !== gap.fromMs);
    return { entry, wallMs: wall.ms, wallTimeFrom: wall.from, gapAdded, changed };
  }

  /** Whether its discontinuity sequence number and that of the entry behind it say that it had the tag. */
  #lostTag(candidate: Candidate, next: Candidate | undefined): boolean {
    const own = candidate.entry?.facts?.discontinuitySequence;
    const before = this.#ownDiscontinuity;
    this.#ownDiscontinuity = own;
    if (!candidate.adjacent || own === undefined || before === undefined || own !== before + 1) return false;
    return (next?.entry?.facts?.discontinuitySequence ?? own) >= own;
  }

  #number(entry: PlaylistEntry): PlaylistEntry {
    const running = this.#running;
    const discontinuitySequence = running.discontinuitySequence + (entry.discontinuity ? 1 : 0);
    const cumulativeBytes = running.cumulativeBytes + (entry.facts?.sizeBytes ?? 0);
    const { mediaSequence } = running;
    this.#running = { mediaSequence: mediaSequence + 1, discontinuitySequence, cumulativeBytes };
    return entry.facts === undefined
      ? entry
      : { ...entry, facts: { ...entry.facts, mediaSequence, discontinuitySequence, cumulativeBytes } };
  }

  #wallTime(
    candidate: Candidate,
    ahead: readonly Candidate[],
    lastsMs: number,
    discontinuity: boolean,
  ): { ms: number; from: WallTimeSource } {
    const endMs = this.#before?.endMs;
    const said = candidate.entry?.wallMs;
    if (!discontinuity && endMs !== undefined) {
      const slackMs = ((this.#before?.entry.durationUs ?? 0) / 1000) * MAX_SLEW + TOLERANCE_MS;
      if (said !== undefined && Math.abs(said - endMs) <= slackMs) return { ms: said, from: 'entry' };
      return { ms: Math.floor(endMs), from: 'neighbour' };
    }
    const leastMs = Math.floor(endMs ?? 0);
    const [next, second] = ahead;
    const nextMs = next?.entry?.wallMs;
    const goesOn = next !== undefined && this.#goesOn(candidate, next);
    if (said !== undefined && said >= leastMs - TOLERANCE_MS) {
      const overMs = nextMs === undefined ? 0 : said + lastsMs - nextMs;
      const slackMs = lastsMs * MAX_SLEW + 2 * TOLERANCE_MS;
      const parted = goesOn ? Math.abs(overMs) > slackMs : overMs > slackMs;
      // Two disagree: a third says which of them is wrong.
      const secondMs = second?.entry?.wallMs;
      const nextHolds =
        parted &&
        nextMs !== undefined &&
        nextMs - lastsMs >= leastMs - TOLERANCE_MS &&
        secondMs !== undefined &&
        secondMs >= nextMs &&
        secondMs - nextMs <= (next?.entry?.durationUs ?? 0) / 1000 + slackMs + MIN_GAP_MS;
      if (!nextHolds) return { ms: Math.max(said, leastMs), from: 'entry' };
    }
    if (goesOn && nextMs !== undefined && nextMs - lastsMs >= leastMs - TOLERANCE_MS)
      return { ms: Math.max(leastMs, Math.floor(nextMs - lastsMs)), from: 'neighbour' };
    return this.#elsewhere(candidate, lastsMs, leastMs);
  }

  #elsewhere(candidate: Candidate, lastsMs: number, leastMs: number): { ms: number; from: WallTimeSource } {
    const { startedAtMs, lastSegmentAtMs, lastRun, gaps } = this.#hints;
    const most = Math.max(leastMs, (candidate.untilMs ?? Infinity) - lastsMs);
    const within = (ms: number, from: WallTimeSource): { ms: number; from: WallTimeSource } => ({
      ms: Math.floor(Math.min(most, Math.max(leastMs, ms))),
      from,
    });
    if (this.#before === undefined && startedAtMs !== undefined && startedAtMs <= most) return within(startedAtMs, 'index.json');
    const gap = gaps.find(({ fromMs, toMs }) => Math.abs(fromMs - leastMs) <= 2 * TOLERANCE_MS && toMs <= most);
    if (gap !== undefined) return within(gap.toMs, 'index.json');
    const startMs = lastSegmentAtMs === undefined || lastRun?.number !== candidate.number ? undefined : lastSegmentAtMs - lastRun.lengthMs;
    if (startMs !== undefined && startMs >= leastMs - TOLERANCE_MS) return within(startMs, 'index.json');
    // A copy of an archive has the time of the copying.
    if (candidate.modifiedMs !== undefined && candidate.modifiedMs - lastsMs <= most)
      return within(candidate.modifiedMs - lastsMs, 'file time');
    return within(leastMs, 'order');
  }

  #goesOn(candidate: Candidate, next: Candidate): boolean {
    const [stamps, following] = [stampsOf(candidate), stampsOf(next)];
    const tagged = next.entry?.discontinuity === true && next.adjacent;
    if (tagged || stamps === undefined || following === undefined) return false;
    return (candidate.probe === undefined ? meets : mayReach)(stamps.end90k, following.first90k);
  }

  #gap(candidate: Candidate, wallMs: number, discontinuity: boolean): EntryFacts['gap'] {
    const own = candidate.entry?.facts?.gap;
    const before = this.#before;
    if (before === undefined) return own;
    if (!discontinuity) return undefined;
    const fromMs = Math.floor(before.endMs);
    if (own !== undefined && Math.abs(own.fromMs - fromMs) <= 1 && wallMs >= own.fromMs) return own;
    if (wallMs - before.endMs <= MIN_GAP_MS) return undefined;
    const known = this.#hints.gaps.find((gap) => Math.abs(gap.fromMs - fromMs) <= 2)?.reason;
    return { fromMs, reason: own?.reason ?? known ?? 'disk' };
  }

  #facts(candidate: Candidate, durationUs: number, gap: EntryFacts['gap']): EntryFacts | undefined {
    const { entry, probe, number } = candidate;
    const own = entry?.facts;
    if (probe === undefined) return own && { ...own, index: number, gap };
    const stamps = stampsOf(candidate);
    const pts = stamps && { first90k: stamps.first90k, end90k: (stamps.first90k + ticksOf(durationUs)) % 2 ** 33 };
    const hasVideo = probe.program?.tracks.some((track) => track.role === 'video') ?? false;
    const made = entryOf(
      {
        discontinuity: false,
        wallMs: 0,
        duration90k: 0,
        pts,
        keyframes: probe.keyframes,
        headBytes: own?.headBytes ?? 0,
        forced: own?.forced === true || (hasVideo && !probe.startsWithKeyframe),
        lostBytes: own?.lostBytes ?? 0,
        errors: own?.errors ?? probe.errors,
        gap: undefined,
      },
      {
        index: number,
        uri: candidate.uri,
        mediaSequence: 0,
        discontinuitySequence: 0,
        sizeBytes: probe.sizeBytes,
        cumulativeBytes: 0,
        crc32: probe.crc32,
        // It only ever grows: what is entered now belongs to the time of the one before.
        epoch: own?.epoch ?? this.#before?.entry.facts?.epoch ?? 0,
      },
    );
    const known = own === undefined || entry === undefined ? [] : without(own.unknownKeys, misspeltNames(entry));
    const kept = known.filter((pair) => !pair.startsWith(`${DAMAGED_KEY}=`));
    const damage = candidate.damage.length === 0 ? [] : [`${DAMAGED_KEY}=${candidate.damage.join(',')}`];
    return made.facts && { ...made.facts, gap, unknownKeys: [...kept, ...damage] };
  }
}

function without(lines: readonly string[], names: readonly string[]): string[] {
  return lines.filter((line) => !names.some((name) => line.startsWith(name)));
}

/** Whether two entries say the same, their places in the playlist aside. */
function sameButNumbers(a: PlaylistEntry, b: PlaylistEntry): boolean {
  const plain = ({ facts, ...entry }: PlaylistEntry): string =>
    JSON.stringify([entry, facts && { ...facts, mediaSequence: 0, discontinuitySequence: 0, cumulativeBytes: 0 }]);
  return plain(a) === plain(b);
}
