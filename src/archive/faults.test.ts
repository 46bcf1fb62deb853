/**
 * A storage that fails at the Nth operation, for every N: nothing is thrown into the void, what is listed is there,
 * clients see only what they may, and recording goes on. Over memory and over files.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { START_MS, Watch, checkListed, endOf, entriesOf, factsAt, mediaOf, open, patched, record } from '../../test/archiveLab.js';
import { faultyStorage, type FaultPlan, type FaultyStorage } from '../../test/faultyStorage.js';
import { LivetapeError, ManualClock, isLivetapeError, silentLogger } from '../base/index.js';
import { createMemoryStorage, openFsStorage, type Storage } from '../storage/index.js';

const CODES: Readonly<Record<string, string>> = {
  EIO: 'STORAGE_FAILED',
  EMFILE: 'STORAGE_FAILED',
  ENOSPC: 'DISK_FULL',
  EROFS: 'STORAGE_UNWRITABLE',
};
const HOWS = ['before', 'half', 'after'] as const;

const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);
beforeEach(() => void process.on('unhandledRejection', note));
afterEach(() => {
  process.off('unhandledRejection', note);
  expect(unhandled.splice(0)).toEqual([]);
});

/** Records in two sessions with a stop between them, whatever fails; answers with the failures. */
async function script(storage: FaultyStorage): Promise<LivetapeError[]> {
  const failures: LivetapeError[] = [];
  const tryTo = async <T>(step: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof LivetapeError)) throw error;
      failures.push(error);
      return undefined;
    }
  };
  let wallMs = START_MS;
  for (let session = 0; session < 2; session++) {
    const archive = (await tryTo(() => open(storage))) ?? (await open(storage));
    if (archive.life === undefined) await tryTo(() => archive.beginLife(6));
    if (archive.life === undefined) await archive.beginLife(6);
    const commits: Promise<unknown>[] = [];
    for (let i = 0; i < 4; i++) {
      const first = i === 0 && archive.last !== undefined;
      const facts = factsAt(wallMs, 4, {
        discontinuity: first,
        gap: first ? { fromMs: endOf(archive), toMs: wallMs, reason: 'restart' } : undefined,
      });
      // Two that are waited for, two side by side.
      if (i < 2) await tryTo(() => record(archive, facts));
      else commits.push(tryTo(() => record(archive, facts)));
      wallMs += 4000;
    }
    await Promise.all(commits);
    if ((await tryTo(() => archive.stop().then(() => true))) === undefined) await archive.stop();
    await archive.close();
    wallMs += 60_000;
  }
  return failures;
}

async function judge(storage: Storage, plan: FaultPlan): Promise<void> {
  const faulty = faultyStorage(storage, plan);
  const failures = await script(faulty);
  const place = storage.stream('news');
  const entries = await checkListed(place);
  const lost = 8 - entries.length;
  expect(
    failures.every((error) => error.code === CODES[plan.errno]),
    String(failures),
  ).toBe(true);
  // One fault loses one segment at most; what is lost is told of by the next entry.
  expect(lost).toBeLessThanOrEqual(1);
  let endMs: number | undefined;
  for (const entry of entries) {
    const missing = endMs !== undefined && entry.wallMs! > endMs;
    expect(entry.discontinuity, entry.uri).toBe(missing);
    const reason = missing && entry.wallMs! - endMs! > 30_000 ? 'restart' : 'disk';
    expect(entry.facts!.gap).toEqual(missing ? { fromMs: endMs, reason } : undefined);
    endMs = entry.wallMs! + entry.durationUs / 1000;
  }
  const watch = new Watch(place);
  await watch.look();
  expect(await place.list()).toContain('index.json');
  // And it goes on.
  faulty.plan = undefined;
  const archive = await open(faulty);
  await archive.beginLife(6);
  await record(
    archive,
    factsAt(START_MS + 3_600_000, 4, {
      discontinuity: true,
      gap: { fromMs: endOf(archive), toMs: START_MS + 3_600_000, reason: 'restart' },
    }),
  );
  await archive.close();
  await watch.look();
  expect((await checkListed(place)).length).toBe(entries.length + 1);
}

