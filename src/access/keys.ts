/** Keys that sign playback tokens: those of `auth.keys`, or else one that the server made for itself (docs/design/door.md, D7). */
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { LivetapeError, type Clock } from '../base/index.js';
import { makeFolder, readFileText, replaceFile, withLock, type FileKind } from '../state/index.js';

const KEY_FILE: FileKind = { maxBytes: 4096, unreadable: 'STATE_UNREADABLE', unwritable: 'STATE_UNWRITABLE' };
const KEY_BYTES = 32;
/** `kid` of the key that the server made. */
const SERVER_KEY_ID = 'server';

/** A key of HMAC-SHA256. */
export interface SigningKey {
  /** `kid` of what it signs. */
  readonly id: string;
  /** The bytes of this text, in UTF-8, are the key. At least 32 of them. */
  readonly secret: string;
}

/**
 * The key of a server for which none is configured. It is made where there is none; of several that begin at once all have the same.
 * @param path - the file; made with mode 0600
 * @throws LivetapeError STATE_UNREADABLE, STATE_UNWRITABLE
 */
export async function openSigningKey(path: string, clock: Clock): Promise<SigningKey> {
  const { text } = await readFileText(path, KEY_FILE);
  if (text !== undefined) return keyOf(path, text);
  await makeFolder(dirname(path));
  return withLock(path, clock, async () => {
    const made = `${randomBytes(KEY_BYTES).toString('base64url')}\n`;
    const isOurs = await replaceFile(path, made, '', KEY_FILE);
    const now = isOurs ? made : (await readFileText(path, KEY_FILE)).text;
    return keyOf(path, now ?? '');
  });
}

function keyOf(path: string, text: string): SigningKey {
  const secret = text.trim();
  // Of what is shorter somebody may have cut off a part.
  if (!/^[A-Za-z0-9_-]{43,1024}$/.test(secret)) {
    throw new LivetapeError('STATE_UNREADABLE', `${path}: it is not a key of at least 43 characters of base64url`, { context: { path } });
  }
  return { id: SERVER_KEY_ID, secret };
}
