/** Whose the queues of webhooks are: those of the server that records into the folder. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { silentLogger, systemClock } from '../base/index.js';
import { configSchema } from '../config/index.js';
import { openConfiguredHooks } from './hookFeed.js';

it('a server that records nothing leaves the queues of the one that records alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'livetape-hooks-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'hooks', 'gone'), { recursive: true });
  await writeFile(join(folder, 'hooks', 'gone', 'queue.jsonl'), '');
  for (const [recorders, left] of [
    [0, ['gone']],
    [1, []],
  ] as const) {
    const config = { state: { config: configSchema.parse({ recorders }), streams: new Map() }, onChange: () => () => undefined };
    await using hooks = await openConfiguredHooks({ config, folder, clock: systemClock, log: silentLogger });
    expect(hooks.status('gone')).toBeUndefined();
    expect(await readdir(join(folder, 'hooks')), `recorders: ${recorders}`).toEqual(left);
  }
});
