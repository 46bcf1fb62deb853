/** The server's own log: JSON lines on standard error, by pino. */
import { destination, pino } from 'pino';
import { scrub, type Logger } from '../base/index.js';

/** How much is logged. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** A log whose level can be changed while it runs. Lines are written at once, so that none is lost when the process is ended. */
export function openLog(level: LogLevel): { readonly log: Logger; readonly setLevel: (level: LogLevel) => void } {
  const log = pino(
    {
      level,
      base: {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: scrub },
    },
    destination({ dest: 2, sync: true }),
  );
  return { log, setLevel: (next) => void (log.level = next) };
}
