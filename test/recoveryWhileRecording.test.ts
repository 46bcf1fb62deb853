/** K5: the folder is removed, swapped, replaced or made read-only while it is recorded to. The recording goes on in what is there then. */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkArchive } from './archiveChecker.js';
import { playlistOf, segmentsIn, temporaryFolder, waitFor } from './lab.js';
import { expectKept, filesOf, recordDemo, startRecorder, type Recorder } from './recoveryLab.js';

interface Running {
  readonly root: string;
  readonly folder: string;
  readonly recorder: Recorder;
  /** Lets the source go on until `condition` holds. */
  until(what: string, condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Stops, and answers with what is wrong with the archive. */
  stop(): Promise<string[]>;
}

/** A recording with a few segments. */
async function running(): Promise<Running> {
  const root = await temporaryFolder();
  const folder = join(root, 'news');
  const recorder = await startRecorder(root);
  let sec = 0;
  const until: Running['until'] = async (what, condition) => {
    await waitFor(what, async () => {
      if (sec >= 15) sec = 0;
      await recorder.play(sec, sec + 1);
      sec += 1;
      return condition();
    });
  };
  await until('three segments', async () => segmentsIn(await playlistOf(folder)) >= 3);
  const stop = async (): Promise<string[]> => {
    await recorder.dvr.stopRecording('news');
    await recorder.dvr.close();
    return (await checkArchive(folder)).map(({ clause, message }) => `${clause}: ${message}`);
  };
  return { root, folder, recorder, until, stop };
}

const restarts = ({ recorder }: Running): number => recorder.dvr.status('news')?.restarts ?? 0;
const isRecording = ({ recorder }: Running): boolean => recorder.dvr.status('news')?.recording.status === 'recording';

/** Waits for new segments in whatever is there now. */
async function goesOn(run: Running): Promise<void> {
  const listed = segmentsIn(await playlistOf(run.folder));
  await run.until('it was opened anew', () => restarts(run) > 0);
  await run.until('new segments', async () => isRecording(run) && segmentsIn(await playlistOf(run.folder)) >= Math.min(listed, 1) + 2);
}

describe('while it is recorded to', () => {
  it('K5: a folder that is removed is made anew', async () => {
    const run = await running();
    await rm(run.folder, { recursive: true });
    await goesOn(run);
    expect(await run.stop()).toEqual([]);
  });

  it('K5: a folder that is renamed away is left as it was, and made anew', async () => {
    const run = await running();
    const away = join(run.root, 'away');
    await rename(run.folder, away);
    await run.until('it was opened anew', () => restarts(run) > 0);
    const before = await filesOf(away);
    await run.until('new segments', async () => segmentsIn(await playlistOf(run.folder)) >= 2);
    expect(await run.stop()).toEqual([]);
    expectKept(before, await filesOf(away));
  });

  it("K5: another archive in the folder's place is gone on with, and nothing of it is overwritten", async () => {
    const run = await running();
    const other = await recordDemo(join(run.root, 'other'), 15, 'close');
    const before = await filesOf(other);
    const count = segmentsIn(before.get('playlist.m3u8')?.toString());
    expect(count).toBeGreaterThan(segmentsIn(await playlistOf(run.folder)));
    await rename(run.folder, join(run.root, 'away'));
    await cp(other, run.folder, { recursive: true, preserveTimestamps: true });
    await run.until('it was opened anew', () => restarts(run) > 0);
    await run.until('new segments', async () => segmentsIn(await playlistOf(run.folder)) >= count + 2);
    expect(await run.stop()).toEqual([]);
    expectKept(before, await filesOf(run.folder), ['index.json']);
  });

  it('K5: a file in the place of the folder is left alone; recording goes on when it is gone', async () => {
    const run = await running();
    await rename(run.folder, join(run.root, 'away'));
    await writeFile(run.folder, 'a file');
    await run.until('it fails', () => run.recorder.dvr.status('news')?.recording.status === 'failed');
    await run.until('it tries again', () => restarts(run) > 1);
    expect(await readFile(run.folder, 'utf8')).toBe('a file');
    await rm(run.folder);
    await run.until('new segments', async () => segmentsIn(await playlistOf(run.folder)) >= 2);
    expect(await run.stop()).toEqual([]);
  });

  it('K5: a playlist that is removed or cut short ends the session; the next one goes on with what is there', async () => {
    for (const how of ['removed', 'cut short']) {
      const run = await running();
      const playlist = join(run.folder, 'playlist.m3u8');
      const text = (await playlistOf(run.folder)) ?? '';
      if (how === 'removed') await rm(playlist);
      else await truncate(playlist, text.indexOf('000000.ts') + 10);
      await run.until('it was opened anew', () => restarts(run) > 0);
      await run.until('new segments', async () => isRecording(run) && segmentsIn(await playlistOf(run.folder)) >= 3);
      const violations = await run.stop();
      expect(violations.filter((violation) => how !== 'removed' || !/ is in the folder and not in the playlist$/.test(violation))).toEqual(
        [],
      );
      expect(run.recorder.healed.length).toBeGreaterThan(0);
    }
  });

  it('a folder that becomes read-only loses what comes meanwhile, and goes on when it is writable again', async ({ skip }) => {
    const run = await running();
    // root may write to whatever its modes say, but not to what is immutable
    try {
      execFileSync('chattr', ['+i', run.folder], { stdio: 'ignore' });
    } catch {
      await run.stop();
      skip('the file system knows no immutable folders');
    }
    try {
      await run.until('it fails', () => run.recorder.dvr.status('news')?.recording.status === 'failed');
      expect(run.recorder.dvr.status('news')?.error?.code).toBe('STORAGE_UNWRITABLE');
    } finally {
      execFileSync('chattr', ['-i', run.folder]);
    }
    const listed = segmentsIn(await playlistOf(run.folder));
    await run.until('new segments', async () => isRecording(run) && segmentsIn(await playlistOf(run.folder)) >= listed + 2);
    // What was being written then could be neither finished nor removed: it stays, and check names it.
    const violations = (await run.stop()).filter((violation) => !/\.part is in the folder and not in the playlist$/.test(violation));
    expect(violations).toEqual([]);
    expect(await playlistOf(run.folder)).toMatch(/why=disk/);
  });

  it('the place of all streams is removed: everything is made anew', async () => {
    const run = await running();
    await rm(run.root, { recursive: true });
    await run.until('new segments', async () => restarts(run) > 0 && segmentsIn(await playlistOf(run.folder)) >= 2);
    expect(await run.stop()).toEqual([]);
    await mkdir(run.root, { recursive: true });
  });
});
