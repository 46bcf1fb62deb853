/** What came in the last two minutes, of every stream that is recorded (docs/design/page.md, G10): the recorders tell of now alone, and whoever opens the page wants to see the line at once. */
import type { Clock, Closable, Timer } from '../base/index.js';
import type { RecorderPool, RecordingStatus, StreamMetrics } from '../recorder/index.js';

/** How often the rate is noted: over as long a recorder measures it, so that every bit counts in one value. */
const SAMPLE_MS = 5000;
/** Two minutes. */
export const HISTORY_LENGTH = 24;

/** One timer for all streams, from its making to `close()`. */
export class InputHistory implements Closable {
  readonly #pool: Pick<RecorderPool, 'recordings' | 'status' | 'metrics'>;
  readonly #timer: Timer;
  #histories = new Map<string, readonly number[]>();

  constructor(pool: Pick<RecorderPool, 'recordings' | 'status' | 'metrics'>, clock: Clock) {
    this.#pool = pool;
    this.#timer = clock.every(SAMPLE_MS, () => this.#sample());
  }

  /** Bits per second, one value for each 5 s, oldest first; none of a stream that is not recorded, or was not yet. */
  of(code: string): readonly number[] {
    return this.#histories.get(code) ?? [];
  }

  async close(): Promise<void> {
    this.#timer.cancel();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What is not recorded any more is not carried over. */
  #sample(): void {
    const histories = new Map<string, readonly number[]>();
    for (const { streamCode } of this.#pool.recordings()) {
      const bitrate = inputBitrate(this.#pool.status(streamCode), this.#pool.metrics(streamCode));
      histories.set(streamCode, [...this.of(streamCode).slice(1 - HISTORY_LENGTH), bitrate]);
    }
    this.#histories = histories;
  }
}

/** Bits per second that come now. Without a session nothing is received: what was told last is over. */
export function inputBitrate(status: RecordingStatus | undefined, metrics: StreamMetrics | undefined): number {
  return status?.session === undefined ? 0 : Math.round(metrics?.inputBitrate ?? 0);
}
