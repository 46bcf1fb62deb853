/**
 * Retention of one archive: which entries at the head may go, the playlist without them, then their files. Entries that stay are never
 * rendered anew; what is read is the head that goes, and a little of the tail (docs/design/keeping.md, K8 to K12).
 */
import { isLivetapeError, invariant, type Clock, type Logger } from '../base/index.js';
import type { PlaylistHeader } from '../hls/index.js';
import type { StreamStorage } from '../storage/index.js';
import type { ArchiveTotals, Pruned, PruneLimits } from './contract.js';
import type { Journal } from './journal.js';
import { HeadReader, mustStayFrom, type HeadEntry } from './pruneHead.js';
import { Reaper, type Doomed } from './pruneReaper.js';
import { segmentName } from './survey.js';

/** Nothing is pruned by age until this part of the entries may go, and by size as much goes at once (K9). */
const BATCHES = 64;
/** Target durations for which a file stays after its entry has gone (K8). */
const GRACE_TARGETS = 3;
/** So many free numbers in a row say that a crashed prune left no more. */
const FREE_IN_A_ROW = 256;
/** Of the header's `#livetape` line: `pruned=FROM-BELOW`, the numbers that were pruned (K11). */
const PRUNED_KEY = 'pruned=';

/** What a prune takes away. */
export interface PrunePlan {
  readonly header: PlaylistHeader;
  readonly dropBytes: number;
  readonly files: readonly Doomed[];
  readonly segmentCount: number;
  readonly sizeBytes: number;
  /** When the first entry that stays begins. */
  readonly startedAtMs: number;
}

/** Numbers from `from` on and below `below`. */
export interface NumberRange {
  readonly from: number;
  readonly below: number;
}

/** The numbers that were pruned: no file of them is a segment that was lost. What lies below them may be of a playlist that was lost. */
export function prunedNumbers(header: PlaylistHeader | undefined): NumberRange | undefined {
  const pair = header?.unknownKeys.find((key) => key.startsWith(PRUNED_KEY));
  const [, from, below] = /^(\d{1,15})-(\d{1,15})$/.exec(pair?.slice(PRUNED_KEY.length) ?? '') ?? [];
  return from === undefined || below === undefined ? undefined : { from: Number(from), below: Number(below) };
}

/** The header without its word of what was pruned: of a playlist that is a piece of another. */
export function withoutPruned(header: PlaylistHeader): PlaylistHeader {
  return { ...header, unknownKeys: header.unknownKeys.filter((key) => !key.startsWith(PRUNED_KEY)) };
}

/** What the pruner is given. */
export interface PrunerOptions {
  readonly journal: Journal;
  readonly storage: StreamStorage;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether the open life, if there is one, is the last word of its type: EVENT playlists lose no entries, so they are ended first. */
  endLife(): Promise<void>;
  /** Takes what has left the playlist out of the sums. */
  pruned(plan: PrunePlan): void;
}

/** Prunes one archive, in the serial order of its writer. */
export class Pruner {
  readonly #options: PrunerOptions;
  readonly #reaper: Reaper;
  /** How many entries from the head on had ended by `toMs`, and the reader that stands behind them. */
  #aged: { readonly reader: HeadReader; count: number; toMs: number } | undefined;
  /** A prune that failed and may have come through all the same. */
  #doubt: PrunePlan | undefined;
  /** Files of such a prune: it may not be durable, so they go with the next. */
  #held: Doomed[] = [];
  #untold = { segmentCount: 0, sizeBytes: 0 };

  constructor(options: PrunerOptions) {
    this.#options = options;
    this.#reaper = new Reaper(options);
    if (prunedNumbers(options.journal.header)) this.#reaper.later(() => this.#remains(), this.#graceMs);
  }

  get reaper(): Reaper {
    return this.#reaper;
  }

