/**
 * One stream's journal, followed (P1, P2). Looks are shared and cost a stat when nothing changed. What is known of the entries lives on while the journal
 * grows or is pruned; whoever reads while it is replaced reads again from where it lies now.
 */
import { LivetapeError, isLivetapeError, type Clock } from '../../base/index.js';
import type { PlaylistHeader } from '../../hls/index.js';
import type { StreamStorage } from '../../storage/index.js';
import { BLOCK_ENTRIES, Block, blockOf } from './block.js';
import type { TimelineEntry } from '../contract.js';
import type { BlockCache } from './blockCache.js';
import type { SearchedPiece } from './markIndex.js';
import type { Mark } from './marks.js';
import { searchMarks } from './searchMarks.js';
import {
  JournalMoved,
  PIECE_BYTES,
  behind,
  bytesFor,
  cursorOf,
  followJournal,
  giveWay,
  lastStands,
  openJournal,
  readPiece,
  stands,
  type Cursor,
  type Journal,
  type Piece,
  type PlacedEntry,
} from './journal.js';
import { Known } from './known.js';
import { bySequence, byTime, pointOf, search, type Point } from './search.js';

/** A look at the journal holds for so long (P1). */
export const REFRESH_MS = 200;
/** So many entries that were asked for one by one are remembered with the stream. */
const MAX_HELD = 64;
/** How often what is read is read again because the journal is replaced meanwhile. */
const MAX_TRIES = 5;

/** What is known of a stream at a moment. */
export interface StreamState {
  readonly journal: Journal;
  readonly known: Known;
  /** Media sequence numbers name the same entries as long as this is the same. */
  readonly lineage: number;
}

/** Work on a journal, told where it may note entries that it came by; they are remembered when the journal stood. */
type Work<T> = (learn: (...points: readonly Point[]) => void) => Promise<T>;

/** What all streams remember together. */
export interface StreamCaches {
  readonly blocks: BlockCache<Block>;
  readonly marks: BlockCache<SearchedPiece>;
}

/** Follows the journal of one stream. */
export class FollowedStream {
  /** May be another object for the same place from one request to the next. */
  storage: StreamStorage;
  readonly #clock: Clock;
  readonly #caches: StreamCaches;
  #state: StreamState | undefined;
  #stamp: string | undefined;
  #lineages = 0;
  #held: { readonly lineage: number; readonly entries: Map<number, TimelineEntry> } = { lineage: -1, entries: new Map() };
  #look: { readonly atMs: number; readonly state: Promise<StreamState> } | undefined;
  #isLooking = false;
  #askedAtMs: number;

  constructor(storage: StreamStorage, clock: Clock, caches: StreamCaches) {
    this.storage = storage;
    this.#clock = clock;
    this.#caches = caches;
    this.#askedAtMs = clock.monotonicMs();
  }

  /** An entry that was asked for lately, when it is still there. */
  heldEntry(lineage: number, sequence: number): TimelineEntry | undefined {
    const state = this.#state;
    if (state?.lineage !== lineage || sequence < state.journal.first.sequence) return undefined;
    return this.#held.lineage === lineage ? this.#held.entries.get(sequence) : undefined;
  }

