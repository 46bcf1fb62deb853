/** A line for each archive (G10): what it says, when it is read anew, and that one bad archive is no trouble of the others. */
import { describe, expect, it } from 'vitest';
import { endOf, factsAt, open, record, START_MS } from '../../../test/archiveLab.js';
import { LivetapeError, ManualClock } from '../../base/index.js';
import { openPlayback, type ArchiveSummary } from '../../playback/index.js';
import { createMemoryStorage } from '../../storage/index.js';
import { openTestApp, type TestApp } from '../testApp.js';

const T = Date.parse('2026-01-01T12:00:00Z');
const SUMMARY: ArchiveSummary = {
  startedAtMs: T,
  lastSegmentAtMs: T + 60_000.5,
  segmentCount: 14,
  totalSizeBytes: 26_320,
  lastDay: { gaps: 2, gapMs: 2500.4 },
};

interface Lab extends AsyncDisposable {
  readonly test: TestApp;
  /** Codes whose archive was read. */
  readonly read: string[];
  readonly archives: Map<string, ArchiveSummary | LivetapeError | Promise<ArchiveSummary>>;
  list(): Promise<{ stream_code: string; segment_count: number; problem: { code: string; message: string } | null }[]>;
}

async function lab(yaml = 'streams: { a: {}, b/c: {}, empty: {} }'): Promise<Lab> {
  const test = await openTestApp({ yaml });
  const read: string[] = [];
  const archives: Lab['archives'] = new Map([
    ['a', SUMMARY],
    ['b/c', SUMMARY],
  ]);
  Object.assign(test.context.playback, {
    summary: async (code: string) => {
      read.push(code);
      const found = archives.get(code) ?? new LivetapeError('NOTHING_RECORDED', 'nothing');
      if (found instanceof Error) throw found;
      return found;
    },
  });
  return {
    test,
    read,
    archives,
    list: async () => (await test.inject('/api/v1/recordings')).json<{ recordings: Awaited<ReturnType<Lab['list']>> }>().recordings,
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

const written = (test: TestApp, streamCode: string): void => test.pool.emit('segment.pruned', { streamCode, count: 1, sizeBytes: 188 });

describe('GET /api/v1/recordings', () => {
  it('has a line for each stream, by code', async () => {
    await using one = await lab();
    const line = {
      dvr_range: { started_at: '2026-01-01T12:00:00.000Z', last_segment_at: '2026-01-01T12:01:00.000Z' },
      segment_count: 14,
      total_size_bytes: 26_320,
      last_day: { gaps: 2, gap_sec: 2.5 },
      problem: null,
    };
    const nothing = { dvr_range: null, segment_count: 0, total_size_bytes: 0, last_day: { gaps: 0, gap_sec: 0 }, problem: null };
    expect(await one.list()).toEqual([
      { stream_code: 'a', ...line },
      { stream_code: 'b/c', ...line },
      { stream_code: 'empty', ...nothing },
    ]);
  });

  it('tells of those of the grant alone, and reads no others', async () => {
    await using one = await lab('auth: { enabled: true }\nstreams: { a: {}, b/c: {}, empty: {} }');
    const token = one.test.door.tokens.make({ scopes: ['api'], streams: ['b/*'] });
    const response = await one.test.inject({ url: '/api/v1/recordings', headers: { authorization: `Bearer ${token}` } });
    expect(response.json<{ recordings: object[] }>().recordings).toEqual([expect.objectContaining({ stream_code: 'b/c' })]);
    expect(one.read).toEqual(['b/c']);
  });

  it('an archive that cannot be read has its problem, told without paths and logged once; the others have their lines', async () => {
    await using one = await lab();
    one.archives.set('a', new LivetapeError('ARCHIVE_CORRUPT', 'playlist in /secret, line 7'));
    one.archives.set('b/c', new Error('a fault of ours in /secret') as LivetapeError);
    one.archives.set('empty', SUMMARY);
    for (let round = 0; round < 3; round++) {
      const lines = await one.list();
      expect(lines.map(({ problem, segment_count }) => [problem?.code ?? null, segment_count])).toEqual([
        ['ARCHIVE_CORRUPT', 0],
        ['INVARIANT_BROKEN', 0],
        [null, 14],
      ]);
      expect(JSON.stringify(lines)).not.toContain('secret');
      one.test.clock.advance(60_000);
    }
    expect(one.read).toHaveLength(9);
    expect(one.test.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(2);
    one.archives.set('a', SUMMARY);
    expect((await one.list())[0]).toMatchObject({ problem: null, segment_count: 14 });
  });

  it('is read for all who ask, anew ten seconds after something happened, else after a minute', async () => {
    await using one = await lab('streams: { a: {}, b/c: {} }');
    const { test, read } = one;
    await Promise.all([one.list(), one.list(), one.list()]);
    expect(read.splice(0)).toEqual(['a', 'b/c']);
    written(test, 'a');
    test.clock.advance(9999);
    await one.list();
    expect(read).toEqual([]);
    test.clock.advance(1);
    one.archives.set('a', { ...SUMMARY, segmentCount: 15 });
    expect((await one.list()).map(({ segment_count }) => segment_count)).toEqual([15, 14]);
    expect(read.splice(0)).toEqual(['a']);
    test.pool.emit('gap.opened', { streamCode: 'a', fromMs: T, reason: 'signal' });
    test.clock.advance(49_999);
    await one.list();
    expect(read).toEqual([]);
    test.clock.advance(1);
    await one.list();
    expect(read.splice(0)).toEqual(['b/c']);
    test.clock.advance(10_000);
    await one.list();
    expect(read.splice(0)).toEqual(['a']);
  });

  it('what happens while a line is read has it read again', async () => {
    await using one = await lab('streams: { a: {} }');
    let answer: ((summary: ArchiveSummary) => void) | undefined;
    one.archives.set('a', new Promise((resolve) => (answer = resolve)));
    const asked = one.list();
    await expect.poll(() => one.read.length).toBe(1);
    written(one.test, 'a');
    answer?.(SUMMARY);
    expect((await asked)[0]).toMatchObject({ segment_count: 14 });
    one.archives.set('a', { ...SUMMARY, segmentCount: 15 });
    one.test.clock.advance(10_000);
    expect((await one.list())[0]).toMatchObject({ segment_count: 15 });
  });

  it('reads four side by side', async () => {
    const codes = Array.from({ length: 12 }, (_, i) => `s${i}`);
    await using one = await lab(`streams: { ${codes.map((code) => `${code}: {}`).join(', ')} }`);
    const waiting: (() => void)[] = [];
    for (const code of codes) {
      one.archives.set(code, { then: (done: (summary: ArchiveSummary) => void) => void waiting.push(() => done(SUMMARY)) } as never);
    }
    const asked = one.list();
    for (let answered = 0; answered < codes.length; answered++) {
      await expect.poll(() => waiting.length).toBe(Math.min(4, codes.length - answered));
      waiting.shift()?.();
    }
    expect(await asked).toHaveLength(12);
  });

  it('hears of nothing any more when it is closed, and forgets streams that are gone', async () => {
    const one = await lab();
    const { test } = one;
    test.channels.archives.set('gone', { status: 'stopped', ...SUMMARY, gaps: [], ranges: [] });
    one.archives.set('gone', SUMMARY);
    expect(await one.list()).toHaveLength(4);
    test.channels.archives.delete('gone');
    expect(await one.list()).toHaveLength(3);
    test.channels.archives.set('gone', { status: 'stopped', ...SUMMARY, gaps: [], ranges: [] });
    one.read.length = 0;
    expect(await one.list()).toHaveLength(4);
    expect(one.read).toEqual(['gone']);
    await one[Symbol.asyncDispose]();
    expect(() => written(test, 'a')).not.toThrow();
  });

  it('tells of archives that were written as recorders write them', async () => {
    const storage = createMemoryStorage();
    const archive = await open(storage, { code: 'b/c', retention: true });
    await archive.beginLife(6);
    await record(archive);
    const gap = { fromMs: endOf(archive), toMs: START_MS + 86_400_000, reason: 'signal' as const };
    await record(archive, factsAt(gap.toMs, 4, { discontinuity: true, gap }));
    await storage.stream('a').create();
    await storage.stream('a').replaceJournal(['no playlist\n']);
    const playback = openPlayback({
      isKnown: () => true,
      place: (code) => storage.stream(code),
      clock: new ManualClock(gap.toMs + 3_600_000),
      limits: () => ({ liveWindowMs: 30_000, maxWindowMs: 86_400_000 }),
      maxCacheBytes: 1e6,
    });
    await using test = await openTestApp({ yaml: 'streams: { a: {}, b/c: {} }', context: { playback } });
    expect((await test.inject('/api/v1/recordings')).json()).toEqual({
      recordings: [
        expect.objectContaining({
          stream_code: 'a',
          dvr_range: null,
          problem: expect.objectContaining({ code: 'ARCHIVE_CORRUPT' }) as unknown,
        }),
        {
          stream_code: 'b/c',
          dvr_range: { started_at: '2026-01-01T00:00:00.000Z', last_segment_at: '2026-01-02T00:00:04.000Z' },
          segment_count: 2,
          total_size_bytes: 752,
          last_day: { gaps: 1, gap_sec: 82_800 },
          problem: null,
        },
      ],
    });
  });
});
