/**
 * Timelines against a scan of the same journal from end to end: random archives of ours and of another system's, at rest and while they grow, are pruned,
 * end and begin anew between calls.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scanJournal, type ScannedEntry } from '../src/archive/scan.js';
import { ManualClock, isLivetapeError } from '../src/base/index.js';
import { renderEntry, renderHeader, type PlaylistEntry, type PlaylistHeader } from '../src/hls/index.js';
import { GAP_REASONS } from '../src/model/index.js';
import { createMemoryStorage, type StreamStorage } from '../src/storage/index.js';
import { openTimelines } from '../src/playback/index.js';
import type { Timeline, TimelineEntry } from '../src/playback/index.js';

const START_MS = Date.UTC(2026, 0, 1);

/** How an entry is made from the one before it. */
interface Step {
  readonly durationUs: number;
  readonly gapMs: number | undefined;
  readonly discontinuity: boolean;
  readonly keyframes: number;
  readonly tag: number;
  readonly dated: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  durationUs: fc.oneof(fc.constant(4_000_000), fc.integer({ min: 100_000, max: 6_000_000 })),
  gapMs: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.integer({ min: 1001, max: 100_000 }) }),
  discontinuity: fc.boolean().map((flag) => flag),
  keyframes: fc.oneof({ weight: 8, arbitrary: fc.constant(2) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 64 }) }),
  tag: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 40_000 }) }),
  dated: fc.boolean(),
});

/** An archive as its writer would leave it, in memory. */
class Recorder {
  readonly place: StreamStorage;
  readonly #foreign: boolean;
  entries: PlaylistEntry[] = [];
  life = 1;
  first: number;
  ended = false;
  pruned = false;
  #next: number;
  #dseq = 3;
  #wallMs = START_MS;

  constructor(place: StreamStorage, first: number, foreign: boolean) {
    this.place = place;
    this.first = first;
    this.#next = first;
    this.#foreign = foreign;
  }

