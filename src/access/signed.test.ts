/** Signed tokens: what they open and when, and that nothing else does (docs/design/door.md, D7). Tokens of other programs are made with node:crypto alone. */
import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../base/index.js';
import type { SignedClaims, SignedTokens, Verdict } from './contract.js';
import type { SigningKey } from './keys.js';
import { LruMap } from './lru.js';
import { openSignedTokens } from './signed.js';

const [OLD, NEW]: [SigningKey, SigningKey] = [
  { id: 'old', secret: 'o'.repeat(32) },
  { id: 'new', secret: 'n'.repeat(43) },
];
const HERE = '192.0.2.7';

let clock: ManualClock;
let keys: readonly SigningKey[];
let signed: SignedTokens;
let nowSec: number;
beforeEach(() => {
  clock = new ManualClock();
  keys = [NEW, OLD];
  signed = openSignedTokens({ keys: () => keys, clock });
  nowSec = clock.nowMs() / 1000;
});

const coded = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** As any program makes one. */
function jwt(claims: unknown, header: object = {}, secret = NEW.secret): string {
  const text = `${coded({ alg: 'HS256', kid: 'new', ...header })}.${coded(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
const minimal = (): object => ({ sub: 'news', exp: nowSec + 60 });
const claims = (part: Partial<SignedClaims> = {}): SignedClaims => ({
  stream: 'news',
  expiresMs: clock.nowMs() + 60_000,
  window: {},
  address: undefined,
  ...part,
});
const refusal = (verdict: Verdict): string => ('refused' in verdict ? verdict.refused : 'none');

it('D7: what it signs it reads, with all that was said', async () => {
  const [fromMs, toMs] = [clock.nowMs() - 5500, clock.nowMs() + 250];
  const token = await signed.sign(claims({ stream: 'sport/*', window: { fromMs, toMs }, address: '192.0.2.0/24' }));
  expect(signed.isSigned(token)).toBe(true);
  expect(await signed.verify(token, HERE)).toEqual({
    grant: {
      kind: 'signed',
      id: 'new',
      name: 'sport/*',
      scopes: new Set(['playback']),
      streams: ['sport/*'],
      window: { fromMs, toMs },
      expiresMs: clock.nowMs() + 60_000,
    },
  });
  expect(refusal(await signed.verify(token, '192.0.3.7'))).toBe('address');
});

it('D7: tokens of other programs, with as little as there must be and with claims of their own', async () => {
  expect(await signed.verify(jwt(minimal()), HERE)).toMatchObject({ grant: { streams: ['news'], window: undefined } });
  const more = { ...minimal(), iss: 'shop', aud: ['a'], iat: nowSec, jti: 'x', user: { id: 7 } };
  expect(await signed.verify(jwt(more, { typ: 'JWT' }), HERE)).toHaveProperty('grant');
  expect(await signed.verify(jwt({ ...minimal(), from: nowSec - 1.5 }), HERE)).toMatchObject({
    grant: { window: { fromMs: clock.nowMs() - 1500, toMs: Infinity } },
  });
  expect(await signed.verify(jwt({ ...minimal(), to: nowSec }), HERE)).toMatchObject({
    grant: { window: { fromMs: -Infinity, toMs: clock.nowMs() } },
  });
});

it('D7: its times are judged at each request', async () => {
  const token = jwt({ ...minimal(), nbf: nowSec + 10 });
  expect(refusal(await signed.verify(token, HERE))).toBe('early');
  clock.advance(9_999);
  expect(refusal(await signed.verify(token, HERE))).toBe('early');
  clock.advance(1);
  expect(await signed.verify(token, HERE)).toHaveProperty('grant');
  clock.advance(49_999);
  expect(await signed.verify(token, HERE)).toHaveProperty('grant');
  clock.advance(1);
  expect(refusal(await signed.verify(token, HERE))).toBe('expired');
  clock.stepWall(-60_000);
  expect(refusal(await signed.verify(token, HERE))).toBe('early');
});

it('D7: keys rotate: the first signs, all are valid, and what a key signed goes with it', async () => {
  keys = [OLD];
  const before = await signed.sign(claims());
  expect(await signed.verify(before, HERE)).toMatchObject({ grant: { id: 'old' } });
  keys = [NEW, OLD];
  const after = await signed.sign(claims());
  expect(await signed.verify(before, HERE)).toMatchObject({ grant: { id: 'old' } });
  expect(await signed.verify(after, HERE)).toMatchObject({ grant: { id: 'new' } });
  keys = [NEW];
  expect(refusal(await signed.verify(before, HERE))).toBe('wrong');
  // the id alone is not the key
  keys = [{ ...NEW, secret: 'x'.repeat(32) }];
  expect(refusal(await signed.verify(after, HERE))).toBe('wrong');
  keys = [];
  expect(refusal(await signed.verify(after, HERE))).toBe('wrong');
  await expect(signed.sign(claims())).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
});

describe('D7: what is not signed as it must be is wrong', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const text = (header: object): string => `${coded(header)}.${coded(minimal())}`;
  it.each<[string, () => string]>([
    ['alg none, no signature', () => `${text({ alg: 'none', kid: 'new' })}.`],
    ['alg none in other letters', () => `${text({ alg: 'nOnE', kid: 'new' })}.`],
    ['alg none, signed', () => jwt(minimal(), { alg: 'none' })],
    ['alg HS512 in name', () => jwt(minimal(), { alg: 'HS512' })],
    [
      'alg HS512',
      () =>
        `${text({ alg: 'HS512', kid: 'new' })}.${createHmac('sha512', NEW.secret)
          .update(text({ alg: 'HS512', kid: 'new' }))
          .digest('base64url')}`,
    ],
    [
      'RS256',
      () =>
        `${text({ alg: 'RS256', kid: 'new' })}.${createSign('sha256')
          .update(text({ alg: 'RS256', kid: 'new' }))
          .sign(privateKey, 'base64url')}`,
    ],
    ['HS256 with a public key', () => jwt(minimal(), {}, publicKey.export({ type: 'spki', format: 'pem' }).toString())],
    ['HS256 with the empty key', () => jwt(minimal(), {}, '')],
    ['no kid', () => jwt(minimal(), { kid: undefined })],
    ['a kid that is not there', () => jwt(minimal(), { kid: 'neu' })],
    ['a kid that is none', () => jwt(minimal(), { kid: 7 })],
    ['the kid of the other key', () => jwt(minimal(), { kid: 'old' })],
    ['a key of its own in the header', () => jwt(minimal(), { jwk: { kty: 'oct', k: coded('k'.repeat(32)) } }, 'k'.repeat(32))],
    ['crit', () => jwt(minimal(), { crit: ['exp'], exp: 1 })],
    ['b64', () => jwt(minimal(), { b64: false, crit: ['b64'] })],
    ['another type', () => jwt(minimal(), { typ: 'at+jwt' })],
    ['no signature', () => jwt(minimal()).replace(/[^.]*$/, '')],
    ['a part too few', () => jwt(minimal()).replace(/\.[^.]*$/, '')],
    ['a part too many', () => `${jwt(minimal())}.a`],
    ['claims that are no JSON', () => jwt('{"sub":')],
    ['claims that are no object', () => jwt([minimal()])],
    ['too long', () => jwt({ ...minimal(), pad: 'a'.repeat(4000) })],
    ['huge', () => `${'a'.repeat(1e6)}.${'b'.repeat(1e6)}.${'c'.repeat(1e6)}`],
    ['empty', () => ''],
  ])('%s', async (_what, make) => {
    expect(refusal(await signed.verify(make(), HERE))).toBe('wrong');
  });

  it.each([
    [{ sub: undefined }],
    [{ sub: '' }],
    [{ sub: ['news'] }],
    [{ sub: '../news' }],
    [{ exp: undefined }],
    [{ exp: null }],
    [{ exp: '9999999999' }],
    [{ exp: 9_999_999_999_999 }],
    [{ exp: -1 }],
    [{ nbf: '0' }],
    [{ from: null }],
    [{ from: '2026-01-01T00:00:00Z' }],
    [{ from: -1 }],
    [{ to: true }],
    [{ to: {} }],
    [{ from: 20, to: 20 }],
    [{ from: 30, to: 20 }],
    [{ ip: 7 }],
    [{ ip: '' }],
    [{ ip: '192.0.2' }],
    [{ ip: '192.0.2.7/33' }],
    [{ ip: '192.0.2.7/' }],
    [{ ip: '192.0.2.7/24/8' }],
    [{ ip: '0300.0.2.7' }],
    [{ ip: 'localhost' }],
    [{ ip: '::ffff:192.0.2.7/90' }],
  ])('the claims %j', async (part) => {
    expect(refusal(await signed.verify(jwt({ ...minimal(), ...part }), HERE))).toBe('wrong');
  });
});

it.each([
  ['192.0.2.7', '192.0.2.7', true],
  ['192.0.2.7', '::ffff:192.0.2.7', true],
  ['::ffff:192.0.2.7', '192.0.2.7', true],
  ['::ffff:192.0.2.0/120', '192.0.2.9', true],
  ['::ffff:192.0.2.0/120', '192.0.3.9', false],
  ['192.0.2.0/24', '192.0.3.7', false],
  ['0.0.0.0/0', '203.0.113.1', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::/0', '192.0.2.7', false],
  ['2001:db8::/64', '2001:db8::1:2', true],
  ['2001:db8::/64', '2001:db8:0:1::2', false],
  ['fe80::1', 'fe80::1%eth0', true],
  ['192.0.2.7', '', false],
  ['192.0.2.7', 'unix:', false],
])('D7: ip %s, asked from %s: %s', async (ip, asker, opens) => {
  const token = jwt({ ...minimal(), ip });
  for (const _again of [1, 2]) expect(refusal(await signed.verify(token, asker))).toBe(opens ? 'none' : 'address');
});

it('D7: a token that was changed anywhere opens nothing', async () => {
  const token = jwt({ ...minimal(), from: nowSec - 100, to: nowSec });
  expect(await signed.verify(token, HERE)).toHaveProperty('grant');
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...'ABYZabyz0189_-.='), async (at, letter) => {
      const changed = token.slice(0, at) + letter + token.slice(at + 1);
      fc.pre(changed !== token);
      expect(refusal(await signed.verify(changed, HERE))).toBe('wrong');
    }),
    { numRuns: 300 },
  );
});

it('D7: texts of the form of a token are judged, whatever they hold', async () => {
  const part = fc.oneof(
    fc.base64String({ maxLength: 40 }).map((text) => text.replace(/[+/=]/g, '_')),
    fc.json().map(coded),
    fc.constant(coded({ alg: 'HS256', kid: 'new' })),
  );
  await fc.assert(
    fc.asyncProperty(part, part, part, async (a, b, c) => {
      expect(refusal(await signed.verify(`${a}.${b}.${c}`, HERE))).toBe('wrong');
    }),
    { numRuns: 300 },
  );
});

it('D7: claims of any kind that are signed are read strictly', async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.constantFrom('sub', 'exp', 'nbf', 'from', 'to', 'ip'), async (value, name) => {
      const verdict = await signed.verify(jwt({ ...minimal(), [name]: value }), HERE);
      if ('grant' in verdict) expect(['string', 'number']).toContain(typeof value);
    }),
    { numRuns: 300 },
  );
});

it.each([
  [{ stream: '' }],
  [{ stream: 'a b' }],
  [{ expiresMs: 0 }],
  [{ expiresMs: NaN }],
  [{ expiresMs: Infinity }],
  [{ window: { fromMs: 2000, toMs: 2000 } }],
  [{ window: { fromMs: NaN } }],
  [{ address: 'home' }],
])('signs nothing that makes no sense: %j', async (part) => {
  await expect(signed.sign(claims(part))).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
});

it('D7: the signature is looked at once for many requests', async () => {
  const token = jwt(minimal());
  const first = await signed.verify(token, HERE);
  const second = await signed.verify(token, HERE);
  expect('grant' in first && 'grant' in second && first.grant === second.grant).toBe(true);
});

it('of more tokens than are remembered the one that was asked for longest ago goes', () => {
  const map = new LruMap<number>(3);
  for (const [n, key] of ['a', 'b', 'c'].entries()) map.set(key, n);
  expect(map.get('a')).toBe(0);
  map.set('d', 3);
  expect(['a', 'b', 'c', 'd'].map((key) => map.get(key))).toEqual([0, undefined, 2, 3]);
  map.set('a', 7);
  map.set('e', 4);
  expect(['a', 'c', 'd', 'e'].map((key) => map.get(key))).toEqual([7, undefined, 3, 4]);
  map.delete('a');
  expect([map.get('a'), map.get('d'), map.get('e')]).toEqual([undefined, 3, 4]);
});

it('D7: a token is written in one way only', async () => {
  const token = jwt(minimal());
  const last = token.at(-1) ?? '';
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  for (const letter of letters.replace(last, '')) expect(refusal(await signed.verify(token.slice(0, -1) + letter, HERE))).toBe('wrong');
  for (const more of ['=', '==', 'A', ' ', '\n']) expect(refusal(await signed.verify(token + more, HERE))).toBe('wrong');
});
