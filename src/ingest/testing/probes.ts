/** What tests of sources look through: a sink that keeps what it hears, a clock that counts its timers, and a transport stream to send. */
import { vi } from 'vitest';
import type { Clock, LogFields, Logger } from '../../base/index.js';
import type { SourceSink } from '../source.js';
import { makeStream } from '../../../test/tsBuilder.js';

/** Something a sink heard that is no data. */
export type Heard =
  | { readonly kind: 'connected' | 'lost'; readonly text: string }
  | { readonly kind: 'ended'; readonly text: string; readonly error: Error | undefined };

/** Keeps copies of what it hears, and spoils each chunk once the call is over: no source may look at it again. */
export class ProbeSink implements SourceSink {
  readonly events: Heard[] = [];
  readonly chunks: Uint8Array[] = [];
  byteCount = 0;
  /** What `room()` answers. */
  wait: Promise<void> | undefined;
  /** Called after each chunk. */
  onData: () => void = () => undefined;

  data(chunk: Uint8Array): void {
    this.chunks.push(new Uint8Array(chunk));
    this.byteCount += chunk.length;
    chunk.fill(0xee);
    this.onData();
  }
  room(): Promise<void> | undefined {
    return this.wait;
  }
  connected(text: string): void {
    this.events.push({ kind: 'connected', text });
  }
  lost(text: string): void {
    this.events.push({ kind: 'lost', text });
  }
  ended(text: string, error?: Error): void {
    this.events.push({ kind: 'ended', text, error });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
  get kinds(): string[] {
    return this.events.map((event) => event.kind);
  }
  /** Waits for `count` bytes. */
  async received(count: number): Promise<void> {
    await until(
      () => this.byteCount >= count,
      () => `${this.byteCount} of ${count} bytes; ${JSON.stringify(this.events)}`,
    );
  }
  /** Waits for an event, the `nth` of its kind, and answers with it. */
  async heard(kind: Heard['kind'], nth = 1): Promise<Heard & { readonly error?: Error | undefined }> {
    const all = (): Heard[] => this.events.filter((event) => event.kind === kind);
    await until(
      () => all().length >= nth,
      () => `no ${kind} in ${JSON.stringify(this.events)}`,
    );
    return all()[nth - 1]!;
  }
}

/** Waits for a condition. */
export async function until(condition: () => boolean, otherwise: () => string = () => 'the condition did not come true'): Promise<void> {
  await vi.waitFor(
    () => {
      if (!condition()) throw new Error(otherwise());
    },
    { timeout: 20_000, interval: 5 },
  );
}

/** Passes on to a clock and knows which timers are set. */
export class CountingClock implements Clock {
  readonly #clock: Clock;
  readonly #set = new Set<object>();
  constructor(clock: Clock) {
    this.#clock = clock;
  }
  /** Timers that are set and have not fired. */
  get timers(): number {
    return this.#set.size;
  }
  nowMs(): number {
    return this.#clock.nowMs();
  }
  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }
  after(delayMs: number, run: () => void): { cancel(): void } {
    const key = {};
    this.#set.add(key);
    const timer = this.#clock.after(delayMs, () => {
      this.#set.delete(key);
      run();
    });
    return {
      cancel: () => {
        this.#set.delete(key);
        timer.cancel();
      },
    };
  }
  every(periodMs: number, run: () => void): { cancel(): void } {
    const key = {};
    this.#set.add(key);
    const timer = this.#clock.every(periodMs, run);
    return {
      cancel: () => {
        this.#set.delete(key);
        timer.cancel();
      },
    };
  }
}

/** Keeps what is logged. */
export class ProbeLog implements Logger {
  readonly lines: { level: string; fields: LogFields; message: string }[] = [];
  debug = (fields: LogFields, message: string): void => void this.lines.push({ level: 'debug', fields, message });
  info = (fields: LogFields, message: string): void => void this.lines.push({ level: 'info', fields, message });
  warn = (fields: LogFields, message: string): void => void this.lines.push({ level: 'warn', fields, message });
  error = (fields: LogFields, message: string): void => void this.lines.push({ level: 'error', fields, message });
}

/** A second of a made-up channel: whole packets of 188 bytes. */
export const SAMPLE: Uint8Array = makeStream({ seconds: 1 }).bytes;