  /**
   * Remembers an entry by itself: those at the ends of windows are asked for again and again. One of another system's is not remembered: its time and the gap
   * before it follow from what stands before it, which a replacement changes.
   */
  holdEntry(lineage: number, entry: TimelineEntry): void {
    if (this.#state?.journal.foreign !== false) return;
    if (this.#held.lineage !== lineage) this.#held = { lineage, entries: new Map() };
    const { entries } = this.#held;
    entries.set(entry.mediaSequence, entry);
    const [oldest] = entries.keys();
    if (entries.size > MAX_HELD && oldest !== undefined) entries.delete(oldest);
  }

  /** When anything was last asked of it; monotonic milliseconds. */
  get askedAtMs(): number {
    return this.#askedAtMs;
  }

  /** What stands there, as of a look that is no older than REFRESH_MS. */
  state(): Promise<StreamState> {
    this.#askedAtMs = this.#clock.monotonicMs();
    if (this.#look !== undefined && (this.#isLooking || this.#askedAtMs - this.#look.atMs <= REFRESH_MS)) return this.#look.state;
    return this.#lookNow(false);
  }

  /** Lets go of what the cache holds of it. Those who still read go on. */
  forget(): void {
    this.#state?.known.forget();
  }

  /**
   * Carries out what was asked of the entries of a lineage from `fromSequence` on; again when the journal was replaced meanwhile.
   * @throws LivetapeError WINDOW_EXPIRED when they are gone
   */
  async within<T>(lineage: number, fromSequence: number, work: (state: StreamState) => Promise<T>): Promise<T> {
    this.#askedAtMs = this.#clock.monotonicMs();
    for (let tries = 0; ; tries++) {
      const state = this.#state;
      if (state === undefined || state.lineage !== lineage) throw expired(fromSequence, undefined);
      if (fromSequence < state.journal.first.sequence) throw expired(fromSequence, state.journal.first.sequence);
      try {
        return await work(state);
      } catch (error) {
        const moved = error instanceof JournalMoved;
        if (!moved && !isLivetapeError(error, 'ARCHIVE_CORRUPT')) throw error;
        if (tries >= MAX_TRIES) throw moved ? restless(this.storage) : error;
        await this.#lookAgain();
        if (!moved && this.#state === state) throw error;
      }
    }
  }

  /** The block with this number, with its entries up to `toSequence` at least. */
  async block({ journal, known }: StreamState, number: number, toSequence: number): Promise<Block> {
    for (;;) {
      const held = known.block(number);
      if (held !== undefined && held.endSequence >= toSequence) return held;
      let loading = known.loading.get(number);
      if (loading === undefined) {
        loading = this.#load(journal, known, number, held).finally(() => known.loading.delete(number));
        known.loading.set(number, loading);
      }
      // One that was begun earlier may know of fewer entries.
      const block = await loading;
      if (block.endSequence >= toSequence) return block;
    }
  }

  /** Entries in order from `fromSequence` on, up to `toSequence` at most: as many as come at once. `cursor`, when it is known, says where. */
  async piece(state: StreamState, fromSequence: number, toSequence: number, cursor: Cursor | undefined): Promise<Piece> {
    const { journal, known } = state;
    const piece = await this.#read(state, async (learn) => {
      const from = cursor ?? (await this.#cursorAt(journal, known, fromSequence, learn));
      return readPiece(journal, from, journal.last.toAt, bytesFor(journal, toSequence - fromSequence));
    });
    await giveWay();
    const entries = piece.entries.filter(({ sequence }) => sequence < toSequence);
    if (entries.length === 0) throw missing(fromSequence);
    return { ...piece, entries };
  }

  /** What was searched for marks and holds the entry; it is searched when it was not. */
  async searched(state: StreamState, sequence: number): Promise<SearchedPiece> {
    const { journal, known } = state;
    const { marks } = known;
    const found = marks.holding(sequence);
    if (found !== undefined) return found;
    return marks.inTurn(async () => {
      const meanwhile = marks.holding(sequence);
      if (meanwhile !== undefined) return meanwhile;
      const { first, next, found } = await this.#read(state, async (learn) => {
        const first = marks.endingAt(sequence)?.next ?? (await this.#cursorAt(journal, known, sequence, learn));
        const toAt = marks.after(sequence)?.first.at ?? journal.last.toAt;
        return { first, ...(await searchMarks(journal, first, toAt, marks.bounds.searchBytes)) };
      });
      if (next.sequence <= sequence) throw missing(sequence);
      return marks.add(first, next, found);
    });
  }

  /** The marks of entries from `fromSequence` on that a piece holds, one by one. */
  async marksOf(state: StreamState, piece: SearchedPiece, fromSequence: number): Promise<readonly Mark[]> {
    const { journal, known } = state;
    const { found } = await this.#read(state, async (learn) => {
      const isFirst = fromSequence <= piece.first.sequence;
      const first = isFirst ? piece.first : await this.#cursorAt(journal, known, fromSequence, learn);
      return searchMarks(journal, first, piece.next.at, Infinity);
    });
    return found;
  }

