/**
 * A recorder that is killed again and again (SIGKILL), while a live channel runs on and retention prunes: at random moments, and at those where most can
 * go wrong: as a folder is taken over and recovered, between a segment's rename and its entry, right after the entry, as the playlist is replaced.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { watch } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { checkArchive } from '../archiveChecker.js';
import { KillJudge, type Run } from './killJudge.js';
import { startSender, type KillSender } from './killSender.js';

const BIN = fileURLToPath(new URL('../../bin/livetape', import.meta.url));
/** Longer than a second, so that what is lost of a segment that was not complete shows. */
const SEGMENT_SEC = 2;
const RETENTION_SEC = 20;
/** Nothing here takes longer, on a machine that does other things too. */
const PATIENCE_MS = 60_000;

/** Where a kill may fall: what happens in the folder before it, and within how many milliseconds after that. */
const MOMENTS = [
  { how: 'any time', on: undefined, withinMs: 4000 },
  { how: 'taking over', on: /^owner\.sock$/, withinMs: 60 },
  { how: 'a segment stored', on: /^\d+\.ts$/, withinMs: 4 },
  { how: 'an entry written', on: /^playlist\.m3u8$/, withinMs: 4 },
  { how: 'the playlist replaced', on: /^playlist\.m3u8\.tmp$/, withinMs: 4 },
] as const;

/** What to do. */
export interface KillPlan {
  readonly rounds: number;
  /** Number from 0 up to 1, one after another. */
  readonly random: () => number;
  say(line: string): void;
}

/** What came of it. */
export interface KillResult {
  readonly broken: readonly string[];
  readonly runs: readonly Run[];
  /** Of each run; undefined where it had received nothing. */
  readonly lostMs: readonly (number | undefined)[];
  readonly segments: number;
  readonly versions: number;
  readonly pruned: number;
  /** Segments that a run found and entered on open. */
  readonly entered: number;
}

/** Kills `rounds` times, ends with a recording that is stopped properly, and judges all of it. */
export async function kills(plan: KillPlan): Promise<KillResult> {
  // In a clone that was changed it builds first, which is not to be killed.
  await livetape('--help');
  const root = await mkdtemp(join(tmpdir(), 'livetape-kill-'));
  const folder = join(root, 'news');
  await mkdir(folder);
  const port = await freePort();
  const sender = startSender(port);
  const judge = new KillJudge(folder);
  const runs: Run[] = [];
  const counts = { pruned: 0, entered: 0 };
  try {
    for (let round = 0; round < plan.rounds; round++) {
      const moment = MOMENTS[round % 2 === 0 ? 0 : 1 + Math.floor(plan.random() * (MOMENTS.length - 1))]!;
      runs.push(await killOnce({ root, folder, port, sender, judge, moment, plan, counts }));
      await judge.compare(`after kill ${round + 1}`);
      // now and then it stays down for a while
      if (plan.random() < 0.3) await pause(plan.random() * 2500);
    }
    await stopProperly({ root, folder, port, judge, counts });
    await judge.compare('at the end');
    const lostMs = judge.losses(runs);
    const broken = [...judge.broken, ...(await violations(root, folder))];
    return { broken, runs, lostMs, segments: judge.segments, versions: judge.versions, ...counts };
  } finally {
    await sender.close();
    await rm(root, { recursive: true, force: true });
  }
}

interface Recorder {
  readonly child: ChildProcess;
  readonly exited: Promise<number | string>;
  readonly stderr: () => string;
  /** Kept at the first event of that name. */
  heard(event: string, count?: number): Promise<void>;
}

function startRecorder(root: string, port: number, counts: { pruned: number; entered: number }): Recorder {
  const args = ['record', `udp://127.0.0.1:${port}`, '--stream', 'news', '--data', root, '--segment', String(SEGMENT_SEC), '--json'];
  const child = spawn(process.execPath, [BIN, ...args, '--retention', String(RETENTION_SEC)], { stdio: ['ignore', 'pipe', 'pipe'] });
  // Not left behind when the campaign is interrupted.
  const orphan = (): boolean => child.kill('SIGKILL');
  process.once('exit', orphan);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const seen = new Map<string, number>();
  const waiting: { event: string; count: number; resolve: () => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    let event: { event: string; count?: number; healed?: { kind?: string }[] };
    try {
      event = JSON.parse(line) as typeof event;
    } catch {
      // the last line of one that was killed
      return;
    }
    seen.set(event.event, (seen.get(event.event) ?? 0) + 1);
    if (event.event === 'segment.pruned') counts.pruned += event.count ?? 0;
    if (event.event === 'archive.healed') counts.entered += 1;
    for (const one of waiting) if (one.event === event.event && (seen.get(one.event) ?? 0) >= one.count) one.resolve();
  });
  const exited = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.off('exit', orphan);
      resolve(code ?? signal ?? 'gone');
    });
  });
  return {
    child,
    exited,
    stderr: () => stderr,
    heard: (event, count = 1) =>
      within(
        `${event} from the recorder`,
        Promise.race([
          new Promise<void>((resolve) => {
            if ((seen.get(event) ?? 0) >= count) resolve();
            else waiting.push({ event, count, resolve });
          }),
          exited.then((status) => {
            throw new Error(`the recorder ended with ${status} before ${event}: ${stderr}`);
          }),
        ]),
      ),
  };
}

