/**
 * A real server that records a real source and shows it to a viewer who behaves, first in peace, then while everybody who means harm is at it (hostileAttack.ts). Told is what the
 * recording lost, what the viewer saw, what memory the server took, and what is new on the disk.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkArchive } from '../archiveChecker.js';
import { writeDeepArchive } from '../deepArchive.js';
import { freeUdpPort, PROJECT, waitFor } from '../lab.js';
import type { AttackPlan, AttackReport } from './hostileAttack.js';
import { startSender } from './killSender.js';

/** What a viewer saw. */
export interface Viewed {
  readonly answers: number;
  /** Of all answers, to their last byte; milliseconds. */
  readonly slowestMs: number;
  readonly medianMs: number;
  /** The longest that the playlist showed nothing new; milliseconds. */
  readonly stoodMs: number;
}

export interface HostileOutcome {
  readonly quiet: Viewed;
  readonly loud: Viewed;
  readonly attack: AttackReport;
  /** Of the server's process, in megabytes. */
  readonly residentMb: { readonly before: number; readonly most: number; readonly after: number };
  readonly kernelDrops: number;
  /** What must not be, in words. */
  readonly broken: readonly string[];
}

export interface HostileOptions {
  readonly root: string;
  /** In peace. */
  readonly quietSec: number;
  /** Under attack. */
  readonly seconds: number;
  readonly sockets: number;
  readonly loginsPerSecond: number;
  readonly say: (line: string) => void;
}

/** Entries of an archive whose playlist is long: 25 MB. */
const DEEP_ENTRIES = 100_000;
/** Segments of it that are large, and how large. */
const BIG_SEGMENTS = 20;
const BIG_BYTES = 8_000_000;

