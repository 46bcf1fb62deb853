/**
 * The repaired playlist as a stream: the entries that are there, less those that leave, with those that come in at their numbers' places. It is made twice,
 * once to know its header and once to be written, so that only what differs is held in memory.
 */
import { ENDLIST, renderEntry, renderHeader, type PlaylistEntry, type PlaylistHeader } from '../hls/index.js';
import type { Gap } from '../model/index.js';
import { misspeltInHeader } from './checkEntry.js';
import { NameSet, numberOf } from './checkFolder.js';
import { readJournalItems, type JournalHead, type ReadRange } from './checkJournal.js';
import { ImpliedTimes } from './impliedTimes.js';
import { EntryMaker, LastRun, type Candidate, type Repaired, type Running, type TimeHints } from './repairEntries.js';
import type { Probe } from './probe.js';
import type { FindingKind } from './checkFindings.js';
import { NewestGaps } from './reader.js';

/** A shorter loss is a discontinuity without a gap (docs/design/time.md). */
const MIN_GAP_MS = 1000;
/** Text is handed to the medium in pieces of this size. */
const PIECE_CHARS = 256 * 1024;

/** What becomes of an entry that is not simply kept. */
export type Decision =
  | { readonly kind: 'drop' }
  | { readonly kind: 'keep'; readonly uri?: string | undefined; readonly number?: number | undefined }
  | { readonly kind: 'change'; readonly probe: Probe; readonly damage: readonly FindingKind[]; readonly uri?: string | undefined };

/** A file that comes in. */
export interface Incoming {
  readonly number: number;
  readonly uri: string;
  readonly probe: Probe;
  readonly damage: readonly FindingKind[];
  readonly modifiedMs: number | undefined;
  /** Its entry, and the number of the one before that, where a playlist that was set aside had it. */
  readonly entry: PlaylistEntry | undefined;
  readonly ownBefore: number | undefined;
}

/** What the repaired playlist is made from. */
export interface PlaylistSources {
  /** The playlist; undefined where there is none. */
  readonly journal: { readonly read: ReadRange; readonly head: JournalHead; readonly size: number } | undefined;
  /** By where the entry begins. */
  readonly decisions: ReadonlyMap<number, Decision>;
  /** In order of their numbers. */
  readonly incoming: readonly Incoming[];
  readonly hints: TimeHints;
  /** Bytes of a file whose entry does not say them. */
  readonly sizeOf: (uri: string) => Promise<number>;
  /** Told of an entry that leaves because its file is named before, or its number is out of order. */
  readonly skipped?: ((entry: PlaylistEntry) => void) | undefined;
}

/** What was learnt of the repaired playlist before it is written. */
export interface PlaylistSurvey {
  readonly running: Running;
  readonly lastRun: TimeHints['lastRun'];
  readonly longestSec: number;
  readonly count: number;
  readonly sizeBytes: number;
  /** The highest of its entries. */
  readonly epoch: number;
  readonly first: Repaired | undefined;
  /** Where the last ends; UTC milliseconds. */
  readonly endedMs: number | undefined;
  readonly gaps: readonly Gap[];
}

