/** server: HTTP over everything else. */
export { openLog, type LogLevel } from './log.js';
export { serve, type RunningServer, type ServeOptions } from './serve.js';
