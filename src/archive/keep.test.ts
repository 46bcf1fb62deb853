/** K13: what a keep holds, what is refused, and that it is complete or not there, whatever fails. */
import { describe, expect, it } from 'vitest';
import { START_MS, Watch, checkListed, endOf, entriesOf, factsAt, playlistOf, record, rejects } from '../../test/archiveLab.js';
import { faultyStorage } from '../../test/faultyStorage.js';
import { LivetapeError, ManualClock, silentLogger } from '../base/index.js';
import { createMemoryStorage, type Storage } from '../storage/index.js';
import { listKeeps, makeKeep, openArchiveForWriting, removeKeep, summarize, type ArchiveWriter, type Keep } from './index.js';

const SECOND = 1000;
const at = (sec: number): Date => new Date(START_MS + sec * SECOND);

/** 20 segments of 4 s, with a gap of 20 s before the eleventh. */
async function recorded(storage: Storage): Promise<{ archive: ArchiveWriter; clock: ManualClock }> {
  const clock = new ManualClock(START_MS + 1e6);
  const archive = await openArchiveForWriting({
    storage: storage.stream('news'),
    streamCode: 'news',
    retention: true,
    clock,
    log: silentLogger,
  });
  await archive.beginLife(6);
  for (let i = 0; i < 20; i++) {
    const fromMs = endOf(archive);
    const wallMs = fromMs + (i === 10 ? 20_000 : 0);
    await record(archive, factsAt(wallMs, 4, i === 10 ? { discontinuity: true, gap: { fromMs, toMs: wallMs, reason: 'signal' } } : {}));
  }
  return { archive, clock };
}

const keepOf = (storage: Storage, clock: ManualClock, fromSec: number, toSec: number, name = 'final'): Promise<Keep> =>
  makeKeep(storage, 'news', { from: at(fromSec), to: at(toSec), name }, clock);

