/** How late this process's event loop is, since it was last asked for. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Closable } from '../base/index.js';
import type { RecorderStatus } from '../recorder/index.js';

/** A delay of an event loop; seconds. */
export type LoopDelay = RecorderStatus['eventLoopDelay'];

/** The resolution at which the event loop is watched; milliseconds. */
const LOOP_MS = 10;

/** Watches from its making to `close()`. */
export class LoopWatch implements Closable {
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_MS });

  constructor() {
    this.#loop.enable();
  }

  /** What was seen since the last time. */
  take(): LoopDelay {
    const seconds = (nanoseconds: number): number => (Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9 - LOOP_MS / 1000) : 0);
    const loop = this.#loop;
    const delay = { meanSec: seconds(loop.mean), p99Sec: seconds(loop.percentile(99)), maxSec: seconds(loop.max) };
    loop.reset();
    return delay;
  }

  async close(): Promise<void> {
    this.#loop.disable();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
