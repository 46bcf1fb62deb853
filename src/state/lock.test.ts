/** One writer at a time, whoever dies holding the lock; folders that are their user's alone. */
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ManualClock, systemClock } from '../base/index.js';
import { makeFolder, withLock } from './lock.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'livetape-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('makes a folder that is its user’s alone, and leaves those above it as they are made', async () => {
  const path = join(folder, 'a/b/state');
  await Promise.all([makeFolder(path), makeFolder(path)]);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect((await stat(join(folder, 'a/b'))).mode & 0o777).toBe(0o777 & ~process.umask());
  await writeFile(join(folder, 'file'), '');
  await expect(makeFolder(join(folder, 'file'))).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' });
  await expect(makeFolder(join(folder, 'file/state'))).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' });
});

it('lets one in at a time, and leaves nothing behind', async () => {
  const path = join(folder, 'file');
  let inside = 0;
  let most = 0;
  const one = async (n: number): Promise<number> =>
    withLock(path, systemClock, async () => {
      most = Math.max(most, ++inside);
      await stat(folder);
      inside--;
      if (n === 3) throw new Error('three');
      return n;
    });
  const results = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => one(n)));
  expect(results.map(({ status }) => status === 'fulfilled')).toEqual([true, true, true, false, true, true, true, true]);
  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

it('takes a lock for nobody’s that has not changed hands for ten seconds, not before', async () => {
  const path = join(folder, 'file');
  await writeFile(join(folder, '.file.lock'), '');
  const clock = new ManualClock();
  let entered = false;
  const done = withLock(path, clock, async () => {
    entered = true;
  });
  /** Moves on by so much, in steps that the waiter sees. */
  const move = async (untilMs: number): Promise<void> => {
    const sets = vi.spyOn(clock, 'after');
    while (clock.monotonicMs() < untilMs && !entered) {
      const before = sets.mock.calls.length;
      clock.advance(20);
      await vi.waitFor(() => expect(entered || sets.mock.calls.length > before).toBe(true), { interval: 1 });
    }
    sets.mockRestore();
  };
  await vi.waitFor(async () => {
    clock.advance(0);
    expect((await readdir(folder)).length).toBe(1);
  });
  clock.advance(20);
  await move(9900);
  expect(entered).toBe(false);
  await move(11_000);
  await done;
  expect(entered).toBe(true);
  expect(await readdir(folder)).toEqual([]);
});
