/**
 * The one error class. Whatever goes wrong for a user carries a stable `code` from the list below, the
 * underlying `cause` where there is one, and the context a person needs to act. docs/reference/errors.md
 * explains each code; a test compares the two lists in both directions.
 */

/** Every code an error of Livetape can carry. Codes are never renamed and never reused. */
export const ERROR_CODES = [
  // what was asked
  'ARGUMENT_INVALID',
  'CONFIG_INVALID',
  'RECORDING_DISABLED',
  'STREAM_CODE_INVALID',
  'STREAM_CODE_TAKEN',
  'STREAM_NOT_FOUND',
  'ALREADY_RECORDING',
  'NOT_RECORDING',
  'BUFFER_NOT_FOUND',
  'CLOSED',
  // sources
  'SOURCE_INVALID',
  'SOURCE_UNSUPPORTED',
  'SOURCE_NOT_FOUND',
  'SOURCE_FAILED',
  'SOURCE_NOT_TS',
  'PROGRAM_NOT_FOUND',
  // the archive and its medium
  'ARCHIVE_CORRUPT',
  'ARCHIVE_FORMAT_NEWER',
  'PATH_OUTSIDE_ROOT',
  'STREAM_OWNED',
  'OWNERSHIP_LOST',
  'STORAGE_UNWRITABLE',
  'STORAGE_FAILED',
  'DISK_FULL',
  // windows and what is kept of them
  'NOTHING_RECORDED',
  'WINDOW_BEFORE_ARCHIVE',
  'WINDOW_TOO_LONG',
  'SEGMENT_NOT_FOUND',
  'PREVIEW_UNSUPPORTED',
  'WINDOW_EXPIRED',
  'WINDOW_IN_GAP',
  'WINDOW_IN_FUTURE',
  'KEEP_EXISTS',
  'KEEP_NOT_FOUND',
  // the server
  'LISTEN_REFUSED',
  'CONFIG_UNWRITABLE',
  'RECORDER_LOST',
  'ROOT_OWNED',
  'ROUTE_NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'REQUEST_INVALID',
  'ORIGIN_REFUSED',
  // the door
  'HOST_REFUSED',
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'FORBIDDEN',
  'AUTHORIZER_FAILED',
  'TOO_MANY_REQUESTS',
  'LIMIT_REACHED',
  'TOKEN_NOT_FOUND',
  'SOURCE_REFUSED',
  'ADDRESS_REFUSED',
  'HOOK_NOT_FOUND',
  'HOOK_FAILED',
  'TLS_INVALID',
  'STATE_UNREADABLE',
  'STATE_UNWRITABLE',
  // a fault of ours
  'INVARIANT_BROKEN',
] as const;

/** A stable error code. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Facts that help a person act on an error: a path, a stream code, a line number. Never a secret. */
export type ErrorContext = Readonly<Record<string, string | number | boolean | undefined>>;

/** The error that every public call of Livetape throws or rejects with. */
export class LivetapeError extends Error {
  override readonly name = 'LivetapeError';
  /** Stable, for programs. */
  readonly code: ErrorCode;
  /** For people and logs. */
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; context?: ErrorContext } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.context = options.context ?? {};
  }
}

/** True for a {@link LivetapeError}, of `code` when one is given. */
export function isLivetapeError(error: unknown, code?: ErrorCode): error is LivetapeError {
  return error instanceof LivetapeError && (code === undefined || error.code === code);
}

/** The error as a {@link LivetapeError}: itself when it is one, else wrapped under `code`. */
export function toLivetapeError(error: unknown, code: ErrorCode, message: string): LivetapeError {
  if (error instanceof LivetapeError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new LivetapeError(code, `${message}: ${detail}`, { cause: error });
}

/** Throws INVARIANT_BROKEN when `condition` does not hold: a fault of ours, which ends the stream's session. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new LivetapeError('INVARIANT_BROKEN', message);
}
