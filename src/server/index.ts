/** server: HTTP over everything else. */
export { openAudit, type Action, type Audit } from './door/audit.js';
export { linkOf } from './door/link.js';
export { openLog, type LogLevel } from './log.js';
export { serve, type RunningServer, type ServeOptions } from './serve.js';
