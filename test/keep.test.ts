/** K13 on real folders: hard links, a keep that plays, and the command line around it; copies where the file system cannot link. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLivetape, type Livetape } from '../src/index.js';
import { main } from '../src/cli/main.js';
import { systemClock } from '../src/base/index.js';
import { checkArchive } from './archiveChecker.js';
import { PROJECT, frameHashes, playlistOf, temporaryFolder, waitFor } from './lab.js';

const DEMO = `file:${join(PROJECT, 'assets/demo.ts')}?pace=0`;

/** The demo, recorded once and stopped; answers with when it begins. */
async function recorded(root: string, livetape: Livetape): Promise<number> {
  await livetape.dvr.startRecording('news', '', { enabled: true, segmentDuration: 2, retentionSec: 0, maxSizeGb: 0, storagePath: '' });
  await livetape.connect(DEMO, 'news').ended;
  await livetape.dvr.stopRecording('news');
  const startedAt = (await livetape.dvr.loadIndex(join(root, 'news')))?.startedAt;
  if (!startedAt) throw new Error('nothing was recorded');
  return startedAt.getTime();
}

async function cli(...argv: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  const status = await main(argv, {
    clock: systemClock,
    out: (text) => void (said.stdout += text),
    err: (text) => void (said.stderr += text),
    columns: () => undefined,
    onSignal: () => () => undefined,
    exit: () => undefined,
  });
  return { status, ...said };
}

