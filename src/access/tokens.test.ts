/** Tokens: what opens, what does not, and how the file that holds them is shared and followed (docs/design/door.md, D3). */
import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { ManualClock, silentLogger, systemClock, type Logger } from '../base/index.js';
import type { TokenRequest, TokenStore } from './contract.js';
import { openSigningKey } from './keys.js';
import { openTokenStore } from './tokens.js';

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'livetape-tokens-'));
  path = join(folder, 'state', 'tokens.json');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const VIEWER: TokenRequest = { name: 'Ann', scopes: ['playback'], streams: ['sport/*'], expiresAt: undefined };

async function open(options: Partial<Parameters<typeof openTokenStore>[0]> = {}): Promise<TokenStore> {
  const store = await openTokenStore({ path, clock: systemClock, log: silentLogger, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** As an editor writes: another file in its place. */
async function put(text: string): Promise<void> {
  const temporary = join(folder, randomUUID());
  await writeFile(temporary, text);
  await rename(temporary, path);
}

function keptLog(): Logger & { lines: string[] } {
  const lines: string[] = [];
  const keep =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}

it('D3: a token opens what it was made for, and is kept nowhere', async () => {
  const log = keptLog();
  const store = await open({ log });
  const { token, record } = await store.create({ ...VIEWER, scopes: ['playback', 'api', 'playback'] });
  expect(token).toMatch(/^lt_[a-z0-9]{8}_[A-Za-z0-9_-]{43}$/);
  expect(record).toMatchObject({ name: 'Ann', scopes: ['playback', 'api'], streams: ['sport/*'], expiresAt: undefined });
  expect(store.isToken(token)).toBe(true);
  expect(store.verify(token)).toEqual({
    grant: {
      kind: 'token',
      id: record.id,
      name: 'Ann',
      scopes: new Set(['playback', 'api']),
      streams: ['sport/*'],
      window: undefined,
      expiresMs: Infinity,
    },
  });
  const secret = token.slice(12);
  expect(secret).toHaveLength(43);
  expect(await readFile(path, 'utf8')).not.toContain(secret);
  expect(JSON.stringify(store.list())).not.toContain(secret);
  expect(log.lines.join()).not.toContain(secret);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'state'))).mode & 0o777).toBe(0o700);
});

it('D3: what differs from a token in anything opens nothing', async () => {
  const store = await open();
  const { token } = await store.create(VIEWER);
  const { token: other } = await store.create(VIEWER);
  const letters = 'ABCXYZabcxyz0189_-.~/ ';
  let formed = 0;
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.constantFrom(...letters), (at, letter) => {
      const changed = token.slice(0, at) + letter + token.slice(at + 1);
      fc.pre(changed !== token);
      if (store.isToken(changed)) formed++;
      expect(store.verify(changed)).toEqual({ refused: 'wrong' });
    }),
  );
  expect(formed).toBeGreaterThan(10);
  for (const text of [
    '',
    'lt_',
    token.slice(0, -1),
    `${token}A`,
    `${token}\n`,
    ` ${token}`,
    token.toUpperCase(),
    `${token.slice(0, 12)}${other.slice(12)}`,
  ]) {
    expect(store.verify(text)).toEqual({ refused: 'wrong' });
  }
  expect(store.verify(token)).toHaveProperty('grant');
});

it('D3: a text of any kind is judged', async () => {
  const store = await open();
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      expect(store.verify(text)).toEqual({ refused: 'wrong' });
    }),
  );
});

it('D3: an expired token is said to be, a guessed one that would be expired is not', async () => {
  const clock = new ManualClock();
  const store = await open({ clock });
  const { token } = await store.create({ ...VIEWER, expiresAt: new Date(clock.nowMs() + 1000) });
  clock.advance(999);
  expect(store.verify(token)).toHaveProperty('grant.expiresMs', clock.nowMs() + 1);
  clock.advance(1);
  expect(store.verify(token)).toEqual({ refused: 'expired' });
  expect(store.verify(`${token.slice(0, -4)}AAAA`)).toEqual({ refused: 'wrong' });
});

it('D3: a revoked token opens nothing at once, and stays so', async () => {
  const store = await open();
  const { token, record } = await store.create(VIEWER);
  const { token: kept } = await store.create(VIEWER);
  let changes = 0;
  const stop = store.onChange(() => changes++);
  expect(await store.revoke(record.id)).toEqual(record);
  expect(changes).toBe(1);
  stop();
  expect(store.verify(token)).toEqual({ refused: 'wrong' });
  expect(store.verify(kept)).toHaveProperty('grant');
  await expect(store.revoke(record.id)).rejects.toMatchObject({
    code: 'TOKEN_NOT_FOUND',
    message: `there is no token with the id ${record.id}`,
  });
  const again = await open();
  expect(again.verify(token)).toEqual({ refused: 'wrong' });
  expect(again.verify(kept)).toHaveProperty('grant');
  // by the token itself, too; and no part of its secret is in an error
  for (const wrong of [`${kept}x`, kept.slice(3), kept.slice(0, 40)]) {
    await expect(again.revoke(wrong)).rejects.toMatchObject({
      code: 'TOKEN_NOT_FOUND',
      message: 'an id is the 8 letters and digits after lt_',
    });
  }
  expect(await again.revoke(kept)).toMatchObject({ name: VIEWER.name });
});