  make(from: Step): PlaylistEntry {
    const { durationUs, gapMs, keyframes, tag } = from;
    const sequence = this.#next++;
    const fromMs = Math.floor(this.#wallMs);
    if (gapMs !== undefined) this.#wallMs += gapMs;
    const discontinuity = gapMs !== undefined || (from.discontinuity && sequence % 7 === 0);
    if (discontinuity) this.#dseq += 1;
    const wallMs = Math.floor(this.#wallMs);
    this.#wallMs = wallMs + durationUs / 1000;
    const entry: PlaylistEntry = {
      discontinuity,
      wallMs: this.#foreign && !discontinuity && !from.dated && sequence > this.first ? undefined : wallMs,
      durationUs,
      uri: `${String(sequence).padStart(6, '0')}.ts`,
      unknownTags: tag === 0 || sequence % 61 !== 0 ? [] : [`#EXT-X-WHATEVER:${'é'.repeat(tag)}`],
      facts: this.#foreign
        ? undefined
        : {
            index: sequence,
            mediaSequence: sequence,
            discontinuitySequence: this.#dseq,
            sizeBytes: 376,
            cumulativeBytes: 376 * (sequence + 1),
            crc32: sequence,
            pts: { first90k: 0, end90k: 360_000 },
            keyframes: Array.from({ length: keyframes }, (_, i) => ({ offsetBytes: i * 188, pts90k: i * 3600 })),
            headBytes: 0,
            forced: false,
            lostBytes: 0,
            errors: { continuity: 0, transportError: 0, syncSkippedBytes: 0, scrambled: 0 },
            gap: gapMs === undefined ? undefined : { fromMs, reason: GAP_REASONS[sequence % GAP_REASONS.length]! },
            epoch: 1,
            unknownKeys: [],
          },
    };
    this.entries.push(entry);
    return entry;
  }

  get header(): PlaylistHeader {
    const [first] = this.entries;
    return {
      version: 3,
      targetDurationSec: 6,
      mediaSequence: this.first,
      discontinuitySequence: (first?.facts?.discontinuitySequence ?? 3) - (first?.discontinuity ? 1 : 0),
      type: this.ended ? 'VOD' : undefined,
      life: this.#foreign ? undefined : this.life,
      unknownTags: [],
      unknownKeys: this.pruned ? [`pruned=0-${this.first}`] : [],
    };
  }

  async write(torn = ''): Promise<void> {
    await this.place.create();
    await this.place.replaceJournal([
      renderHeader(this.header),
      this.entries.map(renderEntry).join(''),
      this.ended ? '#EXT-X-ENDLIST\n' : '',
      torn,
    ]);
  }

  async append(steps: readonly Step[], torn = ''): Promise<void> {
    const text = steps.map((one) => renderEntry(this.make(one))).join('');
    const size = new TextEncoder().encode(renderHeader(this.header) + this.entries.map(renderEntry).join('')).byteLength;
    await this.place.appendJournal(text + torn, size - new TextEncoder().encode(text).byteLength);
  }

  /** So many leave the head. */
  async prune(count: number): Promise<void> {
    this.entries = this.entries.slice(count);
    this.first += count;
    this.pruned = true;
    const startedAt = new Date(START_MS + this.first * 4000).toISOString();
    await this.place.putCache('index.json', JSON.stringify({ stream_code: 'news', started_at: startedAt }));
    await this.write();
  }
}

async function oracle(place: StreamStorage): Promise<ScannedEntry[]> {
  const entries = await scanJournal(place, () => {
    const found: ScannedEntry[] = [];
    return { add: (entry) => void found.push(entry), result: () => found };
  });
  return entries ?? [];
}

const endMs = ({ wallMs, entry }: ScannedEntry): number => wallMs + entry.durationUs / 1000;

async function collect<T>(chunks: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

async function textOf(timeline: Timeline, from: number, to: number): Promise<string> {
  const chunks = await collect(timeline.text(from, to));
  for (const chunk of chunks) expect(chunk.at(-1)).toBe(0x0a);
  return Buffer.concat(chunks).toString();
}

const clientText = (entries: readonly ScannedEntry[]): string =>
  entries.map(({ entry, wallMs }) => renderEntry({ ...entry, facts: undefined, wallMs: Math.floor(wallMs) })).join('');

/** Asks all that can be asked, of a few ranges that `pick` chooses. */
async function compare(timeline: Timeline, entries: readonly ScannedEntry[], pick: (below: number) => number): Promise<void> {
  const [first, last] = [entries[0]!, entries.at(-1)!];
  expect(timeline).toMatchObject({
    firstSequence: first.mediaSequence,
    endSequence: last.mediaSequence + 1,
    startMs: first.wallMs,
    endMs: endMs(last),
    targetDurationSec: 6,
    playlistVersion: 3,
  });
  const a = pick(entries.length + 1);
  const b = pick(entries.length + 1);
  const [from, to] = [Math.min(a, b), Math.max(a, b)];
  const slice = entries.slice(from, to);
  const [fromSequence, toSequence] = [first.mediaSequence + from, first.mediaSequence + to];
  expect(await textOf(timeline, fromSequence, toSequence)).toBe(clientText(slice));
  const listed: TimelineEntry[] = (await collect(timeline.entries(fromSequence, toSequence))).flat();
  const given = entries.map((entry, i) => expected(entry, entries[i - 1])).slice(from, to);
  expect(listed).toEqual(given);
  expect(await timeline.gaps(fromSequence, toSequence)).toEqual(
    given.flatMap(({ mediaSequence, gap }) => (gap === undefined ? [] : [{ sequence: mediaSequence, gap }])),
  );
  for (const i of [0, entries.length - 1, pick(entries.length), pick(entries.length)]) {
    const scanned = entries[i]!;
    expect(await timeline.entry(scanned.mediaSequence)).toEqual(expected(scanned, entries[i - 1]));
    for (const ms of [scanned.wallMs, scanned.wallMs - 1, endMs(scanned), endMs(scanned) - 0.5]) {
      const found = entries.findIndex((entry) => endMs(entry) > ms);
      expect(await timeline.at(ms)).toBe(first.mediaSequence + (found < 0 ? entries.length : found));
    }
    const wanted = pick(40_000);
    let start = i + 1;
    for (let sum = 0; start > 0 && sum < wanted * 1000;) sum += entries[--start]!.entry.durationUs;
    expect(await timeline.back(scanned.mediaSequence + 1, wanted)).toBe(first.mediaSequence + start);
  }
  expect(await timeline.at(-Infinity)).toBe(timeline.firstSequence);
  expect(await timeline.at(Infinity)).toBe(timeline.endSequence);
  expect(await timeline.back(timeline.endSequence, Infinity)).toBe(timeline.firstSequence);
}

/** Another system's gaps are where its date-times leave out more than a second. */
function expected({ entry, mediaSequence, discontinuitySequence, wallMs }: ScannedEntry, before: ScannedEntry | undefined): TimelineEntry {
  const { facts } = entry;
  const implied =
    facts === undefined && before !== undefined && wallMs - endMs(before) > 1000
      ? { fromMs: endMs(before), toMs: wallMs, reason: 'signal' as const }
      : undefined;
  return {
    mediaSequence,
    discontinuitySequence,
    discontinuity: entry.discontinuity,
    wallMs,
    durationUs: entry.durationUs,
    uri: entry.uri,
    sizeBytes: facts?.sizeBytes,
    cumulativeBytes: facts?.cumulativeBytes,
    headBytes: facts?.headBytes,
    keyframes: facts?.keyframes,
    pts: facts?.pts,
    gap: facts?.gap ? { ...facts.gap, toMs: wallMs } : implied,
  };
}

/** Numbers from a seed, so that what is asked follows from what was drawn. */
function picker(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Many entries from a few steps. */
const steps = (max: number): fc.Arbitrary<Step[]> =>
  fc.tuple(fc.array(step, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max })).map(([few, count]) => {
    return Array.from({ length: count }, (_, i) => few[(i * 7 + (i >> 4)) % few.length]!);
  });

describe('P3, P4: a timeline says what a scan from end to end says', () => {
  it.each([false, true])('of any archive (another system: %s)', async (foreign) => {
    await fc.assert(
      fc.asyncProperty(steps(1500), fc.integer({ min: 0, max: 3000 }), fc.integer(), async (drawn, first, seed) => {
        const place = createMemoryStorage().stream('news');
        const recorder = new Recorder(place, first, foreign);
        for (const one of drawn) recorder.make(one);
        await recorder.write('#EXTINF:4,\n00');
        const timelines = openTimelines({ place: () => place, clock: new ManualClock(START_MS), maxCacheBytes: seed % 2 === 0 ? 1e9 : 0 });
        const entries = await oracle(place);
        expect(entries).toHaveLength(drawn.length);
        await compare(await timelines.timeline('news'), entries, picker(seed));
      }),
      { numRuns: 25 },
    );
  });
});

/** What happens to an archive between two calls. */
type Change =
  | { readonly kind: 'append'; readonly steps: readonly Step[]; readonly torn: boolean }
  | { readonly kind: 'prune'; readonly share: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'begin' };

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), steps: steps(400), torn: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('prune' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'end' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'begin' as const }) },
);

