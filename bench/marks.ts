/**
 * What a window's gaps and errors cost (docs/design/page.md, G10): an archive of 650,000 entries (thirty days) or as many as are said, with errors in every hundredth, second and in each segment; the
 * first request, the next ones, and one after the archive has grown, beside reading every entry. And the lines of 500 archives of a day: cold, warm, and after each has grown.
 *
 *   npm run bench:marks -- [ENTRIES] [ARCHIVES]
 */
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { silentLogger, systemClock } from '../src/base/index.js';
import { openPlayback, type Playback, type Timeline } from '../src/playback/index.js';
import { openFsStorage } from '../src/storage/index.js';
import { writeDeepArchive } from '../test/deepArchive.js';

const [entries = 650_000, archives = 500] = process.argv.slice(2).map(Number);
const DAY_ENTRIES = 21_600;
const POINTS = 1000;
/** Longer than a look at the journal holds. */
const LOOK_MS = 250;

const root = await mkdtemp(join(tmpdir(), 'livetape-marks-'));
try {
  await writeDeepArchive(join(root, 'plain'), { streamCode: 'plain', entries, endMs: Date.now() });
  const text = await readFile(join(root, 'plain', 'playlist.m3u8'), 'utf8');
  console.log(`${entries} entries, ${(text.length / 1e6).toFixed(1)} MB`);
  console.log(`${'what'.padEnd(44)}${['wall ms', 'CPU ms', 'stall ms', 'cache MB'].map((cell) => cell.padStart(10)).join('')}`);
  for (const every of [100, 2, 1]) await writeWithErrors(text, every);
  for (const code of ['plain', 'errors100', 'errors2', 'errors1']) await measureWindow(code);
  await measureLines();
} finally {
  await rm(root, { recursive: true, force: true });
}

function open(): Playback {
  const storage = openFsStorage(root, { clock: systemClock, log: silentLogger });
  return openPlayback({
    place: (code) => storage.stream(code),
    isKnown: () => true,
    clock: systemClock,
    maxCacheBytes: 256e6,
    limits: () => ({ liveWindowMs: 24_000, maxWindowMs: 86_400_000 }),
  });
}

async function writeWithErrors(text: string, every: number): Promise<void> {
  const folder = join(root, `errors${every}`);
  await mkdir(folder);
  let number = 0;
  await writeFile(
    join(folder, 'playlist.m3u8'),
    text.replaceAll(' epoch=1', () => (number++ % every === 0 ? ' cc=3 epoch=1' : ' epoch=1')),
  );
}

async function measureWindow(code: string): Promise<void> {
  const playback = open();
  const timeline = await playback.timelines.timeline(code);
  const all = (): Promise<unknown> => playback.marks(code, {}, POINTS);
  await measure(`${code}: all, first`, playback, all);
  await measure(`${code}: all, next`, playback, all);
  const hour = { fromMs: timeline.endMs - 86_400_000, toMs: timeline.endMs - 82_800_000 };
  await measure(`${code}: an hour, next`, playback, () => playback.marks(code, hour, POINTS));
  await measure(`${code}: an hour, first`, open(), (fresh) => fresh.marks(code, hour, POINTS));
  await grow(code, timeline);
  await measure(`${code}: all, after ten more segments`, playback, all);
  if (code !== 'plain') return;
  await measure(`${code}: every entry read`, playback, async () => {
    for await (const chunk of timeline.entries(timeline.firstSequence, timeline.endSequence))
      if (chunk.length === 0) throw new Error('nothing');
  });
}

async function measureLines(): Promise<void> {
  const codes = Array.from({ length: archives }, (_, i) => `day${i}`);
  for (const code of codes)
    await writeDeepArchive(join(root, code), { streamCode: code, entries: DAY_ENTRIES, endMs: Date.now(), newest: 0 });
  const quiet = codes.map((code) => `quiet-${code}`);
  const [, header = '', first = ''] =
    /^([^]*?\n)(#EXT-X-PROGRAM[^]*)$/.exec(await readFile(join(root, 'day0', 'playlist.m3u8'), 'utf8')) ?? [];
  // Without gaps.
  const plain = first.replaceAll(/#EXT-X-DISCONTINUITY\n| gap=\d+ why=\w+/g, '').replaceAll(/dseq=\d+/g, 'dseq=0');
  for (const code of quiet) {
    await mkdir(join(root, code));
    await writeFile(join(root, code, 'playlist.m3u8'), header + plain);
  }
  for (const [name, list] of [
    ['forty gaps each', codes],
    ['no gap', quiet],
  ] as const) {
    const playback = open();
    const lines = async (): Promise<void> => {
      const waiting = [...list];
      const worker = async (): Promise<void> => {
        for (let code = waiting.pop(); code !== undefined; code = waiting.pop()) await playback.summary(code);
      };
      await Promise.all([worker(), worker(), worker(), worker()]);
    };
    await measure(`${list.length} lines, ${name}: cold`, playback, lines);
    await measure(`${list.length} lines, ${name}: warm`, playback, lines);
    for (const code of list) {
      const timeline = await playback.timelines.timeline(code);
      await grow(code, timeline);
    }
    await measure(`${list.length} lines, ${name}: each has grown`, playback, lines);
  }
}

/** Ten segments more. */
async function grow(code: string, timeline: Timeline): Promise<void> {
  const { endSequence, endMs } = timeline;
  const { discontinuitySequence } = await timeline.entry(endSequence - 1);
  let text = '';
  for (let i = 0; i < 10; i++) {
    const n = endSequence + i;
    const at = new Date(endMs + i * 4000).toISOString();
    text += `#EXT-X-PROGRAM-DATE-TIME:${at}\n#EXTINF:4.000000,\n#livetape n=${n} seq=${n} dseq=${discontinuitySequence} size=376 end=${(n + 1) * 376} crc=00000000 epoch=1\n${n}.ts\n`;
  }
  await appendFile(join(root, code, 'playlist.m3u8'), text);
}

async function measure(what: string, playback: Playback, work: (playback: Playback) => Promise<unknown>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  globalThis.gc?.();
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await work(playback);
  const wallMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  delays.disable();
  const cells = [wallMs, (user + system) / 1000, delays.count === 0 ? 0 : delays.max / 1e6, playback.stats.timelineBytes / 1e6];
  console.log(`${what.padEnd(44)}${cells.map((cell) => cell.toFixed(1).padStart(10)).join('')}`);
}
