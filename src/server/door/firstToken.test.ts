/** D1: when an admin token is made by itself, and when not. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTokenStore, type TokenStore } from '../../access/index.js';
import { ManualClock, silentLogger } from '../../base/index.js';
import { makeFirstToken } from './firstToken.js';

let folder: string;
const clock = new ManualClock();
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'livetape-first-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (): string => join(folder, 'admin-token');
const store = (): Promise<TokenStore> => openTokenStore({ path: join(folder, 'tokens.json'), clock, log: silentLogger, follow: false });
const start = (tokens: TokenStore): Promise<string | undefined> => makeFirstToken(tokens, folder, silentLogger);
const viewer = { name: 'lobby', scopes: ['playback'], streams: ['*'], expiresAt: undefined } as const;

it('the first start makes one, also where a token for viewers was made before it; the next start does not', async () => {
  await using tokens = await store();
  await tokens.create(viewer);
  expect(await start(tokens)).toBe(path());
  expect(statSync(path()).mode & 0o777).toBe(0o600);
  expect(tokens.verify(readFileSync(path(), 'utf8').trim())).toMatchObject({ grant: { name: 'admin' } });
  expect(await start(tokens)).toBeUndefined();
});

it('none is made where there is one, nor in the place of one that was revoked, while others are left; without any nobody could come in', async () => {
  await using tokens = await store();
  const { record } = await tokens.create({ ...viewer, scopes: ['admin'] });
  expect(await start(tokens)).toBeUndefined();
  await tokens.revoke(record.id);
  expect(await start(tokens)).toBe(path());
  const { record: other } = await tokens.create(viewer);
  for (const { id, scopes } of tokens.list()) if (scopes.includes('admin')) await tokens.revoke(id);
  expect(await start(tokens)).toBeUndefined();
  await tokens.revoke(other.id);
  expect(await start(tokens)).toBe(path());
});