describe('K13: a keep on a disk', () => {
  it('is hard links, plays, passes the checker, and survives the deletion of its stream', async () => {
    const root = await temporaryFolder();
    await using livetape = await createLivetape({ root });
    const startMs = await recorded(root, livetape);
    // The demo was read faster than it plays: its end lies in the future until then.
    await waitFor('the window is past', () => Date.now() > startMs + 9000);
    const keep = await livetape.dvr.keep('news', { from: new Date(startMs + 3000), to: new Date(startMs + 8500), name: 'goal' });
    const folder = join(root, '.keeps/news/goal');
    expect(keep).toMatchObject({ location: folder, segmentCount: 4 });
    const media = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    for (const name of media) expect(statSync(join(folder, name))).toMatchObject({ ino: statSync(join(root, 'news', name)).ino, nlink: 2 });
    expect(await checkArchive(folder)).toEqual([]);
    const codes: string[] = [];
    for await (const code of livetape.storage.list()) codes.push(code);
    expect(codes).toEqual(['news']);
    rmSync(join(root, 'news'), { recursive: true });
    expect((await frameHashes(join(folder, 'playlist.m3u8'))).length).toBe(4 * 50);
    expect(await livetape.dvr.keeps()).toEqual([keep]);
    expect((await cli('keep', 'news', '--list', '--data', root)).stdout).toMatch(/goal .*0:00:08 +4 /);
    // No stream is left; the keep is, and is told of.
    expect((await cli('list', '--data', root)).stdout).toMatch(/^no streams in .*\nkeeps: 1, /);
    const told = { stream_code: 'news', name: 'goal', segment_count: 4, total_size_bytes: keep.sizeBytes };
    expect(JSON.parse((await cli('list', '--data', root, '--json')).stdout)).toMatchObject({ streams: [], keeps: [told] });
    expect((await cli('keep', '--list', '--data', root)).stdout).toMatch(/news +goal .*0:00:08 +4 /);
    expect((await cli('keep', '--remove', 'goal', '--data', root)).stderr).toContain('ARGUMENT_INVALID');
    // One that cannot be read is not passed over.
    writeFileSync(join(folder, 'playlist.m3u8'), '');
    expect(await livetape.dvr.keeps()).toMatchObject([{ streamCode: 'news', name: 'goal', damage: expect.any(String) as string }]);
    expect((await cli('keep', '--list', '--data', root)).stdout).toMatch(/news +goal +damaged /);
    const damaged = JSON.parse((await cli('keep', '--list', '--data', root, '--json')).stdout) as { total_size_bytes: number }[];
    expect(damaged[0]?.total_size_bytes).toBeGreaterThanOrEqual(keep.sizeBytes);
  });

  it('is made, listed and removed on the command line', async () => {
    const root = await temporaryFolder();
    const startMs = await createLivetape({ root }).then(async (livetape) => {
      await using _ = livetape;
      return await recorded(root, livetape);
    });
    await waitFor('the window is past', () => Date.now() > startMs + 4000);
    const window = ['--from', new Date(startMs).toISOString(), '--to', String((startMs + 4000) / 1000)];
    const made = await cli('keep', 'news', ...window, '--name', 'first', '--data', root, '--json');
    expect(made).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(made.stdout)).toMatchObject({
      stream_code: 'news',
      name: 'first',
      segment_dir: join(root, '.keeps/news/first'),
    });
    expect(await cli('keep', 'news', ...window, '--name', 'first', '--data', root)).toMatchObject({ status: 1, stderr: /KEEP_EXISTS/ });
    expect((await cli('list', '--data', root)).stdout).toMatch(/^keeps: 1, /m);
    expect(JSON.parse((await cli('list', '--data', root, '--json')).stdout)).toMatchObject({
      streams: [{ stream_code: 'news', keep_count: 1 }],
      keeps: [{ stream_code: 'news', name: 'first' }],
    });
    expect((await cli('keep', 'none', '--list', '--data', root)).stderr).toContain('STREAM_NOT_FOUND');
    expect((await cli('keep', 'news', '--remove', 'first', '--data', root)).status).toBe(0);
    expect((await cli('keep', 'news', '--remove', 'first', '--data', root)).stderr).toContain('KEEP_NOT_FOUND');
    expect((await cli('keep', 'news', '--list', '--data', root)).stdout).toBe('no keeps of news\n');
    for (const wrong of [
      [],
      ['--from', '0'],
      ['--list', '--name', 'x'],
      [...window, '--name', 'a/b'],
      ['--from', 'now', '--to', '1', '--name', 'x'],
    ]) {
      expect((await cli('keep', 'news', ...wrong, '--data', root)).status).toBe(2);
    }
  });

  it('sweeps what a crash left of a keep, when it is old', async () => {
    const root = await temporaryFolder();
    await using livetape = await createLivetape({ root });
    const startMs = await recorded(root, livetape);
    for (const name of ['.new-1-1-1', '.gone-1-1-2', '.new-1-1-3']) mkdirSync(join(root, '.keeps', name), { recursive: true });
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    for (const name of ['.new-1-1-1', '.gone-1-1-2']) utimesSync(join(root, '.keeps', name), longAgo, longAgo);
    await waitFor('the window is past', () => Date.now() > startMs + 2000);
    await livetape.dvr.keep('news', { from: new Date(startMs), to: new Date(startMs + 1000), name: 'x' });
    expect(readdirSync(join(root, '.keeps')).sort()).toEqual(['.new-1-1-3', 'news']);
  });

  const noMount = process.platform !== 'linux' || process.getuid?.() !== 0;
  it.skipIf(noMount)(`copies where it cannot link${noMount ? ': needs root, to mount another disk' : ''}`, async () => {
    const root = await temporaryFolder();
    const keeps = join(root, '.keeps');
    mkdirSync(keeps);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'livetape-test', keeps]);
    try {
      await using livetape = await createLivetape({ root });
      const startMs = await recorded(root, livetape);
      await waitFor('the window is past', () => Date.now() > startMs + 5000);
      await livetape.dvr.keep('news', { from: new Date(startMs), to: new Date(startMs + 5000), name: 'copied' });
      const folder = join(keeps, 'news/copied');
      expect(await checkArchive(folder)).toEqual([]);
      expect(statSync(join(folder, '000000.ts')).nlink).toBe(1);
      expect(await playlistOf(folder)).toContain('#EXT-X-ENDLIST');
    } finally {
      execFileSync('umount', [keeps]);
    }
  });
});
