/**
 * Going on with an archive that is there: what is read to resume it, numbers that are never used twice, and the lives
 * of a playlist.
 */
import { describe, expect, it } from 'vitest';
import {
  START_MS,
  checkListed,
  endOf,
  entriesOf,
  factsAt,
  fresh,
  indexOf,
  mediaOf,
  open,
  playlistOf,
  record,
} from '../../test/archiveLab.js';
import { faultyStorage } from '../../test/faultyStorage.js';
import { INDEX_NAME, JOURNAL_NAME, type Storage, type StreamStorage } from '../storage/index.js';
import { loadIndex } from './index.js';

describe('resuming', () => {
  it('goes on in the same life, with numbers and sums that go on (F5, F10)', async () => {
    const { storage, place, watch } = fresh();
    const first = await open(storage);
    await first.beginLife(6);
    await record(first);
    await record(
      first,
      factsAt(endOf(first) + 5000, 4, { discontinuity: true, gap: { fromMs: endOf(first), toMs: endOf(first) + 5000, reason: 'signal' } }),
    );
    await watch.look();
    await first.close();
    const archive = await open(storage);
    expect(archive.life).toEqual({ targetDurationSec: 6 });
    expect(archive.last).toEqual(first.last);
    expect(archive.totals).toEqual(first.totals);
    expect(archive.totals.gaps).toHaveLength(1);
    await record(archive);
    await watch.look();
    expect((await checkListed(place)).map((entry) => entry.facts!.index)).toEqual([0, 1, 2]);
    expect(await playlistOf(place)).toContain('life=1\n');
    await archive.close();
  });

  it('reads the sums from head and tail, the gaps from index.json when it is of the newest segment, else from the playlist', async () => {
    for (const damage of ['none', 'missing', 'old', 'not JSON', 'newer'] as const) {
      const { storage, place } = fresh();
      const first = await open(storage);
      await first.beginLife(6);
      await record(first);
      const gapAt = endOf(first) + 5000;
      await record(first, factsAt(gapAt, 4, { discontinuity: true, gap: { fromMs: endOf(first), toMs: gapAt, reason: 'signal' } }));
      await first.close();
      const index = (await indexOf(place))!;
      if (damage === 'missing') await place.remove('index.json');
      if (damage === 'old')
        await place.putCache(
          'index.json',
          index
            .replace('"last_segment_at": "2026-01-01T00:00:13', '"last_segment_at": "2026-01-01T00:00:12')
            .replace('"signal"', '"clock"'),
        );
      if (damage === 'not JSON') await place.putCache('index.json', '\0\0\0');
      if (damage === 'newer') await place.putCache('index.json', index.replace('"format": 1', '"format": 2'));
      const counted = faultyStorage(storage);
      const archive = await open(counted);
      expect(archive.totals).toEqual(first.totals);
      expect(counted.operations.filter(({ name }) => name === 'readJournal').length).toBe(damage === 'none' ? 2 : 5);
      await archive.close();
    }
  });

  it('cuts off a torn entry with the next append (F6)', async () => {
    for (const torn of ['#EXT-X-PROGRAM-DA', '#EXTINF:4.000000,\n000001.ts', '\0'.repeat(200_000), '#EXTINF:x\n#livetape n\n']) {
      const { storage, place, watch } = fresh();
      const first = await open(storage);
      await first.beginLife(6);
      await record(first);
      const text = await watch.look();
      await first.close();
      await place.appendJournal(torn, text.length);
      const archive = await open(storage);
      expect(archive.last).toEqual(first.last);
      await record(archive);
      expect((await watch.look()).startsWith(`${text}#EXT-X-PROGRAM`)).toBe(true);
      expect(await checkListed(place)).toHaveLength(2);
      await archive.close();
    }
  });

  it('reads an empty playlist as none, and sets one aside that it cannot read', async () => {
    const { storage, place } = fresh();
    await place.create();
    await place.appendJournal('', 0);
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive);
    expect(await checkListed(place)).toHaveLength(1);
    await archive.close();
    await place.replaceJournal(['\0\0\0\0\n']);
    const again = await open(storage);
    expect(again.healed.map(({ found, done }) => [found, done])).toEqual([['playlist_unreadable', 'set_aside']]);
    await again.close();
  });
});

