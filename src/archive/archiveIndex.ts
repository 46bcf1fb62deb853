/**
 * index.json: what the playlist says, summed up for programs that want no more. A cache: read with
 * suspicion, written without waiting, and never a reason for a recording to fail.
 */
import { LivetapeError, toLivetapeError, type Logger } from '../base/index.js';
import { FORMAT } from '../hls/index.js';
import { GAP_REASONS, type Gap, type GapReason } from '../model/index.js';
import { INDEX_NAME, type StreamStorage } from '../storage/index.js';

/** Gaps that index.json names at most. */
export const MAX_GAPS = 1000;
/** More than any index of ours can be. */
const MAX_INDEX_BYTES = 16 * 1024 * 1024;
/** Go's time.Time that was never set. */
const GO_ZERO_TIME_MS = Date.parse('0001-01-01T00:00:00Z');

/** A gap as index.json tells it. */
export interface IndexGap {
  readonly from: Date;
  readonly to: Date;
  /** Seconds. */
  readonly duration: number;
  /** Undefined in an index that the Go system wrote. */
  readonly reason: GapReason | undefined;
}

/** What index.json says. */
export interface ArchiveIndex {
  /** Undefined, like `status` and `nextIndex`, in an index that the Go system wrote. */
  readonly format: number | undefined;
  readonly streamCode: string;
  readonly status: 'recording' | 'stopped' | undefined;
  /** Beginning of the oldest segment kept. */
  readonly startedAt: Date | undefined;
  /** End of the newest. */
  readonly lastSegmentAt: Date | undefined;
  readonly segmentCount: number;
  readonly totalSizeBytes: number;
  /** The lowest number that no segment has had. */
  readonly nextIndex: number | undefined;
  /** That of the newest owner that wrote it; undefined where it names none. */
  readonly epoch: number | undefined;
  /** The newest 1,000, newest last. */
  readonly gaps: readonly IndexGap[];
}

/** What is written. */
export interface IndexState {
  readonly streamCode: string;
  readonly status: 'recording' | 'stopped';
  readonly startedAtMs: number | undefined;
  readonly lastSegmentAtMs: number | undefined;
  readonly segmentCount: number;
  readonly sizeBytes: number;
  readonly nextIndex: number;
  /** Absent where nobody goes on writing. */
  readonly epoch?: number | undefined;
  readonly gaps: readonly Gap[];
}

/**
 * index.json of a stream; undefined where there is none.
 * @throws LivetapeError ARCHIVE_CORRUPT, ARCHIVE_FORMAT_NEWER, or what the storage throws
 */
export async function loadIndex(storage: StreamStorage): Promise<ArchiveIndex | undefined> {
  const bytes = await storage.read(INDEX_NAME, 0, MAX_INDEX_BYTES);
  return bytes === undefined ? undefined : parseIndex(new TextDecoder().decode(bytes));
}

/** The text of index.json, as docs/design/data-format.md states it. */
export function renderIndex(state: IndexState): string {
  const value = {
    format: FORMAT,
    stream_code: state.streamCode,
    status: state.status,
    started_at: time(state.startedAtMs),
    last_segment_at: time(state.lastSegmentAtMs),
    segment_count: state.segmentCount,
    total_size_bytes: state.sizeBytes,
    next_index: state.nextIndex,
    epoch: state.epoch,
    gaps: state.gaps.slice(-MAX_GAPS).map((gap) => ({
      from: time(gap.fromMs),
      to: time(gap.toMs),
      duration: Math.round(gap.toMs - gap.fromMs) * 1e6,
      reason: gap.reason,
    })),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

/**
 * What the text of an index.json says, ours or the Go system's.
 * @throws LivetapeError ARCHIVE_CORRUPT, ARCHIVE_FORMAT_NEWER
 */
export function parseIndex(text: string): ArchiveIndex {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw toLivetapeError(error, 'ARCHIVE_CORRUPT', 'index.json is not JSON');
  }
  const index = new Fields(value, 'index.json');
  const format = index.count('format');
  if (format !== undefined && format > FORMAT) {
    throw new LivetapeError('ARCHIVE_FORMAT_NEWER', `index.json has format ${format}; this program knows formats up to ${FORMAT}`, {
      context: { format },
    });
  }
  const status = index.text('status');
  return {
    format,
    streamCode: index.text('stream_code') ?? '',
    status: status === 'recording' || status === 'stopped' ? status : undefined,
    startedAt: index.time('started_at'),
    lastSegmentAt: index.time('last_segment_at'),
    segmentCount: index.count('segment_count') ?? 0,
    totalSizeBytes: index.count('total_size_bytes') ?? 0,
    nextIndex: index.count('next_index'),
    epoch: index.count('epoch'),
    gaps: index.list('gaps').map((item, i) => parseGap(new Fields(item, `gap ${i} of index.json`))),
  };
}

function parseGap(gap: Fields): IndexGap {
  const from = gap.time('from');
  const to = gap.time('to');
  if (from === undefined || to === undefined) throw gap.corrupt('from', 'is missing, or "to"');
  const reason = GAP_REASONS.find((known) => known === gap.text('reason'));
  return { from, to, duration: (to.getTime() - from.getTime()) / 1000, reason };
}

/** The members of a JSON object, each of the type it should have, or undefined where it is absent or null. */
class Fields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #what: string;

  constructor(value: unknown, what: string) {
    this.#what = what;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new LivetapeError('ARCHIVE_CORRUPT', `${what} is not an object`);
    }
    this.#value = value as Readonly<Record<string, unknown>>;
  }

  text(key: string): string | undefined {
    const value = this.#value[key] ?? undefined;
    if (value !== undefined && typeof value !== 'string') throw this.corrupt(key, 'is not a string');
    return value;
  }

  count(key: string): number | undefined {
    const value = this.#value[key] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw this.corrupt(key, 'is not a count');
    return value;
  }

  time(key: string): Date | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    // Go writes up to nine decimals; what comes after the third is cut.
    const ms = Date.parse(text.replace(/(\.\d{3})\d+/, '$1'));
    if (Number.isNaN(ms)) throw this.corrupt(key, 'is not a time');
    return ms === GO_ZERO_TIME_MS ? undefined : new Date(ms);
  }

  list(key: string): readonly unknown[] {
    const value = this.#value[key] ?? [];
    if (!Array.isArray(value)) throw this.corrupt(key, 'is not a list');
    return value;
  }

  corrupt(key: string, why: string): LivetapeError {
    return new LivetapeError('ARCHIVE_CORRUPT', `${this.#what}: "${key}" ${why}`, { context: { key } });
  }
}

const time = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());

/** Writes index.json beside the commits: one write at a time, and only the newest state waits. */
export class IndexWriter {
  readonly #storage: StreamStorage;
  readonly #log: Logger;
  #waiting: IndexState | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;

  constructor(storage: StreamStorage, log: Logger) {
    this.#storage = storage;
    this.#log = log;
  }

  /** Writes that failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Has `state` written, in place of one that is still waiting. */
  update(state: IndexState): void {
    this.#waiting = state;
    this.#running ??= this.#run();
  }

  /** Kept when nothing waits any more. Never rejects. */
  async flush(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Not in the turn of the commit that asked for it.
    await Promise.resolve();
    for (let state = this.#waiting; state !== undefined; state = this.#waiting) {
      this.#waiting = undefined;
      try {
        await this.#storage.putCache(INDEX_NAME, renderIndex(state));
      } catch (error) {
        this.#failures += 1;
        this.#log.warn({ err: error, location: this.#storage.location, failures: this.#failures }, 'index.json could not be written');
      }
    }
    this.#running = undefined;
  }
}
