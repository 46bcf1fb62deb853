/** The status of an archive is the same from index.json, from one that lags or leads, and from the journal; ranges are what lies between the gaps. */
import { describe, expect, it } from 'vitest';
import { START_MS, endOf, factsAt, fresh, indexOf, open, patched, record } from '../../../test/archiveLab.js';
import type { ArchiveWriter } from '../../archive/index.js';
import { ManualClock } from '../../base/index.js';
import type { StreamStorage } from '../../storage/index.js';
import type { ArchiveStatus, Timeline } from '../contract.js';
import { openTimelines } from '../timeline/timelines.js';
import { archiveStatus } from './status.js';

const at = (seconds: number): number => START_MS + seconds * 1000;
const GAP = { fromMs: at(20), toMs: at(40), reason: 'signal' as const };
/** Of {@link made}. */
const STATUS: ArchiveStatus = {
  status: 'recording',
  startedAtMs: START_MS,
  lastSegmentAtMs: at(52),
  segmentCount: 8,
  totalSizeBytes: 188 * 36,
  gaps: [GAP],
  ranges: [
    { fromMs: at(0), toMs: at(20) },
    { fromMs: at(40), toMs: at(52) },
  ],
};

/** Five segments of 4 s, 20 s without signal, three more; of 1 to 8 packets. */
async function made(count = 8): Promise<{ place: StreamStorage; archive: ArchiveWriter }> {
  const { storage, place } = fresh();
  const archive = await open(storage, { retention: true });
  await archive.beginLife(6);
  for (let n = 0; n < count; n++) {
    const facts = n === 5 ? factsAt(GAP.toMs, 4, { discontinuity: true, gap: GAP }) : factsAt(endOf(archive));
    await record(archive, facts, 188 * (n + 1));
  }
  await indexSays(place, count);
  return { place, archive };
}

/** index.json is written behind the commits. */
const indexSays = (place: StreamStorage, count: number): Promise<void> =>
  expect.poll(() => indexOf(place)).toContain(`"segment_count": ${count},`);

const timelineOf = (place: StreamStorage): Promise<Timeline> =>
  openTimelines({ place: () => place, clock: new ManualClock(START_MS), maxCacheBytes: 1e6 }).timeline('news');

/** The place, and how many bytes of its journal were read. */
function counted(place: StreamStorage): { place: StreamStorage; readBytes: () => number } {
  let readBytes = 0;
  const reading = patched(place, {
    async readJournal(from, to) {
      const bytes = await place.readJournal(from, to);
      readBytes += bytes.byteLength;
      return bytes;
    },
  });
  return { place: reading, readBytes: () => readBytes };
}

async function status(place: StreamStorage, timeline?: Timeline): Promise<{ status: ArchiveStatus; readBytes: number }> {
  const reading = counted(place);
  return { status: await archiveStatus(timeline ?? (await timelineOf(place)), reading.place), readBytes: reading.readBytes() };
}

describe('totals', () => {
  it('are those of index.json, which costs no look at the journal', async () => {
    const { place } = await made();
    expect(await status(place)).toEqual({ status: STATUS, readBytes: 0 });
  });

  it.each([
    ['missing', undefined],
    ['no JSON', '{'],
    ['of a newer format', '{"format": 99}'],
    ['of another archive', '{"segment_count": 8, "started_at": "2025-01-01T00:00:00Z", "last_segment_at": "2026-01-01T00:00:52Z"}'],
    ['of another end', '{"segment_count": 8, "started_at": "2026-01-01T00:00:00Z", "last_segment_at": "2026-01-01T00:00:50Z"}'],
    [
      'of more segments that end no later',
      '{"segment_count": 9, "started_at": "2026-01-01T00:00:00Z", "last_segment_at": "2026-01-01T00:00:52Z"}',
    ],
    ['of far fewer', '{"segment_count": 0, "started_at": "2026-01-01T00:00:00Z", "last_segment_at": "2026-01-01T00:00:00Z"}'],
  ])('are counted where index.json is %s', async (_, index) => {
    const { place } = await made();
    const read = (name: string, from: number, to: number): Promise<Uint8Array | undefined> =>
      name === 'index.json'
        ? Promise.resolve(index === undefined ? undefined : new TextEncoder().encode(index))
        : place.read(name, from, to);
    const found = await status(patched(place, { read }));
    expect(found.status).toEqual(STATUS);
    expect(found.readBytes).toBeGreaterThan(0);
  });

  it('are made up where index.json lags behind, its gaps too', async () => {
    const early = await indexOf((await made(5)).place);
    const { place } = await made();
    await place.putCache('index.json', early!);
    expect(await status(place)).toEqual({ status: STATUS, readBytes: 0 });
  });

  it('are those of index.json where the timeline is a little older', async () => {
    const { place, archive } = await made();
    const timeline = await timelineOf(place);
    await record(archive, undefined, 188);
    await indexSays(place, 9);
    const later = { lastSegmentAtMs: at(56), segmentCount: 9, totalSizeBytes: 188 * 37 };
    const ranges = [STATUS.ranges[0], { fromMs: at(40), toMs: at(56) }];
    expect(await status(place, timeline)).toEqual({ status: { ...STATUS, ...later, ranges }, readBytes: 0 });
  });

  it('are of what is kept; a gap before it is not told of', async () => {
    const { place, archive } = await made();
    for (let n = 0; n < 10; n++) await record(archive, undefined, 188);
    expect(await archive.prune({ endedBeforeMs: at(39) })).toMatchObject({ segmentCount: 5 });
    await indexSays(place, 13);
    const found = await status(place);
    expect(found.status).toMatchObject({ startedAtMs: at(40), segmentCount: 13, totalSizeBytes: 188 * 31, gaps: [] });
    expect(found.status.ranges).toEqual([{ fromMs: at(40), toMs: at(92) }]);
  });

  it('say when the recording was stopped', async () => {
    const { place, archive } = await made();
    await archive.stop();
    expect((await status(place)).status).toEqual({ ...STATUS, status: 'stopped' });
  });
});

describe('a window', () => {
  it.each<[string, [number, number], boolean, ArchiveStatus['ranges']]>([
    ['before the gap', [5, 15], false, [{ fromMs: at(5), toMs: at(15) }]],
    ['up to the gap', [5, 20], false, [{ fromMs: at(5), toMs: at(20) }]],
    [
      'across it',
      [5, 45],
      true,
      [
        { fromMs: at(5), toMs: at(20) },
        { fromMs: at(40), toMs: at(45) },
      ],
    ],
    ['into it', [5, 30], true, [{ fromMs: at(5), toMs: at(20) }]],
    ['out of it', [30, 45], true, [{ fromMs: at(40), toMs: at(45) }]],
    ['in it', [25, 30], true, []],
    ['of all', [-1000, 1000], true, STATUS.ranges],
    ['before all', [-20, -10], false, []],
    ['after all', [100, 200], false, []],
  ])('%s', async (_, [from, to], gap, ranges) => {
    const { place } = await made();
    const found = await archiveStatus(await timelineOf(place), place, { fromMs: at(from), toMs: at(to) });
    expect(found).toEqual({ ...STATUS, gaps: gap ? [GAP] : [], ranges });
  });
});
