/**
 * What answers, events and metrics may say (docs/design/door.md, D10): never where something lies on this machine, since that is of use to those alone who attack it. Paths
 * become their last part; what fails inside says what failed, and leaves where to the log.
 */
import { basename } from 'node:path';
import type { ErrorCode, LivetapeError } from '../base/index.js';
import { redactUrl } from '../ingest/index.js';

/** What is told of errors that are about this machine, in the place of their messages. Other messages are told without paths. */
export const TOLD: Partial<Readonly<Record<ErrorCode, string>>> = {
  ARCHIVE_CORRUPT: 'what is recorded cannot be read: a file of the archive is damaged',
  ARCHIVE_FORMAT_NEWER: 'what is recorded was written by a newer version of Livetape',
  PATH_OUTSIDE_ROOT: 'what lies there leads out of the folder of the archives',
  OWNERSHIP_LOST: 'another writer has taken over the archive',
  STORAGE_UNWRITABLE: 'what is recorded cannot be stored: its folder may not be written to',
  STORAGE_FAILED: 'the medium on which is recorded failed',
  DISK_FULL: 'the disk is full',
  LISTEN_REFUSED: 'the server cannot listen as it is asked to',
  ROOT_OWNED: 'another server is at work on the same archives',
  CONFIG_UNWRITABLE: 'the configuration cannot be written, or is written in a way that cannot be changed here',
  STATE_UNREADABLE: "a file of the server's own cannot be read",
  STATE_UNWRITABLE: "a file of the server's own cannot be written",
  TLS_INVALID: 'the certificate and its key cannot be used',
  AUTHORIZER_FAILED: 'the authoriser does not answer as it should',
  RECORDER_LOST: 'the recorder process is being replaced',
  INVARIANT_BROKEN: 'something went wrong here',
};

/** The message of an error as it is told. */
export function publicMessage(error: LivetapeError): string {
  const told = TOLD[error.code];
  if (told !== undefined) return `${told}; the log says more`;
  const { path, location, real } = error.context;
  return withoutPaths(error.message, [path, location, real, ...pathsOf(error.cause)].map(String));
}

/** Errors of Node name the files that they are about. */
function pathsOf(cause: unknown): unknown[] {
  if (!(cause instanceof Error)) return [];
  return ['path' in cause ? cause.path : undefined, 'dest' in cause ? cause.dest : undefined, ...pathsOf(cause.cause)];
}

/** An absolute path: not what follows the host of a URL, nor `a/b`. `file:` may stand before it. */
const PATH = /(?<![\w./%@~*\]-])(file:(?:\/\/(?:localhost)?)?)?(\/(?!\/)[^\s"'<>|,;:()[\]{}]*)/gi;

/** In quotes, as Node says them: blanks belong to it. */
const QUOTED = /(['"])(\/(?!\/)(?:(?!\1).)*)\1/g;

/**
 * A text for people with absolute paths cut down to their last part.
 * @param known - paths that may be in it, with blanks and all
 */
export function withoutPaths(text: string, known: readonly string[] = []): string {
  let told = text;
  for (const path of known) if (path.startsWith('/') && path !== '/') told = told.replaceAll(path, basename(path));
  told = told.replace(QUOTED, (_all, quote: string, path: string) => `${quote}${basename(path) || '/'}${quote}`);
  return told.replace(
    PATH,
    (_all, scheme: string | undefined, path: string) => `${scheme === undefined ? '' : 'file:'}${basename(path) || '/'}`,
  );
}

/** A source as it is shown: without secrets, and to others than admins without the folder of a file. */
export function shownSource(source: string, tellsPaths: boolean): string {
  const shown = redactUrl(source);
  const file = /^\s*file:([^?]*)(.*)$/is.exec(shown);
  return tellsPaths || file === null ? shown : `file:${basename(file[1] ?? '')}${file[2] ?? ''}`;
}
