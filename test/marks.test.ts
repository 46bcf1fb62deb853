/**
 * Marks of archives (docs/design/page.md, G10) against a scan of the same journal from end to end: random archives with gaps and errors, ours and another system's, windows at
 * every edge, while they grow and are pruned between requests and while somebody asks.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanJournal, type ScannedEntry } from '../src/archive/scan.js';
import { ManualClock, systemClock, type Clock } from '../src/base/index.js';
import { renderEntry, renderHeader, type PlaylistEntry } from '../src/hls/index.js';
import { GAP_REASONS, type Gap } from '../src/model/index.js';
import { openPlayback, type ArchiveMarks, type Playback } from '../src/playback/index.js';
import { createMemoryStorage, type StreamStorage } from '../src/storage/index.js';
import { patched } from './archiveLab.js';

const START_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const GENEROUS = 2000;

/** How an entry is made from the one before it. */
interface Step {
  readonly durationUs: number;
  readonly gapMs: number | undefined;
  readonly errors: readonly [cc: number, tei: number, sync: number, scr: number, lost: number];
  /** A tag nobody knows, which may look like what is searched for; else its length. */
  readonly tag: string;
}

const none = fc.constant([0, 0, 0, 0, 0] as const);
const some = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(200), fc.nat(3), fc.nat(2000));
const steps = (gapShare: number, errorShare: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.record({
      durationUs: fc.oneof(fc.constant(4_000_000), fc.integer({ min: 100_000, max: 6_000_000 })),
      gapMs: fc.oneof(
        { weight: 20 - gapShare, arbitrary: fc.constant(undefined) },
        { weight: gapShare, arbitrary: fc.integer({ min: 1001, max: 100_000 }) },
      ),
      errors: fc.oneof({ weight: 20 - errorShare, arbitrary: none }, { weight: errorShare, arbitrary: some }),
      tag: fc.oneof(
        { weight: 30, arbitrary: fc.constant('') },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            '#EXT-X-A: cc=1 gap=2',
            '#x gap=é\r',
            '\r',
            '',
            `#EXT-X-B:${'cc= '.repeat(3000)}`,
            `#${'é'.repeat(9000)}`,
          ),
        },
      ),
    }),
    { minLength: 1, maxLength: 20 },
  );

/** Archives with few marks, with many, and with marks at every entry. */
const drawn = fc
  .oneof(steps(1, 1), steps(10, 10), steps(0, 20), steps(20, 0))
  .chain((few) =>
    fc.integer({ min: 1, max: 3000 }).map((count) => Array.from({ length: count }, (_, i) => few[(i * 7 + (i >> 4)) % few.length]!)),
  );

/** An archive as its writer would leave it, in memory. */
class Recorder {
  readonly place: StreamStorage = createMemoryStorage().stream('news');
  readonly #foreign: boolean;
  readonly #texts: string[] = [];
  #header = '';
  #first = 0;
  #next = 0;
  #discontinuities = 0;
  #wallMs = START_MS;

  constructor(foreign: boolean) {
    this.#foreign = foreign;
  }

  get count(): number {
    return this.#texts.length;
  }

  async write(list: readonly Step[]): Promise<void> {
    this.#texts.push(...list.map((one) => this.#text(one)));
    await this.place.create();
    await this.#replace();
  }

