/**
 * Viewers on live streams while they are recorded: N viewers spread over ten streams, each asking for its playlist and for every segment as it comes. First all is sent by
 * Livetape, then nginx sends the segments from the same folder. Says what was lost (it should be nothing), how long answers took, and CPU time per gigabyte of each.
 *
 *   npm run bench:viewers -- [VIEWERS] [SECONDS] [MBPS]
 */
import { execFileSync, fork, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cpuMs, serveForBench } from './served.js';

const STREAMS = 10;
const SAMPLE_SECONDS = 30;

/** What the viewers' process is told. */
interface Plan {
  readonly viewers: number;
  readonly seconds: number;
  readonly playlists: string;
  readonly segments: string;
}

/** What it saw. */
interface Seen {
  readonly bytes: number;
  readonly playlists: number;
  readonly segments: number;
  readonly failures: number;
  readonly slowestMs: number;
  readonly medianMs: number;
}

if (process.argv[2] === '--watch') await watch(JSON.parse(process.argv[3] ?? '') as Plan);
else await main();

async function main(): Promise<void> {
  const [viewers = 300, seconds = 60, mbps = 2] = process.argv.slice(2).map(Number);
  const root = mkdtempSync(join(tmpdir(), 'livetape-viewers-'));
  execFileSync('chmod', ['755', root]);
  try {
    const sample = join(root, 'sample.ts');
    const source = ['-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=25:duration=${SAMPLE_SECONDS}`];
    const rate = `${mbps}M`;
    const codec = [
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-g',
      '50',
      '-b:v',
      rate,
      '-minrate',
      rate,
      '-maxrate',
      rate,
      '-bufsize',
      rate,
    ];
    execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...source, ...codec, '-x264-params', 'nal-hrd=cbr', '-f', 'mpegts', sample]);
    const streams = Array.from({ length: STREAMS }, (_, n) => `  s${n}: { source: "file:${sample}?loop=1" }\n`).join('');
    const server = await serveForBench(root, `recorders: 1\nlog_level: warn\nstreams:\n${streams}`);
    const nginx = await startNginx(root);
    try {
      await segmentsEverywhere(server.base);
      console.log(`${viewers} viewers on ${STREAMS} streams of ${mbps} Mbit/s for ${seconds} s each way`);
      for (const [name, segments, pids] of [
        ['Livetape sends all', server.base, [server.pid]],
        ['nginx sends segments', nginx.base, nginx.pids],
      ] as const) {
        const before = pids.map(cpuMs);
        const own = cpuMs(server.pid);
        const seen = await viewersSee({ viewers, seconds, playlists: server.base, segments });
        const used = pids.reduce((sum, pid, n) => sum + cpuMs(pid) - (before[n] ?? 0), 0) / 1000;
        const beside = name.startsWith('nginx')
          ? `, beside it Livetape ${((cpuMs(server.pid) - own) / 1000).toFixed(2)} s for the playlists`
          : '';
        const gigabytes = seen.bytes / 1e9;
        console.log(
          `${name}: ${gigabytes.toFixed(2)} GB in ${seen.segments} segments and ${seen.playlists} playlists, ${seen.failures} failures, median ${seen.medianMs.toFixed(1)} ms, slowest ${seen.slowestMs.toFixed(0)} ms; CPU ${used.toFixed(2)} s, ${(used / gigabytes).toFixed(2)} s/GB${beside}`,
        );
      }
    } finally {
      nginx.stop();
    }
    await judge(server.base);
    await server.stop();
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Every stream has what a live playlist holds. */
async function segmentsEverywhere(base: string): Promise<void> {
  for (let n = 0; n < STREAMS; n++) {
    for (;;) {
      const text = await (await fetch(`${base}/s${n}/index.m3u8`)).text();
      if ((text.match(/\.ts$/gm)?.length ?? 0) >= 4) break;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** Gaps and errors of the recordings. */
async function judge(base: string): Promise<void> {
  let gaps = 0;
  for (let n = 0; n < STREAMS; n++) {
    const { data } = (await (await fetch(`${base}/s${n}/recording_status.json`)).json()) as { data: { gaps: unknown[] } };
    gaps += data.gaps.length;
  }
  const metrics = await (await fetch(`${base}/metrics`)).text();
  const sum = (name: string): number =>
    metrics
      .split('\n')
      .filter((line) => line.startsWith(name))
      .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
  console.log(
    `recording: ${gaps} gaps, ${sum('livetape_stream_errors_total')} errors, ${sum('livetape_stream_queue_dropped_bytes_total')} bytes dropped`,
  );
}

async function startNginx(root: string): Promise<{ base: string; pids: number[]; stop(): void }> {
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port: free } = probe.address() as AddressInfo;
      probe.close(() => resolve(free));
    });
  });
  const config = join(root, 'nginx.conf');
  const http = `access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000; types { video/mp2t ts; } server { listen 127.0.0.1:${port}; root ${root}; }`;
  writeFileSync(
    config,
    `daemon off; worker_processes 1; pid ${join(root, 'nginx.pid')}; error_log stderr error; events { worker_connections 4096; } http { ${http} }`,
  );
  const child = spawn('nginx', ['-c', config], { stdio: ['ignore', 'inherit', 'inherit'] });
  for (;;) {
    const there = await fetch(`http://127.0.0.1:${port}/sample.ts`, { method: 'HEAD' }).catch(() => undefined);
    if (there?.ok) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const workers = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').map(Number);
  return { base: `http://127.0.0.1:${port}`, pids: workers, stop: () => void child.kill('SIGTERM') };
}

