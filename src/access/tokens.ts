/**
 * Tokens `lt_{id}_{secret}`, in a file that the server and `livetape token` both write (docs/design/door.md, D3). The file is followed; one that is wrong
 * changes nothing while the server runs, and keeps it from starting: it neither opens the door nor locks everybody out unseen.
 */
import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { dirname } from 'node:path';
import { LivetapeError, toLivetapeError, type Clock, type Logger } from '../base/index.js';
import { makeFolder, readFileText, replaceFile, watchFile, withLock } from '../state/index.js';
import type { TokenRecord, TokenRequest, TokenStore, Verdict } from './contract.js';
import type { Grant } from './grant.js';
import { readTokens, requestSchema, TOKEN_FILE, writeTokens, type StoredToken } from './tokenFile.js';

const TOKEN = /^lt_([A-Za-z0-9]{8})_([A-Za-z0-9_-]{43})$/;
const ID = /^[A-Za-z0-9]{8}$/;
/** Bits that nobody guesses: of so many no slow hash is needed. */
const SECRET_BYTES = 32;
const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
/** How often a change is made anew because the file changed meanwhile: by hand, that is, since whoever writes it here holds its lock. */
const MAX_TRIES = 5;
/** What a token is compared with whose id is not there: a hash of nothing anybody knows. */
const NOBODY = randomBytes(32);

/** What a store is opened with. */
export interface TokenStoreOptions {
  /** The file; it need not be there. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether the file is followed as it changes; true unless said. Its folder is made for it. */
  readonly follow?: boolean;
}

/**
 * Reads the tokens.
 * @throws LivetapeError STATE_UNREADABLE for a file that cannot be read or is no file of tokens
 */
export async function openTokenStore(options: TokenStoreOptions): Promise<TokenStore> {
  const { path, log } = options;
  // A folder that is not there cannot be watched. Where it cannot be made the file is looked at from time to time.
  if (options.follow !== false) {
    await makeFolder(dirname(path)).catch((error: unknown) => log.debug({ path, err: error }, 'the folder of the tokens cannot be made'));
  }
  const { text } = await readFileText(path, TOKEN_FILE);
  return new FileTokenStore(options, readTokens(path, text), text);
}

/** A token in force. */
interface Held {
  readonly stored: StoredToken;
  /** The same for every request. */
  readonly grant: Grant;
}

class FileTokenStore implements TokenStore {
  readonly #options: TokenStoreOptions;
  readonly #listeners = new Set<() => void>();
  readonly #unwatch: () => void;
  /** What the file said when it was last right. */
  #text: string | undefined;
  #held: ReadonlyMap<string, Held>;
  #error: string | undefined;
  #work: Promise<unknown> = Promise.resolve();
  #lookWaits = false;
  #closed = false;

  constructor(options: TokenStoreOptions, tokens: ReadonlyMap<string, StoredToken>, text: string | undefined) {
    this.#options = options;
    this.#text = text;
    this.#held = heldOf(tokens);
    this.#unwatch = options.follow === false ? () => undefined : watchFile(options.path, options.clock, options.log, () => this.#changed());
  }