  async append(list: readonly Step[], torn: string): Promise<void> {
    const size = Buffer.byteLength(this.#header + this.#texts.join(''));
    const texts = list.map((one) => this.#text(one));
    this.#texts.push(...texts);
    await this.place.appendJournal(texts.join('') + torn, size);
  }

  async prune(count: number): Promise<void> {
    this.#texts.splice(0, count);
    this.#first += count;
    await this.#replace();
  }

  async #replace(): Promise<void> {
    this.#header = renderHeader({
      version: 3,
      targetDurationSec: 6,
      mediaSequence: this.#first,
      discontinuitySequence: 0,
      type: undefined,
      life: this.#foreign ? undefined : 1,
      unknownTags: [],
      unknownKeys: this.#first > 0 && !this.#foreign ? [`pruned=0-${this.#first}`] : [],
    });
    await this.place.replaceJournal([this.#header, ...this.#texts]);
  }

  #text({ durationUs, gapMs, errors: [cc, tei, sync, scr, lost], tag }: Step): string {
    const sequence = this.#next++;
    const fromMs = Math.floor(this.#wallMs);
    this.#wallMs += sequence === 0 ? 0 : (gapMs ?? 0);
    const gap = gapMs === undefined || sequence === 0 ? undefined : { fromMs, reason: GAP_REASONS[sequence % GAP_REASONS.length]! };
    if (gap) this.#discontinuities += 1;
    const wallMs = Math.floor(this.#wallMs);
    this.#wallMs = wallMs + durationUs / 1000;
    const entry: PlaylistEntry = {
      discontinuity: gap !== undefined,
      wallMs,
      durationUs,
      uri: `${String(sequence).padStart(6, '0')}.ts${sequence % 97 === 0 ? '?gap=1&cc=2' : ''}`,
      unknownTags: [],
      facts: this.#foreign
        ? undefined
        : {
            index: sequence,
            mediaSequence: sequence,
            discontinuitySequence: this.#discontinuities,
            sizeBytes: 376 + sequence,
            cumulativeBytes: 376 * (sequence + 1) + (sequence * (sequence + 1)) / 2,
            crc32: sequence,
            pts: undefined,
            keyframes: [],
            headBytes: 0,
            forced: false,
            lostBytes: lost,
            errors: { continuity: cc, transportError: tei, syncSkippedBytes: sync, scrambled: scr },
            gap,
            epoch: 1,
            unknownKeys: sequence % 89 === 0 ? ['zz=gap=1'] : [],
          },
    };
    const text = renderEntry(entry);
    return tag === '' ? text : `${tag}\n${text}`;
  }
}

/** What the journal says, read entry by entry. */
interface Naive {
  readonly entries: readonly ScannedEntry[];
  readonly gaps: readonly Gap[];
}

async function naive(place: StreamStorage): Promise<Naive> {
  const entries = await scanJournal(place, () => {
    const found: ScannedEntry[] = [];
    return { add: (entry) => void found.push(entry), result: () => found };
  });
  if (entries === undefined) throw new Error('there is an archive');
  const gaps = entries.flatMap(({ entry, wallMs }, i): Gap[] => {
    // That before the oldest is no more of the archive.
    const before = entries[i - 1];
    if (before === undefined) return [];
    const { facts } = entry;
    if (facts) return facts.gap ? [{ ...facts.gap, toMs: wallMs }] : [];
    return wallMs - endMs(before) > 1000 ? [{ fromMs: endMs(before), toMs: wallMs, reason: 'signal' }] : [];
  });
  return { entries, gaps };
}

const endMs = ({ wallMs, entry }: ScannedEntry): number => wallMs + entry.durationUs / 1000;
const errorsOf = ({ entry: { facts } }: ScannedEntry): number[] => [
  facts?.errors.continuity ?? 0,
  facts?.errors.transportError ?? 0,
  facts?.errors.syncSkippedBytes ?? 0,
  facts?.errors.scrambled ?? 0,
  facts?.lostBytes ?? 0,
];
const sum = (rows: readonly (readonly number[])[]): number[] =>
  [0, 1, 2, 3, 4].map((k) => rows.reduce((all, row) => all + (row[k] ?? 0), 0));

/** Compares what is told of a window with what is there. */
function compare(told: ArchiveMarks, { entries, gaps }: Naive, window: { fromMs?: number; toMs?: number }, most: number): void {
  const [first, last] = [entries[0]!, entries.at(-1)!];
  expect(told).toMatchObject({ startedAtMs: first.wallMs, lastSegmentAtMs: endMs(last) });
  if (window.fromMs !== undefined) expect(told.fromMs).toBe(window.fromMs);
  if (window.toMs !== undefined) expect(told.toMs).toBe(window.toMs);
  const [fromMs, toMs] = [Math.max(told.fromMs, first.wallMs), Math.min(told.toMs, endMs(last))];
  const isEmpty = !(fromMs < toMs);
  const within = isEmpty ? [] : gaps.filter((gap) => gap.toMs > fromMs && gap.fromMs < toMs);
  const faulty = isEmpty
    ? []
    : entries.filter((entry) => errorsOf(entry).some((count) => count > 0) && endMs(entry) > fromMs && entry.wallMs < toMs);

  // gaps: all of them, each in one that is told, by itself when there is room
  expect(told.gaps.length).toBeLessThanOrEqual(most);
  expect(told.gaps.reduce((all, { count }) => all + count, 0)).toBe(within.length);
  if (within.length <= most) {
    expect(told.gaps.map((gap) => [gap.fromMs, gap.toMs, gap.reason, gap.count])).toEqual(
      within.map((gap) => [gap.fromMs, gap.toMs, gap.reason, 1]),
    );
  }
  let at = 0;
  for (const gap of told.gaps) {
    const mine = within.slice(at, (at += gap.count));
    const longest = Math.max(...mine.map((one) => one.toMs - one.fromMs));
    expect([gap.fromMs, gap.toMs, gap.longestMs]).toEqual([mine[0]!.fromMs, mine.at(-1)!.toMs, longest]);
    expect(mine.some((one) => one.reason === gap.reason && one.toMs - one.fromMs === longest)).toBe(true);
    const lostMs = mine.reduce((all, one) => all + Math.min(one.toMs, toMs) - Math.max(one.fromMs, fromMs), 0);
    expect(gap.lostMs).toBeCloseTo(lostMs, 3);
  }

  // errors: the same, those that touch together
  expect(told.errors.length).toBeLessThanOrEqual(most);
  const ends = new Set(gaps.map((gap) => gap.toMs));
  const runs: ScannedEntry[][] = [];
  for (const entry of faulty) {
    const before = runs.at(-1)?.at(-1);
    const touches = before && before.mediaSequence + 1 === entry.mediaSequence && !ends.has(entry.wallMs);
    if (touches) runs.at(-1)!.push(entry);
    else runs.push([entry]);
  }
  if (runs.length <= most) expect(told.errors.length).toBe(runs.length);
  at = 0;
  for (const span of told.errors) {
    const mine = faulty.slice(at, (at += span.count));
    expect([span.fromMs, span.toMs]).toEqual([mine[0]!.wallMs, endMs(mine.at(-1)!)]);
    const { continuity, transportError, syncSkippedBytes, scrambled, lostBytes } = span.kinds;
    expect([continuity, transportError, syncSkippedBytes, scrambled, lostBytes]).toEqual(sum(mine.map(errorsOf)));
  }
  expect(at).toBe(faulty.length);

  // spans: the rest of the window
  let end = fromMs;
  const spans: { fromMs: number; toMs: number }[] = [];
  for (const gap of told.gaps) {
    if (gap.fromMs > end) spans.push({ fromMs: end, toMs: gap.fromMs });
    end = Math.max(end, gap.toMs);
  }
  if (end < toMs) spans.push({ fromMs: end, toMs });
  expect(told.spans).toEqual(isEmpty ? [] : spans);
}

function opened(place: StreamStorage, clock: Clock = new ManualClock(START_MS), maxCacheBytes = 64e6): Playback {
  return openPlayback({
    place: (code) => (code === 'news' ? place : undefined),
    isKnown: () => true,
    clock,
    maxCacheBytes,
    limits: () => ({ liveWindowMs: 24_000, maxWindowMs: DAY_MS }),
  });
}

/** Numbers from a seed, so that what is asked follows from what was drawn. */
function picker(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A moment at, just before or just after where an entry begins or ends; whole milliseconds, as they are asked for. */
function edge({ entries }: Naive, pick: (below: number) => number): number {
  const entry = entries[pick(entries.length)]!;
  return Math.floor(pick(2) === 0 ? entry.wallMs : endMs(entry)) + pick(5) - 2;
}

async function ask(playback: Playback, truth: Naive, pick: (below: number) => number): Promise<void> {
  const windows: { fromMs?: number; toMs?: number }[] = [{}, { fromMs: edge(truth, pick) }, { toMs: edge(truth, pick) }];
  for (let i = 0; i < 6; i++) {
    const [a, b] = [edge(truth, pick), edge(truth, pick)];
    if (a !== b) windows.push({ fromMs: Math.min(a, b), toMs: Math.max(a, b) });
  }
  const { wallMs } = truth.entries[0]!;
  windows.push({ fromMs: wallMs - 9000, toMs: wallMs - 1000 }, { fromMs: endMs(truth.entries.at(-1)!) + 1000 });
  for (const window of windows) {
    const most = [GENEROUS, GENEROUS, 1, 2, 30, 100][pick(6)]!;
    compare(await playback.marks('news', window, most), truth, window, most);
  }
}

describe('G10: marks are those of a scan from end to end', () => {
  it.each([
    ['ours', false],
    ['another system’s', true],
  ])(
    'of any archive, while it grows and is pruned between requests: %s',
    async (_whose, foreign) => {
      const change = fc.oneof(
        fc.record({ steps: drawn.map((list) => list.slice(0, 200)), torn: fc.constantFrom('', '#EXTINF:4.0', '#livetape cc=1') }),
        fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      );
      await fc.assert(
        fc.asyncProperty(drawn, fc.array(change, { maxLength: 5 }), fc.integer(), async (list, changes, seed) => {
          const recorder = new Recorder(foreign);
          await recorder.write(list);
          const clock = new ManualClock(START_MS);
          const pick = picker(seed);
          const playback = opened(recorder.place, clock, [0, 1e6, 64e6][pick(3)]);
          for (const done of [undefined, ...changes]) {
            if (done && 'steps' in done) await recorder.append(done.steps, done.torn);
            else if (done) await recorder.prune(Math.floor(done.share * (recorder.count - 1)));
            clock.advance(201);
            await ask(playback, await naive(recorder.place), pick);
          }
          await playback.close();
        }),
        { numRuns: foreign ? 10 : 20 },
      );
    },
    120_000,
  );

  it('while a writer appends and prunes between any two reads', async () => {
    await fc.assert(
      fc.asyncProperty(drawn, drawn, fc.integer(), async (list, more, seed) => {
        const recorder = new Recorder(false);
        await recorder.write(list);
        const pick = picker(seed);
        let left = 12;
        let writing = Promise.resolve();
        const moving = patched(recorder.place, {
          async readJournal(from, to) {
            if (left > 0 && pick(3) === 0) {
              left -= 1;
              const isGrowth = pick(2) === 0;
              writing = writing.then(() =>
                isGrowth ? recorder.append(more.slice(0, 5), '') : recorder.prune(Math.min(5, recorder.count - 1)),
              );
              await writing;
            }
            return recorder.place.readJournal(from, to);
          },
        });
        const clock = new ManualClock(START_MS);
        const playback = opened(moving, clock);
        for (let round = 0; round < 6; round++) {
          clock.advance(201);
          const told = await playback.marks('news', {}, GENEROUS);
          // Of some moment in between: nothing is told that never was, and no gap is missing between those told.
          expect(told.spans.every(({ fromMs, toMs }) => fromMs < toMs)).toBe(true);
        }
        left = 0;
        clock.advance(201);
        await ask(playback, await naive(recorder.place), pick);
        await playback.close();
      }),
      { numRuns: 20 },
    );
  }, 120_000);

  it('a second request reads what grew alone, and one that is under way is shared', async () => {
    const recorder = new Recorder(false);
    const step: Step = { durationUs: 4_000_000, gapMs: undefined, errors: [0, 0, 0, 0, 0], tag: '' };
    const faulty: Step = { ...step, gapMs: 5000, errors: [3, 0, 0, 0, 0] };
    await recorder.write(Array.from({ length: 8000 }, (_, i) => (i % 1000 === 500 ? faulty : step)));
    let readBytes = 0;
    const counted = patched(recorder.place, {
      async readJournal(from, to) {
        const bytes = await recorder.place.readJournal(from, to);
        readBytes += bytes.byteLength;
        return bytes;
      },
    });
    const clock = new ManualClock(START_MS);
    const playback = opened(counted, clock);
    const size = (await recorder.place.journalSize())!;
    const [one, two] = await Promise.all([playback.marks('news', {}, 100), playback.marks('news', {}, 100)]);
    expect([one.gaps.length, one.errors.length]).toEqual([8, 8]);
    expect(two).toEqual(one);
    expect(readBytes).toBeGreaterThan(size);
    expect(readBytes).toBeLessThan(size * 1.2);
    readBytes = 0;
    expect(await playback.marks('news', {}, 100)).toEqual(one);
    await recorder.append([step, step, faulty], '');
    clock.advance(201);
    expect((await playback.marks('news', {}, 100)).gaps).toHaveLength(9);
    // the look at the journal, and what came
    expect(readBytes).toBeLessThan(100_000);
    await recorder.prune(3000);
    clock.advance(201);
    readBytes = 0;
    expect((await playback.marks('news', {}, 100)).gaps).toHaveLength(6);
    expect(readBytes).toBeLessThan(100_000);
    await playback.close();
  });

  it('is refused where an entry that has them cannot be read, and a window that ends before it begins', async () => {
    const recorder = new Recorder(false);
    await recorder.write([{ durationUs: 4_000_000, gapMs: undefined, errors: [1, 0, 0, 0, 0], tag: '' }]);
    const playback = opened(recorder.place, systemClock);
    await expect(playback.marks('news', { fromMs: 5, toMs: 5 }, 10)).rejects.toMatchObject({ code: 'ARGUMENT_INVALID' });
    await expect(playback.marks('other', {}, 10)).rejects.toMatchObject({ code: 'STREAM_NOT_FOUND' });
    const size = (await recorder.place.journalSize())!;
    const second =
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:04.000Z\n#EXTINF:4.000000,\n#livetape n=1 seq=1 dseq=0 size=1 end=377 crc=00000000 cc=x epoch=1\n1.ts\n';
    await recorder.place.appendJournal(second + second.replaceAll('=1 ', '=2 ').replace(' cc=x', ''), size);
    const broken = opened(recorder.place, systemClock);
    await expect(broken.marks('news', {}, 10)).rejects.toMatchObject({ code: 'ARCHIVE_CORRUPT' });
    await playback.close();
    await broken.close();
  });
});

describe('G10: an archive in a line', () => {
  it('says how much there is and what gaps the last day had, of any archive', async () => {
    await fc.assert(
      fc.asyncProperty(drawn, fc.boolean(), fc.integer(), async (list, foreign, seed) => {
        const recorder = new Recorder(foreign);
        await recorder.write(list);
        const pick = picker(seed);
        if (pick(2) === 0) await recorder.prune(pick(recorder.count));
        const truth = await naive(recorder.place);
        const nowMs = edge(truth, pick) + pick(3) * 43_200_000;
        const playback = opened(recorder.place, new ManualClock(nowMs));
        const summary = await playback.summary('news');
        const within = truth.gaps.filter((gap) => gap.toMs > nowMs - DAY_MS && gap.fromMs < nowMs);
        const gapMs = within.reduce((all, gap) => all + Math.min(gap.toMs, nowMs) - Math.max(gap.fromMs, nowMs - DAY_MS), 0);
        expect(summary).toMatchObject({
          startedAtMs: truth.entries[0]!.wallMs,
          lastSegmentAtMs: endMs(truth.entries.at(-1)!),
          segmentCount: truth.entries.length,
        });
        if (!foreign) expect(summary.totalSizeBytes).toBe(truth.entries.reduce((all, { entry }) => all + (entry.facts?.sizeBytes ?? 0), 0));
        expect(summary.lastDay.gaps).toBe(within.length);
        expect(summary.lastDay.gapMs).toBeCloseTo(gapMs, 3);
        await playback.close();
      }),
      { numRuns: 40 },
    );
  }, 120_000);
});
