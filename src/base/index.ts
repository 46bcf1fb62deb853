/** base: clock, errors, log, lifecycle. Imports no other room. */
export { delay, systemClock, type Clock, type Timer } from './clock.js';
export { ManualClock } from './manualClock.js';
export { ERROR_CODES, LivetapeError, invariant, isLivetapeError, toLivetapeError, type ErrorCode, type ErrorContext } from './errors.js';
export { silentLogger, type LogFields, type Logger } from './log.js';
export { scrub } from './scrub.js';
export type { Closable } from './lifecycle.js';
