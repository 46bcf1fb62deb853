/**
 * What a failed system call means to whoever asked for it: an errno becomes one of the codes that
 * storage.ts promises, with the operation and the place in the message.
 */
import { LivetapeError, type ErrorCode, type ErrorContext } from '../base/index.js';

const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EACCES: 'STORAGE_UNWRITABLE',
  EPERM: 'STORAGE_UNWRITABLE',
  EROFS: 'STORAGE_UNWRITABLE',
  // Something that is not a folder stands where a folder should be.
  ENOTDIR: 'STORAGE_UNWRITABLE',
};

/** The errno name of a Node error (`ENOENT`), undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** `error` as storage.ts promises it; a LivetapeError stays what it is. `doing` completes "cannot …". */
export function storageError(error: unknown, doing: string, context: ErrorContext): LivetapeError {
  if (error instanceof LivetapeError) return error;
  const errno = errnoOf(error);
  const code = (errno === undefined ? undefined : CODES[errno]) ?? 'STORAGE_FAILED';
  const detail = error instanceof Error ? error.message : String(error);
  return new LivetapeError(code, `cannot ${doing}: ${detail}`, { cause: error, context: { ...context, errno } });
}
