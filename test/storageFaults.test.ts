/**
 * The medium's faults as a process meets them: system calls that fail under the real command line (strace answers in the kernel's place), a limit on
 * open files, a file system that becomes read-only. Recording goes on in every case, what was lost is a gap with reason `disk`, and a failed
 * fdatasync is never tried again. Faults at each operation of the storage, in memory, are in src/archive/faults.test.ts.
 */
import { readFile, readlink, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLivetape, isLivetapeError } from '../src/index.js';
import { checkArchive } from './archiveChecker.js';
import { whyNoLoopDisk, loopDisk } from './campaigns/powerCutDisk.js';
import { whyNoStrace } from './campaigns/powerCutRounds.js';
import { PROJECT, livetape, output, playlistOf, segmentsIn, start, temporaryFolder, waitFor } from './lab.js';
import { readPlaylist, type CheckedEntry } from './playlistCheckerText.js';
import { samplePath } from './samples.js';
import { TsBuilder } from './tsBuilder.js';

const noStrace = await whyNoStrace();
const noDisk = await whyNoLoopDisk();
const because = (why: string | undefined): string => (why === undefined ? '' : `: ${why}`);
const LENGTH_SEC = 24;
const SEGMENT_SEC = 2;
const SEGMENTS = LENGTH_SEC / SEGMENT_SEC;

interface JsonEvent {
  readonly event: string;
  readonly error?: { readonly code: string; readonly message: string };
  readonly segment?: { readonly uri: string };
}

/** A recording of 24 s, as fast as it goes, with faults put into its system calls. One thread makes them all, so their order is known. */
async function recordWith(faults: (folder: string) => readonly string[]): Promise<{
  folder: string;
  trace: string[];
  entries: readonly CheckedEntry[];
  events: JsonEvent[];
  status: number | string;
}> {
  const root = await temporaryFolder();
  const folder = join(root, 'x');
  const [source, trace] = [join(root, 'source.ts'), join(root, 'trace')];
  const builder = new TsBuilder();
  builder.stream({ seconds: LENGTH_SEC });
  await writeFile(source, builder.bytes());
  const command = [process.execPath, join(PROJECT, 'bin/livetape'), 'record', `file:${source}?pace=0`];
  const recorder = start('strace', [
    ...['-f', '-qq', '-y', '--seccomp-bpf', '-o', trace, '-E', 'UV_THREADPOOL_SIZE=1'],
    ...['-e', 'trace=openat,pwrite64,fdatasync,fsync,ftruncate,/^rename'],
    ...faults(folder),
    ...[...command, '--stream', 'x', '--data', root, '--segment', String(SEGMENT_SEC), '--json'],
  ]);
  const status = await recorder.exited;
  const lines = recorder.stdout().trim().split('\n');
  return {
    folder,
    trace: (await readFile(trace, 'utf8')).split('\n').filter((line) => line.includes(folder)),
    entries: readPlaylist((await playlistOf(folder)) ?? '').entries,
    events: lines.filter((line) => line !== '').map((line) => JSON.parse(line) as JsonEvent),
    status,
  };
}

/** What is wrong with the archive; a segment whose entry failed is a file that no entry names (data-format.md, Order of a commit). */
async function faultsOf(folder: string): Promise<string[]> {
  return (await checkArchive(folder)).filter(({ clause }) => clause !== 'F6').map(({ clause, message }) => `${clause}: ${message}`);
}

const failures = (events: readonly JsonEvent[]): (string | undefined)[] =>
  events.filter(({ event }) => event === 'recording.failed').map(({ error }) => error?.code);

/** Each entry that says a gap: its number and the reason. */
const gapsIn = (entries: readonly CheckedEntry[]): string[] =>
  entries.flatMap(({ facts, discontinuity }) => (facts.has('why') && discontinuity ? [`${facts.get('n')} ${facts.get('why')}`] : []));

