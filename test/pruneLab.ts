/** What the tests of retention share: an archive on a clock that is moved by hand, filled, watched and summed up. */
import { expect } from 'vitest';
import { START_MS, Watch, checkListed, endOf, entriesOf, factsAt, record } from './archiveLab.js';
import { openArchiveForWriting, type ArchiveWriter } from '../src/archive/index.js';
import { segmentName } from '../src/archive/survey.js';
import { ManualClock, silentLogger } from '../src/base/index.js';
import { parseHeader, renderEntry, renderHeader } from '../src/hls/index.js';
import { createMemoryStorage, type Storage, type StreamStorage } from '../src/storage/index.js';

/** Three target durations of six seconds, and a tick. */
export const GRACE_MS = 19_000;

export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
}

export interface Lab {
  readonly storage: Storage;
  readonly place: StreamStorage;
  readonly clock: ManualClock;
  readonly watch: Watch;
  open(retention?: boolean): Promise<ArchiveWriter>;
  header(): Promise<NonNullable<ReturnType<typeof parseHeader>>['header']>;
  files(): Promise<string[]>;
  /** Lets time pass, and what falls due by it be done. */
  pass(ms: number): Promise<void>;
}

export function lab(storage: Storage = createMemoryStorage(), inner: Storage = storage): Lab {
  const clock = new ManualClock(START_MS);
  const place = inner.stream('news');
  return {
    storage,
    place,
    clock,
    watch: new Watch(place),
    open: (retention = true) =>
      openArchiveForWriting({ storage: storage.stream('news'), streamCode: 'news', retention, clock, log: silentLogger }),
    header: async () => parseHeader(await place.readJournal(0, 1e9), true)!.header,
    files: async () => (await place.list()).filter((name) => name.endsWith('.ts')),
    async pass(ms) {
      clock.advance(ms);
      await settle();
    },
  };
}

/** `count` segments of four seconds; every `tagEvery`th begins after a gap. */
export async function fill(archive: ArchiveWriter, count: number, tagEvery = 0): Promise<void> {
  if (archive.life === undefined) await archive.beginLife(6);
  for (let i = 0; i < count; i++) {
    const tag = tagEvery > 0 && i % tagEvery === tagEvery - 1;
    const fromMs = endOf(archive);
    const wallMs = fromMs + (tag ? 10_000 : 0);
    await record(archive, factsAt(wallMs, 4, tag ? { discontinuity: true, gap: { fromMs, toMs: wallMs, reason: 'signal' } } : {}));
  }
}

/** A playlist of `count` segments, without their media. */
export async function fillAtOnce(place: StreamStorage, count: number): Promise<void> {
  const small = lab();
  const archive = await small.open();
  await fill(archive, 1);
  await archive.close();
  const [entry] = await entriesOf(small.place);
  const text = Array.from({ length: count }, (_, i) =>
    renderEntry({
      ...entry!,
      wallMs: START_MS + i * 4000,
      uri: segmentName(i),
      facts: { ...entry!.facts!, index: i, mediaSequence: i, cumulativeBytes: (i + 1) * 376 },
    }),
  );
  await place.create();
  await place.replaceJournal([renderHeader(await small.header()), text.join('')]);
}

/** What the writer says of its sums is what a fresh look at the archive says. */
export async function sumsAgree(at: Lab, archive: ArchiveWriter): Promise<void> {
  const entries = await checkListed(at.place);
  expect(archive.totals).toMatchObject({
    segmentCount: entries.length,
    sizeBytes: entries.reduce((sum, entry) => sum + entry.facts!.sizeBytes, 0),
    startedAtMs: entries[0]?.wallMs,
  });
  const gaps = entries.flatMap((entry) => (entry.facts!.gap ? [{ ...entry.facts!.gap, toMs: entry.wallMs }] : []));
  expect(archive.totals.gaps).toEqual(gaps);
}
