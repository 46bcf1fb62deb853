/**
 * What depth costs: the same work on archives of 50, 200,000 and 1,000,000 entries, each in a fresh process. Opening to resume and closing a
 * segment read the tail alone, pruning goes in batches, so each should cost the same; `livetape info` reads all of it, in memory that does not grow, and never holds the event loop for long.
 *
 *   npm run bench:depth -- [ENTRIES …]
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openArchiveForWriting, type ArchiveWriter } from '../src/archive/index.js';
import { silentLogger, systemClock } from '../src/base/index.js';
import { main as command } from '../src/cli/main.js';
import { openFsStorage } from '../src/storage/index.js';
import { nextSegment, writeDeepArchive } from '../test/deepArchive.js';

const CODE = 'deep';
/** A process is measured so often; the middle one counts. */
const REPEATS = 5;
const COMMITS = 200;

interface Measured {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** The most that the process had, and by how much that was more than before. */
  readonly peakMb: number;
  readonly grewMb: number;
  /** The longest that nothing else could run. */
  readonly stalledMs: number;
}

/** What is measured, by name; answers with how many times it did its work. Repeated work changes nothing that the next would notice. */
const WORK: Readonly<Record<string, { readonly repeats: number; run(root: string): Promise<number> }>> = {
  'open to resume': {
    repeats: REPEATS,
    async run(root) {
      // closed by the end of the process: closing is not what is measured
      await openArchive(root);
      return 1;
    },
  },
  'livetape info': {
    repeats: 3,
    async run(root) {
      const silent = { clock: systemClock, out: () => undefined, err: () => undefined, columns: () => undefined, exit: () => undefined };
      const status = await command(['info', CODE, '--data', root, '--json'], { ...silent, onSignal: () => () => undefined });
      if (status !== 0) throw new Error(`livetape info ended with ${status}`);
      return 1;
    },
  },
  'close a segment': {
    repeats: 1,
    async run(root) {
      await using archive = await openArchive(root);
      for (let i = 0; i < COMMITS; i++) {
        const last = archive.last;
        const { facts, media } = nextSegment(last === undefined ? 0 : last.wallMs + last.duration90k / 90);
        const segment = archive.openSegment();
        void segment.write(media);
        await segment.commit(facts);
      }
      return COMMITS;
    },
  },
  'prune a segment': {
    repeats: 1,
    async run(root) {
      await using archive = await openArchive(root);
      const { segmentCount, sizeBytes } = archive.totals;
      const pruned = await archive.prune({
        maxBytes: sizeBytes - Math.ceil((batchOf(segmentCount) * sizeBytes) / segmentCount),
        atOnce: true,
      });
      if (pruned.segmentCount === 0) throw new Error('nothing was pruned');
      return pruned.segmentCount;
    },
  },
};

/** So many are pruned at once (K9). */
function batchOf(entries: number): number {
  return Math.ceil(entries / 64);
}

function openArchive(root: string): Promise<ArchiveWriter> {
  const storage = openFsStorage(root, { clock: systemClock, log: silentLogger });
  return openArchiveForWriting({
    storage: storage.stream(CODE),
    streamCode: CODE,
    retention: true,
    clock: systemClock,
    log: silentLogger,
  });
}

if (process.argv[2] === '--measure') await measure(process.argv[3] ?? '', process.argv[4] ?? '');
else await main(process.argv.slice(2).map(Number));

async function main(given: readonly number[]): Promise<void> {
  const depths = given.length > 0 ? given : [50, 200_000, 1_000_000];
  const place = await mkdtemp(join(tmpdir(), 'livetape-depth-'));
  const rows = new Map<string, Measured[]>();
  try {
    for (const entries of depths) {
      const root = join(place, String(entries));
      await writeDeepArchive(join(root, CODE), { streamCode: CODE, entries, retention: true, oldest: batchOf(entries + COMMITS) + 1 });
      const { size } = await stat(join(root, CODE, 'playlist.m3u8'));
      console.log(`${entries} entries: a playlist of ${(size / 1e6).toFixed(1)} MB`);
      for (const [what, { repeats }] of Object.entries(WORK)) {
        const runs: Measured[] = [];
        for (let i = 0; i < repeats; i++) runs.push(await inProcess(what, root));
        const middle = runs.sort((a, b) => a.cpuMs - b.cpuMs)[Math.floor(runs.length / 2)];
        if (middle) rows.set(what, [...(rows.get(what) ?? []), { ...middle, stalledMs: Math.max(...runs.map((run) => run.stalledMs)) }]);
      }
      await rm(root, { recursive: true });
    }
  } finally {
    await rm(place, { recursive: true, force: true });
  }
  console.log(
    `\n${'each time'.padEnd(18)}${['entries', 'CPU ms', 'wall ms', 'peak MB', 'grew MB', 'stall ms', 'CPU ratio'].map(column).join('')}`,
  );
  for (const [what, measured] of rows) {
    for (const [i, { cpuMs, wallMs, peakMb, grewMb, stalledMs }] of measured.entries()) {
      const cells = [depths[i], cpuMs.toFixed(2), wallMs.toFixed(2), peakMb.toFixed(0), grewMb.toFixed(1), stalledMs.toFixed(1)];
      console.log(`${what.padEnd(18)}${[...cells, (cpuMs / (measured[0]?.cpuMs ?? NaN)).toFixed(2)].map(column).join('')}`);
    }
  }
}

function column(cell: unknown): string {
  return String(cell).padStart(11);
}

async function inProcess(what: string, root: string): Promise<Measured> {
  const args = [...process.execArgv, '--expose-gc', fileURLToPath(import.meta.url), '--measure', what, root];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Measured;
}

/** In the fresh process: does the work and prints what it cost. */
async function measure(what: string, root: string): Promise<void> {
  const work = WORK[what];
  if (!work) throw new Error(`there is no work ${what}`);
  globalThis.gc?.();
  const before = await memory();
  // from here on the kernel counts the peak anew (proc(5), clear_refs)
  await writeFile('/proc/self/clear_refs', '5');
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const times = await work.run(root);
  const wallMs = (performance.now() - startedMs) / times;
  const { user, system } = process.cpuUsage(cpu);
  delays.disable();
  const after = await memory();
  const measured: Measured = {
    wallMs,
    cpuMs: (user + system) / 1000 / times,
    peakMb: after.peakMb,
    grewMb: after.peakMb - before.nowMb,
    stalledMs: delays.count === 0 ? 0 : delays.max / 1e6,
  };
  process.stdout.write(JSON.stringify(measured), () => process.exit(0));
}

async function memory(): Promise<{ nowMb: number; peakMb: number }> {
  const status = await readFile('/proc/self/status', 'utf8');
  const kb = (key: string): number => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]);
  return { nowMb: kb('VmRSS') / 1024, peakMb: kb('VmHWM') / 1024 };
}
