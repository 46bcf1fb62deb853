/**
 * `stream.ts`: a stream as it is recorded, to many. Each stream that somebody watches is asked of its recorder once (docs/design/server.md, R7) and
 * handed on from memory; who comes in the middle of a segment is given it from its keyframe on, and then what comes.
 */
import { isLivetapeError, LivetapeError, toLivetapeError, type Clock, type Closable, type Logger, type Timer } from '../base/index.js';
import type { LiveSubscription, RecorderPool } from '../recorder/index.js';
import { LiveViewer } from './liveViewer.js';

/** Of the segment that is being received, what is held for those who come. Of a longer one they wait for the end; bytes. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;
/** The pause before a recorder that was lost is asked again, doubled each time … */
const FIRST_PAUSE_MS = 250;
/** … up to this. */
const LAST_PAUSE_MS = 5000;

/** What the relays need. */
export interface LiveRelaysOptions {
  readonly pool: Pick<RecorderPool, 'live' | 'isRecording'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The streams that are being watched. */
export class LiveRelays implements Closable {
  readonly #options: LiveRelaysOptions;
  readonly #relays = new Map<string, Relay>();
  #closed = false;

  constructor(options: LiveRelaysOptions) {
    this.#options = options;
  }

  /**
   * Begins to watch a stream. The viewer is to be read to its end, or returned.
   * @throws LivetapeError NOT_RECORDING, CLOSED, and what the recorder says
   */
  async watch(code: string): Promise<LiveViewer> {
    if (this.#closed) throw new LivetapeError('CLOSED', 'the server is closing');
    let relay = this.#relays.get(code);
    if (!relay) {
      relay = new Relay(code, this.#options, (done) => {
        if (this.#relays.get(code) === done) this.#relays.delete(code);
      });
      this.#relays.set(code, relay);
    }
    return relay.watch();
  }

  /** How many watch each stream that anybody watches. */
  counts(): Map<string, number> {
    return new Map([...this.#relays].map(([code, relay]) => [code, relay.viewers]));
  }

  /** Ends every viewer. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#relays.values()].map((relay) => relay.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** One stream, as long as somebody watches it. */
class Relay {
  readonly #code: string;
  readonly #options: LiveRelaysOptions;
  readonly #done: (relay: Relay) => void;
  readonly #viewers = new Set<LiveViewer>();
  /** The segment that is being received, from its keyframe on; undefined where a newcomer cannot begin with it. */
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;
  #pause: Timer | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #subscribing: Promise<LiveSubscription> | undefined;
  /** Each subscription has a number; what one says that was given up is not heard. */
  #turn = 0;
  #over = false;

  constructor(code: string, options: LiveRelaysOptions, done: (relay: Relay) => void) {
    this.#code = code;
    this.#options = options;
    this.#done = done;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  async watch(): Promise<LiveViewer> {
    const viewer = new LiveViewer((left) => this.#left(left));
    this.#viewers.add(viewer);
    try {
      // while a lost recorder is being replaced there is no subscription: newcomers wait as the others do
      if (!this.#pause) await this.#subscribe();
    } catch (error) {
      this.#left(viewer);
      throw toLivetapeError(error, 'RECORDER_LOST', `stream ${this.#code} cannot be watched`);
    }
    if (this.#held) viewer.join(this.#held);
    return viewer;
  }

  /** Ends all viewers and lets go of the recorder. */
  async close(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#turn += 1;
    this.#pause?.cancel();
    this.#done(this);
    for (const viewer of this.#viewers) viewer.end();
    const subscription = await this.#subscribing?.catch(() => undefined);
    await subscription?.close();
  }

  #subscribe(): Promise<LiveSubscription> {
    if (this.#subscribing) return this.#subscribing;
    const turn = ++this.#turn;
    const ours = (): boolean => turn === this.#turn;
    this.#subscribing = this.#options.pool.live(this.#code, {
      segment: (keyframe) => {
        if (ours()) this.#segment(keyframe);
      },
      data: (chunk) => {
        if (ours()) this.#data(chunk);
      },
      ended: (reason) => {
        if (ours()) this.#lost(reason);
      },
    });
    return this.#subscribing;
  }

  #segment(keyframe: boolean): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#held = keyframe ? [] : undefined;
    this.#heldBytes = 0;
    for (const viewer of this.#viewers) viewer.segment(keyframe);
  }

  /** One copy for all: the recorder's is valid during the call only. It comes in large pieces, four times a second. */
  #data(chunk: Uint8Array): void {
    const bytes = Uint8Array.from(chunk);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > MAX_HELD_BYTES) this.#held = undefined;
    else this.#held?.push(bytes);
    for (const viewer of this.#viewers) viewer.data(bytes);
  }

  /** The recording was stopped, or its recorder is gone and comes again. */
  #lost(reason: string): void {
    this.#turn += 1;
    this.#held = undefined;
    this.#subscribing = undefined;
    if (!this.#options.pool.isRecording(this.#code)) {
      void this.close();
      return;
    }
    this.#options.log.info({ stream: this.#code, reason }, 'live viewers wait for the recorder');
    this.#again();
  }

  #again(): void {
    this.#pause = this.#options.clock.after(this.#pauseMs, () => {
      this.#pause = undefined;
      this.#pauseMs = Math.min(2 * this.#pauseMs, LAST_PAUSE_MS);
      this.#subscribe().catch((error: unknown) => {
        if (this.#over) return;
        this.#subscribing = undefined;
        if (!this.#options.pool.isRecording(this.#code)) {
          void this.close();
          return;
        }
        if (!isLivetapeError(error))
          this.#options.log.error({ err: error, stream: this.#code }, 'live viewers cannot be given their stream');
        this.#again();
      });
    });
  }

  #left(viewer: LiveViewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size > 0 || this.#over) return;
    this.close().catch((error: unknown) => {
      this.#options.log.warn({ err: error, stream: this.#code }, 'a live stream was not let go of cleanly');
    });
  }
}
