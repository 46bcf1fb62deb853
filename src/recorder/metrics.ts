/** What is counted of a recording. */

/** A distribution: `counts[i]` observations of at most `bounds[i]`, the last of `counts` those beyond. Not cumulative. */
export interface Histogram {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Counters of one recording since its recorder began with it. Plain data: it crosses processes. */
export interface StreamMetrics {
  readonly receivedBytes: number;
  readonly writtenBytes: number;
  readonly writtenSegments: number;
  readonly prunedSegments: number;
  readonly prunedBytes: number;
  /** By reason (every reason there is), of gaps that are over. */
  readonly gaps: Readonly<Record<string, { readonly count: number; readonly seconds: number }>>;
  /** By kind: continuity, transport_error, sync_bytes, scrambled, timestamp, not_stored. */
  readonly errors: Readonly<Record<string, number>>;
  /** Bytes dropped because a queue was full. */
  readonly queueDroppedBytes: number;
  /** Bits per second that came, over the last seconds. */
  readonly inputBitrate: number;
  /** When the newest random access point came; UTC milliseconds. */
  readonly lastKeyframeAtMs: number | undefined;
  /** From a segment's end to its entry being durable; seconds. */
  readonly commitSeconds: Histogram;
  readonly restarts: number;
}
