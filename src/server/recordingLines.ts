/**
 * The archives of many streams in a line each (G10), remembered for all who ask: pages ask for all of them again and again. A line is read anew when something happened to its stream, but not
 * more often than every ten seconds, and in any case when it is a minute old, for events may be lost.
 */
import type { Clock, Logger } from '../base/index.js';
import { isLivetapeError } from '../base/index.js';
import type { ArchiveSummary, Playback } from '../playback/index.js';
import { errorAnswer, type ErrorBody } from './errors.js';
import type { EventFeed, FeedEvent } from './events.js';

/** A line that something happened to is read anew when it is so old. */
const RESTING_MS = 10_000;
/** A line is read anew when it is so old, whatever happened. */
const MAX_AGE_MS = 60_000;
/** Lines that are read side by side: those who watch are to be served meanwhile. */
const AT_ONCE = 4;

/** Events that change a line. */
const CHANGING: ReadonlySet<FeedEvent['type']> = new Set([
  'segment.written',
  'segment.pruned',
  'gap.closed',
  'recording.started',
  'archive.healed',
]);

/** What is known of an archive. */
export interface RecordingLine {
  /** Undefined where nothing is recorded, or it cannot be read. */
  readonly summary: ArchiveSummary | undefined;
  /** Why it cannot be read. */
  readonly problem: ErrorBody['error'] | undefined;
}

interface Held {
  line: RecordingLine | undefined;
  /** When it was begun to be read; monotonic milliseconds. */
  readMs: number;
  /** Something happened since. */
  isStale: boolean;
  reading: Promise<RecordingLine> | undefined;
}

/** What lines are made of. */
export interface RecordingLinesOptions {
  readonly playback: Pick<Playback, 'summary'>;
  readonly events: Pick<EventFeed, 'watch'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Lines of all streams that are asked for. */
export class RecordingLines {
  readonly #options: RecordingLinesOptions;
  readonly #held = new Map<string, Held>();
  readonly #waiting: (() => void)[] = [];
  readonly #unwatch: () => void;
  #free = AT_ONCE;

  constructor(options: RecordingLinesOptions) {
    this.#options = options;
    this.#unwatch = options.events.watch(({ type, streamCode }) => {
      const held = this.#held.get(streamCode);
      if (held !== undefined && CHANGING.has(type)) held.isStale = true;
    });
  }

  /** The line of each code, in their order. */
  async of(codes: readonly string[]): Promise<readonly RecordingLine[]> {
    return Promise.all(codes.map(async (code) => this.#line(code)));
  }

  /** Forgets all lines but those of the streams there are. */
  keep(codes: ReadonlySet<string>): void {
    for (const code of this.#held.keys()) if (!codes.has(code)) this.#held.delete(code);
  }

  /** Hears of nothing any more. */
  close(): void {
    this.#unwatch();
  }

  #line(code: string): RecordingLine | Promise<RecordingLine> {
    let held = this.#held.get(code);
    if (held === undefined) this.#held.set(code, (held = { line: undefined, readMs: 0, isStale: true, reading: undefined }));
    if (held.reading !== undefined) return held.reading;
    const ageMs = this.#options.clock.monotonicMs() - held.readMs;
    const isFresh = held.line !== undefined && ageMs < (held.isStale ? RESTING_MS : MAX_AGE_MS);
    return isFresh && held.line !== undefined ? held.line : this.#read(code, held);
  }

  #read(code: string, held: Held): Promise<RecordingLine> {
    held.reading = this.#inTurn(async () => {
      held.readMs = this.#options.clock.monotonicMs();
      // What happens from here on may not be in what is read.
      held.isStale = false;
      held.line = await this.#lineOf(code, held.line);
      return held.line;
    }).finally(() => (held.reading = undefined));
    return held.reading;
  }

  async #lineOf(code: string, before: RecordingLine | undefined): Promise<RecordingLine> {
    const { playback, log } = this.#options;
    try {
      return { summary: await playback.summary(code), problem: undefined };
    } catch (error) {
      // In the file, and nothing of it on the disk yet; or deleted since it was listed.
      if (isLivetapeError(error, 'NOTHING_RECORDED') || isLivetapeError(error, 'STREAM_NOT_FOUND')) {
        return { summary: undefined, problem: undefined };
      }
      const problem = errorAnswer(error).body.error;
      // The log says more than is told; once, or each page would have it say it twice a minute.
      if (before?.problem?.code !== problem.code) log.warn({ stream: code, err: error }, 'what is recorded cannot be listed');
      return { summary: undefined, problem };
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
