/**
 * What `livetape record` tells people while it runs, on standard error: on a terminal one line that is refreshed, elsewhere a line now and
 * then; what happens to the signal is a line of its own in both.
 */
import type { LogFields, Logger, Timer } from '../base/index.js';
import type { Connection, Livetape } from '../livetape.js';
import type { Gap } from '../model/index.js';
import type { CliIo } from './io.js';
import { showBitrate, showDuration, showSize, showTime } from './output.js';

/** How often the line on a terminal is refreshed. */
const REFRESH_MS = 500;
/** How often a line is written where there is no terminal. */
const LINE_MS = 10_000;
/** The bitrate shown is that of so much of the past. */
const BITRATE_MS = 5000;
const BACK_AND_CLEAR = '\r\u001b[K';

/** Tells how a recording is doing. */
export class RecordProgress {
  readonly #io: CliIo;
  readonly #livetape: Livetape;
  readonly #code: string;
  readonly #startedMs: number;
  readonly #rates: { readonly atMs: number; readonly bytes: number }[] = [];
  #connection: Connection | undefined;
  #timer: Timer | undefined;
  #lineShown = false;
  #segments = 0;
  #bytes = 0;
  #mediaSec = 0;

  constructor(io: CliIo, livetape: Livetape, code: string) {
    this.#io = io;
    this.#livetape = livetape;
    this.#code = code;
    this.#startedMs = io.clock.monotonicMs();
    livetape.dvr.on('segment.written', ({ segment }) => this.#written(segment));
  }

  /** Segments, bytes and seconds written in this run. */
  get written(): { readonly segments: number; readonly bytes: number; readonly seconds: number } {
    return { segments: this.#segments, bytes: this.#bytes, seconds: this.#mediaSec };
  }

  /** Begins to tell. */
  start(connection: Connection): void {
    this.#connection = connection;
    this.#bitrate(0); // what the first line compares with
    this.#livetape.dvr.on('gap.opened', ({ fromMs, reason }) => {
      // a source that has ended says so itself
      if (connection.state !== 'ended') this.say(`no media since ${showTime(fromMs)} (${reason})`);
    });
    this.#livetape.dvr.on('gap.closed', ({ gap }) => {
      this.say(gap ? `recording again after a gap of ${lasted(gap)}` : 'recording again, nothing was lost');
    });
    const terminal = this.#io.columns() !== undefined;
    this.#timer = this.#io.clock.every(terminal ? REFRESH_MS : LINE_MS, () => (terminal ? this.#refresh() : this.say(this.#line())));
  }

  /** A line that stays. */
  say(text: string): void {
    this.#clear();
    this.#io.err(`${text}\n`);
  }

  /** Ends the refreshing; the last line is taken away. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#clear();
  }

  #written(segment: { readonly sizeBytes: number; readonly duration90k: number }): void {
    this.#segments += 1;
    this.#bytes += segment.sizeBytes;
    this.#mediaSec += segment.duration90k / 90_000;
  }

  #clear(): void {
    if (this.#lineShown) this.#io.err(BACK_AND_CLEAR);
    this.#lineShown = false;
  }

  #refresh(): void {
    const columns = this.#io.columns() ?? 80;
    this.#io.err(`${BACK_AND_CLEAR}${this.#line().slice(0, Math.max(1, columns - 1))}`);
    this.#lineShown = true;
  }

  #line(): string {
    const status = this.#livetape.dvr.status(this.#code);
    const session = status?.session;
    const parts = [
      showDuration((this.#io.clock.monotonicMs() - this.#startedMs) / 1000),
      this.#signal(),
      `${this.#segments} segments`,
      showSize(this.#bytes),
      showBitrate(this.#bitrate(session?.receivedBytes ?? 0)),
    ];
    if (status?.lastGap) parts.push(`last gap ${lasted(status.lastGap)}`);
    if (session && session.droppedBytes > 0) parts.push(`dropped ${showSize(session.droppedBytes)}`);
    const { continuity = 0 } = session?.errors ?? {};
    if (continuity > 0) parts.push(`${continuity} packet losses`);
    return parts.join(' | ');
  }

  #signal(): string {
    const status = this.#livetape.dvr.status(this.#code);
    if (status?.error) return `FAILED ${status.error.code}`;
    if (status?.session?.signal === 'present') return 'recording';
    const { state, detail } = this.#connection ?? { state: 'connecting', detail: '' };
    if (state === 'connected' && status?.session?.signal === 'waiting') return 'connected, no picture yet';
    return state === 'connected' ? 'no signal' : `${state}${detail === '' ? '' : ` (${detail})`}`;
  }

  #bitrate(bytes: number): number {
    const atMs = this.#io.clock.monotonicMs();
    this.#rates.push({ atMs, bytes });
    while (this.#rates.length > 2 && (this.#rates[1]?.atMs ?? atMs) <= atMs - BITRATE_MS) this.#rates.shift();
    const first = this.#rates[0];
    return first && first.atMs < atMs ? ((bytes - first.bytes) * 8000) / (atMs - first.atMs) : 0;
  }
}

/** What Livetape logs, as lines among the progress. */
export function progressLogger(say: (text: string) => void): Logger {
  const line = (fields: LogFields, message: string): void => {
    const facts = Object.entries(fields).flatMap(([name, value]) => {
      if (value === undefined || name === 'err') return [];
      return [`${name}=${Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value)}`];
    });
    const cause = fields['err'] instanceof Error ? `: ${fields['err'].message}` : '';
    say(`${message}${cause}${facts.length > 0 ? ` (${facts.join(' ')})` : ''}`);
  };
  return { debug: () => undefined, info: line, warn: line, error: line };
}

function lasted(gap: Gap): string {
  return `${((gap.toMs - gap.fromMs) / 1000).toFixed(1)} s (${gap.reason})`;
}
