/**
 * One round of the full disk: two streams record on a small ext4 disk until it is full and on, a third on another disk beside them, all in one
 * process. What each of them did is counted, and their archives are judged.
 */
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLivetape, type Livetape } from '../../src/index.js';
import { checkArchive } from '../archiveChecker.js';
import { PROJECT, output, playlistOf } from '../lab.js';
import { PlaylistChecker } from '../playlistChecker.js';
import { loopDisk } from './powerCutDisk.js';

/** What is played. */
export interface RoundOptions {
  readonly megabytes: number;
  /** 0: nothing makes room. */
  readonly minFreeMb: number;
  readonly seconds: number;
  /** Bits per second of each of the two. */
  readonly bitrate: number;
}

/** What a stream did. */
export interface StreamReport {
  readonly code: string;
  readonly segments: number;
  /** Segments in its playlist at the end. */
  readonly listed: number;
  readonly pruned: number;
  readonly graceSkipped: number;
  readonly failed: number;
  readonly recovered: number;
  readonly gaps: readonly string[];
  readonly droppedBytes: number;
  /** The longest time between two of its segments; milliseconds. */
  readonly longestMs: number;
  /** What was wrong with its playlist while it was written, and with its archive at the end. */
  readonly violations: readonly string[];
}

/** A round's outcome. */
export interface RoundReport {
  readonly small: readonly StreamReport[];
  readonly other: StreamReport;
  /** The least that was free on the small disk while it recorded; bytes. */
  readonly leastFreeBytes: number;
  /** Whether the two recorded again after space had been made. */
  readonly wentOn: boolean;
}

/** What should not have been. */
export function faultsOf(report: RoundReport, makesRoom: boolean): string[] {
  const faults = [...report.small, report.other].flatMap(({ code, violations }) =>
    violations.slice(0, 5).map((what) => `${code}: ${what}`),
  );
  const { other, small } = report;
  if (other.failed + other.gaps.length + other.droppedBytes + other.pruned > 0) faults.push('the third stream noticed');
  if (other.longestMs > 4000) faults.push(`the third stream waited ${other.longestMs} ms`);
  if (!report.wentOn) faults.push('not all went on after room was made');
  for (const { code, failed, pruned, gaps } of small) {
    if (makesRoom && (failed > 0 || gaps.length > 0)) faults.push(`${code} lost something although room was to be made`);
    if (makesRoom && pruned === 0) faults.push(`${code} was not pruned: the disk was never short`);
    if (!makesRoom && pruned > 0) faults.push(`${code} was pruned, which nobody asked for`);
    if (!makesRoom && failed === 0) faults.push(`${code} never failed: the disk was never full`);
  }
  return faults;
}

