/**
 * Tells the recorders how far back the playlists reach that were served, so that files of pruned segments outlive their viewers' playlists
 * (docs/design/keeping.md, K8): at most once a second a stream, however many ask.
 */
import type { Clock, Closable, Timer } from '../base/index.js';

/** Reaches of one stream are gathered for so long; milliseconds. Nothing beside the minutes that a file is left. */
const GATHER_MS = 1000;

/** What was served and is not told yet. */
export class ServedReach implements Closable {
  readonly #clock: Clock;
  readonly #tell: (code: string, reachMs: number) => void;
  readonly #waiting = new Map<string, { reachMs: number; readonly timer: Timer }>();

  constructor(clock: Clock, tell: (code: string, reachMs: number) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** A playlist that reaches so far back was served. */
  served(code: string, reachMs: number): void {
    const waiting = this.#waiting.get(code);
    if (waiting) {
      waiting.reachMs = Math.max(waiting.reachMs, reachMs);
      return;
    }
    this.#waiting.set(code, { reachMs, timer: this.#clock.after(GATHER_MS, () => this.#told(code)) });
  }

  async close(): Promise<void> {
    for (const { timer } of this.#waiting.values()) timer.cancel();
    this.#waiting.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #told(code: string): void {
    const waiting = this.#waiting.get(code);
    this.#waiting.delete(code);
    if (waiting) this.#tell(code, waiting.reachMs);
  }
}