describe('numbers (F5)', () => {
  const taken = async (place: StreamStorage, name: string): Promise<void> => {
    const upload = place.put(name);
    await upload.write(new Uint8Array([1]));
    await upload.commit();
  };
  const nextOf = async (storage: Storage): Promise<number> => {
    const archive = await open(storage);
    const segment = archive.openSegment();
    await segment.abort();
    await archive.close();
    return segment.index;
  };

  it('begin at 0, and go on after the last entry', async () => {
    const { storage } = fresh();
    expect(await nextOf(storage)).toBe(0);
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive);
    await archive.close();
    expect(await nextOf(storage)).toBe(1);
  });

  it('go on after what index.json says, also when the journal is gone', async () => {
    const { storage, place } = fresh();
    await place.create();
    await place.putCache('index.json', '{"next_index": 1000000}');
    expect(await nextOf(storage)).toBe(1000000);
    const archive = await open(storage);
    await archive.beginLife(6);
    const segment = await record(archive);
    expect(segment.uri).toBe('1000000.ts');
    // Above what the entries had that are gone (K3).
    expect(segment.mediaSequence).toBe(1000000);
    await archive.close();
    expect(await nextOf(storage)).toBe(1000001);
  });

  it('pass over files that no entry names and remains of a crash, with holes between them', async () => {
    const { storage, place } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive);
    await archive.close();
    await taken(place, '000001.ts');
    await taken(place, '000004.ts');
    const crashed = place.put('000009.ts');
    await crashed.write(new Uint8Array([1]));
    expect(await nextOf(storage)).toBe(10);
    await taken(place, '000018.ts');
    expect(await nextOf(storage)).toBe(10);
  });

  it('are not used again after a segment was given up, also by the next process', async () => {
    const { storage, place } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    const given = archive.openSegment();
    await given.abort();
    expect((await record(archive)).index).toBe(1);
    await archive.openSegment().abort();
    await archive.stop();
    await archive.close();
    expect(await nextOf(storage)).toBe(3);
    expect(await place.list()).toEqual(['000001.ts', 'index.json']);
  });

  it('of a segment that was empty and given up leave no trace; of one that had media, a discontinuity and a gap', async () => {
    const { storage, place, watch } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive);
    await archive.openSegment().abort();
    expect((await record(archive)).discontinuity).toBe(false);
    const given = archive.openSegment();
    await given.write(mediaOf(0));
    await given.abort();
    const endMs = endOf(archive);
    const after = await record(archive, factsAt(endMs + 4000));
    expect(after.discontinuity).toBe(true);
    expect(after.gap).toEqual({ fromMs: endMs, toMs: endMs + 4000, reason: 'disk' });
    await watch.look();
    await checkListed(place);
    await archive.close();
  });
});

