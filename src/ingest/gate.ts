/**
 * Between a source and its sink: keeps the promises that all sources make. Nothing passes after `close()` or `ended`, `ended` passes
 * once, and what passes is counted. Also how a source waits for room, so that none does it in its own way.
 */
import { isLivetapeError, LivetapeError, invariant, type ErrorCode } from '../base/index.js';
import type { SourceSink, SourceStats } from './source.js';

/** A flow that can be held: a socket, a response, a stream. */
export interface Flow {
  pause(): void;
  resume(): void;
}

/** The way of bytes and events from one source to its sink. */
export class Gate {
  readonly stats = {
    receivedBytes: 0,
    connections: 0,
    rtpLostPackets: 0,
    foreignDatagrams: 0,
    kernelDrops: undefined,
  } satisfies SourceStats;
  readonly #abort = new AbortController();
  #sink: SourceSink | undefined;
  /** What waits for room. */
  #held: Flow | undefined;

  /** True from `start` until `close` or `ended`. */
  get isOpen(): boolean {
    return this.#sink !== undefined && !this.#abort.signal.aborted;
  }

  /** Whether a flow waits for room now. */
  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** Aborted when nothing will pass any more. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Opens it. False when it was closed before it was opened: then there is nothing to start.
   * @throws LivetapeError INVARIANT_BROKEN when called twice
   */
  start(sink: SourceSink): boolean {
    invariant(this.#sink === undefined, 'a source is started once');
    this.#sink = sink;
    return this.isOpen;
  }

  /** Lets nothing pass from now on. */
  close(): void {
    this.#abort.abort();
  }

  data(chunk: Uint8Array): void {
    if (!this.isOpen || chunk.length === 0) return;
    this.stats.receivedBytes += chunk.length;
    this.#sink?.data(chunk);
  }

  connected(detail: string): void {
    if (!this.isOpen) return;
    this.stats.connections += 1;
    this.#sink?.connected(detail);
  }

  lost(reason: string): void {
    if (this.isOpen) this.#sink?.lost(reason);
  }

  ended(reason: string, error?: Error): void {
    if (!this.isOpen) return;
    this.#abort.abort();
    this.#sink?.ended(reason, error);
  }

  /** Ends it with an error; its message is the reason. */
  failed(code: ErrorCode, message: string, cause?: unknown): void {
    const error = new LivetapeError(code, message, cause === undefined ? {} : { cause });
    this.ended(message, error);
  }

  /** Ends it where an address may not be reached (docs/design/door.md, E1). False for any other failure. */
  refused(error: unknown): boolean {
    const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
    if (!isLivetapeError(first, 'ADDRESS_REFUSED')) return false;
    this.ended(first.message, first);
    return true;
  }

  /** Pauses `flow` while the sink has no room. */
  holdBack(flow: Flow, resumed?: () => void): void {
    if (!this.isOpen) return;
    const waiting = this.#held !== undefined;
    const room = waiting ? undefined : this.#sink?.room();
    if (!waiting && !room) return;
    // a connection that was made anew waits in the place of the old one
    this.#held = flow;
    flow.pause();
    const goOn = (): void => {
      const held = this.#held;
      this.#held = undefined;
      if (!this.isOpen) return;
      resumed?.();
      held?.resume();
    };
    room?.then(goOn, goOn);
  }

  /** Undefined while the sink has room; else kept when it has again, or when nothing passes any more. */
  room(): Promise<void> | undefined {
    const room = this.#sink?.room();
    if (!room || !this.isOpen) return undefined;
    return new Promise((resolve) => {
      const done = (): void => {
        this.signal.removeEventListener('abort', done);
        resolve();
      };
      this.signal.addEventListener('abort', done);
      room.then(done, done);
    });
  }
}

/** What an error says to people: its message; the first of several (Node tries all addresses of a host) where it has none of its own. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '' && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}

/** The `code` that Node gives to an error of the system. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
