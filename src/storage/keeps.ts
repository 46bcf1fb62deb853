/** What every medium says of keeps in the same words. */
import { LivetapeError } from '../base/index.js';
import type { KeepId } from './storage.js';

/** The refusal of a name that is taken. */
export function keepExists({ streamCode, name }: KeepId): LivetapeError {
  return new LivetapeError('KEEP_EXISTS', `there is a keep ${name} of ${streamCode} already`, { context: { code: streamCode, name } });
}
