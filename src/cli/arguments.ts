/** What is typed on the command line, checked: each answers with the value or throws ARGUMENT_INVALID (or the code of what it is). */
import { resolve } from 'node:path';
import { LivetapeError } from '../base/index.js';

/** A number of seconds within bounds. */
export const seconds =
  (name: string, least: number, most: number) =>
  (text: string): number => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    if (!(value >= least && value <= most)) {
      throw new LivetapeError('ARGUMENT_INVALID', `${name} is a number of seconds from ${least} to ${most}, not "${text}"`);
    }
    return value;
  };

/** A folder, as an absolute path. */
export function folder(text: string): string {
  if (text === '') throw new LivetapeError('ARGUMENT_INVALID', '--data is a folder, and nothing was given');
  return resolve(text);
}