  async create(request: TokenRequest): Promise<{ readonly token: string; readonly record: TokenRecord }> {
    const now = new Date(this.#options.clock.nowMs());
    const checked = checkRequest(request, now);
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    const stored = await this.#change((tokens) => {
      const made: StoredToken = { id: newId(tokens), ...checked, createdAt: now, sha256: hashOf(secret) };
      return [new Map(tokens).set(made.id, made), made];
    });
    return { token: `lt_${stored.id}_${secret}`, record: recordOf(stored) };
  }

  list(): readonly TokenRecord[] {
    const records = [...this.#held.values()].map(({ stored }) => recordOf(stored));
    return records.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  }

  async revoke(given: string): Promise<TokenRecord> {
    // Who has only the token itself has its id in it.
    const id = TOKEN.exec(given)?.[1] ?? given;
    const stored = await this.#change((tokens) => {
      const found = tokens.get(id);
      if (found === undefined) {
        // What is no id may hold the secret of a token (D11): it is not repeated.
        throw new LivetapeError(
          'TOKEN_NOT_FOUND',
          ID.test(id) ? `there is no token with the id ${id}` : 'an id is the 8 letters and digits after lt_',
        );
      }
      const left = new Map(tokens);
      left.delete(id);
      return [left, found];
    });
    return recordOf(stored);
  }

  isToken(text: string): boolean {
    return TOKEN.test(text);
  }

  verify(text: string): Verdict {
    const [, id = '', secret = ''] = TOKEN.exec(text) ?? [];
    if (secret === '') return { refused: 'wrong' };
    const held = this.#held.get(id);
    const isRight = timingSafeEqual(hashOf(secret), held?.stored.sha256 ?? NOBODY);
    if (!isRight || held === undefined) return { refused: 'wrong' };
    return this.#options.clock.nowMs() < held.grant.expiresMs ? { grant: held.grant } : { refused: 'expired' };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    await this.#work;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Makes the file say what `step` makes of what it says now. */
  #change(step: (tokens: ReadonlyMap<string, StoredToken>) => [ReadonlyMap<string, StoredToken>, StoredToken]): Promise<StoredToken> {
    const { path, clock } = this.#options;
    return this.#inTurn(async () => {
      await makeFolder(dirname(path));
      return withLock(path, clock, async () => {
        for (let i = 0; i < MAX_TRIES; i++) {
          // One that is wrong is not written over; in the place of one that is gone goes what holds.
          const { text, version } = await readFileText(path, TOKEN_FILE);
          const isGone = text === undefined && this.#text !== undefined;
          const [tokens, result] = step(isGone ? this.#stored() : readTokens(path, text));
          const written = writeTokens(tokens.values());
          if (Buffer.byteLength(written) > TOKEN_FILE.maxBytes) {
            throw new LivetapeError('REQUEST_INVALID', 'there is no room for more tokens: revoke some');
          }
          if (await replaceFile(path, written, version, TOKEN_FILE)) {
            this.#take(written, tokens);
            return result;
          }
        }
        throw new LivetapeError('STATE_UNWRITABLE', `${path}: something else keeps writing it`, { context: { path } });
      });
    });
  }

  #stored(): ReadonlyMap<string, StoredToken> {
    return new Map([...this.#held].map(([id, { stored }]) => [id, stored]));
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#work.then(() => {
      if (this.#closed) throw new LivetapeError('CLOSED', 'the tokens are closed');
      return step();
    });
    this.#work = done.catch(() => undefined);
    return done;
  }

  /** The file may have changed. However often that is said, one look waits. */
  #changed(): void {
    if (this.#lookWaits || this.#closed) return;
    this.#lookWaits = true;
    this.#inTurn(async () => {
      this.#lookWaits = false;
      await this.#look();
    }).catch((error: unknown) => {
      if (!this.#closed) this.#options.log.error({ path: this.#options.path, err: error }, 'the tokens cannot be looked at');
    });
  }

  async #look(): Promise<void> {
    const { path } = this.#options;
    try {
      const { text } = await readFileText(path, TOKEN_FILE);
      if (text === this.#text) return this.#right();
      // Whether it was meant to lock everybody out is not to be believed; to revoke tokens is said token by token.
      if (text === undefined) throw new LivetapeError('STATE_UNREADABLE', `${path}: the file is gone`);
      this.#take(text, readTokens(path, text));
      this.#options.log.info({ path, tokens: this.#held.size }, 'the tokens have changed');
    } catch (error) {
      const { code, message } = toLivetapeError(error, 'STATE_UNREADABLE', path);
      if (this.#error === message) return;
      this.#error = message;
      this.#options.log.error({ path, code }, `${message}; the tokens that held go on to hold`);
    }
  }

  #right(): void {
    if (this.#error === undefined) return;
    this.#error = undefined;
    this.#options.log.info({ path: this.#options.path }, 'the file of tokens is right again');
  }

  #take(text: string, tokens: ReadonlyMap<string, StoredToken>): void {
    this.#text = text;
    this.#held = heldOf(tokens);
    this.#right();
    for (const listener of this.#listeners) {
      try {
        listener();
      } catch (error) {
        this.#options.log.error({ err: error }, 'a listener threw');
      }
    }
  }
}

function checkRequest(request: TokenRequest, now: Date): Omit<TokenRequest, 'expiresAt'> & Pick<TokenRecord, 'expiresAt'> {
  const parsed = requestSchema.safeParse(request);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new LivetapeError('REQUEST_INVALID', `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'wrong'}`);
  }
  const { name, scopes, streams, expiresAt } = parsed.data;
  if (expiresAt !== undefined && expiresAt <= now) throw new LivetapeError('REQUEST_INVALID', 'the token would have expired already');
  return { name, scopes: [...new Set(scopes)], streams: [...new Set(streams)], expiresAt };
}

function newId(tokens: ReadonlyMap<string, StoredToken>): string {
  for (;;) {
    const id = Array.from({ length: 8 }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
    if (!tokens.has(id)) return id;
  }
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function recordOf({ id, name, scopes, streams, createdAt, expiresAt }: StoredToken): TokenRecord {
  return { id, name, scopes, streams, createdAt, expiresAt };
}

function heldOf(tokens: ReadonlyMap<string, StoredToken>): ReadonlyMap<string, Held> {
  return new Map([...tokens].map(([id, stored]) => [id, { stored, grant: grantOf(stored) }]));
}

function grantOf({ id, name, scopes, streams, expiresAt }: StoredToken): Grant {
  return { kind: 'token', id, name, scopes: new Set(scopes), streams, window: undefined, expiresMs: expiresAt?.getTime() ?? Infinity };
}
