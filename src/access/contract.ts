/** What the door asks of credentials, however they are kept (docs/design/door.md, D3, D7, D9). */
import type { Closable } from '../base/index.js';
import type { Grant, Scope, Window } from './grant.js';

/** A token, without what opens anything. */
export interface TokenRecord {
  /** 8 letters and digits. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Stream codes, or patterns of them. */
  readonly streams: readonly string[];
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
}

/** What a token is made of. */
export type TokenRequest = Pick<TokenRecord, 'name' | 'scopes' | 'streams' | 'expiresAt'>;

/** What came of a credential: what it opens, or why nothing. */
export type Verdict =
  | { readonly grant: Grant }
  /** `wrong`: not ours, not (any more) known, or broken. `address`: it is for another address. `early`: not yet. */
  | { readonly refused: 'wrong' | 'expired' | 'early' | 'address' };

/** The tokens of a server, in a file that several processes may write; followed as it changes. */
export interface TokenStore extends Closable {
  /**
   * Makes one. `token` is told this once and kept nowhere.
   * @throws LivetapeError REQUEST_INVALID for a request that makes no sense, STATE_UNWRITABLE
   */
  create(request: TokenRequest): Promise<{ readonly token: string; readonly record: TokenRecord }>;
  /** All, by date. */
  list(): readonly TokenRecord[];
  /**
   * @param id - or the token whole
   * @throws LivetapeError TOKEN_NOT_FOUND, STATE_UNWRITABLE
   */
  revoke(id: string): Promise<TokenRecord>;
  /** Whether it looks like one of these tokens at all; says nothing of whether it is one. */
  isToken(text: string): boolean;
  /** In constant time for every text of the right form. */
  verify(text: string): Verdict;
  /** Called after tokens were made, revoked or read anew. Answers with how to stop listening. */
  onChange(listener: () => void): () => void;
}

/** What a signed token says (D7). */
export interface SignedClaims {
  /** Stream code, or a pattern. */
  readonly stream: string;
  /** UTC milliseconds. */
  readonly expiresMs: number;
  readonly window: Partial<Window>;
  /** An address or a network. */
  readonly address: string | undefined;
}

/** Signs and reads signed tokens. */
export interface SignedTokens {
  /** With the first key. @throws LivetapeError REQUEST_INVALID for claims that make no sense */
  sign(claims: SignedClaims): Promise<string>;
  /** Whether it looks like a JWT at all. */
  isSigned(text: string): boolean;
  /** @param address - of who asks */
  verify(text: string, address: string): Promise<Verdict>;
}

/** What an authoriser is asked (D9). */
export interface AuthorizerQuestion {
  readonly stream: string;
  /** The last element of the path. */
  readonly name: string;
  /** What is asked for; undefined for live, and for what shows all. */
  readonly window: Window | undefined;
  readonly address: string;
  readonly token: string | undefined;
  readonly agent: string | undefined;
}

/** Another program that knows who may watch. */
export interface Authorizer {
  /** Undefined when it refuses. @throws LivetapeError AUTHORIZER_FAILED when it does not answer as it should */
  ask(question: AuthorizerQuestion): Promise<Grant | undefined>;
}
