/**
 * The names in a stream's place. A playlist that came from elsewhere can name any file in its URI lines, so
 * what is not a single plain word is refused here, before it can become a path.
 */
import { LivetapeError } from '../base/index.js';

/** The journal's file, where a medium has files. */
export const JOURNAL_NAME = 'playlist.m3u8';
/** The cache that marks a stream's place even where its journal is gone. */
export const INDEX_NAME = 'index.json';
/** What shows, where a medium is a folder, that somebody writes to it. */
export const OWNER_NAME = 'owner.sock';
/** Ends the name of a file that is being written. */
export const PART_SUFFIX = '.part';
/** Ends the name of a replacement that is being written; one that is left over may be removed by whoever owns the place. */
export const TMP_SUFFIX = '.tmp';
/** Stands, with a time after it, in the name of what was set aside: never read, never overwritten. */
export const CORRUPT_MARK = '.corrupt-';

/** Whether a file of this name is a committed one, and not the journal, unfinished, or set aside. */
export function isCommittedName(name: string): boolean {
  return (
    name !== JOURNAL_NAME &&
    name !== OWNER_NAME &&
    !name.endsWith(PART_SUFFIX) &&
    !name.endsWith(TMP_SUFFIX) &&
    !name.includes(CORRUPT_MARK)
  );
}

/**
 * The name, when it can be a committed file's.
 * @throws LivetapeError PATH_OUTSIDE_ROOT when it is not a single word, ARGUMENT_INVALID when it is one of the medium's own
 */
export function checkName(name: string): string {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)) {
    throw new LivetapeError('PATH_OUTSIDE_ROOT', `${JSON.stringify(name.slice(0, 80))} does not name a file of the stream's own`);
  }
  if (!isCommittedName(name)) throw new LivetapeError('ARGUMENT_INVALID', `"${name}" is a name of the storage's own`);
  return name;
}