it.each([
  [{ name: '' }],
  [{ name: 'a'.repeat(101) }],
  [{ name: 'a\u001b[2J' }],
  [{ name: '   ' }],
  [{ scopes: [] }],
  [{ scopes: ['root'] }],
  [{ streams: [] }],
  [{ streams: ['../a'] }],
  [{ streams: ['a b'] }],
  [{ expiresAt: new Date(0) }],
  [{ expiresAt: new Date(NaN) }],
])('refuses to make %j', async (part) => {
  const store = await open();
  await expect(store.create({ ...VIEWER, ...part } as TokenRequest)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  expect(await readdir(join(folder, 'state'))).toEqual([]);
});

it('D3: what another process makes and revokes holds here', async () => {
  const server = await open();
  const cli = await open({ follow: false });
  const { token, record } = await cli.create(VIEWER);
  await vi.waitFor(() => expect(server.verify(token)).toHaveProperty('grant'), { timeout: 10_000 });
  await cli.revoke(record.id);
  await vi.waitFor(() => expect(server.verify(token)).toEqual({ refused: 'wrong' }), { timeout: 10_000 });
});

it('many that write at once lose nothing', async () => {
  const stores = await Promise.all(Array.from({ length: 5 }, () => open({ follow: false })));
  const made = await Promise.all(stores.flatMap((store) => Array.from({ length: 4 }, () => store.create(VIEWER))));
  const fresh = await open({ follow: false });
  expect(fresh.list()).toHaveLength(20);
  for (const { token } of made) expect(fresh.verify(token)).toHaveProperty('grant');
  expect(await readdir(join(folder, 'state'))).toEqual(['tokens.json']);
});

it.each([
  ['empty', ''],
  ['no JSON', '{"format":1,"tokens":['],
  ['not ours', '[]'],
  ['of a newer format', '{"format":2,"tokens":{}}'],
  [
    'with a token without a hash',
    '{"format":1,"tokens":[{"id":"abcdefgh","name":"a","scopes":["api"],"streams":["*"],"created_at":"2026-01-01T00:00:00Z"}]}',
  ],
  ['with a field that is not known', '{"format":1,"tokens":[],"only_from":"10.0.0.1"}'],
])('a file that is %s keeps a start from succeeding, holds nothing up while it runs, and is not written over', async (_what, text) => {
  const log = keptLog();
  const store = await open({ log });
  const { token } = await store.create(VIEWER);
  const right = await readFile(path, 'utf8');
  await put(text);
  await vi.waitFor(() => expect(log.lines.join('\n')).toContain('go on to hold'), { timeout: 10_000 });
  expect(store.verify(token)).toHaveProperty('grant');
  await expect(store.create(VIEWER)).rejects.toMatchObject({ code: 'STATE_UNREADABLE' });
  await expect(openTokenStore({ path, clock: systemClock, log })).rejects.toMatchObject({ code: 'STATE_UNREADABLE' });
  expect(await readFile(path, 'utf8')).toBe(text);
  await put(right);
  await vi.waitFor(() => expect(log.lines.join('\n')).toContain('right again'), { timeout: 10_000 });
});

it('a file that is gone takes no token away, and comes back with the next one', async () => {
  const log = keptLog();
  const store = await open({ log });
  const { token } = await store.create(VIEWER);
  await rm(path);
  await vi.waitFor(() => expect(log.lines.join('\n')).toContain('the file is gone'), { timeout: 10_000 });
  expect(store.verify(token)).toHaveProperty('grant');
  await store.create(VIEWER);
  expect((await open({ follow: false })).verify(token)).toHaveProperty('grant');
});

it('keeps the mode that an admin gave the file', async () => {
  const store = await open();
  await store.create(VIEWER);
  await chmod(path, 0o640);
  await store.create(VIEWER);
  expect((await stat(path)).mode & 0o777).toBe(0o640);
});

it.skipIf(process.getuid?.() !== 0)('what root makes belongs to whom the folder above does', async () => {
  await chown(folder, 1234, 1235);
  const store = await open();
  await store.create(VIEWER);
  await openSigningKey(join(folder, 'state/signing-key'), systemClock);
  for (const made of [join(folder, 'state'), path, join(folder, 'state/signing-key')])
    expect(await stat(made)).toMatchObject({ uid: 1234, gid: 1235 });
});

it('answers that it is closed', async () => {
  const store = await open();
  await store.close();
  await expect(store.create(VIEWER)).rejects.toMatchObject({ code: 'CLOSED' });
});

it('D7: servers that begin at once have the same key, which is their user’s alone', async () => {
  const file = join(folder, 'new', 'signing-key');
  const keys = await Promise.all(Array.from({ length: 6 }, () => openSigningKey(file, systemClock)));
  expect(new Set(keys.map(({ secret }) => secret)).size).toBe(1);
  expect(keys[0]).toMatchObject({ id: 'server', secret: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/) as string });
  expect(await openSigningKey(file, systemClock)).toEqual(keys[0]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, 'new'))).toEqual(['signing-key']);
});

it.each(['', 'short', `${'a'.repeat(42)}`, `${'a'.repeat(43)}!`])('D7: %j is no key', async (text) => {
  const file = join(folder, 'signing-key');
  await writeFile(file, text);
  await expect(openSigningKey(file, systemClock)).rejects.toMatchObject({ code: 'STATE_UNREADABLE' });
});
