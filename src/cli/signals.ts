/** How a command that runs until it is told to end takes SIGINT and SIGTERM: the first ends it well, a second one at once. */
import type { CliIo } from './io.js';

/** Signals that come this soon after the first are the same key: a terminal and npm both tell us of one Ctrl-C. */
const SAME_KEY_MS = 500;
/** Exit status of a recording that was ended before it could be finished. */
const CUT_SHORT = 1;

/** Aborts `stopping` at the first signal and ends the process at a second one. Answers with how to stop listening. */
export function endOnSignals(io: CliIo, stopping: AbortController): () => void {
  let firstMs: number | undefined;
  return io.onSignal(() => {
    const nowMs = io.clock.monotonicMs();
    firstMs ??= nowMs;
    if (!stopping.signal.aborted) stopping.abort();
    else if (nowMs - firstMs > SAME_KEY_MS) io.exit(CUT_SHORT);
  });
}
