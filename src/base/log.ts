/**
 * The log, injected. The shape is pino's (`log.info({ stream }, 'message')`), so an embedding program can
 * hand in its own pino; the library is silent unless it does.
 */

/** Facts beside a log message. Never secrets: source URLs go through `redactUrl` first. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What Livetape logs to; a pino logger fits. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** Says nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
