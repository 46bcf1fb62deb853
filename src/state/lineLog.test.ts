/** Lines are kept in order over files that are put aside. */
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLineLog } from './lineLog.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'livetape-lines-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const numbers = (records: unknown[]): number[] => records.map((record) => (record as { n: number }).n);

it('gives the newest first, over as many files as there may be, each its user’s alone', async () => {
  const path = join(folder, 'new', 'audit.jsonl');
  await using log = openLineLog({ path, maxBytes: 30, maxFiles: 3 });
  await Promise.all(Array.from({ length: 20 }, (_, n) => log.append({ n: n + 10 })));
  expect((await readdir(join(folder, 'new'))).sort()).toEqual(['audit.jsonl', 'audit.jsonl.1', 'audit.jsonl.2']);
  // three lines of nine bytes in each
  expect(numbers(await log.newest(100))).toEqual([29, 28, 27, 26, 25, 24, 23, 22]);
  expect(numbers(await log.newest(2))).toEqual([29, 28]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  for (const name of await readdir(join(folder, 'new'))) expect((await stat(join(folder, 'new', name))).size).toBeLessThanOrEqual(30);
});

it('goes on where it was, after a line that was torn', async () => {
  const path = join(folder, 'a.jsonl');
  await writeFile(path, '{"n":1}\n{"n":2}\n{"n":');
  await using log = openLineLog({ path, maxBytes: 1000, maxFiles: 2 });
  await log.append({ n: 3 });
  expect(numbers(await log.newest(10))).toEqual([3, 2, 1]);
});

it('says that it cannot be written, and goes on when it can', async () => {
  const path = join(folder, 'b', 'a.jsonl');
  await writeFile(join(folder, 'b'), 'in the way');
  await using log = openLineLog({ path, maxBytes: 1000, maxFiles: 2 });
  await expect(log.append({ n: 1 })).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' });
  await rm(join(folder, 'b'));
  await log.append({ n: 2 });
  expect(numbers(await log.newest(10))).toEqual([2]);
});
