/**
 * Power cuts while three streams are recorded: each round starts a recorder on the disk of the round before, cuts the power at a random moment
 * (every other time within milliseconds of a commit), mounts the disk again and looks for everything that was promised.
 */
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { checkArchive } from '../archiveChecker.js';
import { samplePath } from '../samples.js';
import { loopDisk, type LoopDisk } from './powerCutDisk.js';
import { PowerCutJudge } from './powerCutJudge.js';
import type { RecordedStream, RecorderLine } from './powerCutRecorder.js';

const STREAMS: readonly RecordedStream[] = [
  { code: 'one', retentionSec: 0 },
  { code: 'tv/two', retentionSec: 0 },
  { code: 'short', retentionSec: 6 },
];
/** How long a reader waits between two looks. */
const LOOK_MS = 10;
const START_TIMEOUT_MS = 60_000;

/** What to do. */
export interface PowerCutPlan {
  readonly rounds: number;
  /** System calls taken out of the recorder (strace answers 0 in the kernel's place): then there have to be losses. */
  readonly without: readonly ('fsync' | 'fdatasync')[];
  /** Number from 0 up to 1, one after another. */
  readonly random: () => number;
  say(line: string): void;
}

/** What came of it. */
export interface PowerCutResult {
  /** Segments that were promised over all rounds. */
  readonly promised: number;
  /** Everything that was lost, changed or would not go on. */
  readonly broken: readonly string[];
  /** Entries seen a moment before they were durable. */
  readonly early: number;
}

/** Cuts the power `rounds` times; unless something is broken, ends with a recording that is stopped properly and judged as a whole. */
export async function powerCuts(plan: PowerCutPlan): Promise<PowerCutResult> {
  const sample = await samplePath('h264-aac');
  await using disk = await loopDisk(256);
  const judges = new Map(STREAMS.map(({ code, retentionSec }) => [code, new PowerCutJudge(join(disk.folder, code), retentionSec)]));
  const broken: string[] = [];
  let [promised, early] = [0, 0];
  for (let round = 1; round <= plan.rounds; round++) {
    const { cutMs, how } = await cutOnce(disk, sample, judges, plan, round % 2 === 0);
    const found = { promised: 0, early: 0, broken: [] as string[] };
    for (const [code, judge] of judges) {
      const judgement = await judge.judge(cutMs);
      found.promised += judgement.promised;
      found.early += judgement.early;
      found.broken.push(...judgement.broken.map((line) => `round ${round}, ${code}: ${line}`));
    }
    plan.say(`round ${round}: cut ${how}; ${found.promised} promised, ${found.broken.length} broken, ${found.early} seen early`);
    promised = found.promised;
    early += found.early;
    broken.push(...found.broken);
    // what is lost cannot be gone on with
    if (broken.length > 0) return { promised, broken, early };
  }
  broken.push(...(await lastRecording(disk, sample, plan)));
  return { promised, broken, early };
}

/** Records, cuts, and mounts again. */
async function cutOnce(
  disk: LoopDisk,
  sample: string,
  judges: ReadonlyMap<string, PowerCutJudge>,
  plan: PowerCutPlan,
  atCommit: boolean,
): Promise<{ cutMs: number; how: string }> {
  const cut = await disk.armed();
  const recorder = new Recorder(disk.folder, sample, plan.without, (code, uri, size, crc) => judges.get(code)?.written(uri, size, crc));
  let over = false;
  const reader = (async () => {
    while (!over) {
      await Promise.all([...judges.values()].map((judge) => judge.look(() => over)));
      await pause(LOOK_MS);
    }
  })();
  try {
    await recorder.hasWritten(1);
    await pause(plan.random() * 2500);
    const how = atCommit ? await nextRename(join(disk.folder, 'one'), Math.round(plan.random() * 12)) : 'at a random moment';
    over = true;
    const cutMs = Date.now();
    await cut();
    await recorder.kill();
    await reader;
    await disk.remount();
    return { cutMs, how };
  } finally {
    over = true;
    await recorder.kill();
    await reader;
  }
}

/** Waits until a segment gets its name, and `afterMs` more. */
async function nextRename(folder: string, afterMs: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    const watcher = watch(folder, (_, name) => {
      if (!/^\d+\.ts$/.test(name ?? '')) return;
      watcher.close();
      resolve();
    });
    watcher.once('error', reject);
  });
  const untilMs = performance.now() + afterMs;
  while (performance.now() < untilMs) await new Promise((resolve) => setImmediate(resolve));
  return `${afterMs} ms after a rename`;
}