/** A short stream of a bitrate, null packets included: they are stored too. */
async function sample(folder: string, bitrate: number): Promise<string> {
  const path = join(folder, 'sample.ts');
  const pictures = [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=320x180:rate=25:duration=10',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-g',
    '25',
    '-bf',
    '0',
  ];
  await output('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...pictures, '-muxrate', String(bitrate), '-f', 'mpegts', path]);
  return path;
}

/** Plays one. */
export async function fullDiskRound(options: RoundOptions): Promise<RoundReport> {
  await using disk = await loopDisk(options.megabytes);
  const elsewhere = await mkdtemp(join(tmpdir(), 'livetape-other-'));
  try {
    const root = join(disk.folder, 'dvr');
    await mkdir(root);
    const ballast = join(disk.folder, 'ballast');
    await writeFile(ballast, Buffer.alloc(options.megabytes * 0.25e6));
    const path = await sample(elsewhere, options.bitrate);
    const livetape = await createLivetape({ root, minFreeGb: options.minFreeMb / 1000 });
    const watched = ['one', 'two', 'other'].map((code) => new Watched(livetape, code, join(code === 'other' ? elsewhere : root, code)));
    let leastFreeBytes = Infinity;
    const looking = setInterval(() => {
      void statfs(disk.folder).then(({ bavail, bsize }) => (leastFreeBytes = Math.min(leastFreeBytes, bavail * bsize)));
      for (const stream of watched) void stream.look();
    }, 100);
    for (const { code } of watched) {
      const storagePath = code === 'other' ? elsewhere : '';
      await livetape.dvr.startRecording(code, '', { enabled: true, segmentDuration: 2, retentionSec: 0, maxSizeGb: 0, storagePath });
      livetape.connect(code === 'other' ? `file:${join(PROJECT, 'assets/demo.ts')}?loop=1` : `file:${path}?loop=1`, code);
    }
    await delay(options.seconds * 1000);
    const least = leastFreeBytes;
    // Somebody makes room: whoever could not record goes on.
    await rm(ballast);
    const before = watched.map(({ segments }) => segments);
    await delay(5000);
    const wentOn = watched.every(({ segments }, at) => segments > (before[at] ?? 0));
    clearInterval(looking);
    for (const stream of watched) await stream.end();
    await livetape.close();
    const [one, two, other] = await Promise.all(watched.map((stream) => stream.report()));
    if (!one || !two || !other) throw new Error('a stream is missing');
    return { small: [one, two], other, leastFreeBytes: least, wentOn };
  } finally {
    await rm(elsewhere, { recursive: true, force: true });
  }
}

/** A stream and what is seen of it. */
class Watched {
  segments = 0;
  readonly #checker = new PlaylistChecker();
  readonly #found: string[] = [];
  readonly #gaps: string[] = [];
  readonly #seen = { pruned: 0, failed: 0, recovered: -1, longestMs: 0, graceSkipped: 0, droppedBytes: 0 };
  #lastMs: number | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly livetape: Livetape,
    readonly code: string,
    private readonly folder: string,
  ) {
    const { dvr } = livetape;
    dvr.on('segment.written', ({ streamCode, segment }) => {
      if (streamCode !== code) return;
      this.segments += 1;
      const nowMs = performance.now();
      this.#seen.longestMs = Math.max(this.#seen.longestMs, nowMs - (this.#lastMs ?? nowMs));
      this.#lastMs = nowMs;
      if (segment.gap) this.#gaps.push(`${segment.gap.reason} ${((segment.gap.toMs - segment.gap.fromMs) / 1000).toFixed(1)} s`);
    });
    dvr.on('segment.pruned', ({ streamCode, count }) => void (this.#seen.pruned += streamCode === code ? count : 0));
    dvr.on('recording.failed', ({ recording }) => void (this.#seen.failed += recording.id === code ? 1 : 0));
    // The first is its start.
    dvr.on('recording.started', ({ recording }) => void (this.#seen.recovered += recording.id === code ? 1 : 0));
  }

  /** Its playlist as a client sees it just now. An entry whose append fails may be seen in part: what has no newline at its end is not there yet. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(async () => {
      const text = await playlistOf(this.folder);
      if (text?.endsWith('\n') === true) this.#found.push(...this.#checker.see(text).map((violation) => JSON.stringify(violation)));
    });
    return this.#looking;
  }

  async end(): Promise<void> {
    const status = this.livetape.dvr.status(this.code);
    this.#seen.graceSkipped = status?.retention.graceSkipped ?? 0;
    this.#seen.droppedBytes = status?.session?.droppedBytes ?? 0;
    await this.livetape.dvr.stopRecording(this.code).catch((error: unknown) => this.#found.push(`stop: ${String(error)}`));
    await this.look();
  }

  async report(): Promise<StreamReport> {
    const text = (await playlistOf(this.folder)) ?? '';
    const listed = text.match(/^[^#\s].*$/gm) ?? [];
    const judged = await checkArchive(this.folder);
    // Files that wait for the end of their grace, and segments whose entry failed, are there and not listed: the next open's to see to.
    const wrong = judged.filter(
      ({ clause, message }) => !(clause === 'F6' && message.includes('is in the folder and not in the playlist')),
    );
    return {
      code: this.code,
      segments: this.segments,
      listed: listed.length,
      gaps: this.#gaps,
      ...this.#seen,
      violations: [...this.#found, ...wrong.map((violation) => JSON.stringify(violation))],
    };
  }
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
