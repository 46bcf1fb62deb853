/**
 * The media buffer: what a source writes and recordings read. A write never waits: a subscriber that keeps up is
 * called from within it, without a copy; one that has paused gets a bounded queue of its own, so that no subscriber slows
 * another or the source. Sources that can wait (TCP, files) ask `room()`, and only subscribers that say `holdsBack` count there.
 */
import { LivetapeError, type Clock, type Closable, type Logger } from '../base/index.js';
import type { Mark } from './mark.js';
import { BoundedQueue } from './queue.js';

/** What a subscriber's queue holds at most when it does not say: half a minute of 8 Mbps. */
export const DEFAULT_QUEUE_BYTES = 32 * 1024 * 1024;

/** What a reader of a buffer brings. Callbacks are synchronous; one that throws ends the subscription. */
export interface SubscribeOptions {
  /** Bytes that may wait while it is paused; default {@link DEFAULT_QUEUE_BYTES}. */
  readonly maxQueueBytes?: number;
  /** Whether a source that can wait does so when half the queue is full; default false. */
  readonly holdsBack?: boolean;
  /** Bytes, valid during the call only, and the wall time at which they came; UTC milliseconds. */
  onData(chunk: Uint8Array, arrivalMs: number): void;
  onMark(mark: Mark, arrivalMs: number): void;
  /** A callback of the subscriber threw; the subscription is closed. */
  onError(error: unknown): void;
}

/** One reader of a buffer. */
export interface Subscription {
  /** Bytes that wait. */
  readonly queuedBytes: number;
  /** Bytes that did not fit into the queue, ever; each drop is an `overflow` mark too. */
  readonly droppedBytes: number;
  readonly paused: boolean;
  /** From now on what comes is queued. */
  pause(): void;
  /** Delivers what waits, in order (and stops when paused from within), then goes on live. */
  resume(): void;
  /** Ends it; nothing is called any more. Idempotent. */
  close(): void;
}