/** One more recording, stopped as it should be: the whole archive is judged. */
async function lastRecording(disk: LoopDisk, sample: string, plan: PowerCutPlan): Promise<string[]> {
  const recorder = new Recorder(disk.folder, sample, plan.without, () => undefined);
  try {
    await recorder.hasWritten(2);
    await recorder.stop();
  } finally {
    await recorder.kill();
  }
  const found: string[] = [];
  for (const { code, retentionSec } of STREAMS) {
    const folder = join(disk.folder, code);
    const first = Number.parseInt(/^\d+(?=\.ts$)/m.exec(await readFile(join(folder, 'playlist.m3u8'), 'utf8'))?.[0] ?? '0');
    for (const { clause, message } of await checkArchive(folder)) {
      // what was pruned is there until its grace is over (K8, K11), which is longer than a round
      if (retentionSec > 0 && clause === 'F6' && Number.parseInt(message) < first) continue;
      found.push(`at the end, ${code}: ${clause}: ${message}`);
    }
  }
  return found;
}

/** The recorder as a process. */
class Recorder {
  readonly #exited: Promise<unknown>;
  readonly #counts = new Map<string, number>();
  readonly #failures: string[] = [];
  #pid: number | undefined;
  #over = false;

  constructor(
    root: string,
    sample: string,
    without: PowerCutPlan['without'],
    written: (code: string, uri: string, size: number, crc: string) => void,
  ) {
    const program = fileURLToPath(new URL('powerCutRecorder.ts', import.meta.url));
    const node = [process.execPath, '--import', 'tsx', program, root, sample, JSON.stringify(STREAMS)];
    const strace = ['strace', '-f', '-qq', '--seccomp-bpf', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync'];
    const [command = '', ...args] = without.length === 0 ? node : [...strace, '-e', `inject=${without.join(',')}:retval=0`, ...node];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: fileURLToPath(new URL('../..', import.meta.url)) });
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (text) => {
      const line = JSON.parse(text) as RecorderLine;
      if ('pid' in line) this.#pid = line.pid;
      else if ('written' in line) {
        this.#counts.set(line.written, (this.#counts.get(line.written) ?? 0) + 1);
        written(line.written, line.uri, line.size, line.crc);
      } else if ('failed' in line) this.#failures.push(`${line.failed}: ${line.error}`);
    });
    this.#exited = Promise.all([
      new Promise((resolve) => child.once('close', resolve)),
      new Promise((resolve) => lines.once('close', resolve)),
    ]).then(() => (this.#over = true));
    child.once('error', (error) => this.#failures.push(String(error)));
  }

  /** Waits until every stream has so many segments of this recorder. */
  async hasWritten(segments: number): Promise<void> {
    const untilMs = Date.now() + START_TIMEOUT_MS;
    while (!STREAMS.every(({ code }) => (this.#counts.get(code) ?? 0) >= segments)) {
      if (this.#over || Date.now() > untilMs) throw new Error(`the recorder does not record: ${this.#failures.join('; ')}`);
      await pause(LOOK_MS);
    }
  }

  async stop(): Promise<void> {
    if (this.#pid !== undefined) process.kill(this.#pid, 'SIGTERM');
    await this.#exited;
  }

  /** Ends it at once, and waits until all that it had printed is read. The process itself, not strace, which would let it live on. */
  async kill(): Promise<void> {
    const untilMs = Date.now() + START_TIMEOUT_MS;
    while (this.#pid === undefined && !this.#over && Date.now() < untilMs) await pause(LOOK_MS);
    if (!this.#over && this.#pid !== undefined) process.kill(this.#pid, 'SIGKILL');
    await this.#exited;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Numbers from 0 up to 1 that follow from a seed (mulberry32), so that a round can be had again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Why the fsyncs cannot be taken out here; undefined when they can. */
export async function whyNoStrace(): Promise<string | undefined> {
  const child = spawn('strace', ['-f', '-qq', '--seccomp-bpf', '-o', '/dev/null', '-e', 'trace=fsync', 'true'], { stdio: 'ignore' });
  const status = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  return status === 0 ? undefined : 'needs strace (5.3 or newer) and the right to trace';
}