interface Kill {
  readonly root: string;
  readonly folder: string;
  readonly port: number;
  readonly sender: KillSender;
  readonly judge: KillJudge;
  readonly moment: (typeof MOMENTS)[number];
  readonly plan: KillPlan;
  readonly counts: { pruned: number; entered: number };
}

async function killOnce({ root, folder, port, sender, judge, moment, plan, counts }: Kill): Promise<Run> {
  const { on, withinMs } = moment;
  const kill = new AbortController();
  // Some kills let it record for a while first: later entries and prunings are what they are about.
  let armed = on !== undefined && on.source.startsWith('^owner');
  const watching = watch(folder, (_, name) => {
    if (name === 'playlist.m3u8') void judge.look();
    if (armed && on?.test(name ?? '') === true) {
      armed = false;
      void pause(plan.random() * withinMs).then(() => kill.abort());
    }
  });
  const recorder = startRecorder(root, port, counts);
  let from90k: number | undefined;
  const started = recorder.heard('recording.started').then(() => (from90k = sender.sentTo90k()));
  const armedLater = started.then(async () => {
    if (on === undefined) await pause(plan.random() * withinMs).then(() => kill.abort());
    else if (!armed && !kill.signal.aborted) {
      await pause(plan.random() * 1500);
      armed = true;
    }
  });
  try {
    await within(
      `a moment to kill: ${moment.how}`,
      Promise.race([
        new Promise<void>((resolve) => kill.signal.addEventListener('abort', () => resolve())),
        // one that cannot be started is told of
        armedLater.then(() => new Promise<void>(() => undefined)),
      ]),
    );
  } finally {
    recorder.child.kill('SIGKILL');
    watching.close();
  }
  const to90k = sender.sentTo90k();
  await started.catch(() => undefined);
  await recorder.exited;
  if (recorder.stderr() !== '') judge.broken.push(`the recorder said: ${recorder.stderr().trim()}`);
  const run = { how: moment.how, from90k, to90k, firstKey90k: from90k === undefined ? Infinity : sender.keyframeFrom(from90k) };
  const lasted = from90k === undefined ? 'before it recorded' : `after ${Math.round((to90k - from90k) / 90)} ms`;
  plan.say(`  killed ${lasted}: ${moment.how}`);
  return run;
}

async function stopProperly({
  root,
  folder,
  port,
  judge,
  counts,
}: Pick<Kill, 'root' | 'folder' | 'port' | 'judge' | 'counts'>): Promise<void> {
  const watching = watch(folder, () => void judge.look());
  const recorder = startRecorder(root, port, counts);
  try {
    await recorder.heard('segment.written', 4);
    recorder.child.kill('SIGINT');
    const status = await within('the end of the recorder', recorder.exited);
    if (status !== 0) judge.broken.push(`the recorder ended with ${status}: ${recorder.stderr()}`);
  } finally {
    recorder.child.kill('SIGKILL');
    watching.close();
  }
}

/** What is wrong with the archive by the judge in test/ and by `livetape check`. */
async function violations(root: string, folder: string): Promise<string[]> {
  // What was pruned a moment ago is unlinked after its grace.
  const judged = (await checkArchive(folder)).filter(({ message }) => !/^\d+\.ts is in the folder and not in the playlist$/.test(message));
  const found = judged.map(({ clause, message }) => `${clause}: ${message}`);
  const { status, printed } = await livetape('check', 'news', '--data', root);
  if (status !== 0) found.push(`livetape check: ${printed}`);
  return found;
}

function livetape(...args: string[]): Promise<{ status: unknown; printed: string }> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, printed })));
}

function within<T>(what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited ${PATIENCE_MS} ms in vain: ${what}`)), PATIENCE_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