describe('lives', () => {
  it('a stop makes it VOD; the next start is a new life that keeps the entries and raises its target to theirs (F13)', async () => {
    const { storage, place, watch } = fresh();
    const first = await open(storage);
    await first.beginLife(8);
    await record(first);
    await watch.look();
    await first.stop();
    expect(first.life).toBeUndefined();
    await watch.look();
    await first.stop();
    await first.close();

    const archive = await open(storage);
    expect(archive.life).toBeUndefined();
    await archive.beginLife(6);
    expect(archive.life).toEqual({ targetDurationSec: 8 });
    const stopped = await watch.look();
    expect(stopped).toContain('ENDLIST');
    await record(archive);
    const text = await watch.look();
    expect(text).toContain(
      '#EXT-X-TARGETDURATION:8\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n#livetape format=1 life=2\n',
    );
    expect(text).not.toContain('ENDLIST');
    expect((await checkListed(place)).length).toBe(2);
    await archive.close();
  });

  it('a life that no longer fits is ended, and one begins that does', async () => {
    const { storage, watch } = fresh();
    const archive = await open(storage, { retention: true });
    await archive.beginLife(6);
    await record(archive);
    await watch.look();
    await archive.beginLife(12);
    expect(await watch.look()).toContain('#EXT-X-PLAYLIST-TYPE:VOD');
    expect(archive.life).toEqual({ targetDurationSec: 12 });
    await record(archive, factsAt(endOf(archive), 11));
    const text = await watch.look();
    expect(text).toContain('TARGETDURATION:12');
    expect(text).toContain('life=2');
    expect(text).not.toContain('PLAYLIST-TYPE');
    await archive.stop();
    await watch.look();
    await archive.close();
  });

  it('a type that no longer fits is changed by a new life only', async () => {
    const { storage, watch } = fresh();
    const first = await open(storage, { retention: false });
    await first.beginLife(6);
    await record(first);
    await watch.look();
    await first.close();
    const archive = await open(storage, { retention: true });
    expect(archive.life).toBeUndefined();
    await archive.beginLife(6);
    await watch.look();
    await record(archive);
    expect(await watch.look()).toContain('DISCONTINUITY-SEQUENCE:0\n#livetape format=1 life=2\n');
    await archive.close();
  });

  it('a stop without any entry writes nothing and removes nothing', async () => {
    const { storage, place } = fresh();
    const archive = await open(storage);
    await archive.stop();
    await archive.beginLife(6);
    await archive.stop();
    await archive.close();
    expect(await place.journalSize()).toBeUndefined();
    expect(await place.list()).toEqual([]);
    // Nor does one in a life that has not begun yet, over entries of the last.
    const first = await open(storage);
    await first.beginLife(6);
    await record(first);
    await first.stop();
    await first.close();
    const text = await playlistOf(place);
    const again = await open(storage);
    await again.beginLife(6);
    await again.stop();
    await again.close();
    expect(await playlistOf(place)).toBe(text);
  });

  it('never renders an entry anew: what is not known is kept by every life (F9)', async () => {
    const { storage, place } = fresh();
    const entry =
      '#EXT-X-KEY:METHOD=NONE\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n#EXTINF:4.0,odd title\n#livetape n=7 seq=3 dseq=2 size=1 end=9 crc=00000000 later=x\n000007.ts\n';
    await place.create();
    await place.replaceJournal([
      '#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n#EXT-X-LATER:1\n#livetape format=1 life=4 key=v\n',
      entry,
      '#EXT-X-ENDLIST\n',
    ]);
    const archive = await open(storage);
    await archive.beginLife(4);
    const next = await record(archive, factsAt(START_MS + 10_000, 4, { discontinuity: true }));
    expect(next).toMatchObject({ index: 8, mediaSequence: 4, discontinuitySequence: 3, cumulativeBytes: 385 });
    expect(await playlistOf(place)).toContain(
      `#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:3\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-LATER:1\n#livetape format=1 life=5 key=v\n${entry}#EXT-X-DISC`,
    );
    await archive.close();
  });

  it("goes on with an archive of the Go system's: above all of its numbers, in a life of our own", async () => {
    const { storage, place } = fresh();
    await place.create();
    for (const [name, size] of [
      ['000000.ts', 100],
      ['000002.ts', 300],
    ] as const) {
      const upload = place.put(name);
      await upload.write(new Uint8Array(size));
      await upload.commit();
    }
    await place.putCache('index.json', '{"stream_code":"news","started_at":"2026-01-01T01:00:00.5+01:00","segment_count":2,"gaps":null}');
    await place.replaceJournal([
      '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXTINF:4.000,\n000000.ts\n#EXTINF:4.000,\n000002.ts\n',
    ]);
    const archive = await open(storage);
    expect(archive.life).toBeUndefined();
    expect(archive.totals).toMatchObject({ segmentCount: 2, sizeBytes: 400, startedAtMs: START_MS + 500 });
    expect(endOf(archive)).toBe(START_MS + 8500);
    await archive.beginLife(4);
    const next = await record(archive, factsAt(START_MS + 60_000, 4, { discontinuity: true }));
    expect(next).toMatchObject({ index: 3, mediaSequence: 2, discontinuitySequence: 1, cumulativeBytes: 776 });
    expect((await entriesOf(place)).map((entry) => entry.uri)).toEqual(['000000.ts', '000002.ts', '000003.ts']);
    await archive.close();
  });
});

describe('the epoch', () => {
  /** A new owner records a segment; answers the epoch that it says. */
  async function take(storage: Storage, place: StreamStorage): Promise<number | undefined> {
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive);
    await archive.close();
    return (await entriesOf(place)).at(-1)?.facts?.epoch;
  }

  it.each([
    ['the playlist', [JOURNAL_NAME]],
    ['index.json', [INDEX_NAME]],
  ])('K7: grows with each owner, also when %s is lost between two', async (_, names) => {
    const { storage, place } = fresh();
    for (const epoch of [1, 2, 3]) expect(await take(storage, place)).toBe(epoch);
    expect((await loadIndex(place))?.epoch).toBe(3);
    for (const name of names) expect(await place.files.remove(name)).toBe(true);
    expect(await take(storage, place)).toBe(4);
    expect((await loadIndex(place))?.epoch).toBe(4);
  });

  it('K7: is not that of entries which a damage cuts off', async () => {
    const { storage, place } = fresh();
    for (const epoch of [1, 2]) expect(await take(storage, place)).toBe(epoch);
    const before = await playlistOf(place);
    expect(await take(storage, place)).toBe(3);
    await place.appendJournal(`${'\0'.repeat(64)}\n${(await playlistOf(place)).slice(before.length)}`, before.length);
    await place.files.remove(INDEX_NAME);
    // What the entry behind the damage said stays said when its segment is entered anew.
    expect(await take(storage, place)).toBe(4);
  });
});