  /** The first entry that ends after `wallMs`; one does. */
  async endingAfter(state: StreamState, wallMs: number): Promise<number> {
    const { journal, known } = state;
    const { first, last, foreign } = journal;
    if (foreign) {
      const number = known.blockEndingAfter(wallMs) ?? blockOf(first.sequence);
      const block = await this.block(state, number, Math.min((number + 1) * BLOCK_ENTRIES, last.sequence + 1));
      return block.endingAfter(wallMs, first.sequence);
    }
    const goal = byTime(wallMs);
    if (goal.reached(pointOf(first))) return first.sequence;
    const { before, reached } = known.bracket(goal, pointOf(first), pointOf(last));
    const held = known.block(blockOf(before.sequence));
    if (held !== undefined && held.firstSequence <= before.sequence) {
      const sequence = held.endingAfter(wallMs, before.sequence);
      if (sequence < held.endSequence || held.endSequence === reached.sequence) return sequence;
    }
    return this.#read(state, async (learn) => {
      const found = await search(journal, goal, { before, reached });
      learn(found.before, found.reached);
      return found.reached.sequence;
    });
  }

  /** What `work` reads of a journal; JournalMoved when it was replaced meanwhile. */
  async #read<T>({ journal, known }: Pick<StreamState, 'journal' | 'known'>, work: Work<T>): Promise<T> {
    const learnt: Point[] = [];
    let value: T;
    try {
      value = await work((...points) => void learnt.push(...points));
    } catch (error) {
      if (isLivetapeError(error, 'ARCHIVE_CORRUPT') && !(await stands(journal))) throw new JournalMoved();
      throw error;
    }
    if (!(await stands(journal))) throw new JournalMoved();
    known.learn(learnt);
    return value;
  }

  async #load(journal: Journal, known: Known, number: number, held: Block | undefined): Promise<Block> {
    const end = Math.min((number + 1) * BLOCK_ENTRIES, journal.last.sequence + 1);
    const first = Math.max(number * BLOCK_ENTRIES, journal.first.sequence);
    const block = await this.#read({ journal, known }, async (learn) => {
      const made = held?.copy() ?? new Block(await this.#cursorAt(journal, known, first, learn));
      for (let cursor = made.next; cursor.sequence < end; cursor = made.next) {
        const piece = await readPiece(journal, cursor, journal.last.toAt, bytesFor(journal, end - cursor.sequence));
        const entries = piece.entries.filter(({ sequence }) => sequence < end);
        if (entries.length === 0) throw missing(cursor.sequence);
        made.add(entries);
        for (const entry of [entries[0], entries.at(-1)]) if (entry !== undefined) learn(pointOf(entry));
        await giveWay();
      }
      return made;
    });
    known.hold(number, block);
    return block;
  }

  /** Where an entry that is there lies. */
  async #cursorAt(journal: Journal, known: Known, sequence: number, learn: (...points: readonly Point[]) => void): Promise<Cursor> {
    const { first, last, foreign } = journal;
    if (sequence === first.sequence) return cursorOf(first);
    if (sequence === last.sequence) return cursorOf(last);
    const number = blockOf(sequence);
    const held = known.block(number);
    if (held !== undefined && held.firstSequence <= sequence && sequence < held.endSequence) return held.cursorAt(sequence);
    if (foreign) return this.#countTo(journal, known.start(number), sequence);
    const goal = bySequence(sequence);
    const found = await search(journal, goal, known.bracket(goal, pointOf(first), pointOf(last)));
    if (found.reached.sequence !== sequence) throw missing(sequence);
    learn(found.reached);
    return { at: found.reached.at, sequence, discontinuitySequence: NaN, wallMs: found.reached.wallMs, endedMs: NaN };
  }

  async #countTo(journal: Journal, start: Cursor | undefined, sequence: number): Promise<Cursor> {
    for (let cursor = start; cursor !== undefined;) {
      const piece = await readPiece(journal, cursor, journal.last.toAt, PIECE_BYTES);
      const found = piece.entries.find((entry) => entry.sequence === sequence);
      if (found !== undefined) return cursorOf(found);
      if (piece.entries.length === 0) break;
      cursor = piece.next;
      await giveWay();
    }
    throw missing(sequence);
  }

  #lookNow(force: boolean): Promise<StreamState> {
    this.#isLooking = true;
    const state = this.#follow(force).finally(() => (this.#isLooking = false));
    this.#look = { atMs: this.#clock.monotonicMs(), state };
    return state;
  }

  /** A look that begins now, after one that is under way. */
  async #lookAgain(): Promise<void> {
    const before = this.#look;
    if (this.#isLooking) await before?.state.catch(() => undefined);
    try {
      await (this.#look !== undefined && this.#look !== before ? this.#look.state : this.#lookNow(true));
    } catch (error) {
      if (!isLivetapeError(error, 'NOTHING_RECORDED')) throw error;
    }
  }

  async #follow(force: boolean): Promise<StreamState> {
    for (let tries = 0; ; tries++) {
      const stamp = await this.storage.journalStamp();
      const old = this.#state;
      if (old !== undefined && !force && stamp !== undefined && stamp === this.#stamp) return old;
      let state: StreamState | undefined;
      try {
        state = stamp === undefined ? undefined : ((old && (await this.#grown(old))) ?? (await this.#opened(old)));
      } catch (error) {
        const moved = error instanceof JournalMoved;
        if (!moved && !isLivetapeError(error, 'ARCHIVE_CORRUPT')) throw error;
        if (tries < MAX_TRIES && (moved || (await this.storage.journalStamp()) !== stamp)) continue;
        throw moved ? restless(this.storage) : error;
      }
      this.#stamp = stamp;
      if (old !== undefined && state?.known !== old.known) old.known.forget();
      this.#state = state;
      if (state !== undefined) return state;
      const { location } = this.storage;
      throw new LivetapeError('NOTHING_RECORDED', `no segment is recorded in ${location}`, { context: { location } });
    }
  }

  /** The state after a journal that only grew; undefined when it did not. */
  async #grown(old: StreamState): Promise<StreamState | undefined> {
    const before = { ...old.journal, storage: this.storage };
    if (!before.foreign) {
      const journal = await followJournal(before);
      return journal && { ...old, journal };
    }
    if (!(await lastStands(before))) return undefined;
    const journal = await this.#count(before, old.known);
    return (await stands(journal)) ? { ...old, journal } : undefined;
  }

  /** The state after a journal that was replaced, or is seen for the first time. */
  async #opened(old: StreamState | undefined): Promise<StreamState | undefined> {
    const opened = await openJournal(this.storage);
    if (opened === undefined) return undefined;
    const known = new Known(this.#caches.blocks, this.#caches.marks);
    if (opened.foreign) known.pass(opened.first);
    const journal = opened.foreign ? await this.#count(opened, known) : opened;
    const found = old && (await this.#placeIn(journal, known, old.journal.last));
    if (!(await stands(journal))) throw new JournalMoved();
    if (old === undefined || found === undefined) return { journal, known, lineage: this.#lineages++ };
    const { lineage } = old;
    if (!isPruned(old.journal, journal)) return { journal, known, lineage };
    // P2: entries were copied byte for byte, so what is known of those that stay holds on.
    const moved = shifted(journal, old.journal.last.at - found);
    old.known.drop(cursorOf(moved.first));
    return { journal: moved, known: old.known, lineage };
  }

  /** Where an entry lies now, should it be there as it was. */
  async #placeIn(journal: Journal, known: Known, { sequence, bytes }: PlacedEntry): Promise<number | undefined> {
    if (sequence < journal.first.sequence || sequence > journal.last.sequence) return undefined;
    const { at } = await this.#cursorAt(journal, known, sequence, () => undefined);
    const there = await journal.storage.readJournal(at, at + bytes.byteLength);
    return Buffer.compare(there, bytes) === 0 ? at : undefined;
  }

  /** Goes through another system's journal from its last known entry to its end (P3). */
  async #count(journal: Journal, known: Known): Promise<Journal> {
    let { last } = journal;
    for (let cursor = behind(last); ;) {
      const piece = await readPiece(journal, cursor, Infinity, PIECE_BYTES);
      for (const entry of piece.entries) known.pass((last = entry));
      if (piece.isEnd) return { ...journal, last: { ...last, bytes: last.bytes.slice() }, ended: piece.ended };
      cursor = piece.next;
      await giveWay();
    }
  }
}

/** Whether all that changed is what a prune changes. */
function isPruned(old: Journal, now: Journal): boolean {
  const rest = (header: PlaylistHeader): string =>
    JSON.stringify({
      ...header,
      mediaSequence: 0,
      discontinuitySequence: 0,
      unknownKeys: header.unknownKeys.filter((key) => !key.startsWith('pruned=')),
    });
  return !old.foreign && !now.foreign && old.ended === now.ended && rest(old.header) === rest(now.header);
}

/** The journal under other addresses. */
function shifted(journal: Journal, by: number): Journal {
  const moved = (entry: PlacedEntry): PlacedEntry => ({ ...entry, at: entry.at + by, toAt: entry.toAt + by });
  return { ...journal, shift: journal.shift + by, first: moved(journal.first), last: moved(journal.last) };
}

/** The error for an entry that was pruned. */
export function expired(sequence: number, oldest: number | undefined): LivetapeError {
  const why = oldest === undefined ? 'the archive was replaced' : `the oldest that is kept is ${oldest}`;
  return new LivetapeError('WINDOW_EXPIRED', `segment ${sequence} is not kept any more: ${why}`);
}

function missing(sequence: number): LivetapeError {
  return new LivetapeError('ARCHIVE_CORRUPT', `playlist: there is no entry with the media sequence ${sequence}`);
}

function restless({ location }: StreamStorage): LivetapeError {
  return new LivetapeError('STORAGE_FAILED', `the playlist in ${location} is replaced faster than it can be read`);
}