/** Runs it, in an empty folder. */
export async function hostile(options: HostileOptions): Promise<HostileOutcome> {
  const { root, quietSec, seconds, sockets, loginsPerSecond, say } = options;
  const broken: string[] = [];
  await writeDeepArchive(join(root, 'big'), { streamCode: 'big', entries: DEEP_ENTRIES, newest: BIG_SEGMENTS });
  const bigNames = readdirSync(join(root, 'big')).filter((name) => name.endsWith('.ts'));
  const big = Buffer.alloc(BIG_BYTES, 0x47);
  for (const name of bigNames) await writeFile(join(root, 'big', name), big);
  const udp = await freeUdpPort();
  const sender = startSender(udp);
  const config = join(root, 'livetape.yaml');
  const stream = `source: "udp://127.0.0.1:${udp}", dvr: { segment_duration: 1, retention_sec: 3600 }`;
  await writeFile(config, `log_level: error\nrecorders: 1\nauth: { enabled: true }\nstreams:\n  news: { ${stream} }\n`);
  const server = await startServer(config, root);
  try {
    const adminToken = readFileSync(join(root, '.livetape/admin-token'), 'utf8').trim();
    const tokenOf = async (scope: string): Promise<string> => {
      const answer = await fetch(`${server.url}/api/v1/tokens`, {
        method: 'POST',
        headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: scope, scopes: [scope] }),
      });
      return ((await answer.json()) as { token: string }).token;
    };
    const token = await tokenOf('playback');
    const metric = async (name: string): Promise<number> => {
      const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${adminToken}` } });
      const values = [...(await answer.text()).matchAll(new RegExp(`^${name}\\{.*\\} (\\d+)`, 'gm'))];
      return values.reduce((sum, [, value]) => sum + Number(value), 0);
    };
    const drops = (): Promise<number> => metric('livetape_source_kernel_dropped_datagrams_total');
    const viewer = new Viewer(server.url, token, broken);
    await waitFor('the first segments', () => viewer.newest >= 4, 60_000);
    viewer.begin();
    await pause(quietSec * 1000);
    const quiet = viewer.end();
    say(`in peace: ${told(quiet)}`);
    const [filesBefore, dropsBefore, gapsBefore] = [filesOf(root), await drops(), gapsOf(root)];
    const memory = watchMemory(server.pid);
    const before = memory.now();
    viewer.begin();
    const from = Math.floor(Date.now() / 1000) - 5;
    const paths = [
      ...bigNames.map((name) => `/big/${name}`),
      '/big/playlist.m3u8',
      '/news/stream.ts',
      `/news/archive-${from}-3.ts`,
      '/news/playlist.m3u8',
    ];
    const attack = await runAttack({ port: server.port, seconds, sockets, loginsPerSecond, paths, token, adminToken });
    const loud = viewer.end();
    await pause(2000);
    const residentMb = { before, most: memory.most(), after: memory.now() };
    memory.stop();
    const kernelDrops = (await drops()) - dropsBefore;
    if (kernelDrops > 0) broken.push(`the kernel dropped ${kernelDrops} datagrams`);
    const gaps = gapsOf(root);
    if (gaps > gapsBefore) broken.push(`${gaps - gapsBefore} gaps or discontinuities in the recording`);
    const fresh = filesOf(root).filter((name) => !filesBefore.includes(name));
    if (fresh.length > 0) broken.push(`new on the disk: ${fresh.join(', ')}`);
    broken.push(...attack.wrong);
    say(`under attack: ${told(loud)}`);
    say(
      `logins ${JSON.stringify(attack.logins)}; senders closed ${attack.sendersClosed}, readers closed ${attack.readersClosed} (${attack.readersOpen} at once); ${attack.bombs} bombs`,
    );
    say(
      `memory of the server, MB: ${before.toFixed(0)} before, ${residentMb.most.toFixed(0)} at most, ${residentMb.after.toFixed(0)} after`,
    );
    await viewer.close();
    await server.end();
    broken.push(...(await checkArchive(join(root, 'news'))).map((finding) => JSON.stringify(finding)));
    return { quiet, loud, attack, residentMb, kernelDrops, broken };
  } finally {
    await server.end();
    await sender.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const told = ({ answers, medianMs, slowestMs, stoodMs }: Viewed): string =>
  `${answers} answers, median ${medianMs.toFixed(1)} ms, slowest ${slowestMs.toFixed(0)} ms; nothing new for ${stoodMs.toFixed(0)} ms at most`;

/** Loads a playlist and what is new in it, as players do. Every answer must be right. */
class Viewer {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #broken: string[];
  readonly #running: Promise<void>;
  #closed = false;
  #newest = -1;
  #movedAtMs = performance.now();
  #stoodMs = 0;
  #times: number[] = [];

  constructor(base: string, token: string, broken: string[]) {
    this.#url = `${base}/news/index.m3u8`;
    this.#headers = { authorization: `Bearer ${token}` };
    this.#broken = broken;
    this.#running = this.#run();
  }

  /** Media sequence number of the newest segment that was loaded. */
  get newest(): number {
    return this.#newest;
  }

  begin(): void {
    this.#stoodMs = 0;
    this.#times = [];
  }

  end(): Viewed {
    const times = [...this.#times].sort((a, b) => a - b);
    return {
      answers: times.length,
      slowestMs: times.at(-1) ?? Infinity,
      medianMs: times[Math.floor(times.length / 2)] ?? Infinity,
      stoodMs: Math.max(this.#stoodMs, performance.now() - this.#movedAtMs),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const text = await this.#load(this.#url);
      const first = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)/m.exec(text ?? '')?.[1]);
      for (const [n, uri] of (text?.match(/^\d+\.ts$/gm) ?? []).entries()) {
        if (first + n <= this.#newest) continue;
        if ((await this.#load(new URL(uri, this.#url).href)) === undefined) break;
        this.#newest = first + n;
        this.#stoodMs = Math.max(this.#stoodMs, performance.now() - this.#movedAtMs);
        this.#movedAtMs = performance.now();
      }
      await pause(100);
    }
  }

  async #load(url: string): Promise<string | undefined> {
    const beganMs = performance.now();
    try {
      const answer = await fetch(url, { headers: this.#headers, signal: AbortSignal.timeout(30_000) });
      const text = await answer.text();
      this.#times.push(performance.now() - beganMs);
      if (answer.ok) return text;
      // Before anything is recorded there is nothing to be had.
      if (this.#newest >= 0) this.#broken.push(`the viewer got ${answer.status} of ${url}: ${text.slice(0, 200)}`);
    } catch (error) {
      this.#broken.push(`the viewer got no answer of ${url}: ${String(error)}`);
    }
    return undefined;
  }
}

async function startServer(config: string, root: string): Promise<{ url: string; port: number; pid: number; end(): Promise<void> }> {
  const args = [join(PROJECT, 'bin/livetape'), 'serve', '--config', config, '--data', root, '--listen', '127.0.0.1:0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await waitFor('the server to say its address', () => /answers at (http:\S+)/.exec(printed)?.[1], 60_000);
  return {
    url,
    port: Number(new URL(url).port),
    pid: child.pid ?? 0,
    async end() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exited;
    },
  };
}

/** At the lowest priority: those who attack are not on the machine that is attacked. */
function runAttack(plan: AttackPlan): Promise<AttackReport> {
  const program = join(PROJECT, 'test/campaigns/hostileAttack.ts');
  const child = spawn('nice', ['-n', '19', process.execPath, '--import', 'tsx', program, JSON.stringify(plan)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: PROJECT,
    timeout: (plan.seconds + 120) * 1000,
    killSignal: 'SIGKILL',
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === 0) resolve(JSON.parse(printed) as AttackReport);
      else reject(new Error(`the attack ended with ${status}`));
    });
  });
}

/** Megabytes that a process has in memory. */
function watchMemory(pid: number): { now(): number; most(): number; stop(): void } {
  const now = (): number => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;
  let most = now();
  const timer = setInterval(() => (most = Math.max(most, now())), 200);
  return { now, most: () => most, stop: () => clearInterval(timer) };
}

/** All that lies in a folder, but for the media of the stream that is recorded. */
function filesOf(root: string): string[] {
  mkdirSync(root, { recursive: true });
  return (readdirSync(root, { recursive: true }) as string[])
    .filter((name) => !/^news\/(\d{6}\.ts(\.part)?|index\.json\.tmp)$/.test(name))
    .sort();
}

function gapsOf(root: string): number {
  return readFileSync(join(root, 'news/playlist.m3u8'), 'utf8').match(/^#EXT-X-DISCONTINUITY$|^#livetape .* gap=/gm)?.length ?? 0;
}
