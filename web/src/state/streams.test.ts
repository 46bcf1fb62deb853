import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type * as Api from '../api';
import type { ServerEvent } from '../api';

/** What the feed's listeners are told, in the place of a server. */
const heard = vi.hoisted(() => ({ listeners: new Set<(event: ServerEvent) => void>() }));
vi.mock('../api', async (original) => ({
  ...(await original<typeof Api>()),
  EventFeed: class {
    listen(listener: (event: ServerEvent) => void): () => void {
      heard.listeners.add(listener);
      return () => heard.listeners.delete(listener);
    }
    start(): void {}
    close(): void {}
  },
}));
const { StreamStore } = await import('./streams');

const ARCHIVE = {
  stream_code: 'news',
  dvr_range: { started_at: '2026-11-22T00:00:00Z', last_segment_at: '2026-11-22T01:00:00Z' },
  segment_count: 900,
  total_size_bytes: 9000,
  last_day: { gaps: 0, gap_sec: 0 },
  problem: null,
};
const written = (startedAt: string): ServerEvent => ({
  type: 'segment.written',
  at: startedAt,
  stream_code: 'news',
  segment: { index: 901, uri: '000901.ts', started_at: startedAt, duration_sec: 4, size_bytes: 10, discontinuity: false, gap: null },
});

let answers: (() => void)[];
let isFailing: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  [answers, isFailing] = [[], false];
  heard.listeners.clear();
  vi.stubGlobal('document', { hidden: false });
  vi.stubGlobal('fetch', (path: string) => {
    const body = path.endsWith('/streams') ? { streams: [{ code: 'news' }] } : { recordings: [ARCHIVE] };
    const answer = isFailing
      ? Response.json({ error: { code: 'STORAGE_FAILED', message: 'the disk does not answer' } }, { status: 500 })
      : Response.json(body);
    return new Promise<Response>((resolve) => answers.push(() => resolve(answer)));
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const answerAll = async (): Promise<void> => {
  answers.splice(0).forEach((answer) => answer());
  await vi.advanceTimersByTimeAsync(0);
};
const tell = (event: ServerEvent): void => heard.listeners.forEach((listener) => listener(event));

it('counts what is written once, however often it was begun', async () => {
  const store = new StreamStore();
  for (let visit = 0; visit < 50; visit++) {
    store.start();
    store.close();
  }
  expect([heard.listeners.size, vi.getTimerCount()]).toEqual([0, 0]);
  store.start();
  await answerAll();
  tell(written('2026-11-22T01:00:00Z'));
  expect(store.archive('news')).toMatchObject({
    segment_count: 901,
    total_size_bytes: 9010,
    dvr_range: { last_segment_at: '2026-11-22T01:00:04.000Z' },
  });
  for (const none of ['no time', '+275760-09-13T00:00:00Z']) tell(written(none));
  expect(store.archive('news')?.segment_count).toBe(901);
  store.close();
});

it('forgets what it knew when it is closed, and what was still asked for then', async () => {
  const store = new StreamStore();
  store.start();
  await answerAll();
  expect([store.isLoaded.value, store.codes.value]).toEqual([true, ['news']]);
  const late = store.refresh();
  store.close();
  await answerAll();
  await late;
  expect([store.isLoaded.value, store.codes.value, store.stream('news'), store.archive('news')]).toEqual([false, [], undefined, undefined]);
});

it('says why the streams cannot be told, though the server answers', async () => {
  isFailing = true;
  const store = new StreamStore();
  store.start();
  await answerAll();
  expect([store.isConnected.value, store.isLoaded.value, store.problem.value]).toEqual([true, false, 'the disk does not answer']);
  isFailing = false;
  await vi.advanceTimersByTimeAsync(10_000);
  await answerAll();
  expect([store.isLoaded.value, store.problem.value]).toEqual([true, undefined]);
  store.close();
});
