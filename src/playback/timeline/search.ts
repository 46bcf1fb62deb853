/**
 * Finds an entry in a journal of ours by bisecting its bytes (P3): every entry says its media sequence and its time. Where entries are about alike a guess by proportion
 * is right at once; each second guess halves what is left, so that none takes more than twice log2 of the depth.
 */
import { parseEntries } from '../../hls/index.js';
import { factsOf, giveWay, readPiece, type Journal, type PlacedEntry } from './journal.js';

/** What is read at a guess: some twenty entries. */
const WINDOW_BYTES = 8 * 1024;
/** What is so close is read through. */
const CLOSE_BYTES = 16 * 1024;

/** An entry that was seen, and where. */
export interface Point {
  readonly sequence: number;
  readonly at: number;
  readonly wallMs: number;
  readonly endMs: number;
}

/** What is looked for: the first entry that `reached` says yes to. All that follow it have reached it too. */
export interface Goal {
  reached(point: Point): boolean;
  /** Where it should lie between two points: 0 to 1. */
  share(from: Point, to: Point): number;
}

/** The entry of a media sequence number. */
export function bySequence(sequence: number): Goal {
  return {
    reached: (point) => point.sequence >= sequence,
    share: (from, to) => (sequence - from.sequence) / (to.sequence - from.sequence),
  };
}

/** The first entry that ends after a moment. */
export function byTime(wallMs: number): Goal {
  return {
    reached: (point) => point.endMs > wallMs,
    share: (from, to) => (wallMs - from.wallMs) / (to.wallMs - from.wallMs),
  };
}

/** A point that has not reached the goal, and one behind it that has. */
export interface Bracket {
  readonly before: Point;
  readonly reached: Point;
}

/** A placed entry as a point. */
export function pointOf({ sequence, at, wallMs, endMs }: PlacedEntry): Point {
  return { sequence, at, wallMs, endMs };
}

/** Two entries, one right behind the other, between which the goal is reached. */
export async function search(journal: Journal, goal: Goal, bracket: Bracket): Promise<Bracket> {
  let { before, reached } = bracket;
  // No entry that begins at or behind this address and before `reached` was found: those around it are longer than what was read.
  let guessBelow = reached.at;
  for (let step = 0; reached.sequence - before.sequence > 1 && guessBelow - before.at > CLOSE_BYTES; step++) {
    const share = Math.min(1, Math.max(0, goal.share(before, reached)));
    const guess = step % 2 === 0 ? before.at + share * (reached.at - before.at) - WINDOW_BYTES / 2 : (before.at + guessBelow) / 2;
    const from = Math.max(before.at, Math.min(Math.floor(guess), guessBelow - 1));
    const points = await pointsFrom(journal, from, reached.at, from === before.at);
    if (points.length === 0) guessBelow = from;
    else {
      for (const point of points) {
        if (goal.reached(point)) {
          reached = point;
          break;
        }
        before = point;
      }
      guessBelow = reached.at;
    }
    await giveWay();
  }
  return readThrough(journal, goal, { before, reached });
}

async function readThrough(journal: Journal, goal: Goal, bracket: Bracket): Promise<Bracket> {
  let { before } = bracket;
  const { reached } = bracket;
  let cursor = { at: before.at, sequence: before.sequence, discontinuitySequence: NaN, wallMs: NaN, endedMs: NaN };
  while (reached.sequence - before.sequence > 1) {
    const piece = await readPiece(journal, cursor, reached.at, CLOSE_BYTES);
    for (const placed of piece.entries) {
      const point = pointOf(placed);
      if (goal.reached(point)) return { before, reached: point };
      before = point;
    }
    if (piece.isEnd) break;
    cursor = piece.next;
    await giveWay();
  }
  return { before, reached };
}

/** Entries that begin at or behind `fromAt` and before `toAt`, as many as come at once; none when none does. */
async function pointsFrom(journal: Journal, fromAt: number, toAt: number, atEntry: boolean): Promise<readonly Point[]> {
  const { storage, shift } = journal;
  for (let look = WINDOW_BYTES; ; look *= 2) {
    const bytes = await storage.readJournal(fromAt - shift, Math.min(fromAt + look, toAt) - shift);
    const { entries } = parseEntries(bytes, atEntry, { byte: fromAt - shift });
    if (entries.length === 0 && fromAt + look < toAt) continue;
    return entries.map(({ entry, fromByte }) => {
      const { mediaSequence } = factsOf(entry);
      const wallMs = entry.wallMs ?? NaN;
      return { sequence: mediaSequence, at: fromAt + fromByte, wallMs, endMs: wallMs + entry.durationUs / 1000 };
    });
  }
}
