/**
 * What storage.ts promises, as tests: every medium runs through them.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { LivetapeError, isLivetapeError, type ErrorCode } from '../base/index.js';
import { copyAside, setAside } from './placeFiles.js';
import type { Storage, StreamStorage } from './storage.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (read: Uint8Array | undefined): string | undefined => (read === undefined ? undefined : new TextDecoder().decode(read));

/** Expects a rejection with a code. */
export async function rejects(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(isLivetapeError(error), String(error)).toBe(true);
  expect(error).toMatchObject({ code });
}

/**
 * Runs the suite over a medium.
 * @param make - an empty storage
 */
export function storageContract(name: string, make: () => Promise<Storage>): void {
  describe(`the storage contract: ${name}`, () => {
    let storage: Storage;
    let place: StreamStorage;
    const journal = async (): Promise<string | undefined> => text(await place.readJournal(0, 1e6));
    const list = async (): Promise<string[]> => {
      const codes: string[] = [];
      for await (const code of storage.list()) codes.push(code);
      return codes.sort();
    };
    const put = async (file: string, content: string): Promise<void> => {
      const upload = place.put(file);
      void upload.write(bytes(content));
      await upload.commit();
    };

    beforeEach(async () => {
      storage = await make();
      place = storage.stream('news');
      await place.create();
    });

    it('says where it is', () => {
      expect(storage.location).not.toBe('');
      expect(place.location).toContain('news');
    });

    it('touches nothing by naming a stream, and makes its place any number of times', async () => {
      expect(await list()).toEqual([]);
      await place.create();
      await place.create();
      expect(await place.list()).toEqual([]);
      expect(await place.journalSize()).toBeUndefined();
    });

    it('finds nothing in a place that was never made, and writes nothing there', async () => {
      const none = storage.stream('none');
      expect(await none.size('000000.ts')).toBeUndefined();
      expect(await none.read('000000.ts', 0, 10)).toBeUndefined();
      expect(await none.open('000000.ts')).toBeUndefined();
      expect(await none.isTaken('000000.ts')).toBe(false);
      expect(await none.list()).toEqual([]);
      expect(await none.remove('000000.ts')).toBe(false);
      expect(await none.journalSize()).toBeUndefined();
      expect(await none.readJournal(0, 10)).toHaveLength(0);
      await rejects(none.appendJournal('x', 0), 'STORAGE_FAILED');
      await rejects(none.replaceJournal(['x']), 'STORAGE_FAILED');
      await rejects(none.putCache('index.json', '{}'), 'STORAGE_FAILED');
      const upload = none.put('000000.ts');
      await rejects(upload.write(bytes('x')), 'STORAGE_FAILED');
      await upload.abort();
    });

    it('lists the codes that have a journal or an index, at any depth', async () => {
      for (const code of ['a', 'b/c', 'b/d/e', 'empty', 'only-media']) await storage.stream(code).create();
      await storage.stream('a').appendJournal('x', 0);
      await storage.stream('b/c').putCache('index.json', '{}');
      await storage.stream('b/d/e').appendJournal('x', 0);
      place = storage.stream('only-media');
      await put('000000.ts', 'x');
      expect(await list()).toEqual(['a', 'b/c', 'b/d/e']);
    });

    it('shows an upload when it is committed, and not before', async () => {
      const upload = place.put('000000.ts');
      await upload.write(bytes('hello '));
      await upload.write(bytes('world'));
      expect(await place.size('000000.ts')).toBeUndefined();
      expect(await place.read('000000.ts', 0, 100)).toBeUndefined();
      expect(await place.list()).toEqual([]);
      expect(await place.isTaken('000000.ts')).toBe(true);
      await upload.commit();
      await upload.abort();
      expect(await place.size('000000.ts')).toBe(11);
      expect(text(await place.read('000000.ts', 0, 100))).toBe('hello world');
      expect(await place.list()).toEqual(['000000.ts']);
      expect(await place.isTaken('000000.ts')).toBe(true);
      expect(await place.isTaken('000001.ts')).toBe(false);
    });

    it('keeps the order of writes that are not waited for, of any size', async () => {
      const upload = place.put('000000.ts');
      const parts = Array.from({ length: 200 }, (_, i) => new Uint8Array(i * 37).fill(i));
      for (const part of parts) void upload.write(part);
      await upload.commit();
      const whole = Buffer.concat(parts);
      expect(Buffer.compare((await place.read('000000.ts', 0, 1e9))!, whole)).toBe(0);
    });

    it('leaves nothing of what is given up, whether or not its writes are waited for', async () => {
      const waited = place.put('000000.ts');
      await waited.write(bytes('x'));
      await waited.abort();
      const upload = place.put('000001.ts');
      const writes = [upload.write(bytes('x')), upload.write(bytes('y'))];
      const outcome = Promise.allSettled(writes);
      await upload.abort();
      await upload.abort();
      await outcome;
      await rejects(upload.commit(), 'CLOSED');
      for (const name of ['000000.ts', '000001.ts']) {
        expect(await place.isTaken(name)).toBe(false);
        expect(await place.size(name)).toBeUndefined();
      }
      await put('000001.ts', 'again');
      expect(text(await place.read('000001.ts', 0, 9))).toBe('again');
    });

    it('refuses to overwrite what is committed, and keeps it', async () => {
      await put('000000.ts', 'first');
      const second = place.put('000000.ts');
      await second.write(bytes('second'));
      await rejects(second.commit(), 'STORAGE_FAILED');
      await rejects(second.write(bytes('more')), 'STORAGE_FAILED');
      await second.abort();
      expect(text(await place.read('000000.ts', 0, 9))).toBe('first');
    });

    it('refuses a name that is being written, and the first goes on', async () => {
      const first = place.put('000000.ts');
      await first.write(bytes('first'));
      const second = place.put('000000.ts');
      await rejects(second.write(bytes('second')), 'STORAGE_FAILED');
      await second.abort();
      await first.commit();
      expect(text(await place.read('000000.ts', 0, 9))).toBe('first');
    });

    it('shows, reads, renames and cuts files of any name', async () => {
      const names = async (): Promise<string[]> => {
        const found: string[] = [];
        for await (const name of place.files.list()) found.push(name);
        return found.sort();
      };
      await put('000000.ts', '0123456789');
      await place.appendJournal('text', 0);
      expect(await names()).toEqual(['000000.ts', 'playlist.m3u8']);
      await place.files.rename('000000.ts', '000000.ts.part');
      expect([await place.list(), await place.size('000000.ts'), await place.isTaken('000000.ts')]).toEqual([[], undefined, true]);
      expect(text(await place.files.read('000000.ts.part', 2, 50))).toBe('23456789');
      await place.files.trim('000000.ts.part', 4);
      expect((await place.files.stat('000000.ts.part'))?.sizeBytes).toBe(4);
      await place.files.rename('playlist.m3u8', 'playlist.m3u8.corrupt-1');
      expect([await place.journalSize(), await names()]).toEqual([undefined, ['000000.ts.part', 'playlist.m3u8.corrupt-1']]);
      expect(text(await place.files.read('playlist.m3u8.corrupt-1', 0, 9))).toBe('text');
      const aside = await setAside(place.files, '000000.ts.part', 0);
      expect(aside).toBe('000000.ts.part.corrupt-19700101T000000.000Z');
      expect(await names()).toEqual([aside, 'playlist.m3u8.corrupt-1']);
      await place.files.rename(aside, 'other.ts');
      expect(await place.list()).toEqual(['other.ts']);
    });

    it('copies and removes files of any name', async () => {
      await put('000000.ts', '0123456789');
      await place.appendJournal('text', 0);
      expect(await copyAside(place.files, 'playlist.m3u8', 0)).toBe('playlist.m3u8.corrupt-19700101T000000.000Z');
      expect(await copyAside(place.files, 'playlist.m3u8', 0)).toBe('playlist.m3u8.corrupt-19700101T000000.000Z-2');
      await place.appendJournal('more', 4);
      expect(text(await place.files.read('playlist.m3u8.corrupt-19700101T000000.000Z', 0, 99))).toBe('text');
      expect(await journal()).toBe('textmore');
      await rejects(place.files.copy('playlist.m3u8', '000000.ts'), 'STORAGE_FAILED');
      await rejects(place.files.copy('000009.ts', '000010.ts'), 'STORAGE_FAILED');
      await rejects(place.files.copy('../000000.ts', '000010.ts'), 'PATH_OUTSIDE_ROOT');
      expect(text(await place.read('000000.ts', 0, 99))).toBe('0123456789');
      expect([await place.files.remove('playlist.m3u8'), await place.files.remove('playlist.m3u8')]).toEqual([true, false]);
      expect(await place.journalSize()).toBeUndefined();
    });

    it('refuses to rename over a file, to touch what is not there, and paths', async () => {
      await put('000000.ts', 'zero');
      await put('000001.ts', 'one');
      await rejects(place.files.rename('000000.ts', '000001.ts'), 'STORAGE_FAILED');
      await rejects(place.files.rename('000002.ts', '000003.ts'), 'STORAGE_FAILED');
      await rejects(place.files.trim('000002.ts', 0), 'STORAGE_FAILED');
      expect([await place.files.stat('000002.ts'), await place.files.read('000002.ts', 0, 1)]).toEqual([undefined, undefined]);
      await rejects(place.files.rename('000000.ts', '../000000.ts'), 'PATH_OUTSIDE_ROOT');
      await rejects(place.files.read('../000000.ts', 0, 1), 'PATH_OUTSIDE_ROOT');
      expect(text(await place.read('000001.ts', 0, 9))).toBe('one');
    });

    it('refuses names that are paths or its own', async () => {
      for (const name of ['../x.ts', 'a/b.ts', '..', '.', '', '.hidden', 'a\\b', 'a\0b', 'http://x/a.ts']) {
        await rejects(place.size(name), 'PATH_OUTSIDE_ROOT');
        await rejects(place.read(name, 0, 1), 'PATH_OUTSIDE_ROOT');
        await rejects(place.open(name), 'PATH_OUTSIDE_ROOT');
        await rejects(place.remove(name), 'PATH_OUTSIDE_ROOT');
        await rejects(place.isTaken(name), 'PATH_OUTSIDE_ROOT');
        await rejects(place.putCache(name, ''), 'PATH_OUTSIDE_ROOT');
        await rejects(place.put(name).write(bytes('x')), 'PATH_OUTSIDE_ROOT');
      }
      for (const name of ['playlist.m3u8', '000000.ts.part', 'index.json.tmp', '000000.ts.corrupt-1']) {
        await rejects(place.read(name, 0, 1), 'ARGUMENT_INVALID');
        await rejects(place.open(name), 'ARGUMENT_INVALID');
        await rejects(place.put(name).write(bytes('x')), 'ARGUMENT_INVALID');
      }
      expect(await place.list()).toEqual([]);
    });

    it('reads ranges, shorter where the file ends', async () => {
      await put('000000.ts', '0123456789');
      expect(text(await place.read('000000.ts', 2, 5))).toBe('234');
      expect(text(await place.read('000000.ts', 8, 50))).toBe('89');
      expect(text(await place.read('000000.ts', 20, 30))).toBe('');
      expect(text(await place.read('000000.ts', 5, 5))).toBe('');
      expect(await place.read('000001.ts', 0, 5)).toBeUndefined();
    });

    it('opens a committed file, which can be read to its end although it is removed', async () => {
      await put('000000.ts', '0123456789');
      const file = (await place.open('000000.ts'))!;
      expect(file.sizeBytes).toBe(10);
      const into = new Uint8Array(4);
      expect([await file.read(into, 3), text(into)]).toEqual([4, '3456']);
      expect(await place.remove('000000.ts')).toBe(true);
      await put('000000.ts', 'other');
      expect([await file.read(into, 8), text(into.subarray(0, 2))]).toEqual([2, '89']);
      expect(await file.read(into, 10)).toBe(0);
      expect(await file.read(into, 50)).toBe(0);
      await file.close();
      await file.close();
      await rejects(file.read(into, 0), 'CLOSED');
      expect(await place.open('000001.ts')).toBeUndefined();
      const upload = place.put('000002.ts');
      await upload.write(bytes('x'));
      expect(await place.open('000002.ts')).toBeUndefined();
      await upload.abort();
    });

    it('lists names by code unit, after a name', async () => {
      for (const name of ['1000000.ts', '000010.ts', '000002.ts', '000001.ts']) await put(name, name);
      await place.putCache('index.json', '{}');
      await place.appendJournal('x', 0);
      const open = place.put('000003.ts');
      await open.write(bytes('x'));
      expect(await place.list()).toEqual(['000001.ts', '000002.ts', '000010.ts', '1000000.ts', 'index.json']);
      expect(await place.list('000002.ts')).toEqual(['000010.ts', '1000000.ts', 'index.json']);
      expect(await place.list('index.json')).toEqual([]);
      await open.abort();
    });

    it('removes a file, and says whether there was one', async () => {
      await put('000000.ts', 'x');
      expect(await place.remove('000000.ts')).toBe(true);
      expect(await place.remove('000000.ts')).toBe(false);
      expect(await place.size('000000.ts')).toBeUndefined();
    });

    it('appends to the journal at a byte, and cuts off what stood there', async () => {
      await place.appendJournal('header\n', 0);
      await place.appendJournal('one é\n', 7);
      expect(await place.journalSize()).toBe(14);
      expect(await journal()).toBe('header\none é\n');
      await place.appendJournal('2\n', 7);
      expect(await journal()).toBe('header\n2\n');
      expect(text(await place.readJournal(7, 8))).toBe('2');
      expect(text(await place.readJournal(8, 100))).toBe('\n');
      expect(text(await place.readJournal(100, 200))).toBe('');
    });

    it('has a stamp for the journal, another one after each change', async () => {
      expect(await place.journalStamp()).toBeUndefined();
      const stamps: (string | undefined)[] = [];
      const changes = [
        () => place.appendJournal('header\n', 0),
        () => place.appendJournal('one\n', 7),
        () => place.appendJournal('', 7),
        () => place.replaceJournal(['header\n']),
        () => place.replaceJournal(['header\n']),
      ];
      for (const change of changes) {
        await change();
        stamps.push(await place.journalStamp());
        await journal();
        expect(await place.journalStamp()).toBe(stamps.at(-1));
      }
      // A size that comes back may find its stamp again where times are coarse; what comes right after another change never does.
      for (const [i, stamp] of stamps.entries()) {
        expect(stamp).toBeDefined();
        expect(stamp).not.toBe(stamps[i - 1]);
      }
    });

    it('refuses to append beyond the end', async () => {
      await rejects(place.appendJournal('x', 1), 'ARCHIVE_CORRUPT');
      expect(await place.journalSize()).toBeUndefined();
      await place.appendJournal('1234', 0);
      await rejects(place.appendJournal('x', 5), 'ARCHIVE_CORRUPT');
      expect(await journal()).toBe('1234');
    });

    it('replaces the journal by texts and ranges of the old one', async () => {
      await place.replaceJournal(['new\n']);
      expect(await journal()).toBe('new\n');
      await place.appendJournal('abcdef', 4);
      await place.replaceJournal(['é', { fromByte: 4, toByte: 7 }, '|', { fromByte: 0, toByte: 3 }, { fromByte: 5, toByte: 5 }, '']);
      expect(await journal()).toBe('éabc|new');
      await place.appendJournal('!', 9);
      expect(await journal()).toBe('éabc|new!');
    });

    it('replaces the journal by pieces that are made while it is written', async () => {
      await place.appendJournal('0123456789', 0);
      async function* pieces(): AsyncGenerator<string | { fromByte: number; toByte: number }> {
        yield 'head ';
        yield { fromByte: 2, toByte: 5 };
        yield text(await place.readJournal(8, 10)) ?? '';
      }
      await place.replaceJournal(pieces());
      expect(text(await place.readJournal(0, 100))).toBe('head 23489');
      async function* broken(): AsyncGenerator<string> {
        yield 'new';
        await rejects(Promise.reject(new Error('no more')), 'STORAGE_FAILED');
      }
      await expect(place.replaceJournal(broken())).rejects.toThrow();
      expect(text(await place.readJournal(0, 100))).toBe('head 23489');
    });

    it('copies ranges of megabytes', async () => {
      const long = 'x'.repeat(2_500_000);
      await place.replaceJournal(['head', long, 'tail']);
      await place.replaceJournal(['HEAD', { fromByte: 3, toByte: 4 + long.length + 2 }]);
      expect(text(await place.readJournal(0, 1e8)) === `HEADd${long}ta`).toBe(true);
    });

    it('keeps the old journal when a range is not there', async () => {
      await rejects(place.replaceJournal(['new', { fromByte: 0, toByte: 1 }]), 'ARCHIVE_CORRUPT');
      await place.appendJournal('old', 0);
      await rejects(place.replaceJournal(['new', { fromByte: 0, toByte: 4 }]), 'ARCHIVE_CORRUPT');
      expect(await journal()).toBe('old');
    });

    it('puts caches, again and again, readable as files', async () => {
      await place.putCache('index.json', '{"a":1}');
      await place.putCache('index.json', '{}');
      expect(text(await place.read('index.json', 0, 100))).toBe('{}');
    });

    it('shows one stream the same through two handles', async () => {
      await put('000000.ts', 'x');
      await place.appendJournal('j', 0);
      const other = storage.stream('news');
      expect(await other.list()).toEqual(['000000.ts']);
      expect(await other.journalSize()).toBe(1);
    });

    it('makes a keep of committed files: complete or not there, once under a name', async () => {
      const keeps = async (): Promise<string[]> => {
        const found: string[] = [];
        for await (const { streamCode, name } of storage.keeps.list()) found.push(`${streamCode}: ${name}`);
        return found.sort();
      };
      await put('000000.ts', 'zero');
      await put('000001.ts', 'one');
      const keep = { streamCode: 'news', name: 'final' };
      expect(await keeps()).toEqual([]);
      const answer = await storage.keeps.make(keep, async ({ place: kept, link }) => {
        expect([await link('000000.ts'), await link('000002.ts')]).toEqual([true, false]);
        await rejects(link('../x.ts'), 'PATH_OUTSIDE_ROOT');
        expect(await keeps()).toEqual([]);
        await kept.appendJournal('journal', 0);
        return 'done';
      });
      expect(answer).toBe('done');
      await rejects(
        storage.keeps.make(keep, () => Promise.reject(new Error('not called'))),
        'KEEP_EXISTS',
      );
      const failing = storage.keeps.make({ streamCode: 'news', name: 'other' }, async ({ place: kept, link }) => {
        await link('000001.ts');
        await kept.appendJournal('journal', 0);
        throw new LivetapeError('DISK_FULL', 'full');
      });
      await rejects(failing, 'DISK_FULL');
      expect(await keeps()).toEqual(['news: final']);
      await place.remove('000000.ts');
      const kept = storage.keeps.place(keep);
      expect(text(await kept.read('000000.ts', 0, 9))).toBe('zero');
      expect(text(await kept.readJournal(0, 9))).toBe('journal');
      expect(await list()).toEqual([]);
      expect([await storage.keeps.remove(keep), await storage.keeps.remove(keep)]).toEqual([true, false]);
      expect(await keeps()).toEqual([]);
      expect(text(await place.read('000001.ts', 0, 9))).toBe('one');
    });

    it('says on which disk a place or the root is or would be, how large it is, and what is free there', async () => {
      const disk = await storage.disk('news');
      expect(disk.freeBytes).toBeGreaterThan(0);
      expect(disk.totalBytes).toBeGreaterThanOrEqual(disk.freeBytes);
      expect((await storage.disk()).id).toBe(disk.id);
      expect((await storage.disk('not/made/yet')).id).toBe(disk.id);
    });

    it('keeps streams apart', async () => {
      const other = storage.stream('other');
      await other.create();
      await put('000000.ts', 'x');
      await place.appendJournal('j', 0);
      expect(await other.size('000000.ts')).toBeUndefined();
      expect(await other.journalSize()).toBeUndefined();
    });
  });
}
