/**
 * Many who take a folder at once, with every system call late by chance: whatever the order, there is never more than one owner, and where nobody holds it
 * somebody gets it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type * as fs from 'node:fs/promises';
import { link, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ManualClock, isLivetapeError, silentLogger } from '../../base/index.js';
import { ownFolder } from './fsOwnership.js';
import { listenIn } from './fsOwnershipSocket.js';

/** How late the next call is: turns of the event loop. */
let lateness: () => number = () => 0;

/** Set for one that dies: it removes no name. */
const dying = new AsyncLocalStorage<boolean>();

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const late =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      for (let turns = lateness(); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
      return call(...args);
    };
  const unlink = (path: string): Promise<void> =>
    dying.getStore() === true && path.endsWith('owner.sock') ? Promise.resolve() : real.unlink(path);
  return { ...real, link: late(real.link), rename: late(real.rename), unlink: late(unlink), lstat: late(real.lstat as never) };
});

const options = { clock: new ManualClock(), log: silentLogger };
let root: string;
beforeAll(async () => (root = await mkdtemp(join(tmpdir(), 'livetape-race-'))));
afterAll(() => rm(root, { recursive: true, force: true }));

it('K6: one at a time, in any order of the calls', async () => {
  const spec = fc.record({
    // a dead owner's socket, nothing, or a file
    before: fc.constantFrom('dead', 'nothing', 'file'),
    // of each contender: how long it holds, and whether it dies then instead of letting go
    contenders: fc.array(fc.record({ holdsTurns: fc.integer({ min: 0, max: 60 }), dies: fc.boolean(), again: fc.boolean() }), {
      minLength: 2,
      maxLength: 6,
    }),
    lateness: fc.infiniteStream(fc.integer({ min: 0, max: 30 })),
  });
  await fc.assert(
    fc.asyncProperty(spec, async ({ before, contenders, lateness: turns }) => {
      const folder = await mkdtemp(join(root, 'x'));
      lateness = () => 0;
      if (before === 'dead') {
        const socket = await listenIn(folder);
        await link(socket.path, join(folder, 'owner.sock'));
        await socket.close();
      } else if (before === 'file') await writeFile(join(folder, 'owner.sock'), '');
      const stream = turns[Symbol.iterator]();
      lateness = () => (stream.next().value as number | undefined) ?? 0;
      let owners = 0;
      let owned = 0;
      const run = async ({ holdsTurns, dies, again }: { holdsTurns: number; dies: boolean; again: boolean }): Promise<void> => {
        for (let time = 0; time < (again ? 3 : 1); time++) {
          try {
            const ownership = await ownFolder(folder, options);
            expect(++owners).toBe(1);
            owned += 1;
            for (let turn = 0; turn < holdsTurns; turn++) await new Promise((resolve) => setImmediate(resolve));
            await ownership.check();
            expect(owners--).toBe(1);
            // One that dies stops listening, and its socket stays where it is.
            if (dies) await dying.run(true, () => ownership.release());
            else await ownership.release();
          } catch (error) {
            if (!isLivetapeError(error, 'STREAM_OWNED')) throw error;
          }
        }
      };
      await Promise.all(contenders.map(run));
      lateness = () => 0;
      expect(owned).toBeGreaterThan(0);
      const last = await ownFolder(folder, options);
      await last.check();
      await last.release();
      expect((await readdir(folder)).filter((name) => !name.includes('.corrupt-'))).toEqual([]);
    }),
    { numRuns: 150 },
  );
}, 60_000);
