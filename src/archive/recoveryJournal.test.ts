/** K1, K3: what is done about a damaged playlist and the copies that a crash left: only copies are kept, and memory is bounded. */
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { START_MS, entriesOf, fresh, open, playlistOf, record } from '../../test/archiveLab.js';
import { channel, cutOf, place as placeOf, recorded, repair } from '../../test/checkLab.js';
import { faultyStorage } from '../../test/faultyStorage.js';
import { temporaryFolder } from '../../test/lab.js';
import { silentLogger, systemClock } from '../base/index.js';
import { createMemoryStorage, type StreamStorage } from '../storage/index.js';
import { openArchiveForWriting } from './index.js';
import { stretchesFrom, stretchesOf, type Stretch } from './recoveryEntries.js';

async function put(place: StreamStorage, name: string, text: string): Promise<void> {
  const upload = place.put('999999.ts');
  void upload.write(Buffer.from(text));
  await upload.commit();
  await place.files.rename('999999.ts', name);
}

async function namesOf(place: StreamStorage): Promise<string[]> {
  const names: string[] = [];
  for await (const name of place.files.list()) names.push(name);
  return names.sort();
}

describe('K3: a copy of the playlist that a crash left', () => {
  const without: readonly (readonly [string, (place: StreamStorage) => Promise<unknown>])[] = [
    ['is missing', (place) => place.files.remove('playlist.m3u8')],
    ['is empty', (place) => place.replaceJournal([''])],
    ['cannot be read', (place) => place.replaceJournal(['\0\0\0\0\n'])],
    ['holds no entry', async (place) => place.replaceJournal([(await playlistOf(place)).split('#EXT-X-PROGRAM')[0] ?? ''])],
  ];
  it.each(without)('is kept where the playlist %s', async (_, damage) => {
    const { storage, place } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    for (let i = 0; i < 5; i++) await record(archive);
    await archive.close();
    const text = await playlistOf(place);
    await damage(place);
    await put(place, 'playlist.m3u8.tmp', text);
    const again = await open(storage);
    const left = again.healed.find(({ found }) => found === 'leftover_file');
    await again.close();
    expect(left).toMatchObject({ done: 'set_aside', file: 'playlist.m3u8.tmp' });
    expect(Buffer.from((await place.files.read(left?.keptAs ?? '', 0, 1e6)) ?? []).toString()).toBe(text);
    expect(await namesOf(place)).not.toContain('playlist.m3u8.tmp');
    expect(await entriesOf(place)).toEqual([]);
  });

  it('is what check --repair takes the entries from', async () => {
    const folder = await recorded([cutOf(channel(12), 12, 0, 12)], { root: await temporaryFolder() });
    const place = placeOf(folder);
    const entries = await entriesOf(place);
    expect(entries.length).toBeGreaterThan(1);
    const text = await playlistOf(place);
    await place.replaceJournal(['']);
    await put(place, 'playlist.m3u8.tmp', text);
    const options = { storage: place, streamCode: basename(folder), retention: false, clock: systemClock, log: silentLogger };
    await (await openArchiveForWriting(options)).close();
    expect(await entriesOf(place)).toEqual([]);
    await repair(folder);
    expect((await entriesOf(place)).map(({ uri, wallMs }) => ({ uri, wallMs }))).toEqual(
      entries.map(({ uri, wallMs }) => ({ uri, wallMs })),
    );
  });

  it('is removed where the playlist is in use', async () => {
    const { storage, place } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive);
    await archive.close();
    await put(place, 'playlist.m3u8.tmp', await playlistOf(place));
    const again = await open(storage);
    expect(again.healed).toMatchObject([{ found: 'leftover_file', done: 'removed', file: 'playlist.m3u8.tmp' }]);
    await again.close();
  });
});

describe('K3: a deep playlist that is damaged', () => {
  const entry = (n: number): string =>
    `#EXT-X-PROGRAM-DATE-TIME:${new Date(START_MS + n * 4000).toISOString()}\n#EXTINF:4.000000,\n#livetape n=${n} seq=${n} dseq=0 size=376` +
    ` end=${376 * (n + 1)} crc=00000000 pts=0-360000 keys=0@0 epoch=1\n${String(n).padStart(6, '0')}.ts\n`;

  it.each([
    ['after its tenth entry, up to its end', 10, 20_000],
    ['in the middle, up to its end', 10_000, 20_000],
  ])('%s: is read in blocks, and cut before the damage', async (_, from, to) => {
    const inner = createMemoryStorage();
    const place = inner.stream('news');
    const archive = await open(inner);
    await archive.beginLife(60);
    await record(archive);
    const header = (await playlistOf(place)).split('#EXT-X-PROGRAM')[0] ?? '';
    await archive.close();
    const entries = Array.from({ length: to }, (_none, n) => (n < from ? entry(n) : entry(n).replace(',\n', ',\0\0\n#EXTINF:x\n')));
    await place.replaceJournal([header, entries.join('')]);
    const storage = faultyStorage(inner);
    const again = await open(storage);
    expect(again.last?.index).toBe(from - 1);
    expect(again.healed.map(({ found }) => found)).toContain('playlist_tail_unreadable');
    await again.close();
    const reads = storage.operations.filter(({ name }) => name === 'readJournal').map(({ bytes }) => bytes);
    expect(reads.length).toBeGreaterThan(40);
    expect(Math.max(...reads)).toBeLessThanOrEqual(64 * 1024);
  });
});

describe('stretches of a playlist in blocks', () => {
  const all = async (text: string, atEntry: boolean, fromByte = 0): Promise<Stretch[]> => {
    const place = createMemoryStorage().stream('news');
    await place.create();
    await place.appendJournal(text, 0);
    const found: Stretch[] = [];
    for await (const stretch of stretchesFrom(place, { fromByte, toByte: Buffer.byteLength(text), atEntry })) found.push(stretch);
    return found;
  };

  it('are those of the whole, wherever a block ends', async () => {
    const one = '#EXTINF:4.000000,\n000000.ts\n\n\0\0#\n#x\r\n\r\nfoo\n';
    for (let shift = 0; shift < one.length; shift += 9) {
      const text = `${'#'.repeat(65_536 - shift)}\n${one.repeat(200)}#EXTINF`;
      for (const atEntry of [true, false])
        expect(JSON.stringify(await all(text, atEntry))).toBe(JSON.stringify(stretchesOf(Buffer.from(text), atEntry)));
    }
  });

  it('a stretch that is longer than any entry is one that cannot be read, and is not held', async () => {
    const one = '#EXTINF:4.000000,\n000000.ts\n';
    const found = await all(`${one}${'\0'.repeat(5_000_000)}\n${one}${one}`, true);
    expect(found.map(({ entry: read }) => read?.uri)).toEqual(['000000.ts', undefined, '000000.ts']);
    expect(found[1]?.fromByte).toBe(one.length);
    expect(found[2]?.toByte).toBe(5_000_000 + 1 + 3 * one.length);
  });
});