/** The viewers, in a process of their own. */
function viewersSee(plan: Plan): Promise<Seen> {
  const child = fork(fileURLToPath(import.meta.url), ['--watch', JSON.stringify(plan)], { execArgv: process.execArgv });
  return new Promise((resolve, reject) => {
    child.once('message', (seen) => resolve(seen as Seen));
    child.once('exit', (status) => reject(new Error(`the viewers ended with ${status}`)));
  });
}

async function watch({ viewers, seconds, playlists, segments }: Plan): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
  const untilMs = Date.now() + seconds * 1000;
  const times: number[] = [];
  const counts = { bytes: 0, playlists: 0, segments: 0, failures: 0 };
  const load = (url: string, keep: boolean): Promise<string> =>
    new Promise((resolve) => {
      const beganMs = performance.now();
      const failed = (): void => {
        counts.failures += 1;
        resolve('');
      };
      get(url, { agent }, (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => {
          counts.bytes += chunk.length;
          if (keep) text += chunk.toString();
        });
        answer.on('error', failed);
        answer.on('end', () => {
          times.push(performance.now() - beganMs);
          if (answer.statusCode !== 200) return failed();
          counts[keep ? 'playlists' : 'segments'] += 1;
          resolve(text);
        });
      }).on('error', failed);
    });
  const viewer = async (n: number): Promise<void> => {
    const stream = `s${n % STREAMS}`;
    let last = '';
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 2000));
    while (Date.now() < untilMs) {
      const uris = (await load(`${playlists}/${stream}/index.m3u8`, true)).match(/^\d+\.ts$/gm) ?? [];
      const fresh = uris.filter((uri) => uri > last).slice(last === '' ? -3 : 0);
      for (const uri of fresh) {
        await load(`${segments}/${stream}/${uri}`, false);
        last = uri;
      }
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  };
  await Promise.all(Array.from({ length: viewers }, (_, n) => viewer(n)));
  times.sort((a, b) => a - b);
  const seen: Seen = { ...counts, slowestMs: times.at(-1) ?? 0, medianMs: times[Math.floor(times.length / 2)] ?? 0 };
  process.send?.(seen, () => process.exit(0));
}
