/**
 * Archives of real media in real folders for the tests of recovery: recorded from assets/demo.ts by a clock that is moved by
 * hand, left as a crash, a shutdown or a stop leaves them, and resumed.
 */
import { cp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { LivetapeError, ManualClock, silentLogger } from '../src/base/index.js';
import { MediaBuffers } from '../src/buffer/index.js';
import type { Healed } from '../src/archive/index.js';
import { InProcessDvrService, type DvrConfig } from '../src/recorder/index.js';
import { openFolder, openFsStorage } from '../src/storage/index.js';
import { checkArchive } from './archiveChecker.js';
import { PROJECT, playlistOf, segmentsIn, waitFor } from './lab.js';
import { PlaylistChecker } from './playlistChecker.js';

/** 16 s of H.264 and AAC. */
export const DEMO = readFileSync(join(PROJECT, 'assets/demo.ts'));
const DEMO_SEC = 16;
export const CONFIG: DvrConfig = { enabled: true, segmentDuration: 1, retentionSec: 0, maxSizeGb: 0, storagePath: '' };
/** The files' times are the machine's, so recorded time is near it. */
const STARTED_MS = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;

export interface Recorder {
  readonly dvr: InProcessDvrService;
  readonly clock: ManualClock;
  readonly healed: Healed[];
  /** Lets `fromSec` to `toSec` of the demo come, as a live source would. */
  play(fromSec: number, toSec: number): Promise<void>;
}

/** A recorder of `news` under `root`, recording. */
export async function startRecorder(root: string, config: DvrConfig = CONFIG, nowMs = STARTED_MS): Promise<Recorder> {
  const clock = new ManualClock(nowMs);
  const log = silentLogger;
  const buffers = new MediaBuffers({ clock });
  const dvr = new InProcessDvrService({
    storage: openFsStorage(root, { clock, log }),
    buffers,
    clock,
    log,
    openRoot: (path) => openFsStorage(path, { clock, log }),
    openFolder: (folder) => openFolder(folder, { clock, log }),
  });
  const healed: Healed[] = [];
  dvr.on('archive.healed', (event) => healed.push(...event.healed));
  await dvr.startRecording('news', '', config);
  const buffer = buffers.open('news');
  const packets = DEMO.length / 188;
  return {
    dvr,
    clock,
    healed,
    async play(fromSec, toSec) {
      const at = (sec: number): number => Math.floor((packets * sec) / DEMO_SEC) * 188;
      for (let sec = fromSec; sec < toSec; sec += 0.04) {
        buffer.write(DEMO.subarray(at(sec), at(Math.min(toSec, sec + 0.04))));
        await buffer.room();
        clock.advance(40);
        // Files are written meanwhile.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

/** How a recorder's end leaves its archive. */
export type End = 'crash' | 'close' | 'stop';

/** Records `seconds` of the demo, then ends as said; answers with the stream's folder under `root`. A crash leaves the last second in a `.part`. */
export async function recordDemo(root: string, seconds: number, end: End, config = CONFIG): Promise<string> {
  const workshop = end === 'crash' ? `${root}-running` : root;
  const recorder = await startRecorder(workshop, config);
  await recorder.play(0, seconds);
  const folder = join(workshop, 'news');
  if (end === 'crash') {
    // What a recorder that is killed now leaves behind: what it has written, and nothing that it would do on its way out.
    // It goes on writing: what it looked like while it was copied has to be what it looked like before and after.
    const looks = async (): Promise<string> => JSON.stringify([(await readdir(folder)).sort(), await playlistOf(folder)]);
    await waitFor('the last segment is being written', async () => {
      const names = await readdir(folder);
      const before = await looks();
      const parts = names.filter((name) => name.endsWith('.part'));
      const whole = names.filter((name) => name.endsWith('.ts'));
      if (parts.length !== 1 || whole.length !== segmentsIn(await playlistOf(folder)) || names.some((name) => name.endsWith('.tmp')))
        return false;
      if ((recorder.dvr.status('news')?.session?.queuedBytes ?? 0) > 0) return false;
      await rm(join(root, 'news'), { recursive: true, force: true });
      await cp(folder, join(root, 'news'), { recursive: true, preserveTimestamps: true, filter: (path) => !path.endsWith('.sock') });
      return (await looks()) === before;
    });
  }
  if (end === 'stop') await recorder.dvr.stopRecording('news');
  await recorder.dvr.close();
  return join(root, 'news');
}

/** Every file of a folder with its bytes. */
export async function filesOf(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isFile()) files.set(entry.name, await readFile(join(folder, entry.name)));
  }
  return files;
}

/** Every byte that was there is still somewhere: under its name, set aside, or (of a playlist) as the beginning of what grew since. */
export function expectKept(
  before: ReadonlyMap<string, Buffer>,
  after: ReadonlyMap<string, Buffer>,
  rewritten: readonly string[] = [],
): void {
  const now = [...after.values()];
  for (const [name, bytes] of before) {
    if (bytes.length === 0 || rewritten.includes(name)) continue;
    if (now.some((other) => other.equals(bytes))) continue;
    // The torn packet at the end of an upload cut short is not media that can be read.
    const whole = bytes.subarray(0, Math.floor(bytes.length / 188) * 188);
    if (name.endsWith('.part') && now.some((other) => other.equals(whole))) continue;
    if (name === 'playlist.m3u8') {
      const text = bytes.toString('latin1');
      const entries = text.slice(text.search(/^#livetape format=.*\n/m)).replace(/^.*\n/, '');
      const kept = entries.slice(0, entries.search(/[^\n]*$/)).replace(/(^|\n)(#[^\n]*\n)*$/, '$1');
      if (text.startsWith('#EXTM3U') && after.get(name)?.toString('latin1').includes(kept)) continue;
    }
    throw new Error(`${name} (${bytes.length} bytes) is nowhere to be found any more`);
  }
}

/** What a resumed recording was and left. */
export interface Resumed {
  readonly healed: readonly Healed[];
  /** What the archive checker says of it at last. */
  readonly violations: string[];
  /** What the playlist checker says of its versions, the one before the damage first. */
  readonly playlist: string[];
  readonly text: string;
  readonly entered: readonly string[];
}

/**
 * Records on in `root`: three seconds, then a stop.
 * @param known - a version of the playlist that clients have seen
 * @param given - files of which not every byte is kept
 */
export async function resume(root: string, known?: string, given: readonly string[] = [], config = CONFIG): Promise<Resumed> {
  const folder = join(root, 'news');
  const before = await filesOf(folder).catch(() => new Map<string, Buffer>());
  const checker = new PlaylistChecker();
  const playlist: string[] = [];
  const look = async (): Promise<void> => {
    const text = await playlistOf(folder);
    if (text !== undefined && text !== '') playlist.push(...checker.see(text).map(({ clause, message }) => `${clause}: ${message}`));
  };
  if (known !== undefined) checker.see(known);
  const recorder = await startRecorder(root, config, STARTED_MS + 3_600_000);
  await look();
  const listed = segmentsIn(await playlistOf(folder));
  await recorder.play(0, 5);
  await waitFor('new segments are entered', async () => segmentsIn(await playlistOf(folder)) >= listed + 1);
  await look();
  await recorder.dvr.stopRecording('news');
  await look();
  await recorder.dvr.close();
  expectKept(before, await filesOf(folder), ['index.json', ...given]);
  const violations = (await checkArchive(folder)).map(({ clause, message }) => `${clause}: ${message}`);
  const text = (await playlistOf(folder)) ?? '';
  const entered = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { healed: recorder.healed, violations, playlist, text, entered };
}

/** Changes a file's bytes. */
export async function damage(path: string, change: (bytes: Buffer) => Uint8Array): Promise<void> {
  await writeFile(path, change(await readFile(path)));
}

/** `found done` of each. */
export const told = (healed: readonly Healed[]): string[] => healed.map(({ found, done }) => `${found} ${done}`);

/** Fails a test that goes on without what it needs. */
export function needed<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new LivetapeError('INVARIANT_BROKEN', `the test has no ${what}`);
  expect(value).toBeDefined();
  return value;
}