  /** After the journal was settled: whether a prune that failed came through. */
  settle(): void {
    const doubt = this.#doubt;
    this.#doubt = undefined;
    if (doubt === undefined || this.#options.journal.header?.mediaSequence !== doubt.header.mediaSequence) return;
    this.#apply(doubt);
    this.#held.push(...doubt.files);
  }

  /** Prunes what `limits` do not let stay; nothing when that is less than a batch. The journal is settled. */
  async prune(limits: PruneLimits, totals: ArchiveTotals): Promise<Pruned> {
    const { journal } = this.#options;
    // Another system's playlist is changed by the first segment of ours, and not before.
    const ours = journal.header?.life !== undefined && journal.hasEntries;
    if (ours && (await this.#due(limits, totals))) await this.#carryOut(limits, totals);
    const early = limits.atOnce ? await this.#reaper.now() : 0;
    const told = this.#untold;
    this.#untold = { segmentCount: 0, sizeBytes: 0 };
    return { ...told, early };
  }

  get #graceMs(): number {
    return GRACE_TARGETS * 1000 * (this.#options.journal.header?.targetDurationSec ?? 0);
  }

  async #due(limits: PruneLimits, totals: ArchiveTotals): Promise<boolean> {
    if (limits.maxBytes !== undefined && totals.sizeBytes > limits.maxBytes) return true;
    if ((limits.freeBytes ?? 0) > 0) return true;
    return limits.endedBeforeMs !== undefined && (await this.#hasAged(limits.endedBeforeMs, batchOf(totals), totals));
  }

  /** Whether `batch` entries had ended by `toMs`. Each entry is looked at once, however often this is asked. */
  async #hasAged(toMs: number, batch: number, totals: ArchiveTotals): Promise<boolean> {
    if (this.#aged === undefined || toMs < this.#aged.toMs) {
      this.#aged = { reader: new HeadReader(this.#options.journal, totals.startedAtMs), count: 0, toMs: -Infinity };
    }
    const aged = this.#aged;
    while (aged.count < batch) {
      const head = await aged.reader.peek();
      if (head === undefined || !(head.endMs <= toMs)) break;
      aged.reader.take();
      aged.count += 1;
      aged.toMs = head.endMs;
    }
    if (aged.count < batch) return false;
    aged.reader.rest();
    return true;
  }

  async #carryOut(limits: PruneLimits, totals: ArchiveTotals): Promise<void> {
    const { journal } = this.#options;
    // RFC 8216, 4.3.3.5: nothing leaves an EVENT playlist. Its life ends here, and the next begins without them.
    if (journal.header?.type === 'EVENT' && !journal.ended) await this.#options.endLife();
    const plan = await this.#plan(limits, totals);
    if (plan === undefined) return;
    try {
      await journal.replace({ header: plan.header, ended: journal.ended, dropBytes: plan.dropBytes });
    } catch (error) {
      this.#doubt = plan;
      throw error;
    }
    this.#apply(plan);
    this.#reaper.add([...this.#held, ...plan.files], Math.max(this.#graceMs, limits.graceMs ?? 0));
    this.#held = [];
  }

  #apply(plan: PrunePlan): void {
    this.#aged = undefined;
    this.#untold = {
      segmentCount: this.#untold.segmentCount + plan.segmentCount,
      sizeBytes: this.#untold.sizeBytes + plan.sizeBytes,
    };
    this.#options.pruned(plan);
  }

  async #plan(limits: PruneLimits, totals: ArchiveTotals): Promise<PrunePlan | undefined> {
    const { journal } = this.#options;
    const stayFrom = await mustStayFrom(journal);
    const reader = new HeadReader(journal, totals.startedAtMs);
    const files: Doomed[] = [];
    let [sizeBytes, foreign] = [0, false];
    let oldest: HeadEntry | undefined;
    let last: HeadEntry | undefined;
    for (let head = await reader.peek(); head !== undefined && head.toByte <= stayFrom; head = await reader.peek()) {
      if (!this.#goes(head, limits, totals, files.length, sizeBytes)) break;
      const { facts, uri } = head.entry;
      foreign ||= facts === undefined;
      const size = facts?.sizeBytes ?? (await this.#sizeOf(uri));
      files.push({ name: uri, sizeBytes: size });
      sizeBytes += size;
      oldest ??= head;
      last = head;
      reader.take();
    }
    const first = await reader.peek();
    if (last === undefined || first === undefined) return undefined;
    const segmentCount = files.length;
    return {
      header: this.#header(oldest ?? last, last, first),
      dropBytes: last.toByte,
      files: foreign ? await this.#unlisted(files, reader) : files,
      segmentCount,
      sizeBytes,
      startedAtMs: first.wallMs,
    };
  }

  #goes(head: HeadEntry, limits: PruneLimits, totals: ArchiveTotals, count: number, goneBytes: number): boolean {
    const { endedBeforeMs, maxBytes, freeBytes = 0 } = limits;
    if (endedBeforeMs !== undefined && head.endMs <= endedBeforeMs) return true;
    // Once either is passed a batch goes, so that the next is as far away.
    const inBatch = count < batchOf(totals);
    if (maxBytes !== undefined && totals.sizeBytes > maxBytes && (inBatch || totals.sizeBytes - goneBytes > maxBytes)) return true;
    return freeBytes > 0 && (inBatch || goneBytes < freeBytes);
  }

  #header(oldest: HeadEntry, last: HeadEntry, first: HeadEntry): PlaylistHeader {
    const { header, ended } = this.#options.journal;
    invariant(header?.life !== undefined, 'a playlist of ours is pruned');
    const below = first.entry.facts?.index;
    const from = prunedNumbers(header)?.from ?? oldest.entry.facts?.index ?? below;
    return {
      ...header,
      mediaSequence: first.mediaSequence,
      // F10: the first entry's own tag is not counted.
      discontinuitySequence: first.entry.facts
        ? first.discontinuitySequence - (first.entry.discontinuity ? 1 : 0)
        : last.discontinuitySequence,
      // What had ended begins a new life (K12).
      life: ended ? header.life + 1 : header.life,
      unknownKeys: below === undefined ? header.unknownKeys : [...withoutPruned(header).unknownKeys, `${PRUNED_KEY}${from}-${below}`],
    };
  }

  /** Another system's playlist can name one file twice: what is still listed stays. */
  async #unlisted(files: readonly Doomed[], reader: HeadReader): Promise<readonly Doomed[]> {
    const gone = new Map(files.map((file) => [file.name, file]));
    for (let head = await reader.peek(); head !== undefined; head = await reader.peek()) {
      // From here on they are ours, each with a number of its own.
      if (head.entry.facts !== undefined) break;
      gone.delete(head.entry.uri);
      reader.take();
    }
    return [...gone.values()];
  }

  async #sizeOf(uri: string): Promise<number> {
    try {
      return (await this.#options.storage.size(uri)) ?? 0;
    } catch (error) {
      if (!isLivetapeError(error, 'PATH_OUTSIDE_ROOT') && !isLivetapeError(error, 'ARGUMENT_INVALID')) throw error;
      return 0;
    }
  }

  /** Files that a crashed prune left (K11), lowest number first. */
  async #remains(): Promise<Doomed[]> {
    const { journal, storage, log } = this.#options;
    const first = (await new HeadReader(journal, undefined).peek())?.entry.facts?.index;
    if (first === undefined) return [];
    const pruned = prunedNumbers(journal.header);
    if (pruned === undefined) return [];
    const found: Doomed[] = [];
    for (let index = Math.min(pruned.below, first) - 1, free = 0; index >= pruned.from && free < FREE_IN_A_ROW; index--) {
      const name = segmentName(index);
      const sizeBytes = await storage.size(name);
      if (sizeBytes === undefined) free += 1;
      else {
        found.push({ name, sizeBytes });
        free = 0;
      }
    }
    if (found.length > 0) log.info({ location: storage.location, count: found.length }, 'what a crashed prune left is removed');
    return found.reverse();
  }
}

function batchOf(totals: ArchiveTotals): number {
  return Math.max(1, Math.ceil(totals.segmentCount / BATCHES));
}
