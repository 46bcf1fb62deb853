import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiError } from '../../api/client';
import type { ServerEvent, TimelineAnswer } from '../../api/types';
import { HappenedLog } from './happenedLog';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 22);
const time = (ms: number): string => new Date(ms).toISOString();

interface Asked {
  readonly fromMs: number;
  readonly toMs: number;
  readonly signal: AbortSignal;
  answer(gaps: readonly number[], oldestMs?: number): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A log whose questions the test answers. */
function lab(): { log: HappenedLog; asked: Asked[] } {
  const asked: Asked[] = [];
  const log = new HappenedLog({
    nowMs: () => Date.now(),
    load: (fromMs, toMs, _points, signal) =>
      new Promise<TimelineAnswer>((resolve, reject) => {
        asked.push({
          fromMs,
          toMs,
          signal,
          answer: async (gaps, oldestMs = NOW - DAY) => {
            const told = gaps.map((ms) => ({ from: time(ms), to: time(ms + 1000), reason: 'signal' as const, count: 1 }));
            resolve({
              stream_code: 'news',
              from: '',
              to: '',
              oldest: time(oldestMs),
              newest: time(NOW),
              spans: [],
              gaps: told,
              errors: [],
            });
            await vi.advanceTimersByTimeAsync(0);
          },
          fail: async (error) => {
            reject(error);
            await vi.advanceTimersByTimeAsync(0);
          },
        });
      }),
  });
  return { log, asked };
}

const closed = (ms: number): ServerEvent => ({
  type: 'gap.closed',
  at: time(ms + 1000),
  stream_code: 'news',
  gap: { from: time(ms), to: time(ms + 1000), duration: 1e9, reason: 'signal' },
});
const starts = (log: HappenedLog): number[] => log.items.value.map(({ atMs }) => atMs);

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  vi.stubGlobal('document', { hidden: false });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('asks for thirty days, and for the thirty before them', async () => {
  const { log, asked } = lab();
  log.open();
  expect(log.isLoaded.value).toBe(false);
  await asked[0]?.answer([NOW - 5000], NOW - 50 * DAY);
  expect(asked[0]).toMatchObject({ fromMs: NOW - 30 * DAY, toMs: NOW });
  expect([log.isLoaded.value, log.hasOlder.value]).toEqual([true, true]);
  const older = log.loadOlder();
  void log.loadOlder();
  expect(asked).toHaveLength(2);
  expect(log.isLoading.value).toBe(true);
  await asked[1]?.answer([NOW - 40 * DAY], NOW - 50 * DAY);
  await older;
  expect(asked[1]).toMatchObject({ fromMs: NOW - 60 * DAY, toMs: NOW - 30 * DAY });
  expect([log.hasOlder.value, log.isLoading.value]).toEqual([false, false]);
  expect(starts(log)).toEqual([NOW - 5000, NOW - 40 * DAY]);
  log.close();
});

it('tells a gap at once when it closes, and once when the archive tells it too', async () => {
  const { log, asked } = lab();
  log.open();
  await asked[0]?.answer([]);
  log.hear(closed(NOW));
  expect(starts(log)).toEqual([NOW]);
  // within ten seconds of the last question there is no other, however much is heard
  for (let i = 1; i < 5; i++) log.hear(closed(NOW + i * 10));
  await vi.advanceTimersByTimeAsync(9000);
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toHaveLength(2);
  log.hear(closed(NOW + 9000));
  await asked[1]?.answer([NOW, NOW + 10, NOW + 20, NOW + 30, NOW + 40]);
  // what closed after the question stays, whether the answer has it or not
  expect(starts(log)).toEqual([NOW + 9000, NOW + 40, NOW + 30, NOW + 20, NOW + 10, NOW]);
  log.close();
});

it('keeps what it has when the server does not answer, says why, and asks again by itself', async () => {
  const { log, asked } = lab();
  log.open();
  await asked[0]?.answer([NOW - 5000]);
  log.hear({ type: 'reset', at: time(NOW) });
  await vi.advanceTimersByTimeAsync(10_000);
  await asked[1]?.fail(new ApiError('UNREACHABLE', 'The server does not answer.', 0));
  expect(log.problem.value).toContain('does not answer');
  expect(starts(log)).toEqual([NOW - 5000]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(3);
  await asked[2]?.answer([]);
  expect([log.problem.value, starts(log)]).toEqual([undefined, []]);
  log.close();
});

it('says what is new, at most every ten seconds', async () => {
  const { log } = lab();
  log.open();
  log.hear(closed(NOW));
  expect(log.said.value).toBe('Gap: no signal, 1 s.');
  log.hear(closed(NOW + 2000));
  log.hear({ type: 'recording.stopped', at: time(NOW + 3000), stream_code: 'news' });
  expect(log.said.value).toBe('Gap: no signal, 1 s.');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(log.said.value).toBe('Recording stopped. And 1 more.');
  log.close();
});

it('asks for nothing any more when it is closed', async () => {
  const { log, asked } = lab();
  log.open();
  log.hear({ type: 'reset', at: time(NOW) });
  log.close();
  expect(asked[0]?.signal.aborted).toBe(true);
  log.refreshSoon();
  await vi.advanceTimersByTimeAsync(120_000);
  expect(asked).toHaveLength(1);
});

it('holds a bounded number of what is told a thousand times a second, and nothing without a time', async () => {
  const { log, asked } = lab();
  log.open();
  await asked[0]?.answer([]);
  for (let i = 0; i < 3000; i++) {
    log.hear(closed(NOW - i * 1000));
    log.hear({ type: 'recording.failed', at: time(NOW + i), stream_code: 'news', error: { code: 'DISK_FULL', message: `try ${i}` } });
  }
  log.hear({ type: 'gap.closed', at: '', stream_code: 'news', gap: { from: '', to: '', duration: 0, reason: 'signal' } });
  expect(log.items.value).toHaveLength(1000);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(log.said.value).toMatch(/ And 5998 more\.$/);
  log.close();
  expect(vi.getTimerCount()).toBe(0);
});
