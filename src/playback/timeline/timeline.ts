/** An archive at a moment: what playback/contract.ts says of a timeline, over the blocks and the journal of a stream. */
import { crc32 } from 'node:zlib';
import { LivetapeError } from '../../base/index.js';
import type { PlaylistType } from '../../hls/index.js';
import type { Timeline, TimelineEntry, ToldMarks } from '../contract.js';
import { BLOCK_ENTRIES, blockOf, gapBefore, type PlacedGap } from './block.js';
import type { Cursor, PlacedEntry } from './journal.js';
import type { Known } from './known.js';
import { expired, type FollowedStream, type StreamState } from './stream.js';
import { windowMarks, type MarksSource } from './windowMarks.js';

/** A timeline of a followed stream. */
export class ArchiveTimeline implements Timeline {
  readonly version: string;
  readonly targetDurationSec: number;
  readonly playlistVersion: number;
  readonly type: PlaylistType | undefined;
  readonly ended: boolean;
  readonly pruned: boolean;
  readonly firstSequence: number;
  readonly endSequence: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly totalSizeBytes: number | undefined;
  readonly #stream: FollowedStream;
  readonly #lineage: number;

  constructor(stream: FollowedStream, { journal, lineage }: StreamState) {
    const { header, first, last } = journal;
    this.#stream = stream;
    this.#lineage = lineage;
    this.version = versionOf(journal);
    this.targetDurationSec = header.targetDurationSec;
    this.playlistVersion = header.version;
    this.type = header.type;
    this.ended = journal.ended;
    this.pruned = first.sequence > 0 || header.unknownKeys.some((key) => key.startsWith('pruned='));
    this.firstSequence = first.sequence;
    this.endSequence = last.sequence + 1;
    this.startMs = first.wallMs;
    this.endMs = last.endMs;
    this.totalSizeBytes = sizeOf(first, last);
  }

