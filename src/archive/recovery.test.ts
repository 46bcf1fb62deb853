/** Opening never refuses and loses nothing: damaged playlists of every kind, faults at every operation, and what resuming a deep archive costs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { START_MS, Watch, endOf, entriesOf, factsAt, fresh, open, playlistOf, record } from '../../test/archiveLab.js';
import { faultyStorage, type FaultPlan } from '../../test/faultyStorage.js';
import { isLivetapeError } from '../base/index.js';
import { createMemoryStorage, type Storage, type StreamStorage } from '../storage/index.js';
import { SegmentProbe } from './probe.js';
import { stretchesOf } from './recoveryEntries.js';

const DEMO = readFileSync(join(import.meta.dirname, '../../assets/demo.ts'));

/** A few seconds of the demo from its tables on: a segment as a recorder stores it. */
const MEDIA: Buffer = (() => {
  let at = 0;
  while ((DEMO.readUInt16BE(at + 1) & 0x1fff) !== 0) at += 188;
  return DEMO.subarray(at, at + 188 * 400);
})();

async function put(place: StreamStorage, name: string, bytes: Uint8Array): Promise<void> {
  const upload = place.put(name);
  void upload.write(bytes);
  await upload.commit();
}

/** As a crash leaves it: two listed, one durable and not listed, one cut short. */
async function crashed(storage: Storage): Promise<StreamStorage> {
  const place = storage.stream('news');
  const archive = await open(storage);
  await archive.beginLife(60);
  await record(archive);
  await record(archive);
  await archive.close();
  await put(place, '000002.ts', MEDIA);
  await put(place, '000003.ts', Buffer.concat([MEDIA, Buffer.from([0x47, 1])]));
  await place.files.rename('000003.ts', '000003.ts.part');
  return place;
}

async function allBytes(place: StreamStorage): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for await (const name of place.files.list()) found.set(name, (await place.files.read(name, 0, 1e9))!);
  return found;
}

const holds = (files: Map<string, Uint8Array>, bytes: Uint8Array): boolean =>
  [...files.values()].some((other) => Buffer.compare(other, bytes) === 0);

/** Records one segment after whatever there is. */
async function goOn(storage: Storage): Promise<void> {
  const archive = await open(storage);
  if (archive.life === undefined) await archive.beginLife(60);
  const toMs = Math.max(endOf(archive), START_MS + 3_600_000) + 2000;
  const gap = archive.last && ({ fromMs: endOf(archive), toMs, reason: 'restart' } as const);
  await record(archive, factsAt(toMs, 4, { discontinuity: gap !== undefined, gap }));
  await archive.close();
}

describe('recovery in memory', () => {
  it('enters what a crash left behind, with the facts of its media', async () => {
    const { storage } = fresh();
    const place = await crashed(storage);
    const archive = await open(storage);
    const probe = new SegmentProbe();
    probe.push(MEDIA);
    const { pts, crc32, keyframes } = probe.end();
    expect(archive.healed.map(({ found, done, file }) => `${found} ${done} ${file}`)).toEqual([
      'unlisted_segment entered 000002.ts',
      'upload_remains entered 000003.ts',
    ]);
    expect(archive.last).toMatchObject({ index: 3, uri: '000003.ts', sizeBytes: MEDIA.length, crc32, pts, mediaSequence: 3 });
    expect(archive.last?.keyframes).toEqual(keyframes);
    expect(archive.totals.segmentCount).toBe(4);
    expect(await place.isTaken('000003.ts.part'.replace('.part', ''))).toBe(true);
    await archive.close();
    const again = await open(storage);
    expect(again.healed).toEqual([]);
    expect(again.last).toEqual(archive.last);
    await again.close();
  });

  it('leaves what does not fit the life, and goes on above it', async () => {
    const storage = createMemoryStorage();
    const place = storage.stream('news');
    const archive = await open(storage);
    await archive.beginLife(1);
    await record(archive, factsAt(START_MS, 1));
    await archive.close();
    await put(place, '000001.ts', DEMO.subarray(DEMO.indexOf(MEDIA.subarray(0, 188))));
    const before = await allBytes(place);
    const again = await open(storage);
    expect(again.healed).toMatchObject([{ found: 'unlisted_segment', done: 'left', file: '000001.ts' }]);
    expect(again.healed[0]?.detail).toContain('F12');
    expect(again.last?.index).toBe(0);
    expect((await record(again, factsAt(START_MS + 1000, 1))).index).toBe(2);
    await again.close();
    expect(holds(await allBytes(place), before.get('000001.ts')!)).toBe(true);
  });
});

