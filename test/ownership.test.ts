/** K6 and K7 between processes: who wins, who takes over, who is refused, and what a recording does that was robbed. */
import { execFileSync, fork, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdir, readFile, readdir, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { aroundEach, describe, expect, it } from 'vitest';
import { silentLogger, systemClock } from '../src/base/index.js';
import { openFolder } from '../src/storage/index.js';
import { checkArchive } from './archiveChecker.js';
import {
  PROJECT,
  freeUdpPort,
  livetape,
  output,
  playlistOf,
  segmentsIn,
  sideBySide,
  start,
  temporaryFolder,
  waitFor,
  whenOver,
  type Running,
} from './lab.js';
import { startSender } from './campaigns/killSender.js';
import { watchPlaylist } from './watch.js';

aroundEach(sideBySide);

const RECORD = ['--segment', '1', '--json'];

/** A channel on air, and its port. */
async function onAir(): Promise<number> {
  const port = await freeUdpPort();
  const sender = startSender(port);
  whenOver(() => sender.close());
  return port;
}

const record = (root: string, port: number, ...more: string[]): Running =>
  livetape('record', `udp://127.0.0.1:${port}`, '--stream', 'news', '--data', root, ...RECORD, ...more);
const recording = (running: Running): Promise<boolean> => waitFor('the recording', () => running.stdout().includes('recording.started'));

/** Expects to be refused with one clear line. */
async function refused(running: Running): Promise<void> {
  expect(await running.exited, running.stderr()).toBe(1);
  expect(running.stderr()).toMatch(/^livetape: STREAM_OWNED: .*\n$/);
}

const epochsIn = (playlist: string): number[] => [...playlist.matchAll(/ epoch=(\d+)/g)].map(([, epoch]) => Number(epoch));

describe.concurrent('a second recorder of a stream', () => {
  it('K6: is refused while the first lives, also when that one is stopped; is let in at once when it is killed', async () => {
    const root = await temporaryFolder();
    const folder = join(root, 'news');
    const watch = watchPlaylist(folder);
    const first = record(root, await onAir());
    await recording(first);
    await waitFor('a segment', async () => segmentsIn(await playlistOf(folder)) > 0);
    const port = await onAir();
    await refused(record(root, port));
    expect(await readdir(folder)).toContain('owner.sock');
    // reading takes no lock
    expect((await output(process.execPath, [join(PROJECT, 'bin/livetape'), 'info', 'news', '--data', root])).stdout).toContain('recording');
    const listed: unknown = JSON.parse(
      (await output(process.execPath, [join(PROJECT, 'bin/livetape'), 'list', '--data', root, '--json'])).stdout,
    );
    expect(listed).toMatchObject({ streams: [{ stream_code: 'news', status: 'recording' }] });

    // stopped, it answers nobody: its kernel does, and when so many have asked that no more fit, that is an answer too
    first.child.kill('SIGSTOP');
    const place = openFolder(folder, { clock: systemClock, log: silentLogger });
    for (let i = 0; i < 700; i++) await expect(place.own()).rejects.toMatchObject({ code: 'STREAM_OWNED' });
    await refused(record(root, port));
    first.child.kill('SIGCONT');
    const before = segmentsIn(await playlistOf(folder));
    await waitFor('more segments', async () => segmentsIn(await playlistOf(folder)) > before);

    await first.stop('SIGKILL');
    const second = record(root, port);
    await recording(second);
    // The second epoch begins with what the first left and the second entered: one that has recorded nothing itself ends with 1.
    await waitFor('a segment of the second', () => second.stdout().includes('segment.written'));
    expect(epochsIn((await playlistOf(folder)) ?? '')).toContain(2);
    expect(await second.stop(), second.stderr()).toBe(0);
    expect(await readdir(folder)).not.toContain('owner.sock');
    const epochs = epochsIn((await playlistOf(folder)) ?? '');
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    expect(new Set(epochs)).toEqual(new Set([1, 2]));
    expect(await checkArchive(folder)).toEqual([]);
    expect(await watch.violations()).toEqual([]);
  });

  it('K6: wins or loses when both begin at once, never both', async () => {
    const root = await temporaryFolder();
    for (let round = 0; round < 4; round++) {
      const port = await onAir();
      const both = [record(root, port), record(root, await freeUdpPort())];
      const winner = await waitFor('one that records', () => both.find((one) => one.stdout().includes('recording.started')));
      await refused(both.find((one) => one !== winner) as Running);
      // each way of ending leaves it to the next
      await winner.stop(round % 2 === 0 ? 'SIGKILL' : 'SIGINT');
    }
  });

  it('K6: is refused from another container: other process ids, mounts and network', async (context) => {
    const unshare = ['--pid', '--mount', '--net', '--fork', '--mount-proc'];
    if (process.getuid?.() !== 0 || spawnSync('unshare', [...unshare, 'true']).status !== 0)
      return context.skip('it needs root and unshare');
    const root = await temporaryFolder();
    const folder = join(root, 'news');
    const inside = (): Running =>
      start('unshare', [
        ...unshare,
        process.execPath,
        join(PROJECT, 'bin/livetape'),
        'record',
        'udp://127.0.0.1:5000',
        '--stream',
        'news',
        '--data',
        root,
        ...RECORD,
      ]);
    const first = inside();
    await recording(first);
    await refused(inside());
    await refused(record(root, await freeUdpPort()));
    // the recorder is process 1 in there, and dies with the one that made its world
    const pid = Number(execFileSync('pgrep', ['-P', String(first.child.pid)], { encoding: 'utf8' }));
    process.kill(pid, 'SIGKILL');
    await first.exited;
    const second = inside();
    await recording(second);
    expect(await readdir(folder)).toContain('owner.sock');
    process.kill(Number(execFileSync('pgrep', ['-P', String(second.child.pid)], { encoding: 'utf8' })), 'SIGKILL');
    await second.exited;
  });
});

describe('processes that fight for a folder', () => {
  it('K6: are never two at once, whoever is killed when', async () => {
    const folder = join(await temporaryFolder(), 'news');
    await mkdir(folder);
    const wrong: string[] = [];
    let owned = 0;
    let kills = 0;
    const begin = (): ChildProcess => {
      const worker = fork(join(PROJECT, 'test/ownershipWorker.ts'), [folder], { execArgv: ['--import', 'tsx'] });
      worker.on('message', (said: { wrong?: string; owned?: number }) => {
        if (said.wrong !== undefined) wrong.push(said.wrong);
        if (said.owned !== undefined) owned += 1;
      });
      return worker;
    };
    const workers = Array.from({ length: 4 }, begin);
    whenOver(() => workers.forEach((worker) => worker.kill('SIGKILL')));
    while (kills < 16) {
      const before = owned;
      await waitFor('somebody to own it', () => owned >= before + 25 || wrong.length > 0);
      const at = kills++ % workers.length;
      const killed = workers[at] as ChildProcess;
      const gone = new Promise((resolve) => killed.once('exit', resolve));
      killed.kill('SIGKILL');
      await gone;
      workers[at] = begin();
    }
    expect(wrong).toEqual([]);
    expect(owned).toBeGreaterThan(300);
  });
});

describe.concurrent('a recording that is robbed', () => {
  it.each([
    ['its socket is removed', (folder: string) => unlink(join(folder, 'owner.sock'))],
    ['its folder is removed', (folder: string) => rm(folder, { recursive: true })],
    ['its folder is moved away', (folder: string) => rename(folder, `${folder}-old`)],
    [
      'another folder is put in its place',
      async (folder: string) => {
        // It goes on writing: a file that cp was told of may be gone (index.json.tmp) or have its name (.part) when it comes to it.
        await waitFor('a whole copy', async () => {
          await rm(`${folder}-copy`, { recursive: true, force: true });
          return spawnSync('cp', ['-r', folder, `${folder}-copy`]).status === 0;
        });
        await rename(folder, `${folder}-old`);
        await rename(`${folder}-copy`, folder);
      },
    ],
  ])('K7: appends nothing more when %s, and goes on in what is there then', async (_, rob) => {
    const root = await temporaryFolder();
    const folder = join(root, 'news');
    const recorder = record(root, await onAir());
    await waitFor('segments', async () => segmentsIn(await playlistOf(folder)) >= 2);
    await rob(folder);
    const robbed = await playlistOf(folder);
    const moved = await playlistOf(`${folder}-old`);
    await waitFor('the loss', () => recorder.stdout().includes('OWNERSHIP_LOST'));
    // A commit may have been under way.
    const kept = (await playlistOf(folder)) ?? '';
    if (robbed !== undefined) expect(segmentsIn(kept) - segmentsIn(robbed)).toBeLessThanOrEqual(1);
    await waitFor('a segment of the next epoch', async () => {
      const epochs = epochsIn((await playlistOf(folder)) ?? '');
      return epochs.length > 0 && (kept === '' || epochs.at(-1) === 2);
    });
    if (moved !== undefined) {
      const after = await readFile(join(`${folder}-old`, 'playlist.m3u8'), 'utf8');
      expect(segmentsIn(after) - segmentsIn(moved)).toBeLessThanOrEqual(1);
    }
    expect(await recorder.stop(), recorder.stderr()).toBe(0);
    expect(await checkArchive(folder)).toEqual([]);
  });
});