/** One segment is missing, the next says so, and the rest is there. */
function expectLost(lost: number, { entries, events }: { entries: readonly CheckedEntry[]; events: readonly JsonEvent[] }): void {
  expect(failures(events)).toEqual(['STORAGE_FAILED']);
  expect(entries.map(({ facts }) => Number(facts.get('n')))).toEqual([...Array(SEGMENTS).keys()].filter((n) => n !== lost));
  expect(gapsIn(entries)).toEqual([`${lost + 1} disk`]);
}

describe.skipIf(noStrace)(`faults of system calls under livetape record${because(noStrace)}`, () => {
  it.each([1, 5])('EIO of the fdatasync of segment %d: it becomes a gap, and is neither synced again nor given its name', async (lost) => {
    const part = `${String(lost).padStart(6, '0')}.ts.part`;
    const { folder, trace, entries, events } = await recordWith((at) => ['-P', join(at, part), '-e', 'inject=fdatasync:error=EIO']);
    const synced = trace.filter((line) => line.includes('fdatasync(') && line.includes(`/${part}>`));
    expect(synced).toHaveLength(1);
    expect(synced[0]).toContain('INJECTED');
    expect(trace.filter((line) => line.includes('rename'))).toEqual([]);
    expectLost(lost, { entries, events });
    expect(await faultsOf(folder)).toEqual([]);
  });

  // The first entry comes with the header, by a rename; so the first fdatasync of the playlist itself is that of entry 1.
  it.each([1, 5])(
    "EIO of the playlist's fdatasync for entry %d: it is cut off, and the next is written anew in its place",
    async (lost) => {
      const { folder, trace, entries, events } = await recordWith((at) => [
        ...['-P', join(at, 'playlist.m3u8')],
        ...['-e', `inject=fdatasync:error=EIO:when=${lost}`],
      ]);
      const failedAt = trace.findIndex((line) => line.includes('INJECTED'));
      expect(trace[failedAt]).toContain('/playlist.m3u8>');
      const later = trace.slice(failedAt + 1);
      const between = later.slice(
        0,
        later.findIndex((line) => line.includes('fdatasync(')),
      );
      expect(between[0]).toContain('ftruncate(');
      expect(between.filter((line) => line.includes('pwrite64('))).toHaveLength(1);
      expectLost(lost, { entries, events });
      expect(await faultsOf(folder)).toEqual([]);
    },
  );

  it('ENOSPC for some writes: DISK_FULL, a gap, and recording goes on', async () => {
    const { folder, entries, events } = await recordWith((at) => [
      ...['-P', join(at, '000004.ts.part'), '-P', join(at, '000005.ts.part')],
      ...['-e', 'inject=pwrite64:error=ENOSPC'],
    ]);
    expect(failures(events)).toContain('DISK_FULL');
    expect(entries.map(({ facts }) => Number(facts.get('n')))).toEqual([...Array(SEGMENTS).keys()].filter((n) => n !== 4 && n !== 5));
    expect(gapsIn(entries)).toEqual(['6 disk']);
    expect(await faultsOf(folder)).toEqual([]);
  });

  it('EMFILE for a segment that is to be made: a gap, and recording goes on', async () => {
    const { folder, entries, events } = await recordWith((at) => ['-P', join(at, '000003.ts.part'), '-e', 'inject=openat:error=EMFILE']);
    expectLost(3, { entries, events });
    expect(await faultsOf(folder)).toEqual([]);
  });
});

