/** K8, K9, K11, K12: what leaves the head of a playlist, in which order, and what is left of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { START_MS, checkListed, endOf, entriesOf, factsAt, indexOf, mediaOf, playlistOf, record } from '../../test/archiveLab.js';
import { faultyStorage } from '../../test/faultyStorage.js';
import { GRACE_MS, fill, fillAtOnce, lab, settle, sumsAgree } from '../../test/pruneLab.js';
import { createMemoryStorage } from '../storage/index.js';
import { loadIndex } from './index.js';
import { prunedNumbers } from './prune.js';
import { segmentName } from './survey.js';

describe('K8: the playlist first, the files after a grace', () => {
  it('removes files three target durations after their entries, oldest first, and not before', async () => {
    const at = lab();
    const archive = await at.open();
    await fill(archive, 20);
    await at.watch.look();
    expect(await archive.prune({ endedBeforeMs: START_MS + 20_000 })).toEqual({ segmentCount: 5, sizeBytes: 5 * 376, early: 0 });
    await at.watch.look();
    expect((await entriesOf(at.place))[0]!.uri).toBe('000005.ts');
    expect(archive.pruning).toMatchObject({ waitingBytes: 5 * 376, idle: false });
    await at.pass(17_000);
    expect(await at.files()).toHaveLength(20);
    await at.pass(2000);
    expect(await at.files()).toEqual((await entriesOf(at.place)).map((entry) => entry.uri));
    expect(archive.pruning).toMatchObject({ waitingBytes: 0, idle: true });
    await sumsAgree(at, archive);
    await fill(archive, 1);
    await at.watch.look();
    await archive.close();
    expect(JSON.parse((await indexOf(at.place))!)).toMatchObject({
      started_at: new Date(START_MS + 20_000).toISOString(),
      segment_count: 16,
      total_size_bytes: 16 * 376,
      next_index: 21,
    });
  });

  it('skips the grace when it is told that the disk is full, and counts that', async () => {
    const at = lab();
    const archive = await at.open();
    await fill(archive, 20);
    await archive.prune({ endedBeforeMs: START_MS + 8000 });
    expect(await at.files()).toHaveLength(20);
    expect(await archive.prune({ freeBytes: 3 * 376, atOnce: true })).toEqual({ segmentCount: 3, sizeBytes: 3 * 376, early: 5 });
    expect(await at.files()).toHaveLength(15);
    await sumsAgree(at, archive);
    await archive.close();
  });

  it('lets whoever reads a segment read it to its end', async () => {
    const at = lab();
    const archive = await at.open();
    await fill(archive, 20);
    const reading = at.place.read('000000.ts', 0, 1e6);
    await archive.prune({ freeBytes: 376, atOnce: true });
    expect(Buffer.compare((await reading)!, mediaOf(0))).toBe(0);
    await archive.close();
  });

  it('keeps three target durations of an open life, and the newest segment of one that has ended', async () => {
    const at = lab();
    const archive = await at.open();
    await fill(archive, 20);
    await at.watch.look();
    await archive.prune({ endedBeforeMs: START_MS + 1e9, maxBytes: 0, freeBytes: 1e9 });
    // 5 × 4 s, where three targets are 18 s
    expect((await entriesOf(at.place)).map((entry) => entry.uri)).toEqual([
      '000015.ts',
      '000016.ts',
      '000017.ts',
      '000018.ts',
      '000019.ts',
    ]);
    await at.watch.look();
    await archive.stop();
    await archive.prune({ endedBeforeMs: START_MS + 1e9 });
    await at.watch.look();
    expect((await entriesOf(at.place)).map((entry) => entry.uri)).toEqual(['000019.ts']);
    expect(await archive.prune({ endedBeforeMs: START_MS + 1e9 })).toMatchObject({ segmentCount: 0 });
    await fill(archive, 3);
    await at.watch.look();
    await sumsAgree(at, archive);
    await archive.close();
  });

  it('does nothing in an empty archive, and nothing after close', async () => {
    const at = lab();
    const archive = await at.open();
    expect(await archive.prune({ endedBeforeMs: START_MS + 1e9, maxBytes: 0, freeBytes: 1, atOnce: true })).toEqual({
      segmentCount: 0,
      sizeBytes: 0,
      early: 0,
    });
    expect(await at.place.journalSize()).toBeUndefined();
    await archive.close();
    await expect(archive.prune({ maxBytes: 0 })).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('K9: in batches', () => {
  it('waits until one in 64 may go by age', async () => {
    const at = lab();
    const archive = await at.open();
    await fill(archive, 640);
    expect(await archive.prune({ endedBeforeMs: START_MS + 9 * 4000 })).toMatchObject({ segmentCount: 0 });
    expect(await archive.prune({ endedBeforeMs: START_MS + 10 * 4000 })).toMatchObject({ segmentCount: 10 });
    // A limit that was moved back is judged by itself.
    expect(await archive.prune({ endedBeforeMs: START_MS + 19 * 4000 })).toMatchObject({ segmentCount: 0 });
    expect(await archive.prune({ endedBeforeMs: START_MS + 18 * 4000 })).toMatchObject({ segmentCount: 0 });
    expect(await archive.prune({ endedBeforeMs: START_MS + 21 * 4000 })).toMatchObject({ segmentCount: 11 });
    await sumsAgree(at, archive);
    await archive.close();
  });

  it('prunes one in 64 as soon as the size is passed, or more when that is not enough', async () => {
    const at = lab();
    const archive = await at.open();
    await fill(archive, 640);
    expect(await archive.prune({ maxBytes: 640 * 376 })).toMatchObject({ segmentCount: 0 });
    expect(await archive.prune({ maxBytes: 640 * 376 - 1 })).toMatchObject({ segmentCount: 10 });
    expect(await archive.prune({ maxBytes: 100 * 376 })).toMatchObject({ segmentCount: 530 });
    await sumsAgree(at, archive);
    await archive.close();
  });

  it.each(['age', 'size'])('costs each segment the same, at 1,000 entries and at 20,000: by %s', async (by) => {
    const cost = async (depth: number): Promise<{ operations: number; bytes: number }> => {
      const storage = faultyStorage(createMemoryStorage());
      const at = lab(storage);
      await fillAtOnce(at.place, depth);
      const archive = await at.open();
      const limits = (): object =>
        by === 'size' ? { maxBytes: depth * 376 } : { endedBeforeMs: START_MS + (archive.last!.index + 1 - depth) * 4000 };
      // Into the rhythm first, then over several batches.
      const rounds = Math.ceil(depth / 64) * 3;
      for (let i = 0; i < rounds; i++) {
        if (i === rounds / 3) storage.operations.length = 0;
        await fill(archive, 1);
        await archive.prune(limits());
        at.clock.advance(4000);
      }
      await settle();
      expect(archive.totals.segmentCount).toBeLessThan(depth + rounds / 1.5);
      await archive.close();
      const perSegment = (sum: number): number => sum / ((rounds * 2) / 3);
      return {
        operations: perSegment(storage.operations.length),
        bytes: perSegment(storage.operations.reduce((sum, { bytes }) => sum + bytes, 0)),
      };
    };
    const [shallow, deep] = [await cost(1000), await cost(20_000)];
    expect(deep.operations).toBeLessThan(shallow.operations * 1.1);
    expect(deep.bytes).toBeLessThan(shallow.bytes * 1.25);
  });
});

describe('F10: sequence numbers', () => {
  it('are those of the first entry that stays, whatever its tags, over prunes, restarts and lives', async () => {
    const steps = fc.array(
      fc.record({
        add: fc.integer({ min: 1, max: 12 }),
        keep: fc.integer({ min: 0, max: 20 }),
        what: fc.constantFrom('go on', 'stop', 'reopen'),
      }),
      {
        minLength: 1,
        maxLength: 8,
      },
    );
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 5 }), async (todo, tagEvery) => {
        const at = lab();
        let archive = await at.open();
        for (const { add, keep, what } of todo) {
          await fill(archive, add, tagEvery);
          await at.watch.look();
          await archive.prune({ maxBytes: keep * 376 });
          await at.watch.look();
          await sumsAgree(at, archive);
          if (what === 'stop') await archive.stop();
          if (what !== 'go on') await archive.close();
          if (what !== 'go on') archive = await at.open();
          await at.watch.look();
          await sumsAgree(at, archive);
          await at.pass(1000);
        }
        await at.pass(60_000);
        await checkListed(at.place);
        await archive.close();
      }),
      { numRuns: 60 },
    );
  });
});

describe('K11: what a crashed prune leaves', () => {
  it('is removed after the next open, with the same grace, and nothing that is listed', async () => {
    const at = lab();
    let archive = await at.open();
    await fill(archive, 30);
    await archive.prune({ maxBytes: 10 * 376 });
    await archive.close();
    expect(await at.files()).toHaveLength(30);
    expect(prunedNumbers(await at.header())).toEqual({ from: 0, below: 20 });
    archive = await at.open();
    await at.pass(17_000);
    expect(await at.files()).toHaveLength(30);
    await at.pass(2000);
    expect(await at.files()).toEqual((await entriesOf(at.place)).map((entry) => entry.uri));
    await archive.close();
  });

  it('is found beyond numbers that never became segments', async () => {
    const at = lab();
    let archive = await at.open();
    await fill(archive, 3);
    for (let i = 0; i < 200; i++) await archive.openSegment().abort();
    await fill(archive, 30);
    await archive.prune({ maxBytes: 10 * 376 });
    await archive.close();
    archive = await at.open();
    await at.pass(GRACE_MS);
    expect(await at.files()).toHaveLength(10);
    await archive.close();
  });

  it('is not what lies before a playlist that was lost: those files were never pruned', async () => {
    const at = lab();
    let archive = await at.open();
    await fill(archive, 30);
    await archive.close();
    await at.place.files.rename('playlist.m3u8', 'elsewhere.m3u8');
    archive = await at.open();
    if (archive.last === undefined) await archive.beginLife(6);
    await record(archive, factsAt(START_MS + 1e6, 4, { discontinuity: true, gap: undefined }));
    await fill(archive, 30);
    await archive.prune({ maxBytes: 10 * 376 });
    await archive.close();
    const before = await at.files();
    archive = await at.open();
    await at.pass(GRACE_MS);
    const listed = await entriesOf(at.place);
    expect(before.length).toBeGreaterThanOrEqual(60);
    const after = await at.files();
    for (const { uri } of listed) expect(after).toContain(uri);
    // What was pruned after the loss is gone, what the lost playlist listed is for a repair.
    for (let index = 0; index < 30; index++) expect(after).toContain(segmentName(index));
    expect(after).toHaveLength(30 + listed.length);
    await archive.close();
  });
});

describe('K12: lives', () => {
  it('leaves type and target of an open life as they are', async () => {
    const at = lab();
    const archive = await at.open();
    await fill(archive, 20, 4);
    const before = await at.header();
    await archive.prune({ maxBytes: 10 * 376 });
    expect(await at.header()).toMatchObject({ type: undefined, targetDurationSec: before.targetDurationSec, life: 1, mediaSequence: 10 });
    await archive.close();
  });

  it('begins a life, VOD with ENDLIST, where it prunes what has ended', async () => {
    const at = lab();
    const archive = await at.open();
    await fill(archive, 20, 4);
    await at.watch.look();
    await archive.stop();
    await at.watch.look();
    await archive.prune({ maxBytes: 10 * 376 });
    expect(await at.header()).toMatchObject({ type: 'VOD', life: 2, mediaSequence: 10 });
    expect(await at.watch.look()).toMatch(/#EXT-X-ENDLIST\n$/);
    expect((await loadIndex(at.place))!.status).toBe('stopped');
    await fill(archive, 1);
    expect(await at.header()).toMatchObject({ type: undefined, life: 3 });
    await at.watch.look();
    await sumsAgree(at, archive);
    await archive.close();
  });

  it('ends an EVENT life, from which nothing may leave, and goes on in one without a type', async () => {
    const at = lab();
    const archive = await at.open(false);
    await fill(archive, 20);
    await at.watch.look();
    await archive.prune({ maxBytes: 10 * 376 });
    expect(await at.watch.look()).toMatch(/VOD[^]*#EXT-X-ENDLIST\n$/);
    await fill(archive, 1);
    expect(await at.header()).toMatchObject({ type: undefined, targetDurationSec: 6 });
    await at.watch.look();
    await archive.prune({ maxBytes: 10 * 376 });
    await at.watch.look();
    await sumsAgree(at, archive);
    await archive.close();
  });

  it('prunes while a life that was begun has no entry yet', async () => {
    const at = lab();
    const archive = await at.open();
    await fill(archive, 20);
    await archive.stop();
    await at.watch.look();
    await archive.beginLife(6);
    await archive.prune({ maxBytes: 10 * 376 });
    await at.watch.look();
    await fill(archive, 1);
    expect(await at.header()).toMatchObject({ type: undefined, life: 3 });
    await at.watch.look();
    await archive.close();
  });
});

describe('an archive of another system', () => {
  const HEADER = '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n#EXT-X-PLAYLIST-TYPE:EVENT\n';

  it('is pruned once a segment of ours is in it, and keeps a file that is listed twice', async () => {
    const at = lab();
    await at.place.create();
    let text = `${HEADER}#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n`;
    for (let i = 0; i < 20; i++) {
      const uri = `${String(i === 15 ? 2 : i).padStart(6, '0')}.ts`;
      if (i !== 15) {
        const upload = at.place.put(uri);
        void upload.write(mediaOf(i));
        await upload.commit();
      }
      text += `#EXTINF:4.000,\n${uri}\n`;
    }
    await at.place.replaceJournal([text]);
    const archive = await at.open();
    expect(await archive.prune({ maxBytes: 0 })).toMatchObject({ segmentCount: 0 });
    await archive.beginLife(6);
    await record(archive, factsAt(endOf(archive), 4, { discontinuity: true }));
    const sizeBytes = archive.totals.sizeBytes;
    await archive.prune({ endedBeforeMs: START_MS + 40_000 });
    expect(archive.totals.segmentCount).toBe(11);
    expect(archive.totals.sizeBytes).toBe(sizeBytes - 10 * 376);
    expect((await entriesOf(at.place))[0]!.uri).toBe('000010.ts');
    await at.pass(GRACE_MS);
    for (const { uri } of await entriesOf(at.place)) expect(await at.files()).toContain(uri);
    expect(await at.files()).not.toContain('000001.ts');
    expect(await playlistOf(at.place)).toContain('#EXTINF:4.000,\n000010.ts\n');
    await archive.close();
  });
});
