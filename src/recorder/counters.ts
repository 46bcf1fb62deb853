/**
 * What is counted of a recording over all its sessions: a session that breaks takes its counters with it, so they are added up here, and nothing that
 * was counted ever goes back.
 */
import type { CommittedSegment } from '../archive/index.js';
import { GAP_REASONS } from '../model/index.js';
import type { Histogram, StreamMetrics } from './metrics.js';
import type { RetentionStatus } from './retention.js';
import type { RecordingSession } from './session.js';

/** Of the time from a segment's end to its entry; seconds. */
const COMMIT_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** What a session counts itself. */
interface SessionCounts {
  readonly receivedBytes: number;
  readonly queueDroppedBytes: number;
  readonly continuity: number;
  readonly transport_error: number;
  readonly sync_bytes: number;
  readonly scrambled: number;
  readonly timestamp: number;
}

const NOTHING: SessionCounts = {
  receivedBytes: 0,
  queueDroppedBytes: 0,
  continuity: 0,
  transport_error: 0,
  sync_bytes: 0,
  scrambled: 0,
  timestamp: 0,
};

/** The counters of one recording. */
export class RecordingCounters {
  /** Of the sessions that are over. */
  #before = NOTHING;
  #writtenBytes = 0;
  #writtenSegments = 0;
  #notStored = 0;
  #lastKeyframeAtMs: number | undefined;
  /** Of every reason from the beginning: what grows is noticed, what appears is not (Prometheus' `increase`). */
  readonly #gaps = new Map<string, { count: number; seconds: number }>(GAP_REASONS.map((reason) => [reason, { count: 0, seconds: 0 }]));
  readonly #commits = new Distribution(COMMIT_BOUNDS);

  /** A segment has its entry, so long after it ended. */
  written(segment: CommittedSegment, commitSec: number): void {
    this.#writtenSegments += 1;
    this.#writtenBytes += segment.sizeBytes;
    this.#commits.observe(commitSec);
    const { gap } = segment;
    if (gap === undefined) return;
    const { count, seconds } = this.#gaps.get(gap.reason) ?? { count: 0, seconds: 0 };
    this.#gaps.set(gap.reason, { count: count + 1, seconds: seconds + (gap.toMs - gap.fromMs) / 1000 });
  }

  /** Something that came could not be stored. */
  lost(): void {
    this.#notStored += 1;
  }

  /** A session that is given nothing more: what it counted stays. */
  over(session: RecordingSession): void {
    this.#before = sum(this.#before, countsOf(session));
    this.#lastKeyframeAtMs = session.lastKeyframeAtMs ?? this.#lastKeyframeAtMs;
  }

  /** All there is to tell; `session` is the running one. */
  metrics(session: RecordingSession | undefined, retention: RetentionStatus, restarts: number): StreamMetrics {
    const { receivedBytes, queueDroppedBytes, ...errors } = session ? sum(this.#before, countsOf(session)) : this.#before;
    return {
      receivedBytes,
      writtenBytes: this.#writtenBytes,
      writtenSegments: this.#writtenSegments,
      prunedSegments: retention.prunedSegments,
      prunedBytes: retention.prunedBytes,
      gaps: Object.fromEntries([...this.#gaps].map(([reason, gaps]) => [reason, { ...gaps }])),
      errors: { ...errors, not_stored: this.#notStored },
      queueDroppedBytes,
      inputBitrate: session?.inputBitrate ?? 0,
      lastKeyframeAtMs: session?.lastKeyframeAtMs ?? this.#lastKeyframeAtMs,
      commitSeconds: this.#commits.histogram,
      restarts,
    };
  }
}

function countsOf(session: RecordingSession): SessionCounts {
  const { receivedBytes, droppedBytes, errors, timestampErrors } = session.status;
  return {
    receivedBytes,
    queueDroppedBytes: droppedBytes,
    continuity: errors.continuity,
    transport_error: errors.transportError,
    sync_bytes: errors.syncSkippedBytes,
    scrambled: errors.scrambled,
    timestamp: timestampErrors,
  };
}

function sum(a: SessionCounts, b: SessionCounts): SessionCounts {
  return {
    receivedBytes: a.receivedBytes + b.receivedBytes,
    queueDroppedBytes: a.queueDroppedBytes + b.queueDroppedBytes,
    continuity: a.continuity + b.continuity,
    transport_error: a.transport_error + b.transport_error,
    sync_bytes: a.sync_bytes + b.sync_bytes,
    scrambled: a.scrambled + b.scrambled,
    timestamp: a.timestamp + b.timestamp,
  };
}

/** A histogram that grows. */
class Distribution {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const at = this.#bounds.findIndex((bound) => value <= bound);
    const bucket = at === -1 ? this.#bounds.length : at;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  get histogram(): Histogram {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum };
  }
}
