/** A door for the tests of this room: real judgement over tokens in memory, and an audit log that can be read. */
import { randomBytes } from 'node:crypto';
import {
  openSignedTokens,
  type AuthorizerQuestion,
  type Grant,
  type TokenRecord,
  type TokenRequest,
  type TokenStore,
} from '../access/index.js';
import { LivetapeError, type Clock } from '../base/index.js';
import type { ConfigStore } from '../config/index.js';
import type { ServerContext } from './context.js';
import type { Action } from './door/audit.js';
import { Door } from './door/door.js';

/** Signs in tests. */
export const TEST_KEY = { id: 'test', secret: 'a key of tests, of more than thirty-two bytes' };

/** Tokens that are kept nowhere. */
export class MemoryTokens implements TokenStore {
  readonly #records = new Map<string, TokenRecord>();
  readonly #listeners = new Set<() => void>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The text of a new token. */
  make(request: Partial<TokenRequest>): string {
    const id = randomBytes(4).toString('hex');
    const createdAt = new Date(this.#clock.nowMs());
    const record = { id, name: id, scopes: [], streams: ['*'], createdAt, expiresAt: undefined, ...request };
    const text = `lt_${id}_${randomBytes(32).toString('base64url')}`;
    this.#records.set(text, record);
    return text;
  }

  async create(request: TokenRequest): ReturnType<TokenStore['create']> {
    const token = this.make(request);
    const record = this.#records.get(token);
    if (record === undefined) throw new Error('it was just made');
    return { token, record };
  }

  list(): readonly TokenRecord[] {
    return [...this.#records.values()];
  }

  async revoke(id: string): Promise<TokenRecord> {
    for (const [text, record] of this.#records) {
      if (record.id !== id) continue;
      this.#records.delete(text);
      for (const listener of this.#listeners) listener();
      return record;
    }
    throw new LivetapeError('TOKEN_NOT_FOUND', `there is no token ${id}`);
  }

  isToken(text: string): boolean {
    return text.startsWith('lt_');
  }

  verify(text: string): ReturnType<TokenStore['verify']> {
    const record = this.#records.get(text);
    if (record === undefined) return { refused: 'wrong' };
    const expiresMs = record.expiresAt?.getTime() ?? Infinity;
    if (expiresMs <= this.#clock.nowMs()) return { refused: 'expired' };
    const { id, name, streams } = record;
    return { grant: { kind: 'token', id, name, scopes: new Set(record.scopes), streams, window: undefined, expiresMs } };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    return undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What a test may do with the door. */
export interface TestDoor {
  readonly tokens: MemoryTokens;
  /** What was done. */
  readonly actions: Action[];
  /** What the authoriser was asked. */
  readonly questions: AuthorizerQuestion[];
  /** What it answers. */
  answer: (question: AuthorizerQuestion) => Grant | undefined;
  /** For the context. */
  readonly context: Pick<ServerContext, 'door' | 'tokens' | 'signed' | 'audit'>;
}

/** Makes one. */
export function makeTestDoor(config: Pick<ConfigStore, 'state'>, clock: Clock): TestDoor {
  const tokens = new MemoryTokens(clock);
  const signed = openSignedTokens({ keys: () => [TEST_KEY], clock });
  const test: TestDoor = {
    tokens,
    actions: [],
    questions: [],
    answer: () => undefined,
    context: {
      tokens,
      signed,
      door: new Door({
        config,
        clock,
        tokens,
        signed,
        authorizer: {
          ask: async (question) => {
            test.questions.push(question);
            return test.answer(question);
          },
        },
      }),
      audit: {
        record: async (action) => void test.actions.push(action),
        newest: async (count) => test.actions.slice(-count).reverse(),
        close: async () => undefined,
        [Symbol.asyncDispose]: async () => undefined,
      },
    },
  };
  return test;
}
