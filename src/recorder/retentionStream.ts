/** What retention knows of a stream: shared by the janitors and by the watch over free space. */
import type { ArchiveWriter, ClockDoubt, TrustedTime } from '../archive/index.js';
import type { StreamCode } from '../model/index.js';
import type { Storage } from '../storage/index.js';

/** What is kept of a stream. */
export interface RetentionLimits {
  /** Seconds of media to keep; 0 keeps all. */
  readonly retentionSec: number;
  /** Gigabytes (10^9 bytes) to keep; 0 keeps all. */
  readonly maxSizeGb: number;
}

/** A stream whose retention is this service's business. */
export interface RetainedStream {
  readonly code: StreamCode;
  readonly storage: Storage;
  limits: RetentionLimits;
  /** Of the running session; undefined while there is none. */
  archive(): ArchiveWriter | undefined;
}

/** One stream and what is known of it. */
export interface Watched {
  readonly stream: RetainedStream;
  readonly time: TrustedTime;
  /** Being recorded; else stopped, and opened for the prune alone. */
  recording: boolean;
  committedAtMs: number | undefined;
  /** Of a stopped recording. */
  rest: { startedAtMs: number | undefined; endMs: number | undefined; segmentCount: number; sizeBytes: number; targetMs: number };
  opened: ArchiveWriter | undefined;
  /** Let go of: it is not to be opened again. */
  released: boolean;
  notBeforeMs: number;
  /** What was warned of. */
  toldDoubt: ClockDoubt | undefined;
  status: { prunedSegments: number; prunedBytes: number; graceSkipped: number; failures: number };
  work: Promise<void>;
  waiting: boolean;
}