describe('K13: a keep', () => {
  it('holds whole segments, from the one with its beginning to the one with its end, as a VOD', async () => {
    const storage = createMemoryStorage();
    const { archive, clock } = await recorded(storage);
    const keep = await keepOf(storage, clock, 33, 69);
    expect(keep).toMatchObject({ streamCode: 'news', name: 'final', from: at(32), to: at(72), segmentCount: 5, sizeBytes: 5 * 376 });
    const place = storage.keeps.place({ streamCode: 'news', name: 'final' });
    const entries = await checkListed(place);
    expect(entries).toEqual((await entriesOf(storage.stream('news'))).slice(8, 13));
    const text = await new Watch(place).look();
    expect(text).toMatch(
      /^#EXTM3U\n[^]*MEDIA-SEQUENCE:8\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n[^]*#EXT-X-ENDLIST\n$/,
    );
    expect(await summarize(place)).toMatchObject({ gapCount: 1, segmentCount: 5, ended: true });
    expect(await listKeeps(storage)).toEqual([keep]);
    await archive.close();
  });

  it('survives retention', async () => {
    const storage = createMemoryStorage();
    const { archive, clock } = await recorded(storage);
    await keepOf(storage, clock, 0, 8);
    await archive.prune({ maxBytes: 5 * 376, atOnce: true });
    expect(await storage.stream('news').size('000000.ts')).toBeUndefined();
    expect(await checkListed(storage.keeps.place({ streamCode: 'news', name: 'final' }))).toHaveLength(2);
    await keepOf(storage, clock, 0, 100, 'rest');
    const rest = storage.keeps.place({ streamCode: 'news', name: 'rest' });
    expect(await checkListed(rest)).toEqual(await entriesOf(storage.stream('news')));
    expect(await playlistOf(rest)).not.toContain('pruned=');
    await archive.close();
  });

  it('begins after a tag that is counted already', async () => {
    const storage = createMemoryStorage();
    const { archive, clock } = await recorded(storage);
    await keepOf(storage, clock, 60, 64, 'tag');
    await keepOf(storage, clock, 65, 66, 'after');
    expect(await playlistOf(storage.keeps.place({ streamCode: 'news', name: 'tag' }))).toContain('DISCONTINUITY-SEQUENCE:0\n');
    expect(await playlistOf(storage.keeps.place({ streamCode: 'news', name: 'after' }))).toContain('DISCONTINUITY-SEQUENCE:1\n');
    await archive.close();
  });

  it('is refused, each with its code, and nothing is left', async () => {
    const storage = createMemoryStorage();
    const { archive, clock } = await recorded(storage);
    await keepOf(storage, clock, 0, 8);
    await rejects(keepOf(storage, clock, 20, 30), 'KEEP_EXISTS', 'final');
    await rejects(keepOf(storage, clock, 42, 58, 'x'), 'WINDOW_IN_GAP');
    await rejects(keepOf(storage, clock, 200, 300, 'x'), 'WINDOW_IN_GAP');
    await rejects(keepOf(storage, clock, -20, 0, 'x'), 'WINDOW_EXPIRED');
    await rejects(keepOf(storage, clock, 90, 1001, 'x'), 'WINDOW_IN_FUTURE');
    await rejects(keepOf(storage, clock, 8, 8, 'x'), 'ARGUMENT_INVALID');
    await rejects(keepOf(storage, clock, NaN, 8, 'x'), 'ARGUMENT_INVALID');
    for (const name of ['', '..', 'a/b', 'a.b', 'x'.repeat(65), 'é']) await rejects(keepOf(storage, clock, 0, 8, name), 'ARGUMENT_INVALID');
    await rejects(makeKeep(storage, 'none', { from: at(0), to: at(8), name: 'x' }, clock), 'STREAM_NOT_FOUND');
    // What ended a moment ago may have more under way.
    await rejects(
      makeKeep(storage, 'news', { from: at(0), to: at(101), name: 'x' }, new ManualClock(START_MS + 102_000)),
      'WINDOW_IN_FUTURE',
      'so far',
    );
    expect((await listKeeps(storage, 'news')).map(({ name }) => name)).toEqual(['final']);
    expect(await listKeeps(storage, 'other')).toEqual([]);
    await removeKeep(storage, 'news', 'final');
    await rejects(removeKeep(storage, 'news', 'final'), 'KEEP_NOT_FOUND');
    await archive.close();
  });

  it('leaves out what is listed and is not there, as a gap, and says so', async () => {
    const storage = createMemoryStorage();
    const { archive, clock } = await recorded(storage);
    for (const name of ['000003.ts', '000004.ts', '000010.ts']) await storage.stream('news').files.remove(name);
    expect(await keepOf(storage, clock, 0, 68)).toMatchObject({ to: at(68), segmentCount: 9, sizeBytes: 9 * 376, missingCount: 3 });
    const place = storage.keeps.place({ streamCode: 'news', name: 'final' });
    await new Watch(place).look();
    const entries = await checkListed(place);
    expect(entries.map(({ uri }) => Number(uri.slice(0, 6)))).toEqual([0, 1, 2, 5, 6, 7, 8, 9, 11]);
    expect(entries.map(({ facts }) => facts?.discontinuitySequence)).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 2]);
    expect(entries.map(({ facts }) => facts?.mediaSequence)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(entries.at(-1)?.facts).toMatchObject({ cumulativeBytes: 9 * 376, gap: { fromMs: at(40).getTime(), reason: 'disk' } });
    expect(entries[3]?.facts?.gap).toEqual({ fromMs: at(12).getTime(), reason: 'disk' });
    await archive.close();
  });

  it('of what is stored and labelled ahead of now is made', async () => {
    const storage = createMemoryStorage();
    const { archive } = await recorded(storage);
    const early = new ManualClock(START_MS + 1000);
    expect(await keepOf(storage, early, 0, 40)).toMatchObject({ segmentCount: 10 });
    await rejects(keepOf(storage, early, 0, 101, 'x'), 'WINDOW_IN_FUTURE');
    await archive.close();
  });

  it('holds what there is where its beginning was pruned, also under its hands', async () => {
    const inner = createMemoryStorage();
    const { archive, clock } = await recorded(inner);
    let links = 0;
    const storage: Storage = {
      ...inner,
      keeps: {
        list: () => inner.keeps.list(),
        place: (id) => inner.keeps.place(id),
        remove: (id) => inner.keeps.remove(id),
        make: (id, fill) =>
          inner.keeps.make(id, ({ place, link }) =>
            fill({
              place,
              link: async (name) => {
                if (links++ === 2) await archive.prune({ endedBeforeMs: START_MS + 20_000, atOnce: true });
                return link(name);
              },
            }),
          ),
      },
    };
    expect(await keepOf(storage, clock, 0, 40)).toMatchObject({ from: at(20), to: at(40), segmentCount: 5 });
    await checkListed(inner.keeps.place({ streamCode: 'news', name: 'final' }));
    await archive.close();
  });

  it.each(['EIO', 'ENOSPC', 'EROFS', 'EMFILE'])('is complete or not there, whichever operation fails: %s', async (errno) => {
    const counter = faultyStorage(createMemoryStorage());
    const counted = await recorded(counter);
    counter.operations.length = 0;
    await keepOf(counter, counted.clock, 0, 100);
    const operations = counter.operations.map(({ name }) => name);
    expect(operations.filter((name) => name === 'link')).toHaveLength(20);
    expect(operations.length).toBeGreaterThan(24);
    for (const how of ['before', 'half', 'after'] as const) {
      for (let number = 0; number < operations.length; number++) {
        const inner = createMemoryStorage();
        const storage = faultyStorage(inner);
        const { archive, clock } = await recorded(storage);
        storage.plan = { at: storage.operations.length + number, errno, how };
        const error = await keepOf(storage, clock, 0, 100).then(
          () => undefined,
          (cause: unknown) => cause,
        );
        const said = `${how} ${number} ${operations[number]}`;
        expect(error, said).toBeInstanceOf(LivetapeError);
        const left = await listKeeps(inner);
        expect(left.length, said).toBeLessThanOrEqual(operations[number] === 'make' && how === 'after' ? 1 : 0);
        for (const { name } of left) expect(await checkListed(inner.keeps.place({ streamCode: 'news', name }))).toHaveLength(20);
        expect(await checkListed(inner.stream('news'))).toHaveLength(20);
        await archive.close();
      }
    }
  });
});
