/** The examples run as they stand. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkArchive } from './archiveChecker.js';
import { output, PROJECT, temporaryFolder } from './lab.js';

const run = (name: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  output(process.execPath, [join(PROJECT, 'examples', name), ...args]);

describe('examples', () => {
  it('record-from-code records a file it writes', async () => {
    const root = await temporaryFolder();
    const { stdout } = await run('record-from-code.mjs', join(PROJECT, 'assets/demo.ts'), root);
    const seconds = [...stdout.matchAll(/ for ([\d.]+) s$/gm)].reduce((sum, [, length]) => sum + Number(length), 0);
    expect(seconds).toBeCloseTo(16, 2);
    expect(await checkArchive(join(root, 'news'))).toEqual([]);
  });

  it('record-a-source records the built-in channel', async () => {
    const root = await temporaryFolder();
    const { stdout } = await run('record-a-source.mjs', `file:${join(PROJECT, 'assets/demo.ts')}?loop=1`, root, '7');
    expect(stdout).toMatch(/^recording file:/);
    expect(stdout.match(/\.ts at /g)?.length).toBeGreaterThanOrEqual(2);
    expect(await checkArchive(join(root, 'studio'))).toEqual([]);
  });
});