describe('damaged playlists', () => {
  it('truncated at every byte: opens, goes on, and keeps what could be read', { timeout: 60_000 }, async () => {
    const { storage, place } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    for (let i = 0; i < 4; i++) await record(archive);
    await archive.close();
    const text = await playlistOf(place);
    const ends = [...text.matchAll(/\d{6}\.ts\n/g)].map((match) => match.index + match[0].length);
    for (let at = 0; at <= text.length; at++) {
      const copy = createMemoryStorage();
      const damaged = copy.stream('news');
      await damaged.create();
      await damaged.appendJournal(text.slice(0, at), 0);
      await goOn(copy);
      const entries = await entriesOf(damaged);
      expect(entries.length, `truncated at ${at}`).toBe(ends.filter((end) => end <= at).length + 1);
      await new Watch(damaged).look();
    }
  });

  it('of any damage: opens, goes on, lists each number once, and what was there is still somewhere', { timeout: 60_000 }, async () => {
    const { storage, place } = fresh();
    const archive = await open(storage);
    await archive.beginLife(6);
    for (let i = 0; i < 6; i++) await record(archive);
    await archive.close();
    const original = Buffer.from(await playlistOf(place));
    const change = fc.record({
      at: fc.nat(original.length),
      length: fc.nat(400),
      how: fc.constantFrom('zeros', 'gone', 'twice', 'noise', 'newline'),
      noise: fc.uint8Array({ maxLength: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        let bytes = original;
        for (const { at, length, how, noise } of changes) {
          const [head, cut, tail] = [bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at + length)];
          const middle = { zeros: Buffer.alloc(cut.length), gone: Buffer.alloc(0), twice: Buffer.concat([cut, cut]) };
          if (how === 'noise' || how === 'newline') {
            bytes = Buffer.concat([head, how === 'noise' ? noise : Buffer.from('\n'), cut, tail]);
          } else bytes = Buffer.concat([head, middle[how], tail]);
        }
        const copy = createMemoryStorage();
        const damaged = copy.stream('news');
        await damaged.create();
        await put(damaged, 'playlist.tmp-of-the-test', bytes);
        await damaged.files.rename('playlist.tmp-of-the-test', 'playlist.m3u8');
        await goOn(copy);
        await goOn(copy);
        const now = Buffer.from(await damaged.readJournal(0, 1e9));
        // It is in a copy, or its entries are in the playlist: all but a torn end.
        const ours = bytes.indexOf('#livetape format=1');
        // where the header's own line is damaged it is one of another system, and its entries begin where the first date-time is
        const begin = ours >= 0 ? bytes.indexOf('\n', ours) + 1 : bytes.indexOf('#EXT-X-PROGRAM-DATE-TIME');
        const good = bytes.subarray(0, stretchesOf(bytes, true).at(-1)?.toByte ?? 0);
        const isCopied = holds(await allBytes(damaged), bytes) || (good.length > 0 && holds(await allBytes(damaged), good));
        expect(isCopied || bytes.length === 0 || (begin >= 0 && now.includes(good.subarray(begin)))).toBe(true);
        const numbers = [...now.toString().matchAll(/^(\d{6,})\.ts$/gm)].map(([, digits]) => Number(digits));
        expect(numbers.at(-1)).toBeGreaterThan(numbers.at(-2) ?? -1);
        expect(numbers.length).toBeGreaterThanOrEqual(2);
      }),
      { numRuns: 400 },
    );
  });
});