describe.skipIf(process.platform !== 'linux')('a limit on open files', () => {
  it('that is reached while recording is a gap; afterwards it goes on, and SIGTERM commits the tail', async () => {
    const root = await temporaryFolder();
    const folder = join(root, 'x');
    const args = ['--stream', 'x', '--data', root, '--segment', '2', '--json'];
    const recorder = livetape('record', `file:${await samplePath('h264-aac')}?loop=1`, ...args);
    const limit = (soft: number): Promise<unknown> => output('prlimit', ['--pid', String(recorder.child.pid), `--nofile=${soft}:`]);
    const failed = (): boolean => recorder.stdout().includes('"recording.failed"');
    await waitFor('two segments', async () => segmentsIn(await playlistOf(folder)) >= 2);
    // What is open stays open; nothing more can be opened. One segment that is lost is a gap when it is longer than a second.
    await limit(1);
    await waitFor('the failure', failed);
    await limit(1024);
    expect(recorder.stdout()).toContain('EMFILE');
    const before = segmentsIn(await playlistOf(folder));
    await waitFor('more segments', async () => segmentsIn(await playlistOf(folder)) >= before + 2);
    // each fsync holds one of libuv's threads: with the four that there are by default, four of a slow disk would hold up all other streams
    expect((await readdir(`/proc/${recorder.child.pid}/task`)).length).toBeGreaterThan(64);
    const openFiles = await openFilesIn(recorder.child.pid, folder);
    expect(openFiles.length).toBeLessThanOrEqual(3);
    const toldMs = Date.now();
    expect(await recorder.stop('SIGTERM')).toBe(0);

    const { entries, ended } = readPlaylist((await playlistOf(folder)) ?? '');
    expect(ended).toBe(true);
    expect(gapsIn(entries).map((gap) => gap.split(' ')[1])).toContain('disk');
    const last = entries.at(-1);
    // the tail that was being received, to a few frames
    expect(Math.abs(toldMs - ((last?.dateMs ?? 0) + (last?.durationSec ?? 0) * 1000))).toBeLessThan(500);
    expect(await faultsOf(folder)).toEqual([]);
  });
});

/** Files in `folder` that a process has open. */
async function openFilesIn(pid: number | undefined, folder: string): Promise<string[]> {
  const paths = await Promise.all((await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return paths.filter((path) => path.startsWith(folder));
}

describe.skipIf(noDisk)(`a disk that becomes read-only${because(noDisk)}`, () => {
  it('fails its own stream alone; to begin on it is STORAGE_UNWRITABLE', async () => {
    await using disk = await loopDisk(16);
    const root = await temporaryFolder();
    const sample = await samplePath('h264-aac');
    const livetapes = await createLivetape({ root });
    const config = { enabled: true, segmentDuration: 1, retentionSec: 0, maxSizeGb: 0 };
    const failed: string[] = [];
    livetapes.dvr.on('recording.failed', ({ recording, error }) => failed.push(`${recording.id} ${error.code}`));
    const written: string[] = [];
    livetapes.dvr.on('segment.written', ({ streamCode }) => written.push(streamCode));
    for (const [code, storagePath] of [
      ['ill', disk.folder],
      ['well', ''],
    ] as const) {
      await livetapes.dvr.startRecording(code, '', { ...config, storagePath });
      livetapes.connect(`file:${sample}?loop=1`, code);
    }
    await waitFor('segments of both', () => written.includes('ill') && written.includes('well'));
    await disk.breakDown();
    await waitFor('the failure', () => failed.length > 0);
    const before = written.length;
    await waitFor('more of the other', () => written.slice(before).filter((code) => code === 'well').length >= 3);
    expect(livetapes.dvr.status('ill')?.recording.status).toBe('failed');
    expect(livetapes.dvr.status('well')?.recording.status).toBe('recording');
    expect(new Set(failed)).toEqual(new Set(['ill STORAGE_UNWRITABLE']));
    await livetapes.dvr.stopRecording('well');
    await livetapes.close();
    const { entries } = readPlaylist((await playlistOf(join(root, 'well'))) ?? '');
    expect(entries.some(({ discontinuity }) => discontinuity)).toBe(false);
    expect(await checkArchive(join(root, 'well'))).toEqual([]);

    await using again = await createLivetape({ root: disk.folder });
    const refused = await again.dvr.startRecording('new', '', { ...config, storagePath: '' }).catch((error: unknown) => error);
    expect(isLivetapeError(refused, 'STORAGE_UNWRITABLE'), String(refused)).toBe(true);
  });
});
