/**
 * What ownership.ts promises, as tests: every medium runs through them.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Storage, StreamStorage } from './storage.js';
import { rejects } from './storageContract.js';

/**
 * Runs the suite over a medium.
 * @param make - an empty storage
 */
export function ownershipContract(name: string, make: () => Promise<Storage>): void {
  describe(`the ownership contract: ${name}`, () => {
    let storage: Storage;
    let place: StreamStorage;
    beforeEach(async () => {
      storage = await make();
      place = storage.stream('news');
      await place.create();
    });

    it('K6: refuses a second writer, through the same handle and through another, until the first lets go', async () => {
      const first = await place.own();
      for (const other of [place, storage.stream('news')]) await rejects(other.own(), 'STREAM_OWNED');
      await first.check();
      await first.release();
      const second = await storage.stream('news').own();
      await second.check();
      await rejects(place.own(), 'STREAM_OWNED');
      await second.release();
    });

    it('lets go once: whoever owns it next is left alone', async () => {
      const first = await place.own();
      await Promise.all([first.release(), first.release()]);
      await rejects(first.check(), 'OWNERSHIP_LOST');
      const second = await place.own();
      await first.release();
      await second.check();
      await rejects(place.own(), 'STREAM_OWNED');
      await rejects(first.check(), 'OWNERSHIP_LOST');
      await second.release();
    });

    it('K6: of many who try at once one wins, every time', async () => {
      for (let round = 0; round < 20; round++) {
        const tries = await Promise.allSettled(Array.from({ length: 8 }, () => storage.stream('news').own()));
        const won = tries.filter((outcome) => outcome.status === 'fulfilled');
        for (const outcome of tries) {
          if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'STREAM_OWNED' });
        }
        expect(won).toHaveLength(1);
        await won[0]?.value.check();
        await won[0]?.value.release();
      }
    });

    it('keeps streams apart, and needs a place', async () => {
      const news = await place.own();
      await rejects(storage.stream('none').own(), 'STORAGE_FAILED');
      await storage.stream('other').create();
      const other = await storage.stream('other').own();
      await news.release();
      await other.check();
      await other.release();
    });

    it('is no file of the place, and needed by no reader', async () => {
      await place.appendJournal('x', 0);
      const owned = await place.own();
      const reader = storage.stream('news');
      expect(await reader.list()).toEqual([]);
      const names: string[] = [];
      for await (const file of reader.files.list()) names.push(file);
      expect(names).toEqual(['playlist.m3u8']);
      expect(await reader.journalSize()).toBe(1);
      const codes: string[] = [];
      for await (const code of storage.list()) codes.push(code);
      expect(codes).toEqual(['news']);
      await rejects(place.size('owner.sock'), 'ARGUMENT_INVALID');
      await owned.release();
    });
  });
}