describe('a fault at every operation', () => {
  it.each(Object.keys(CODES))('in memory: %s', async (errno) => {
    const counter = faultyStorage(createMemoryStorage());
    await script(counter);
    const operations = counter.operations.length;
    expect(operations).toBeGreaterThan(50);
    for (const how of HOWS) {
      for (let at = 0; at < operations; at++) {
        try {
          await judge(createMemoryStorage(), { at, errno, how });
        } catch (error) {
          throw new Error(`${errno} ${how} operation ${at} (${counter.operations[at]?.name})`, { cause: error });
        }
      }
    }
  });

  it('on files', async () => {
    const root = await mkdtemp(join(tmpdir(), 'livetape-faults-'));
    const storageFor = (n: number): Storage => openFsStorage(join(root, String(n)), { clock: new ManualClock(), log: silentLogger });
    try {
      const counter = faultyStorage(storageFor(-1));
      await script(counter);
      await Promise.all(counter.operations.map((_, at) => judge(storageFor(at), { at, errno: 'EIO', how: HOWS[at % 3]! })));
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  });
});

describe('a medium that stays broken', () => {
  it.each(HOWS)('loses what comes meanwhile (%s), and goes on with one gap when it is back', async (how) => {
    const inner = createMemoryStorage();
    const storage = faultyStorage(inner);
    const place = inner.stream('news');
    const watch = new Watch(place);
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive);
    await watch.look();
    storage.plan = { at: storage.operations.length, times: 1e9, errno: 'ENOSPC', how };
    for (let i = 1; i < 10; i++) {
      const error = await record(archive, factsAt(START_MS + i * 4000)).catch((cause: unknown) => cause);
      expect(isLivetapeError(error, 'DISK_FULL'), String(error)).toBe(true);
    }
    storage.plan = undefined;
    const back = await record(archive, factsAt(START_MS + 40_000));
    expect(back.gap).toEqual({ fromMs: START_MS + 4000, toMs: START_MS + 40_000, reason: 'disk' });
    expect(back).toMatchObject({ mediaSequence: 1, discontinuitySequence: 1 });
    await watch.look();
    expect((await checkListed(place)).length).toBe(2);
    await archive.close();
  });

  it('is not stopped by an index.json that cannot be written: counted, logged, no more', async () => {
    const inner = createMemoryStorage();
    const place = inner.stream('news');
    const full = patched(place, { putCache: () => Promise.reject(new LivetapeError('DISK_FULL', 'no')) });
    const storage: Storage = { ...inner, stream: () => full };
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive);
    await record(archive);
    await archive.stop();
    await archive.close();
    expect(archive.indexFailures).toBeGreaterThanOrEqual(2);
    expect((await checkListed(place)).length).toBe(2);
  });

  it('keeps the gap that a lost segment would have told of, with its reason', async () => {
    const inner = createMemoryStorage();
    const storage = faultyStorage(inner);
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive);
    storage.plan = { at: storage.operations.length + 2, errno: 'EIO', how: 'before' };
    const backMs = START_MS + 60_000;
    const lost = record(
      archive,
      factsAt(backMs, 4, { discontinuity: true, gap: { fromMs: START_MS + 4000, toMs: backMs, reason: 'restart' } }),
    );
    await expect(lost).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    const next = await record(archive, factsAt(backMs + 4000));
    expect(next.gap).toEqual({ fromMs: START_MS + 4000, toMs: backMs + 4000, reason: 'restart' });
    await archive.close();
  });

  it('fails the writes of a segment that nobody waits for at its commit', async () => {
    const inner = createMemoryStorage();
    const storage = faultyStorage(inner);
    const archive = await open(storage);
    await archive.beginLife(6);
    storage.plan = { at: storage.operations.length + 2, errno: 'ENOSPC', how: 'half' };
    const segment = archive.openSegment();
    for (let i = 0; i < 5; i++) void segment.write(mediaOf(i));
    await expect(segment.commit(factsAt(START_MS))).rejects.toMatchObject({ code: 'DISK_FULL' });
    await record(archive);
    expect((await entriesOf(inner.stream('news'))).map((entry) => entry.uri)).toEqual(['000001.ts']);
    await archive.close();
    expect(await inner.stream('news').isTaken('000000.ts')).toBe(false);
  });

  it('leaves no file of a segment whose commit failed, even when its name was there already', async () => {
    for (const how of HOWS) {
      const inner = createMemoryStorage();
      const storage = faultyStorage(inner);
      const archive = await open(storage);
      await archive.beginLife(6);
      storage.plan = { at: storage.operations.length + 2, errno: 'EIO', how };
      await expect(record(archive)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
      await archive.close();
      expect(await inner.stream('news').isTaken('000000.ts')).toBe(false);
    }
  });

  it('goes on in a life whose header came through although its replacement failed', async () => {
    const inner = createMemoryStorage();
    const storage = faultyStorage(inner);
    const place = inner.stream('news');
    const archive = await open(storage);
    await archive.beginLife(6);
    await record(archive);
    await archive.stop();
    await archive.beginLife(6);
    storage.plan = { at: storage.operations.length + 3, errno: 'EIO', how: 'after' };
    await expect(record(archive)).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(storage.operations.at(-1)!.name).toBe('replaceJournal');
    storage.operations.length = 0;
    await record(archive);
    expect(storage.operations.filter(({ name }) => /Journal$/.test(name)).map(({ name }) => name)).toEqual([
      'readJournal',
      'appendJournal',
    ]);
    const text = await new Watch(place).look();
    expect(text).toContain('life=2\n');
    expect((await checkListed(place)).map(({ uri }) => uri)).toEqual(['000000.ts', '000002.ts']);
    await archive.close();
  });
});
