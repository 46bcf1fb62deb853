/**
 * What timelines cost: an archive of 151,200 entries (seven days) or as many as are said, ours and another system's, read whole and in parts, cold and warm. P5: nothing
 * holds the event loop for more than 20 ms.
 *
 *   npm run bench:timeline -- [ENTRIES]
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { silentLogger, systemClock } from '../src/base/index.js';
import { openTimelines, type Timelines } from '../src/playback/index.js';
import { openFsStorage } from '../src/storage/index.js';
import { writeDeepArchive } from '../test/deepArchive.js';

const entries = Number(process.argv[2] ?? 151_200);
const root = await mkdtemp(join(tmpdir(), 'livetape-timeline-'));
try {
  await writeDeepArchive(join(root, 'ours'), { streamCode: 'ours', entries });
  const text = await readFile(join(root, 'ours', 'playlist.m3u8'), 'utf8');
  const foreign = asAnotherSystem(text);
  await mkdir(join(root, 'foreign'));
  await writeFile(join(root, 'foreign', 'playlist.m3u8'), foreign);
  console.log(`${entries} entries: ours ${mb(text.length)} MB, another system's ${mb(foreign.length)} MB`);
  console.log(`${'what'.padEnd(48)}${['wall ms', 'CPU ms', 'stall ms', 'cache MB'].map((cell) => cell.padStart(10)).join('')}`);
  for (const code of ['ours', 'foreign']) await measureAll(code);
} finally {
  await rm(root, { recursive: true, force: true });
}

/** Without our comments, and with date-times at the beginning and at discontinuities alone. */
function asAnotherSystem(text: string): string {
  let isDated = false;
  const lines = text.split('\n').filter((line) => {
    if (line.startsWith('#livetape')) return false;
    if (line === '#EXT-X-DISCONTINUITY') isDated = false;
    if (!line.startsWith('#EXT-X-PROGRAM-DATE-TIME')) return true;
    const isFirst = !isDated;
    isDated = true;
    return isFirst;
  });
  return lines.join('\n');
}

async function measureAll(code: string): Promise<void> {
  const storage = openFsStorage(root, { clock: systemClock, log: silentLogger });
  const place = storage.stream(code);
  const open = (): Timelines => openTimelines({ place: () => place, clock: systemClock, maxCacheBytes: 64e6 });
  const timelines = open();
  const timed = (what: string, work: () => Promise<unknown>): Promise<void> => measure(`${code}: ${what}`, timelines, work);
  let timeline = await open().timeline(code);
  await timed('timeline, cold', async () => (timeline = await timelines.timeline(code)));
  const { firstSequence, endSequence, endMs } = timeline;
  const twoHours = async (): Promise<void> => {
    const [from, to] = [await timeline.at(endMs - 86_400_000), await timeline.at(endMs - 79_200_000)];
    await drain(timeline.text(from, to));
  };
  await timed('live: 24 s back, text', async () => drain(timeline.text(await timeline.back(endSequence, 24_000), endSequence)));
  await timed('two hours, cold', twoHours);
  await timed('two hours, warm', twoHours);
  await timed('text of all, cold', () => drain(timeline.text(firstSequence, endSequence)));
  await timed('text of all, warm', () => drain(timeline.text(firstSequence, endSequence)));
  await timed('entries of all', () => drain(timeline.entries(firstSequence, endSequence)));
  await timed('gaps of all, warm', () => timeline.gaps(firstSequence, endSequence));
  const anew = await open().timeline(code);
  await timed('text of all, cold, for 20 at a time', () =>
    Promise.all(Array.from({ length: 20 }, () => drain(anew.text(firstSequence, endSequence)))),
  );
}

async function drain(chunks: AsyncIterable<unknown>): Promise<void> {
  for await (const chunk of chunks) if (chunk === undefined) throw new Error('a chunk is something');
}

async function measure(what: string, timelines: Timelines, work: () => Promise<unknown>): Promise<void> {
  // What was thrown away before is not this work's.
  globalThis.gc?.();
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await work();
  const wallMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  delays.disable();
  const cells = [wallMs, (user + system) / 1000, delays.count === 0 ? 0 : delays.max / 1e6, timelines.stats.cachedBytes / 1e6];
  console.log(`${what.padEnd(48)}${cells.map((cell) => cell.toFixed(1).padStart(10)).join('')}`);
}

function mb(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
