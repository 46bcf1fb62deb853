/** The first start with auth (docs/design/door.md, D1): without an admin's token nobody could make one over HTTP. */
import { join } from 'node:path';
import type { TokenStore } from '../../access/index.js';
import { LivetapeError, type Logger } from '../../base/index.js';
import { readFileText, replaceFile, type FileKind } from '../../state/index.js';

const FILE: FileKind = { maxBytes: 4096, unreadable: 'STATE_UNREADABLE', unwritable: 'STATE_UNWRITABLE' };
/** A file that somebody else writes, too, is written anew at most so often. */
const MAX_TRIES = 5;

/**
 * Makes an admin token where there is no token of any kind, or where none was ever made for an admin (`livetape token` may have been there first), and says where it
 * is. Who revoked the admin's and kept others wants none. Answers with the file, where one was made.
 * @throws LivetapeError STATE_UNREADABLE, STATE_UNWRITABLE
 */
export async function makeFirstToken(tokens: TokenStore, folder: string, log: Logger): Promise<string | undefined> {
  const path = join(folder, 'admin-token');
  const made = tokens.list();
  if (made.some(({ scopes }) => scopes.includes('admin'))) return undefined;
  if (made.length > 0 && (await readFileText(path, FILE)).text !== undefined) return undefined;
  const { token } = await tokens.create({ name: 'admin', scopes: ['admin'], streams: ['*'], expiresAt: undefined });
  for (let i = 0; i < MAX_TRIES; i++) {
    const { version } = await readFileText(path, FILE);
    if (await replaceFile(path, `${token}\n`, version, FILE)) {
      log.warn({ path }, 'an admin token was made; the file has it');
      return path;
    }
  }
  throw new LivetapeError('STATE_UNWRITABLE', `${path}: something else keeps writing it`, { context: { path } });
}
