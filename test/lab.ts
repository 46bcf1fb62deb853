/**
 * What end-to-end tests share: real senders, the real command line, temporary folders, free ports, a static file
 * server, ffprobe. Everything that is started here is ended when the test is.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished, type TestContext } from 'vitest';
import { silentLogger, systemClock } from '../src/base/index.js';
import { openSource } from '../src/ingest/index.js';

/** The top of the project. */
export const PROJECT = fileURLToPath(new URL('..', import.meta.url));

/** `npm run campaign` sets it: the same tests, for minutes instead of seconds. */
export const LONG = process.env['LIVETAPE_LONG'] === '1';

const besideOthers = new AsyncLocalStorage<TestContext>();

/** For `aroundEach` in a file whose tests run side by side (`concurrent`): what each starts is ended with it. vitest by itself knows of one test at a time. */
export const sideBySide = (runTest: () => Promise<void>, context: TestContext): Promise<void> => besideOthers.run(context, runTest);

/** Does something when the test is over, whatever came of it; also in tests that run side by side. */
export function whenOver(end: () => unknown): void {
  (besideOthers.getStore()?.onTestFinished ?? onTestFinished)(async () => void (await end()));
}

/** A folder that is gone when the test is. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'livetape-test-'));
  whenOver(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A UDP port that was free a moment ago. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** Waits for what has no limit of time of its own (a page's answer, an end); says what it waited for when it does not come. */
export async function within<T>(what: string, promise: T | Promise<T>, timeoutMs = 30_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs} ms: ${what}`)), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A look that `waitFor` has begun may take so long past its limit: a slow machine is not a fault. */
const LAST_LOOK_MS = 10_000;

/** Waits until `condition` answers something that is not false, null or undefined; says what it waited for when it does not, or does not answer at all. */
export async function waitFor<T>(what: string, condition: () => T | Promise<T>, timeoutMs = 30_000): Promise<NonNullable<T>> {
  const untilMs = Date.now() + timeoutMs;
  for (;;) {
    const answer = await within(what, condition(), Math.max(0, untilMs - Date.now()) + LAST_LOOK_MS);
    if (answer !== false && answer !== null && answer !== undefined) return answer;
    if (Date.now() > untilMs) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** A program that was started, with what it prints. */
export interface Running {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Kept with the exit status, or the signal's name. */
  readonly exited: Promise<number | string>;
  /** Sends a signal (SIGINT unless named) and waits for the end, a minute at most. */
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

/** Starts a program; it is killed when the test is over. */
export function start(command: string, args: readonly string[], options: { cwd?: string } = {}): Running {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const printed = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (printed.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed.stderr += chunk.toString()));
  const exited = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'gone'));
  });
  whenOver(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  return {
    child,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    exited,
    stop(signal = 'SIGINT') {
      child.kill(signal);
      return within(`${command} to end after ${signal}: ${printed.stderr}`, exited, 60_000);
    },
  };
}

/** The command line of this clone. `npm test` has built it. */
export function livetape(...args: string[]): Running {
  return start(process.execPath, [join(PROJECT, 'bin/livetape'), ...args]);
}

/** Starts ffmpeg. */
export function ffmpeg(...args: string[]): Running {
  return start('ffmpeg', ['-nostdin', '-hide_banner', '-loglevel', 'warning', '-y', ...args]);
}

/** Runs a program to its end and answers with what it printed; rejects when it fails, or has not ended within `timeoutMs`. */
export function output(command: string, args: readonly string[], timeoutMs = 300_000): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const limits = { maxBuffer: 256 * 1024 * 1024, timeout: timeoutMs, killSignal: 'SIGKILL' as const };
    execFile(command, [...args], limits, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.killed === true ? `did not end within ${timeoutMs} ms: ` : ''}${error.message}\n${stderr}`));
      else resolve({ stdout, stderr });
    });
  });
}

/** Live test pictures and a tone: arguments for ffmpeg's inputs and encoders (H.264 with B-frames, a keyframe every `gopSec`). */
export function livePictures(seconds: number, gopSec = 2): string[] {
  return [
    ...['-re', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${seconds}`],
    ...['-re', '-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`],
    ...[
      '-map',
      '0:v',
      '-map',
      '1:a',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-bf',
      '2',
      '-g',
      String(gopSec * 25),
      '-keyint_min',
      String(gopSec * 25),
    ],
    ...['-sc_threshold', '0', '-b:v', '500k', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-b:a', '64k'],
  ];
}

/**
 * Hash of every decoded video frame, in order of presentation; rejects when ffmpeg warns of anything.
 * @param acrossRuns - where runs meet, counters jump and the last frame may be cut short: only errors count there
 */
export async function frameHashes(input: string, acrossRuns = false): Promise<string[]> {
  const { stdout, stderr } = await output('ffmpeg', [
    '-nostdin',
    '-v',
    acrossRuns ? 'error' : 'warning',
    '-i',
    input,
    '-map',
    '0:v:0',
    '-f',
    'framemd5',
    '-',
  ]);
  if (stderr.trim() !== '') throw new Error(`ffmpeg was not content with ${input}: ${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',').at(-1)?.trim() ?? '');
}

/** Sends a TS file to a UDP port in real time by its own timestamps, from this process. `startedMs` is when its first packet left. */
export function pacedSender(file: string, port: number): { startedMs: () => number | undefined; stop(): Promise<number> } {
  const socket = createSocket('udp4');
  const source = openSource(`file:${file}`, { clock: systemClock, log: silentLogger });
  let startedMs: number | undefined;
  source.start({
    data(chunk) {
      startedMs ??= Date.now();
      for (let at = 0; at < chunk.length; at += 1316) socket.send(Uint8Array.from(chunk.subarray(at, at + 1316)), port, '127.0.0.1');
    },
    room: () => undefined,
    connected: () => undefined,
    lost: () => undefined,
    ended: () => undefined,
  });
  return {
    startedMs: () => startedMs,
    async stop() {
      await source.close();
      const stoppedMs = Date.now();
      await new Promise<void>((resolve) => socket.close(() => resolve()));
      return stoppedMs;
    },
  };
}

/** A folder over HTTP on a free port of the loopback. */
export async function serveFolder(root: string): Promise<string> {
  const types: Record<string, string> = {
    '.m3u8': 'application/vnd.apple.mpegurl',
    '.ts': 'video/mp2t',
    '.html': 'text/html',
    '.js': 'text/javascript',
  };
  const server = createServer((request, response) => {
    const path = join(root, normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)));
    stat(path).then(
      ({ size }) => {
        response.writeHead(200, {
          'content-type': types[extname(path)] ?? 'application/octet-stream',
          'content-length': size,
          'cache-control': 'no-store',
        });
        createReadStream(path).pipe(response);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  whenOver(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The playlist of a stream's folder, or undefined while there is none. */
export async function playlistOf(folder: string): Promise<string | undefined> {
  return readFile(join(folder, 'playlist.m3u8'), 'utf8').catch(() => undefined);
}

/** How many segments a playlist lists. */
export function segmentsIn(playlist: string | undefined): number {
  return playlist?.match(/^[^#\s].*$/gm)?.length ?? 0;
}