/** A named buffer; {@link MediaBuffers.open} makes one. */
export class MediaBuffer implements Closable {
  readonly id: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onClose: () => void;
  readonly #subscribers = new Set<Subscriber>();
  #writtenBytes = 0;
  #closed = false;
  #waiting: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  /** @internal */
  constructor(id: string, options: { clock: Clock; log: Logger; onClose: () => void }) {
    this.id = id;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onClose = options.onClose;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get stats(): { readonly writtenBytes: number; readonly subscribers: number } {
    return { writtenBytes: this.#writtenBytes, subscribers: this.#subscribers.size };
  }

  /**
   * Hands a chunk to every subscriber. Never waits, and never throws for a subscriber's fault. The caller may reuse the bytes afterwards.
   * @throws LivetapeError CLOSED
   */
  write(chunk: Uint8Array): void {
    this.#checkOpen();
    if (chunk.length === 0) return;
    this.#writtenBytes += chunk.length;
    const arrivalMs = this.#clock.nowMs();
    for (const subscriber of this.#subscribers) subscriber.data(chunk, arrivalMs);
  }

  /**
   * Tells every subscriber of an event at this place in the stream.
   * @throws LivetapeError CLOSED
   */
  mark(mark: Mark): void {
    this.#checkOpen();
    const arrivalMs = this.#clock.nowMs();
    for (const subscriber of this.#subscribers) subscriber.mark(mark, arrivalMs);
  }

  /**
   * Begins to read: what is written from now on.
   * @throws LivetapeError CLOSED
   */
  subscribe(options: SubscribeOptions): Subscription {
    this.#checkOpen();
    const subscriber = new Subscriber(options, {
      drained: () => this.#answerWaiting(),
      closed: () => {
        this.#subscribers.delete(subscriber);
        this.#answerWaiting();
      },
      failed: (error) => this.#log.error({ buffer: this.id, err: error }, 'a subscriber failed and its onError threw'),
    });
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  /** Undefined while every subscriber that holds back has less than half its bound queued; else kept when that is so again, or when the buffer is closed. */
  room(): Promise<void> | undefined {
    if (this.#hasRoom()) return undefined;
    if (!this.#waiting) {
      let resolve = (): void => undefined;
      const promise = new Promise<void>((kept) => (resolve = kept));
      this.#waiting = { promise, resolve };
    }
    return this.#waiting.promise;
  }

  /** Ends it: subscribers that have not heard the mark `end` last hear it once. What waits for a paused one still can be read. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const arrivalMs = this.#clock.nowMs();
    for (const subscriber of this.#subscribers) subscriber.end(arrivalMs);
    this.#answerWaiting();
    this.#onClose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new LivetapeError('CLOSED', `media buffer ${this.id} is closed`, { context: { buffer: this.id } });
  }

  #hasRoom(): boolean {
    if (this.#closed) return true;
    for (const subscriber of this.#subscribers) if (subscriber.isFull) return false;
    return true;
  }

  #answerWaiting(): void {
    if (!this.#waiting || !this.#hasRoom()) return;
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve();
  }
}

/** A subscription and its queue. */
class Subscriber implements Subscription {
  readonly #options: SubscribeOptions;
  readonly #events: { drained(): void; closed(): void; failed(error: unknown): void };
  readonly #queue: BoundedQueue;
  readonly #fullBytes: number;
  #paused = false;
  #delivering = false;
  #closed = false;
  #ended = false;

  constructor(options: SubscribeOptions, events: { drained(): void; closed(): void; failed(error: unknown): void }) {
    const maxBytes = options.maxQueueBytes ?? DEFAULT_QUEUE_BYTES;
    this.#options = options;
    this.#events = events;
    this.#queue = new BoundedQueue(maxBytes);
    this.#fullBytes = options.holdsBack === true ? maxBytes / 2 : Infinity;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  get droppedBytes(): number {
    return this.#queue.droppedBytes;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get isFull(): boolean {
    return this.#queue.bytes >= this.#fullBytes;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#delivering) return;
    this.#deliverQueued();
    this.#events.drained();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.clear();
    this.#events.closed();
  }

  data(chunk: Uint8Array, arrivalMs: number): void {
    if (this.#isBusy() || !this.#queue.isEmpty) {
      if (!this.#closed) this.#queue.pushChunk(chunk, arrivalMs);
      return;
    }
    this.#deliver(chunk, undefined, arrivalMs);
    this.#deliverQueued();
  }

  mark(mark: Mark, arrivalMs: number): void {
    if (this.#closed) return;
    this.#ended = mark.kind === 'end';
    if (this.#isBusy() || !this.#queue.isEmpty) {
      this.#queue.pushMark(mark, arrivalMs);
      return;
    }
    this.#deliver(undefined, mark, arrivalMs);
    this.#deliverQueued();
  }

  end(arrivalMs: number): void {
    if (!this.#ended) this.mark({ kind: 'end', reason: 'the media buffer was closed' }, arrivalMs);
  }

  /** It cannot be called now: paused, closed, or within a call already (a write from a callback keeps its place in the order). */
  #isBusy(): boolean {
    return this.#paused || this.#closed || this.#delivering;
  }

  /** What waits: after a pause, or because a callback wrote. */
  #deliverQueued(): void {
    while (!this.#isBusy()) {
      const item = this.#queue.shift();
      if (!item) return;
      this.#deliver(item.chunk, item.mark, item.arrivalMs);
    }
  }

  #deliver(chunk: Uint8Array | undefined, mark: Mark | undefined, arrivalMs: number): void {
    this.#delivering = true;
    try {
      if (chunk) this.#options.onData(chunk, arrivalMs);
      else if (mark) this.#options.onMark(mark, arrivalMs);
    } catch (error) {
      this.close();
      try {
        this.#options.onError(error);
      } catch (second) {
        this.#events.failed(second);
      }
    } finally {
      this.#delivering = false;
    }
  }
}
