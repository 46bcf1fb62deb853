/**
 * Playlists for viewers: plan.ts decides what one holds, this makes its header, its version and its text. The version is made of the header and
 * of the entries at both ends, all that the text depends on, so it costs no text and stays the same while the text does.
 */
import { createHash } from 'node:crypto';
import { ENDLIST, GAP_VERSION, renderMediaHeader } from '../../hls/index.js';
import type { PlaylistAnswer, PlaylistLimits, PlaylistRequest, Timeline, TimelineEntry } from '../contract.js';
import { markedText } from './gapEntries.js';
import { SKIP_BOUNDARY_TARGETS, planPlaylist, type Plan } from './plan.js';

/** What an answer is made with. */
export interface AnswerOptions {
  /** UTC milliseconds. */
  readonly nowMs: number;
  readonly limits: PlaylistLimits;
}

/**
 * The playlist that answers a request.
 * @throws LivetapeError WINDOW_TOO_LONG, WINDOW_IN_GAP, WINDOW_BEFORE_ARCHIVE, WINDOW_EXPIRED, WINDOW_IN_FUTURE
 */
export async function answerPlaylist(
  timeline: Timeline,
  request: PlaylistRequest,
  { nowMs, limits }: AnswerOptions,
): Promise<PlaylistAnswer> {
  const plan = await planPlaylist(timeline, request, nowMs, limits);
  const { fromSequence, toSequence } = plan.range;
  const ends = await entriesAtEnds(timeline, plan);
  const textFrom = plan.skippable && 'skip' in request && request.skip ? await skipBoundary(timeline, plan) : fromSequence;
  const header = renderMediaHeader({
    version: plan.marked ? Math.max(GAP_VERSION, timeline.playlistVersion) : timeline.playlistVersion,
    targetDurationSec: timeline.targetDurationSec,
    ...(await sequenceNumbers(timeline, plan, ends?.first)),
    type: plan.type,
    startMs: plan.startMs === undefined ? undefined : Math.max(0, plan.startMs - (ends?.first.wallMs ?? plan.startMs)),
    canSkipUntilSec: plan.skippable ? SKIP_BOUNDARY_TARGETS * timeline.targetDurationSec : undefined,
    skippedSegments: textFrom - fromSequence,
  });
  return {
    age: plan.age,
    version: request.kind === 'archive' ? timeline.version : versionOf(header, plan, ends),
    targetDurationSec: timeline.targetDurationSec,
    reachMs: ends === undefined ? 0 : Math.max(0, nowMs - ends.first.wallMs),
    async *body() {
      yield new TextEncoder().encode(header);
      if (plan.marked && ends) yield* markedText(timeline, plan.range, ends.last, plan.marked.fromMs, plan.marked.toMs);
      else if (textFrom < toSequence) yield* timeline.text(textFrom, toSequence);
      if (plan.ended) yield new TextEncoder().encode(ENDLIST);
    },
  };
}

/**
 * Live answers, made once for all who ask the same of the same timeline: nothing in their text depends on when they are asked for. Hundreds of viewers ask between
 * two segments.
 */
export class LiveAnswers {
  readonly #made = new WeakMap<Timeline, Map<string, Promise<PlaylistAnswer>>>();

  /** The answer, with `reachMs` as of when it was made. */
  of(timeline: Timeline, request: Extract<PlaylistRequest, { kind: 'live' }>, options: AnswerOptions): Promise<PlaylistAnswer> {
    let answers = this.#made.get(timeline);
    if (!answers) this.#made.set(timeline, (answers = new Map<string, Promise<PlaylistAnswer>>()));
    const { rewindMs, skip } = request;
    const { liveWindowMs, maxWindowMs } = options.limits;
    const key = `${rewindMs} ${skip} ${liveWindowMs} ${maxWindowMs}`;
    const known = answers.get(key);
    if (known) return known;
    const answer = answerPlaylist(timeline, request, options);
    if (answers.size < MAX_LIVE_ANSWERS) {
      answers.set(key, answer);
      const own = answers;
      answer.catch(() => own.delete(key));
    }
    return answer;
  }
}

/** Lengths of rewind that are remembered for a timeline: a client could ask for any number of them. */
const MAX_LIVE_ANSWERS = 32;

interface Ends {
  readonly first: TimelineEntry;
  readonly last: TimelineEntry;
}

/** Undefined for a playlist without entries. */
async function entriesAtEnds(timeline: Timeline, { range }: Plan): Promise<Ends | undefined> {
  if (range.fromSequence === range.toSequence) return undefined;
  const [first, last] = await Promise.all([timeline.entry(range.fromSequence), timeline.entry(range.toSequence - 1)]);
  return { first, last };
}

/** Those of the first entry (P9, F10), or of the one that will be; the window's own where gaps are entries too (P11). */
async function sequenceNumbers(
  timeline: Timeline,
  { marked, range }: Plan,
  first: TimelineEntry | undefined,
): Promise<{ mediaSequence: number; discontinuitySequence: number }> {
  if (marked) return { mediaSequence: 0, discontinuitySequence: 0 };
  if (first === undefined) {
    const { discontinuitySequence } = await timeline.entry(range.fromSequence - 1);
    return { mediaSequence: range.fromSequence, discontinuitySequence };
  }
  return { mediaSequence: first.mediaSequence, discontinuitySequence: first.discontinuitySequence - (first.discontinuity ? 1 : 0) };
}

/** The first entry that a delta update holds: those before it lie wholly before the skip boundary (P12). */
async function skipBoundary(timeline: Timeline, { range }: Plan): Promise<number> {
  const kept = await timeline.back(range.toSequence, SKIP_BOUNDARY_TARGETS * timeline.targetDurationSec * 1000);
  return Math.max(range.fromSequence, kept);
}

/** Entries are never changed while their numbers stay, but by a repair; which shows at an end where it renumbers. */
function versionOf(header: string, plan: Plan, ends: Ends | undefined): string {
  const facts = [header, plan.ended, plan.range.toSequence, plan.marked?.fromMs, plan.marked?.toMs];
  if (ends) for (const { uri, wallMs, durationUs } of [ends.first, ends.last]) facts.push(uri, wallMs, durationUs);
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url').slice(0, 22);
}