  async at(wallMs: number): Promise<number> {
    if (!(wallMs < this.endMs)) return this.endSequence;
    return this.#within(this.endSequence - 1, async (state) => {
      const { first, last } = state.journal;
      if (!(wallMs < last.endMs)) return this.endSequence;
      // Which of those that were pruned meanwhile it was cannot be said any more.
      if (first.sequence > this.firstSequence && wallMs < first.wallMs) throw expired(this.firstSequence, first.sequence);
      return Math.min(this.endSequence, await this.#stream.endingAfter(state, wallMs));
    });
  }

  async back(endSequence: number, durationMs: number): Promise<number> {
    this.#check(this.firstSequence, endSequence);
    let wantedUs = durationMs * 1000;
    let end = endSequence;
    while (wantedUs > 0 && end > this.firstSequence) {
      const number = blockOf(end - 1);
      const start = number * BLOCK_ENTRIES;
      const known = await this.#within(end - 1, async (state) => {
        const sum = end === start + BLOCK_ENTRIES ? state.known.sums.get(number) : undefined;
        if (sum !== undefined && sum.durationUs < wantedUs) return { durationUs: sum.durationUs };
        const block = await this.#stream.block(state, number, end);
        return { found: block.back(end, wantedUs), first: block.firstSequence, durationUs: block.durationUs(block.firstSequence, end) };
      });
      if (known.found !== undefined) return Math.max(known.found, this.firstSequence);
      wantedUs -= known.durationUs;
      end = known.first ?? start;
    }
    return Math.max(end, this.firstSequence);
  }

  async entry(sequence: number): Promise<TimelineEntry> {
    if (sequence >= this.endSequence) throw outside(sequence, sequence + 1);
    const held = this.#stream.heldEntry(this.#lineage, sequence);
    if (held !== undefined) return held;
    for await (const [entry] of this.entries(sequence, sequence + 1)) {
      if (entry === undefined) continue;
      this.#stream.holdEntry(this.#lineage, entry);
      return entry;
    }
    throw outside(sequence, sequence + 1);
  }

  async *entries(fromSequence: number, toSequence: number): AsyncGenerator<readonly TimelineEntry[]> {
    this.#check(fromSequence, toSequence);
    let place: { readonly known: Known; readonly cursor: Cursor } | undefined;
    for (let next = fromSequence; next < toSequence;) {
      const { entries, cursor, known } = await this.#within(next, async (state) => {
        const cursor = place?.known === state.known ? place.cursor : undefined;
        const piece = await this.#stream.piece(state, next, toSequence, cursor);
        return { entries: piece.entries, cursor: piece.next, known: state.known };
      });
      place = { known, cursor };
      next += entries.length;
      yield entries.map(timelineEntry);
    }
  }

  async *text(fromSequence: number, toSequence: number): AsyncGenerator<Uint8Array> {
    this.#check(fromSequence, toSequence);
    for (let next = fromSequence; next < toSequence;) {
      const number = blockOf(next);
      const end = Math.min(toSequence, (number + 1) * BLOCK_ENTRIES);
      const block = await this.#within(next, (state) => this.#stream.block(state, number, end));
      yield block.text(next, end);
      next = end;
    }
  }

  async gaps(fromSequence: number, toSequence: number): Promise<readonly PlacedGap[]> {
    this.#check(fromSequence, toSequence);
    const found: PlacedGap[] = [];
    for (let next = fromSequence; next < toSequence;) {
      const number = blockOf(next);
      const end = Math.min(toSequence, (number + 1) * BLOCK_ENTRIES);
      const gaps = await this.#within(next, async (state) => {
        return state.known.sums.get(number)?.gaps ?? (await this.#stream.block(state, number, end)).gaps;
      });
      for (const gap of gaps) if (gap.sequence >= next && gap.sequence < end) found.push(gap);
      next = end;
    }
    return found;
  }

  async marks(fromMs: number, toMs: number, most: number): Promise<ToldMarks> {
    const [fromSequence, end] = await Promise.all([this.at(fromMs), this.at(toMs)]);
    // The entry that ends after the window: it may be in a gap that reaches into it.
    const toSequence = Math.min(end + 1, this.endSequence);
    const source: MarksSource = {
      searched: (sequence) => this.#within(sequence, (state) => this.#stream.searched(state, sequence)),
      marksOf: (piece, sequence) => this.#within(sequence, (state) => this.#stream.marksOf(state, piece, sequence)),
    };
    const marks = await windowMarks(source, { fromSequence, toSequence, fromMs, toMs }, most);
    // Of what was pruned meanwhile nothing is remembered, and a gap in it would be left out.
    if (fromSequence < toSequence) await this.#within(fromSequence, () => Promise.resolve());
    return marks;
  }

  #within<T>(fromSequence: number, work: (state: StreamState) => Promise<T>): Promise<T> {
    return this.#stream.within(this.#lineage, fromSequence, work);
  }

  #check(fromSequence: number, toSequence: number): void {
    if (!(fromSequence <= toSequence && toSequence <= this.endSequence)) throw outside(fromSequence, toSequence);
    if (fromSequence < this.firstSequence) throw expired(fromSequence, this.firstSequence);
  }
}

/** From what the journal says alone, so that it is the same after a restart and on another server. */
function versionOf({ head, last, ended }: StreamState['journal']): string {
  const words = [crc32(head), last.sequence, crc32(last.bytes)].map((word) => word.toString(36));
  return `${words.join('-')}${ended ? '-e' : ''}`;
}

/** Each entry of ours says how much there was up to it. */
function sizeOf({ entry: { facts: first } }: PlacedEntry, { entry: { facts: last } }: PlacedEntry): number | undefined {
  return first && last && last.cumulativeBytes - first.cumulativeBytes + first.sizeBytes;
}

function timelineEntry(placed: PlacedEntry): TimelineEntry {
  const { entry, sequence, discontinuitySequence, wallMs } = placed;
  const { facts } = entry;
  return {
    mediaSequence: sequence,
    discontinuitySequence,
    discontinuity: entry.discontinuity,
    wallMs,
    durationUs: entry.durationUs,
    uri: entry.uri,
    sizeBytes: facts?.sizeBytes,
    cumulativeBytes: facts?.cumulativeBytes,
    headBytes: facts?.headBytes,
    keyframes: facts?.keyframes,
    pts: facts?.pts,
    gap: gapBefore(placed),
  };
}

function outside(fromSequence: number, toSequence: number): LivetapeError {
  return new LivetapeError('ARGUMENT_INVALID', `the archive holds no entries from ${fromSequence} to ${toSequence}`);
}
