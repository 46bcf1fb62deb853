/**
 * What requests cost in a deep archive, beside small ones: a week at 4 s a segment (151,200 entries) and ten of an hour (900), served by `livetape serve` in a process of its
 * own. For each kind of request: CPU time of the server, the first time, warm, and warm with gzip, and its memory.
 *
 *   npm run bench:week -- [SEGMENTS]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeDeepArchive } from '../test/deepArchive.js';
import { cpuMs, memoryMb, serveForBench } from './served.js';

const SMALL = 900;
const ROUNDS = 30;
const ROUNDS_OF_ALL = 5;

const [segments = 151_200] = process.argv.slice(2).map(Number);
const root = mkdtempSync(join(tmpdir(), 'livetape-week-'));
try {
  const endMs = Date.now();
  await writeDeepArchive(join(root, 'week'), { streamCode: 'week', entries: segments, endMs });
  for (let n = 0; n < 10; n++) await writeDeepArchive(join(root, `hour${n}`), { streamCode: `hour${n}`, entries: SMALL, endMs });
  const server = await serveForBench(root, 'recorders: 0\n');
  const { base, pid } = server;
  const from = Math.round(endMs / 1000) - Math.round(segments * 4 * 0.4);
  const requests = [
    ['live, of an hour', '/hour0/index.m3u8', ROUNDS],
    ['live, of a week', '/week/index.m3u8', ROUNDS],
    ['window of 2 h, of a week', `/week/index.m3u8?from=${from}&dur=7200`, ROUNDS],
    ['whole hour', '/hour0/playlist.m3u8', ROUNDS],
    ['whole week', '/week/playlist.m3u8', ROUNDS_OF_ALL],
  ] as const;
  const journal = statSync(join(root, 'week/playlist.m3u8')).size / 1e6;
  console.log(`${segments} segments in a journal of ${journal.toFixed(1)} MB; the server at first ${memoryMb(pid).toFixed(0)} MiB`);
  console.log(['request'.padEnd(26), ...['bytes', 'cold ms', 'warm ms', 'gzip ms', 'RSS MiB'].map((name) => name.padStart(10))].join(''));
  for (const [name, path, rounds] of requests) {
    const [cold, bytes] = cost(pid, 1, `${base}${path}`, 'identity');
    const [warm] = cost(pid, rounds, `${base}${path}`, 'identity');
    const [zipped] = cost(pid, rounds, `${base}${path}`, 'gzip');
    const cells = [String(bytes), ...[cold, warm, zipped].map((ms) => ms.toFixed(2)), memoryMb(pid).toFixed(0)];
    console.log([name.padEnd(26), ...cells.map((cell) => cell.padStart(10))].join(''));
  }
  await server.stop();
} finally {
  rmSync(root, { recursive: true, force: true });
}

/** CPU time of the server for a request, and the bytes it answered with. curl, so that nothing is measured but the server. */
function cost(pid: number, rounds: number, url: string, encoding: string): [ms: number, bytes: number] {
  const before = cpuMs(pid);
  let bytes = 0;
  for (let round = 0; round < rounds; round++) {
    const args = ['-s', '-o', '/dev/null', '-w', '%{http_code} %{size_download}', '-H', `accept-encoding: ${encoding}`, url];
    const [status, size] = execFileSync('curl', args, { encoding: 'utf8' }).split(' ').map(Number);
    if (status !== 200) throw new Error(`${url}: ${status}`);
    bytes = size ?? 0;
  }
  return [(cpuMs(pid) - before) / rounds, bytes];
}
