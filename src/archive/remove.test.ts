/** K19: a deleted archive is gone, whatever fails in between; its numbers are not used again, its keeps stay, and what somebody else put there is left alone. */
import { describe, expect, it } from 'vitest';
import { START_MS, endOf, entriesOf, factsAt, record, rejects } from '../../test/archiveLab.js';
import { faultyStorage } from '../../test/faultyStorage.js';
import { ManualClock, silentLogger } from '../base/index.js';
import { createMemoryStorage, type Storage } from '../storage/index.js';
import { listKeeps, loadIndex, makeKeep, openArchiveForWriting, removeArchive, type ArchiveWriter } from './index.js';

const open = (storage: Storage, clock = new ManualClock(START_MS + 1e6)): Promise<ArchiveWriter> =>
  openArchiveForWriting({ storage: storage.stream('news'), streamCode: 'news', retention: true, clock, log: silentLogger });

/** Records so many segments of 4 s, and lets go of the archive. */
async function recorded(storage: Storage, segments: number): Promise<void> {
  const archive = await open(storage);
  await archive.beginLife(6);
  for (let i = 0; i < segments; i++) await record(archive, factsAt(archive.last === undefined ? START_MS : endOf(archive), 4));
  await archive.close();
}

const namesIn = async (storage: Storage): Promise<string[]> => {
  const names: string[] = [];
  for await (const name of storage.stream('news').files.list()) names.push(name);
  return names.sort();
};

describe('K19: deleting an archive', () => {
  it('takes all media and the playlist away, and leaves the number that comes next', async () => {
    const storage = createMemoryStorage();
    await recorded(storage, 5);
    expect(await removeArchive(storage.stream('news'), 'news')).toEqual({ fileCount: 5, sizeBytes: 5 * 376 });
    expect(await namesIn(storage)).toEqual(['index.json']);
    expect(await loadIndex(storage.stream('news'))).toMatchObject({ segmentCount: 0, totalSizeBytes: 0, nextIndex: 5, epoch: 1 });
    // Recorded again it goes on above all it ever had.
    await recorded(storage, 1);
    const [entry, ...more] = await entriesOf(storage.stream('news'));
    expect([entry?.uri, entry?.facts?.mediaSequence, entry?.facts?.epoch, more]).toEqual(['000005.ts', 5, 2, []]);
  });

  it('lets keeps be', async () => {
    const storage = createMemoryStorage();
    await recorded(storage, 5);
    const clock = new ManualClock(START_MS + 1e6);
    const keep = await makeKeep(storage, 'news', { name: 'final', from: new Date(START_MS), to: new Date(START_MS + 8000) }, clock);
    await removeArchive(storage.stream('news'), 'news');
    expect(await listKeeps(storage)).toEqual([keep]);
    expect(await storage.keeps.place({ streamCode: 'news', name: 'final' }).size('000000.ts')).toBe(376);
  });

  it('is refused while it is recorded, and where there is nothing', async () => {
    const storage = createMemoryStorage();
    await rejects(removeArchive(storage.stream('news'), 'news'), 'STREAM_NOT_FOUND');
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive, factsAt(START_MS, 4));
    await rejects(removeArchive(storage.stream('news'), 'news'), 'STREAM_OWNED');
    expect(await entriesOf(storage.stream('news'))).toHaveLength(1);
    await archive.close();
  });

  it('deletes what cannot be read and what was set aside, too; never what is not its own', async () => {
    const storage = createMemoryStorage();
    await recorded(storage, 3);
    const place = storage.stream('news');
    await place.files.copy('000001.ts', '000001.ts.corrupt-20260101T000000Z');
    await place.files.copy('000001.ts', '000012.ts.part');
    await place.files.copy('000001.ts', 'notes.txt');
    await place.files.trim('playlist.m3u8', 30);
    await removeArchive(place, 'news');
    expect(await namesIn(storage)).toEqual(['index.json', 'notes.txt']);
    expect((await loadIndex(place))?.nextIndex).toBe(13);
  });

  it('that is broken off lists nothing that is gone, and is finished by the next', async () => {
    let cuts = 0;
    for (let step = 0; step < 200; step++) {
      const storage = createMemoryStorage();
      await recorded(storage, 4);
      const faulty = faultyStorage(storage, { at: step, times: Infinity, errno: 'EIO', how: step % 2 === 0 ? 'before' : 'after' });
      const failed = await removeArchive(faulty.stream('news'), 'news').then(
        () => false,
        () => true,
      );
      if (!failed) break;
      cuts += 1;
      const place = storage.stream('news');
      const size = await place.journalSize();
      // Either all of it is still listed and there, or nothing is listed.
      if (size !== undefined && size > 0) {
        for (const { uri } of await entriesOf(place)) expect(await place.size(uri), `step ${step}: ${uri}`).toBe(376);
      }
      await removeArchive(place, 'news');
      expect(await namesIn(storage)).toEqual(['index.json']);
      expect((await loadIndex(place))?.nextIndex).toBe(4);
    }
    expect(cuts).toBeGreaterThan(5);
  });
});
