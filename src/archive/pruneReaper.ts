/**
 * Removes the files of segments that have left the playlist, after a grace: whoever was just told of them still gets them (K8). What
 * is still waiting when the process ends is the next open's to remove (K11).
 */
import type { Clock, Logger, Timer } from '../base/index.js';
import type { StreamStorage } from '../storage/index.js';

/** How often it looks whether a grace is over. */
const TICK_MS = 1000;

/** A file that is to go. */
export interface Doomed {
  readonly name: string;
  readonly sizeBytes: number;
}

interface Batch {
  readonly dueMs: number;
  /** What is to go, found when the time has come. */
  find(): Promise<readonly Doomed[]> | readonly Doomed[];
  readonly sizeBytes: number;
}

/** What the reaper is given. */
export interface ReaperOptions {
  readonly storage: StreamStorage;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The files of one stream that wait to be removed. */
export class Reaper {
  readonly #options: ReaperOptions;
  #batches: Batch[] = [];
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #reaping = 0;
  #closed = false;
  #failures = 0;

  constructor(options: ReaperOptions) {
    this.#options = options;
  }

  /** Bytes that will be free when what waits is gone. */
  get waitingBytes(): number {
    return this.#batches.reduce((sum, batch) => sum + batch.sizeBytes, 0);
  }

  /** Whether nothing waits. */
  get idle(): boolean {
    return this.#batches.length === 0 && this.#reaping === 0;
  }

  /** Files that could not be removed; the next open tries again. */
  get failures(): number {
    return this.#failures;
  }

  /** Has files removed when `graceMs` have passed. */
  add(files: readonly Doomed[], graceMs: number): void {
    this.#add({ find: () => files, sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0) }, graceMs);
  }

  /** Has what `find` then finds removed when `graceMs` have passed. */
  later(find: () => Promise<readonly Doomed[]>, graceMs: number): void {
    this.#add({ find, sizeBytes: 0 }, graceMs);
  }

  /** Removes at once whatever waits; answers with how many files did not get their grace. */
  async now(): Promise<number> {
    const batches = this.#batches;
    this.#batches = [];
    let early = 0;
    await this.#reap(batches, (count) => (early += count));
    return early;
  }

  /** Leaves what still waits. Kept when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#batches = [];
    this.#timer?.cancel();
    await this.#running;
  }

  #add(batch: Omit<Batch, 'dueMs'>, graceMs: number): void {
    if (this.#closed) return;
    const { clock } = this.#options;
    // Not before those that were pruned before it: what a crash leaves follows on to what is listed (K11), whatever grace each had.
    const dueMs = Math.max(clock.monotonicMs() + graceMs, this.#batches.at(-1)?.dueMs ?? -Infinity);
    this.#batches.push({ ...batch, dueMs });
    this.#timer ??= clock.every(TICK_MS, () => this.#tick());
  }

  #tick(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const due = this.#batches.filter((batch) => batch.dueMs <= nowMs);
    if (due.length > 0) {
      this.#batches = this.#batches.filter((batch) => batch.dueMs > nowMs);
      void this.#reap(due, () => undefined);
    }
    if (this.#batches.length > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** One batch after another, oldest files first: what a crash leaves then follows on to what is listed. Never rejects. */
  #reap(batches: readonly Batch[], removed: (count: number) => void): Promise<void> {
    this.#reaping += 1;
    this.#running = this.#running.then(async () => {
      for (const batch of batches) {
        try {
          for (const file of await batch.find()) {
            if (this.#closed) return;
            if (await this.#remove(file.name)) removed(1);
          }
        } catch (error) {
          this.#failed(error, 'what a crashed prune left could not be looked for');
        }
      }
    });
    const done = this.#running.finally(() => (this.#reaping -= 1));
    this.#running = done;
    return done;
  }

  async #remove(name: string): Promise<boolean> {
    try {
      return await this.#options.storage.remove(name);
    } catch (error) {
      this.#failed(error, `the pruned segment ${name} could not be removed`);
      return false;
    }
  }

  #failed(error: unknown, what: string): void {
    this.#failures += 1;
    this.#options.log.warn({ err: error, location: this.#options.storage.location, failures: this.#failures }, what);
  }
}
