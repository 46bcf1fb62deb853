/**
 * What a command touches of the world: two streams of text, the signals that end it, the clock. A command is given it, so that a test can
 * run one without a process.
 */
import { systemClock, type Clock } from '../base/index.js';

/** The world of a command. */
export interface CliIo {
  readonly clock: Clock;
  /** Answers: tables, JSON. */
  out(text: string): void;
  /** Progress and errors. */
  err(text: string): void;
  /** Columns of the terminal that standard error is; undefined when it is none. */
  columns(): number | undefined;
  /** Calls `listener` for these signals (SIGINT and SIGTERM unless named), instead of ending the process. Answers with how to stop listening. */
  onSignal(listener: (signal: NodeJS.Signals) => void, signals?: readonly NodeJS.Signals[]): () => void;
  /** Ends the process at once. */
  exit(status: number): void;
}

/** The world of this process. */
export function processIo(): CliIo {
  // whoever reads our output may go away (`livetape list | head -1`): that is no fault
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return {
    clock: systemClock,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    columns: () => (process.stderr.isTTY ? process.stderr.columns : undefined),
    onSignal(listener, signals = ['SIGINT', 'SIGTERM']) {
      for (const signal of signals) process.on(signal, listener);
      return () => signals.forEach((signal) => process.off(signal, listener));
    },
    exit: (status) => process.exit(status),
  };
}
