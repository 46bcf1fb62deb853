/** The first start with auth (docs/design/door.md, D1): without a token nobody could make one. */
import { join } from 'node:path';
import type { TokenStore } from '../../access/index.js';
import { LivetapeError, type Logger } from '../../base/index.js';
import { readFileText, replaceFile, type FileKind } from '../../state/index.js';

const FILE: FileKind = { maxBytes: 4096, unreadable: 'STATE_UNREADABLE', unwritable: 'STATE_UNWRITABLE' };
/** A file that somebody else writes, too, is written anew at most so often. */
const MAX_TRIES = 5;

/**
 * Makes an admin token where there is none of any kind, and says where it is. Answers with the file, where one was made.
 * @throws LivetapeError STATE_UNREADABLE, STATE_UNWRITABLE
 */
export async function makeFirstToken(tokens: TokenStore, folder: string, log: Logger): Promise<string | undefined> {
  if (tokens.list().length > 0) return undefined;
  const path = join(folder, 'admin-token');
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
