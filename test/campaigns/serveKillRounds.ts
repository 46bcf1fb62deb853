/**
 * Rounds of the campaign that kills parts of a server under viewers: a recorder, the server, or both, with kill -9. Told are what viewers saw (how long no playlist could be had, how
 * long none moved on, what the checker says) and what the recording lost.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { checkArchive } from '../archiveChecker.js';
import { freeUdpPort, PROJECT, waitFor } from '../lab.js';
import { PlaylistChecker } from '../playlistChecker.js';
import { startSender } from './killSender.js';

/** What is killed. */
export const VICTIMS = ['recorder', 'server', 'both'] as const;
export type Victim = (typeof VICTIMS)[number];

/** What came of one kill. */
export interface Kill {
  readonly victim: Victim;
  /** The longest that no playlist could be had; milliseconds. */
  readonly unanswered: number;
  /** The longest that the playlist showed nothing new; milliseconds. */
  readonly stood: number;
  /** Media that is missing, by the gaps that the archive tells of since the last round; seconds. */
  readonly lostSec: number;
  /** Discontinuities since the last round. */
  readonly discontinuities: number;
}

export interface Outcome {
  readonly kills: readonly Kill[];
  /** What must not be, in words. */
  readonly broken: readonly string[];
}

/** A kill is followed for so long. */
const SETTLED_SEGMENTS = 3;

/** Kills each of `victims` once, one after another, in `root`. */
export async function serveKills(options: { root: string; victims: readonly Victim[]; say(line: string): void }): Promise<Outcome> {
  const { root, victims, say } = options;
  const broken: string[] = [];
  const kills: Kill[] = [];
  const udp = await freeUdpPort();
  const sender = startSender(udp);
  const port = await freeTcpPort();
  const base = `http://127.0.0.1:${port}`;
  const config = join(root, 'livetape.yaml');
  const stream = `source: "udp://127.0.0.1:${udp}", dvr: { segment_duration: 1, retention_sec: 600 }`;
  await writeFile(config, `log_level: error\nstreams:\n  news: { ${stream} }\n`);
  let server = startServer(config, root, port);
  const viewer = new Viewer(`${base}/news/index.m3u8`, broken);
  try {
    await waitFor('the first segments', () => viewer.newest >= 4, 60_000);
    let seenGaps = 0;
    let seenDiscontinuities = 0;
    for (const victim of victims) {
      const before = viewer.newest;
      viewer.begin();
      if (victim !== 'server') for (const pid of recordersOf(root)) process.kill(pid, 'SIGKILL');
      if (victim !== 'recorder') {
        server.kill('SIGKILL');
        server = startServer(config, root, port);
      }
      await waitFor(`segments after killing ${victim}`, () => viewer.newest >= before + SETTLED_SEGMENTS, 60_000);
      const { unanswered, stood } = viewer.end();
      const playlist = readFileSync(join(root, 'news/playlist.m3u8'), 'utf8');
      const gaps = [...playlist.matchAll(/^#EXT-X-PROGRAM-DATE-TIME:(\S+)\n#EXTINF:\S+\n#livetape .* gap=(\d+)/gm)].map(
        ([, to = '', from]) => Date.parse(to) - Number(from),
      );
      const discontinuities = playlist.match(/^#EXT-X-DISCONTINUITY$/gm)?.length ?? 0;
      const kill = {
        victim,
        unanswered,
        stood,
        lostSec: gaps.slice(seenGaps).reduce((sum, ms) => sum + ms, 0) / 1000,
        discontinuities: discontinuities - seenDiscontinuities,
      };
      [seenGaps, seenDiscontinuities] = [gaps.length, discontinuities];
      kills.push(kill);
      say(
        `${victim}: no answer for ${unanswered.toFixed(0)} ms, nothing new for ${stood.toFixed(0)} ms, ${kill.lostSec.toFixed(2)} s lost, ${kill.discontinuities} discontinuities`,
      );
      if (victim === 'server' && (kill.lostSec > 0 || kill.discontinuities > 0))
        broken.push(`killing the server alone cost ${kill.lostSec} s`);
    }
  } finally {
    await viewer.close();
    await sender.close();
    server.kill('SIGTERM');
    await new Promise((resolve) =>
      server.exitCode === null && server.signalCode === null ? server.once('exit', resolve) : resolve(undefined),
    );
  }
  broken.push(...(await checkArchive(join(root, 'news'))).map((finding) => JSON.stringify(finding)));
  if (recordersOf(root).length > 0) broken.push('recorders remain after the server has ended');
  return { kills, broken };
}

/** Polls a playlist as players do, and loads what is new in it. */
class Viewer {
  readonly #url: string;
  readonly #broken: string[];
  readonly #checker = new PlaylistChecker();
  readonly #running: Promise<void>;
  #closed = false;
  #newest = -1;
  #answeredAtMs = performance.now();
  #movedAtMs = performance.now();
  #unanswered = 0;
  #stood = 0;

  constructor(url: string, broken: string[]) {
    this.#url = url;
    this.#broken = broken;
    this.#running = this.#run();
  }

  /** Media sequence number of the newest segment that was loaded. */
  get newest(): number {
    return this.#newest;
  }

  begin(): void {
    this.#unanswered = this.#stood = 0;
  }

  end(): { unanswered: number; stood: number } {
    return { unanswered: this.#unanswered, stood: this.#stood };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const text = await this.#load(this.#url);
      const nowMs = performance.now();
      this.#unanswered = Math.max(this.#unanswered, nowMs - this.#answeredAtMs);
      this.#stood = Math.max(this.#stood, nowMs - this.#movedAtMs);
      if (text !== undefined) {
        this.#answeredAtMs = nowMs;
        for (const { clause, message } of this.#checker.see(text)) this.#broken.push(`${clause}: ${message}`);
        const first = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)/m.exec(text)?.[1]);
        const uris = text.match(/^\d+\.ts$/gm) ?? [];
        for (const [n, uri] of uris.entries()) {
          if (first + n <= this.#newest) continue;
          if ((await this.#load(new URL(uri, this.#url).href)) === undefined) break;
          this.#newest = first + n;
          this.#movedAtMs = performance.now();
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Undefined when there was no answer; what is listed must be there. */
  async #load(url: string): Promise<string | undefined> {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
      const text = await answer.text();
      if (answer.ok) return text;
      if (url.endsWith('.ts')) this.#broken.push(`${url}: ${answer.status}`);
    } catch {
      // nobody answers
    }
    return undefined;
  }
}

function startServer(config: string, root: string, port: number): ChildProcess {
  const args = [join(PROJECT, 'bin/livetape'), 'serve', '--config', config, '--data', root, '--listen', `127.0.0.1:${port}`];
  return spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Recorder processes of a root, whoever started them. */
export function recordersOf(root: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      return words.includes('recorderProcess') && words.includes(root) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

async function freeTcpPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