async function apply(recorder: Recorder, done: Change): Promise<void> {
  if (done.kind === 'append') {
    if (!recorder.ended) await recorder.append(done.steps, done.torn ? '#EXTINF:4.0' : '');
  } else if (done.kind === 'prune') {
    // the newest stays
    const count = Math.floor(done.share * (recorder.entries.length - 1));
    if (count === 0) return;
    if (recorder.ended) recorder.life += 1;
    await recorder.prune(count);
  } else {
    if (recorder.ended === (done.kind === 'end')) return;
    recorder.ended = done.kind === 'end';
    if (!recorder.ended) recorder.life += 1;
    await recorder.write();
  }
}

describe('P1, P2: an archive that changes is followed', () => {
  it.each([false, true])('whatever happens to it between calls (another system: %s)', async (foreign) => {
    await fc.assert(
      fc.asyncProperty(steps(700), fc.array(change, { maxLength: 6 }), fc.integer(), async (drawn, changes, seed) => {
        const place = createMemoryStorage().stream('news');
        const recorder = new Recorder(place, 0, foreign);
        for (const one of drawn) recorder.make(one);
        await recorder.write();
        const clock = new ManualClock(START_MS);
        const pick = picker(seed);
        const timelines = openTimelines({ place: () => place, clock, maxCacheBytes: pick(2) * 1e6 });
        const versions = new Map<string, string>();
        const held: { timeline: Timeline; entries: ScannedEntry[] }[] = [];
        for (const done of [undefined, ...changes]) {
          if (done) await apply(recorder, done);
          clock.advance(201);
          const timeline = await timelines.timeline('news');
          const entries = await oracle(place);
          await compare(timeline, entries, pick);
          expect(timeline.ended).toBe(recorder.ended);
          // the version tells journals apart, torn entries aside
          const said = JSON.stringify([recorder.header, entries.length, recorder.ended]);
          expect(versions.get(timeline.version) ?? said).toBe(said);
          versions.set(timeline.version, said);
          for (const old of held) await stillHolds(old.timeline, old.entries, timeline, foreign, pick);
          held.push({ timeline, entries });
        }
      }),
      { numRuns: 30 },
    );
  });
});

/** A timeline of before a change: what is still there is as it was, what went is WINDOW_EXPIRED. */
async function stillHolds(
  old: Timeline,
  entries: readonly ScannedEntry[],
  now: Timeline,
  foreign: boolean,
  pick: (below: number) => number,
): Promise<void> {
  const i = pick(entries.length);
  const sequence = old.firstSequence + i;
  const toSequence = Math.min(old.endSequence, sequence + 600);
  const outcome = await textOf(old, sequence, toSequence).catch((error: unknown) => error);
  if (sequence < now.firstSequence) expect(isLivetapeError(outcome, 'WINDOW_EXPIRED'), String(outcome)).toBe(true);
  else if (!foreign) expect(outcome).toBe(clientText(entries.slice(i, i + 600)));
  // Another system's entries are counted from the first, and index.json alone says when that is.
  else if (typeof outcome === 'string') expect(undated(outcome)).toBe(undated(clientText(entries.slice(i, i + 600))));
}

const undated = (text: string): string => text.replaceAll(/^#EXT-X-PROGRAM-DATE-TIME:.*\n/gm, '');
