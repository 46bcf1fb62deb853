/** How an error is told: one line on standard error. */
import type { LivetapeError } from '../base/index.js';

/** `livetape: CODE: message`, on one line whatever the message holds. */
export function errorLine(error: LivetapeError): string {
  return `livetape: ${error.code}: ${error.message.replace(/\s*\n\s*/g, ' ')}\n`;
}
