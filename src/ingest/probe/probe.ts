/**
 * Looks at a source for some seconds and says what is in it: opened as a recording would open it, read as fast as it comes, closed again. Nothing is stored.
 */
import { delay, LivetapeError, type Clock, type Logger } from '../../base/index.js';
import { StreamAnalyzer, type StreamReport } from '../../mpegts/index.js';
import { openSource } from '../registry.js';
import type { OpenOptions, SourceStats } from '../source.js';
import { sourceOptions } from '../sourceUrl.js';

/** It looks this long at least (unless the source ends), so that a bitrate means something … */
const LEAST_MS = 2000;
/** … until every program and two keyframes of each video track were seen, or this long at most. */
const MOST_MS = 8000;
/** So long it waits for the first byte. */
const FIRST_BYTE_MS = 5000;
/** A file that comes as fast as it goes is not read further. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What is needed to probe. */
export interface ProbeOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends it early: it rejects with CLOSED. */
  readonly signal?: AbortSignal | undefined;
  /** Where it may connect to; see {@link OpenOptions}. */
  readonly guard?: OpenOptions['guard'];
}

/** What was found in a source. */
export interface ProbeReport extends StreamReport {
  /** Without secrets. */
  readonly source: string;
  /** What the source said of its connection. */
  readonly detail: string;
  readonly receivedBytes: number;
  /** From opening to the first byte; seconds. */
  readonly firstByteSec: number;
  readonly stats: SourceStats;
}

/**
 * Looks at a source.
 * @throws LivetapeError SOURCE_INVALID, SOURCE_UNSUPPORTED; SOURCE_NOT_FOUND, SOURCE_FAILED when nothing comes within 5 s; SOURCE_NOT_TS when what comes is no transport stream;
 * with a guard SOURCE_REFUSED, ADDRESS_REFUSED
 */
export async function probeSource(url: string, options: ProbeOptions): Promise<ProbeReport> {
  const { clock, log, signal, guard } = options;
  const source = openSource(sourceOptions(url).url, { clock, log, guard });
  const analyzer = new StreamAnalyzer();
  const openedMs = clock.monotonicMs();
  const over = new AbortController();
  const stop = (): void => over.abort();
  signal?.addEventListener('abort', stop);
  let detail = '';
  let failure: Error | undefined;
  let receivedBytes = 0;
  let firstMs: number | undefined;
  try {
    if (signal?.aborted) stop();
    source.start({
      data(chunk) {
        if (over.signal.aborted) return;
        firstMs ??= clock.monotonicMs();
        receivedBytes += chunk.length;
        analyzer.push(chunk, clock.nowMs());
        if (receivedBytes >= MAX_BYTES || (analyzer.complete && clock.monotonicMs() - firstMs >= LEAST_MS)) stop();
      },
      // Bytes are looked at at once; whoever can wait is not to hold them.
      room: () => undefined,
      connected: (where) => void (detail = where),
      lost: (reason) => void (detail = reason),
      ended(reason, error) {
        detail = reason;
        failure = error;
        stop();
      },
    });
    await delay(clock, FIRST_BYTE_MS, over.signal);
    if (firstMs !== undefined) await delay(clock, MOST_MS - (clock.monotonicMs() - firstMs), over.signal);
  } finally {
    signal?.removeEventListener('abort', stop);
    over.abort();
    await source.close();
  }
  if (signal?.aborted) throw new LivetapeError('CLOSED', 'the probe was ended');
  if (firstMs === undefined) {
    if (failure instanceof LivetapeError) throw failure;
    const why = detail === '' ? '' : `: ${detail}`;
    const context = { source: source.url };
    throw new LivetapeError('SOURCE_FAILED', `nothing came from ${source.url} within ${FIRST_BYTE_MS / 1000} s${why}`, {
      cause: failure,
      context,
    });
  }
  const report = analyzer.report();
  if (report.programs.length === 0) {
    throw new LivetapeError('SOURCE_NOT_TS', `${receivedBytes} bytes came from ${source.url}, and no MPEG-TS program was found in them`, {
      context: { source: source.url },
    });
  }
  return { ...report, source: source.url, detail, receivedBytes, firstByteSec: (firstMs - openedMs) / 1000, stats: { ...source.stats } };
}