/** Every segment of the repaired playlist, in order. */
async function* candidates({ journal, decisions, incoming, hints, skipped }: PlaylistSources): AsyncGenerator<Candidate> {
  const used = new NameSet();
  let at = 0;
  let last: number | undefined;
  const enter = function* (below: number, untilMs: number | undefined): Generator<Candidate> {
    for (let next = incoming[at]; next !== undefined && next.number < below; next = incoming[++at]) {
      if (!used.add(next.uri)) continue;
      const { ownBefore, ...rest } = next;
      yield { ...rest, adjacent: next.entry !== undefined && ownBefore === last, untilMs };
      last = next.number;
    }
  };
  // Of the entry before in the text; NaN where that cannot be read.
  let ownBefore: number | undefined;
  if (journal !== undefined) {
    const times = new ImpliedTimes(hints.startedAtMs);
    for await (const item of readJournalItems(journal.read, journal.head, journal.size)) {
      if (item.kind === 'unreadable') {
        ownBefore = NaN;
        continue;
      }
      const { entry: said, fromByte } = item.located;
      const impliedMs = times.next(said);
      const isFirst = last === undefined;
      const decision = decisions.get(fromByte) ?? { kind: 'keep' };
      const uri = decision.kind === 'drop' ? said.uri : (decision.uri ?? said.uri);
      const number = numberOf(uri) ?? said.facts?.index ?? last ?? 0;
      const before = ownBefore;
      ownBefore = number;
      if (decision.kind === 'drop') continue;
      if (numberOf(uri) !== undefined) yield* enter(number, impliedMs);
      const isBehind = numberOf(uri) !== undefined && last !== undefined && number <= last;
      if (!used.add(uri) || isBehind) {
        skipped?.(said);
        continue;
      }
      const { probe, damage } = decision.kind === 'change' ? decision : { probe: undefined, damage: [] };
      const adjacent = before === last;
      last = number;
      // What goes on from an entry that is not before it any more has to say for itself when it begins.
      const implied = said.facts === undefined && said.wallMs === undefined && (isFirst || !adjacent) ? impliedMs : undefined;
      const entry = implied === undefined ? said : { ...said, wallMs: Math.floor(implied) };
      yield { number, uri, entry, probe, damage, adjacent, modifiedMs: undefined, untilMs: undefined };
    }
  }
  yield* enter(Infinity, undefined);
}

/** The entries, each made in sight of the two behind it. */
async function* made(sources: PlaylistSources, running: Running): AsyncGenerator<{ candidate: Candidate; repaired: Repaired }> {
  const maker = new EntryMaker(sources.hints, running);
  const waiting: Candidate[] = [];
  for await (const candidate of candidates(sources)) {
    waiting.push(candidate);
    if (waiting.length < 3) continue;
    const [first, ...ahead] = waiting;
    if (first) yield { candidate: first, repaired: maker.next(first, ahead) };
    waiting.shift();
  }
  for (let first = waiting.shift(); first !== undefined; first = waiting.shift())
    yield { candidate: first, repaired: maker.next(first, waiting) };
}

/** Goes through the repaired playlist without writing it; `see` is told each entry. */
export async function surveyPlaylist(
  sources: PlaylistSources,
  see: (candidate: Candidate, repaired: Repaired) => void,
): Promise<PlaylistSurvey> {
  const { running, lastRun } = await beginningOf(sources);
  const known = { ...sources, hints: { ...sources.hints, lastRun } };
  const gaps = new NewestGaps();
  let [longestSec, count, sizeBytes, epoch] = [0, 0, 0, 0];
  let first: Repaired | undefined;
  let endedMs: number | undefined;
  for await (const { candidate, repaired } of made(known, running)) {
    const { entry, wallMs } = repaired;
    const { facts } = entry;
    first ??= repaired;
    if (facts?.gap) gaps.add({ ...facts.gap, toMs: wallMs });
    // Another system names no gaps in its playlist; its date-times show them.
    else if (!facts && endedMs !== undefined && wallMs - endedMs > MIN_GAP_MS)
      gaps.add({ fromMs: endedMs, toMs: wallMs, reason: 'signal' });
    endedMs = wallMs + entry.durationUs / 1000;
    count += 1;
    epoch = Math.max(epoch, facts?.epoch ?? 0);
    sizeBytes += facts?.sizeBytes ?? (await sources.sizeOf(entry.uri));
    longestSec = Math.max(longestSec, Math.round(entry.durationUs / 1e6));
    see(candidate, repaired);
  }
  return { running, lastRun, longestSec, count, sizeBytes, epoch, first, endedMs, gaps: gaps.list() };
}

