/**
 * Signed playback tokens: JWTs of HMAC-SHA256 that any program with a key can make (docs/design/door.md, D7). Times, the address and whether the key is still
 * there are judged at each request; the signature once, since a player comes back with the same token for every segment.
 */
import { createHash } from 'node:crypto';
import { compactVerify, SignJWT, type JWTPayload } from 'jose';
import { z } from 'zod';
import { LivetapeError, type Clock } from '../base/index.js';
import type { SignedClaims, SignedTokens, Verdict } from './contract.js';
import type { Grant, Window } from './grant.js';
import type { SigningKey } from './keys.js';
import { LruMap } from './lru.js';
import { isWithin, parseNetwork, type Network } from './network.js';
import { patternSchema } from './pattern.js';

const SIGNED = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$/;
/** 32 bytes, in the one way to write them: of the last letter two bits would otherwise be free. */
const SIGNATURE = /\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
/** Characters of a token: longer ones are not looked at. */
const MAX_LENGTH = 4096;
/** Tokens whose signature is remembered: more than there are viewers (`http.limits.sessions`), at some hundred bytes each. */
const MAX_REMEMBERED = 50_000;

/** What it is opened with. */
export interface SignedTokensOptions {
  /** The keys that are valid now; the first signs. */
  readonly keys: () => readonly SigningKey[];
  readonly clock: Clock;
}

/** Reads and makes signed tokens. */
export function openSignedTokens(options: SignedTokensOptions): SignedTokens {
  return new JwtTokens(options);
}

/** Seconds since 1970; what lies past the year 5138 is milliseconds by mistake. */
const secondsSchema = z.number().min(0).max(1e11);

const claimsSchema = z
  .object({
    sub: patternSchema,
    exp: secondsSchema,
    nbf: secondsSchema.optional(),
    from: secondsSchema.optional(),
    to: secondsSchema.optional(),
    ip: z.string().max(64).optional(),
  })
  .refine(({ from = 0, to = Infinity }) => from < to, 'the window ends before it begins')
  .refine(({ ip }) => ip === undefined || parseNetwork(ip) !== undefined, 'ip is neither an address nor a network');

/** Strict: a header that is not known may say that the rest means something else (RFC 7515, 4.1.11). */
const headerSchema = z.strictObject({
  alg: z.literal('HS256'),
  kid: z.string().min(1).max(64),
  typ: z.string().regex(/^jwt$/i).optional(),
});

/** A token whose signature is right. */
interface Verified {
  readonly key: SigningKey;
  readonly grant: Grant;
  readonly notBeforeMs: number;
  readonly network: Network | undefined;
}

class JwtTokens implements SignedTokens {
  readonly #options: SignedTokensOptions;
  /** By the hash of the text: tokens are long, and are not to lie about in memory. */
  readonly #verified = new LruMap<Verified>(MAX_REMEMBERED);

  constructor(options: SignedTokensOptions) {
    this.#options = options;
  }

  async sign(claims: SignedClaims): Promise<string> {
    const [key] = this.#options.keys();
    if (key === undefined) throw new LivetapeError('REQUEST_INVALID', 'there is no key to sign with');
    const { fromMs = -Infinity, toMs = Infinity } = claims.window;
    const payload: JWTPayload = {
      sub: claims.stream,
      exp: claims.expiresMs / 1000,
      ...(fromMs === -Infinity ? {} : { from: fromMs / 1000 }),
      ...(toMs === Infinity ? {} : { to: toMs / 1000 }),
      ...(claims.address === undefined ? {} : { ip: claims.address }),
    };
    const parsed = claimsSchema.safeParse(payload);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new LivetapeError('REQUEST_INVALID', [...(issue?.path ?? []).map(String), issue?.message ?? 'wrong'].join(': '));
    }
    if (claims.expiresMs <= this.#options.clock.nowMs()) throw new LivetapeError('REQUEST_INVALID', 'the token would have expired already');
    return new SignJWT(payload).setProtectedHeader({ alg: 'HS256', kid: key.id, typ: 'JWT' }).sign(bytesOf(key));
  }

  isSigned(text: string): boolean {
    return SIGNED.test(text);
  }

  async verify(text: string, address: string): Promise<Verdict> {
    if (text.length > MAX_LENGTH || !SIGNED.test(text) || !SIGNATURE.test(text)) return { refused: 'wrong' };
    const hash = createHash('sha256').update(text).digest('base64url');
    const verified = this.#remembered(hash) ?? (await this.#read(text, hash));
    if (verified === undefined) return { refused: 'wrong' };
    const nowMs = this.#options.clock.nowMs();
    if (nowMs >= verified.grant.expiresMs) return { refused: 'expired' };
    if (nowMs < verified.notBeforeMs) return { refused: 'early' };
    if (verified.network !== undefined && !isWithin(verified.network, address)) return { refused: 'address' };
    return { grant: verified.grant };
  }

  /** What was read of the token before, as long as its key is valid. */
  #remembered(hash: string): Verified | undefined {
    const verified = this.#verified.get(hash);
    if (verified === undefined) return undefined;
    if (this.#options.keys().some(({ id, secret }) => id === verified.key.id && secret === verified.key.secret)) return verified;
    this.#verified.delete(hash);
    return undefined;
  }

  async #read(text: string, hash: string): Promise<Verified | undefined> {
    const header = headerSchema.safeParse(jsonOf(Buffer.from(text.slice(0, text.indexOf('.')), 'base64url')));
    if (!header.success) return undefined;
    const key = this.#options.keys().find(({ id }) => id === header.data.kid);
    if (key === undefined) return undefined;
    let payload: Uint8Array;
    try {
      ({ payload } = await compactVerify(text, bytesOf(key), { algorithms: ['HS256'] }));
    } catch {
      return undefined;
    }
    const claims = claimsSchema.safeParse(jsonOf(payload));
    if (!claims.success) return undefined;
    const { sub, exp, nbf, from, to, ip } = claims.data;
    const verified: Verified = {
      key,
      grant: {
        kind: 'signed',
        id: key.id,
        name: sub,
        scopes: new Set(['playback']),
        streams: [sub],
        window: windowOf(from, to),
        expiresMs: exp * 1000,
      },
      notBeforeMs: (nbf ?? 0) * 1000,
      network: ip === undefined ? undefined : parseNetwork(ip),
    };
    this.#verified.set(hash, verified);
    return verified;
  }
}

function windowOf(from: number | undefined, to: number | undefined): Window | undefined {
  if (from === undefined && to === undefined) return undefined;
  // whole milliseconds, as all that is recorded has
  return { fromMs: from === undefined ? -Infinity : Math.round(from * 1000), toMs: to === undefined ? Infinity : Math.round(to * 1000) };
}

function bytesOf({ secret }: SigningKey): Uint8Array {
  return new TextEncoder().encode(secret);
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
