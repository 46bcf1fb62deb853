/** A file system that knows no sockets, or no hard links: recording goes on, a warning is given, and the folder itself is watched. */
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import type * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ManualClock, silentLogger } from '../../base/index.js';
import { rejects } from '../storageContract.js';
import { ownFolder } from './fsOwnership.js';

let refused: { syscall: string; code: string } | undefined;

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const refusing =
    <A extends unknown[]>(syscall: string, call: (...args: A) => Promise<void>) =>
    (...args: A): Promise<void> =>
      refused?.syscall === syscall ? Promise.reject(Object.assign(new Error(`${refused.code}: ${syscall}`), refused)) : call(...args);
  return { ...real, link: refusing('link', real.link), rename: refusing('rename', real.rename), chmod: refusing('chmod', real.chmod) };
});

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'livetape-unlocked-'))));
afterEach(async () => {
  refused = undefined;
  await rm(folder, { recursive: true, force: true });
});

it.each([
  ['link', 'EPERM'],
  ['link', 'EOPNOTSUPP'],
  ['chmod', 'ENOSYS'],
])('K7: %s: %s', async (syscall, code) => {
  const warnings: string[] = [];
  const options = {
    clock: new ManualClock(),
    log: { ...silentLogger, warn: (_: unknown, message: string) => void warnings.push(message) },
  };
  const place = join(folder, 'news');
  await mkdir(place);
  refused = { syscall, code };
  const first = await ownFolder(place, options);
  expect(warnings).toEqual(['no Unix socket can be put here, so nothing keeps a second writer away']);
  expect(await readdir(place)).toEqual([]);
  const second = await ownFolder(place, options);
  await first.check();
  await second.check();
  await second.release();
  await first.check();
  await rename(place, join(folder, 'old'));
  await rejects(first.check(), 'OWNERSHIP_LOST');
  await mkdir(place);
  await rejects(first.check(), 'OWNERSHIP_LOST');
  await first.release();
});

it('is not mistaken for one that may not be written to', async () => {
  refused = { syscall: 'link', code: 'EACCES' };
  await rejects(ownFolder(folder, { clock: new ManualClock(), log: silentLogger }), 'STORAGE_UNWRITABLE');
  expect(await readdir(folder)).toEqual([]);
});