describe('a fault at every operation of an open', () => {
  const HOWS = ['before', 'half', 'after'] as const;
  it.each(['EIO', 'ENOSPC', 'EROFS', 'EMFILE'])(
    'leaves an archive that the next try opens, with nothing lost: %s',
    { timeout: 60_000 },
    async (errno) => {
      const damages: readonly ((place: StreamStorage) => Promise<unknown>)[] = [
        () => Promise.resolve(),
        (place) => place.files.rename('playlist.m3u8', 'moved'),
        async (place) => place.appendJournal('\0\0\n#EXTINF:1,\n\n', (await place.journalSize())!),
        async (place) => place.appendJournal('\0\0\0\0\n', 0).then(() => place.putCache('index.json', '{')),
      ];
      for (const [d, damage] of damages.entries()) {
        const counter = faultyStorage(createMemoryStorage());
        await damage(await crashed(counter));
        counter.operations.length = 0;
        await (await open(counter)).close();
        const operations = counter.operations.length;
        const expected = (await entriesOf(counter.stream('news'))).map(({ uri }) => uri);
        expect(operations).toBeGreaterThan(15);
        for (const how of HOWS) {
          for (let at = 0; at < operations; at++) {
            const what = `${errno} ${how} operation ${at} (${counter.operations[at]?.name}), damage ${d}`;
            const inner = createMemoryStorage();
            const storage = faultyStorage(inner);
            const place = await crashed(inner);
            await damage(place);
            const before = await allBytes(place);
            storage.plan = { at: 0, errno, how } satisfies FaultPlan;
            storage.operations.length = 0;
            storage.plan = { at, errno, how };
            const failed = await open(storage).then(
              (archive) => archive.close(),
              (error: unknown) => error,
            );
            expect(failed === undefined || isLivetapeError(failed), what).toBe(true);
            storage.plan = undefined;
            const archive = await open(storage);
            await archive.close();
            expect(
              (await entriesOf(place)).map(({ uri }) => uri),
              what,
            ).toEqual(expected);
            const after = await allBytes(place);
            for (const [name, bytes] of before) {
              const whole = name.endsWith('.part') ? bytes.subarray(0, MEDIA.length) : bytes;
              const rewritten = name === 'index.json' && d < 3;
              // a torn end is no entry
              if (rewritten || (name === 'playlist.m3u8' && d !== 3)) continue;
              expect(holds(after, whole), `${what}: ${name}`).toBe(true);
            }
            await goOn(storage);
            expect((await entriesOf(place)).length, what).toBe(expected.length + 1);
          }
        }
      }
    },
  );
});

describe('a deep archive', () => {
  it('resumes from its tail alone, also when there is something to recover', { timeout: 60_000 }, async () => {
    const costs: { names: string[]; bytes: number }[] = [];
    for (const depth of [400, 20_000]) {
      const inner = createMemoryStorage();
      const place = inner.stream('news');
      const archive = await open(inner);
      await archive.beginLife(60);
      await record(archive);
      const header = (await playlistOf(place)).split('#EXT-X-PROGRAM')[0] ?? '';
      await archive.close();
      const text: string[] = [];
      for (let n = 0; n < depth; n++) {
        const at = new Date(START_MS + n * 4000).toISOString();
        text.push(
          `#EXT-X-PROGRAM-DATE-TIME:${at}\n#EXTINF:4.000000,\n#livetape n=${n} seq=${n} dseq=0 size=376 end=${376 * (n + 1)} crc=00000000`,
        );
        text.push(` pts=0-360000 keys=0@0 epoch=1\n${String(n).padStart(6, '0')}.ts\n`);
      }
      await place.replaceJournal([header, text.join('')]);
      // One behind, as a crash between the entry and the index leaves it.
      const endedAt = new Date(START_MS + (depth - 1) * 4000).toISOString();
      const startedAt = new Date(START_MS).toISOString();
      const index = { format: 1, stream_code: 'news', status: 'recording', started_at: startedAt, last_segment_at: endedAt };
      await place.putCache('index.json', JSON.stringify({ ...index, segment_count: depth - 1, next_index: depth - 1, gaps: [] }));
      const name = (n: number): string => `${String(n).padStart(6, '0')}.ts`;
      await put(place, name(depth), MEDIA);
      await put(place, name(depth + 1), MEDIA);
      await place.files.rename(name(depth + 1), `${name(depth + 1)}.part`);
      const storage = faultyStorage(inner);
      const again = await open(storage);
      expect(again.healed.filter(({ done }) => done === 'entered')).toHaveLength(2);
      expect(again.totals.segmentCount).toBe(depth + 2);
      await again.close();
      const bytes = storage.operations
        .filter(({ name: what }) => what === 'readJournal')
        .reduce((sum, operation) => sum + operation.bytes, 0);
      costs.push({ names: storage.operations.map(({ name: what }) => what), bytes });
    }
    const [few, many] = costs;
    expect(many?.names).toEqual(few?.names);
    expect(many?.bytes).toBe(few?.bytes);
    expect(many?.bytes).toBeLessThan(200_000);
  });
});
