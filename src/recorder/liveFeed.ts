/**
 * A recording as it comes, for those who watch it live. What was received of the current segment is remembered, so that a viewer begins at once and
 * at a keyframe. It outlives the sessions of its recording: after one that broke, viewers go on with the next segment.
 */
import { LivetapeError, type Logger } from '../base/index.js';
import type { StreamCode } from '../model/index.js';
import type { LiveSink, LiveSubscription } from './live.js';
import { SegmentMemory, type LivePool } from './liveMemory.js';

/** Who has waited for a keyframe through so many beginnings begins without: sound whose video never comes is worth hearing. */
const MAX_BEGINNINGS_WITHOUT = 3;

interface Viewer {
  readonly sink: LiveSink;
  joined: boolean;
  /** Segments that began without a keyframe while it waited. */
  passed: number;
}

/** One recording's feed. What it is told comes from the pipe, synchronously and in order. */
export class LiveFeed {
  readonly #code: StreamCode;
  readonly #log: Logger;
  readonly #viewers = new Set<Viewer>();
  readonly #memory: SegmentMemory;
  /** A segment is being received, from a keyframe on, and all of it so far is in memory. */
  #remembers = false;
  #ended = false;

  constructor(code: StreamCode, log: Logger, pool: LivePool) {
    this.#memory = new SegmentMemory(pool);
    this.#code = code;
    this.#log = log;
  }

  /** Whether anybody watches. */
  get watched(): boolean {
    return this.#viewers.size > 0;
  }

  /**
   * Gives `sink` what comes, from the beginning of the current segment on when it is remembered, else of the next with a keyframe.
   * @throws LivetapeError NOT_RECORDING after the end
   */
  subscribe(sink: LiveSink): LiveSubscription {
    if (this.#ended)
      throw new LivetapeError('NOT_RECORDING', `stream ${this.#code} is not being recorded`, { context: { code: this.#code } });
    const viewer: Viewer = { sink, joined: this.#remembers, passed: 0 };
    this.#viewers.add(viewer);
    if (viewer.joined) {
      this.#tell(viewer, () => {
        sink.segment(true);
        for (const bytes of this.#memory.chunks()) if (this.#viewers.has(viewer)) sink.data(bytes);
      });
    }
    const close = (): Promise<void> => {
      this.#viewers.delete(viewer);
      return Promise.resolve();
    };
    return { close, [Symbol.asyncDispose]: close };
  }

  /** A segment begins. */
  begin(keyframe: boolean): void {
    this.#memory.clear();
    this.#remembers = keyframe;
    for (const viewer of this.#viewers) {
      if (!keyframe) viewer.passed += 1;
      viewer.joined ||= keyframe || viewer.passed >= MAX_BEGINNINGS_WITHOUT;
      if (viewer.joined) this.#tell(viewer, () => viewer.sink.segment(keyframe));
    }
  }

  /** Bytes of it; valid during the call. */
  data(bytes: Uint8Array): void {
    for (const viewer of this.#viewers) if (viewer.joined) this.#tell(viewer, () => viewer.sink.data(bytes));
    if (!this.#remembers || this.#memory.add(bytes)) return;
    // It does not fit: who comes now begins with the next.
    this.over();
  }

  /** It is complete, or what is missing of it never comes. */
  over(): void {
    this.#remembers = false;
    this.#memory.clear();
  }

  /** Nothing more comes. */
  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.over();
    for (const viewer of this.#viewers) this.#tell(viewer, () => viewer.sink.ended(reason));
    this.#viewers.clear();
  }

  /** A sink that throws is at fault, and is given nothing more: the recording goes on. */
  #tell(viewer: Viewer, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#viewers.delete(viewer);
      this.#log.error({ stream: this.#code, err: error }, 'who watched live threw, and is given nothing more');
    }
  }
}