/** The text of the repaired playlist, piece by piece. */
export async function* textOf(
  sources: PlaylistSources,
  header: PlaylistHeader,
  survey: PlaylistSurvey,
  ended: boolean,
): AsyncGenerator<string> {
  let piece = renderHeader(header);
  const known = { ...sources, hints: { ...sources.hints, lastRun: survey.lastRun } };
  for await (const { repaired } of made(known, survey.running)) {
    piece += renderEntry(repaired.entry);
    if (piece.length < PIECE_CHARS) continue;
    yield piece;
    piece = '';
  }
  yield ended ? piece + ENDLIST : piece;
}

/** The header of the life that a repair begins. */
export function headerOf(
  old: PlaylistHeader | undefined,
  survey: PlaylistSurvey,
  how: { readonly ended: boolean; readonly retention: boolean },
): PlaylistHeader {
  const first = survey.first?.entry;
  const ownTag = first?.discontinuity === true ? 1 : 0;
  const misspelt = old && misspeltInHeader(old);
  return {
    version: Math.max(3, old?.version ?? 3),
    targetDurationSec: Math.max(1, old?.targetDurationSec ?? 1, survey.longestSec),
    mediaSequence: survey.running.mediaSequence,
    discontinuitySequence: first?.facts === undefined ? survey.running.discontinuitySequence : first.facts.discontinuitySequence - ownTag,
    type: how.ended ? 'VOD' : how.retention ? undefined : 'EVENT',
    life: (old?.life ?? 0) + 1,
    unknownTags: (old?.unknownTags ?? []).filter((tag) => misspelt === undefined || !tag.startsWith(misspelt)),
    unknownKeys: old?.unknownKeys ?? [],
  };
}

/**
 * The numbers with which the repaired playlist begins: those of the first entries that stay, less what comes in before them. Where the
 * first entry, the header and the next two do not agree, what most of them say holds. And the run with which it ends, where that may be asked for.
 */
async function beginningOf(sources: PlaylistSources): Promise<{ running: Running; lastRun: TimeHints['lastRun'] }> {
  const header = sources.journal?.head.header;
  const votes: Running[] = [];
  const passed = { count: 0, tags: 0, bytes: 0 };
  let first: Candidate | undefined;
  const lastRun = new LastRun();
  const asked = sources.incoming.length > 0;
  // An entry from a playlist that was set aside has the numbers of another life.
  const older = new Set(sources.incoming.map(({ entry }) => entry));
  for await (const candidate of candidates(sources)) {
    first ??= candidate;
    lastRun.add(candidate);
    const { entry, probe } = candidate;
    const facts = entry?.facts;
    if (entry?.discontinuity === true) passed.tags += 1;
    if (facts !== undefined && !older.has(entry) && votes.length < 3) {
      votes.push({
        mediaSequence: facts.mediaSequence - passed.count,
        discontinuitySequence: facts.discontinuitySequence - passed.tags,
        cumulativeBytes: facts.cumulativeBytes - facts.sizeBytes - passed.bytes,
      });
    }
    passed.count += 1;
    passed.bytes += probe?.sizeBytes ?? facts?.sizeBytes ?? 0;
    if (votes.length === 3 && !asked) break;
  }
  const isHead = first?.entry !== undefined && first.adjacent && header !== undefined;
  const said = (pick: (vote: Running) => number, more: number | undefined): number => {
    const values = [...votes.map(pick), ...(more === undefined ? [] : [more])];
    const most = values.find((value) => values.filter((other) => other === value).length > 1);
    return Math.max(0, most ?? values[0] ?? 0);
  };
  const foreign = votes.length === 0;
  const running = {
    // Another system may not count what it has pruned: then its first file's number does.
    mediaSequence: foreign
      ? header?.mediaSequence || (first?.number ?? 0)
      : said((vote) => vote.mediaSequence, isHead ? header.mediaSequence : undefined),
    discontinuitySequence: said((vote) => vote.discontinuitySequence, isHead || foreign ? header?.discontinuitySequence : undefined),
    cumulativeBytes: said((vote) => vote.cumulativeBytes, undefined),
  };
  return { running, lastRun: asked ? lastRun.end() : undefined };
}
