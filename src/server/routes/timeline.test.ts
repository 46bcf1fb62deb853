/** A window of an archive over HTTP (G10): fakes for the forms, and an archive that was written as recorders write it. */
import { describe, expect, it } from 'vitest';
import { endOf, factsAt, open, record, START_MS } from '../../../test/archiveLab.js';
import { LivetapeError, ManualClock } from '../../base/index.js';
import { openPlayback } from '../../playback/index.js';
import { createMemoryStorage } from '../../storage/index.js';
import { openTestApp, type TestApp } from '../testApp.js';

const URL = '/api/v1/recordings/news/timeline';
const NOTHING = { oldest: null, newest: null, spans: [], gaps: [], errors: [] };
const codeOf = (body: string): string => (JSON.parse(body) as { error: { code: string } }).error.code;
const iso = (seconds: number): string => new Date(START_MS + seconds * 1000).toISOString();

describe('GET /api/v1/recordings/{code}/timeline', () => {
  it('of a stream with nothing recorded there is nothing, and that is no error', async () => {
    await using test = await openTestApp({ yaml: 'streams: { news: {} }' });
    expect((await test.inject(URL)).json()).toEqual({ stream_code: 'news', from: null, to: null, ...NOTHING });
    expect((await test.inject(`${URL}?from=1767225600&points=2000`)).json()).toEqual({
      stream_code: 'news',
      from: '2026-01-01T00:00:00.000Z',
      to: null,
      ...NOTHING,
    });
    const other = await test.inject('/api/v1/recordings/other/timeline');
    expect([other.statusCode, codeOf(other.body)]).toEqual([404, 'STREAM_NOT_FOUND']);
  });

  it.each([
    ['from=yesterday', 'query.from'],
    ['to=-5', 'query.to'],
    ['from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z', 'query.to'],
    ['from=2026-01-02T00:00:00Z&to=1767225600', 'query.to'],
    ['points=0', 'points'],
    ['points=2001', 'points'],
    ['points=1.5', 'points'],
    ['zoom=5', 'zoom'],
  ])('?%s is refused', async (query, says) => {
    await using test = await openTestApp({ yaml: 'streams: { news: {} }' });
    const response = await test.inject(`${URL}?${query}`);
    expect([response.statusCode, codeOf(response.body)]).toEqual([400, 'REQUEST_INVALID']);
    expect(response.body).toContain(says);
  });

  it('a damaged archive is an error of its own', async () => {
    await using test = await openTestApp({ yaml: 'streams: { news: {} }' });
    Object.assign(test.context.playback, { marks: async () => Promise.reject(new LivetapeError('ARCHIVE_CORRUPT', 'line 7')) });
    const response = await test.inject(URL);
    expect([response.statusCode, codeOf(response.body)]).toEqual([500, 'ARCHIVE_CORRUPT']);
  });

  it('tells of media, gaps and errors of an archive', async () => {
    await using test = await archived();
    const kinds = { continuity: 3, transport_error: 1, sync_bytes: 188, scrambled: 0, lost_bytes: 7 };
    const whole = {
      stream_code: 'news',
      from: iso(0),
      to: iso(72),
      oldest: iso(0),
      newest: iso(72),
      spans: [
        { from: iso(0), to: iso(20) },
        { from: iso(50), to: iso(58) },
        { from: iso(60), to: iso(72) },
      ],
      gaps: [
        { from: iso(20), to: iso(50), reason: 'signal', count: 1 },
        { from: iso(58), to: iso(60), reason: 'restart', count: 1 },
      ],
      errors: [{ from: iso(50), to: iso(58), count: 2, kinds: { ...kinds, continuity: 4 } }],
    };
    const ask = async (query: string): Promise<unknown> => (await test.inject(`${URL}?${query}`)).json();
    expect(await ask('')).toEqual(whole);
    expect(await ask(`from=${iso(0)}&to=${iso(72)}&points=2`)).toEqual(whole);
    expect(await ask(`from=${START_MS / 1000 - 3600}&to=${START_MS / 1000 + 3600}`)).toEqual({ ...whole, from: iso(-3600), to: iso(3600) });
    expect(await ask('points=1')).toEqual({
      ...whole,
      spans: [whole.spans[0], whole.spans[2]],
      gaps: [{ from: iso(20), to: iso(60), reason: 'signal', count: 2 }],
    });
    expect(await ask(`from=${iso(30)}&to=${iso(54)}`)).toEqual({
      ...whole,
      from: iso(30),
      to: iso(54),
      spans: [{ from: iso(50), to: iso(54) }],
      gaps: [whole.gaps[0]],
      errors: [{ from: iso(50), to: iso(54), count: 1, kinds }],
    });
    expect(await ask(`from=${iso(21)}&to=${iso(22)}`)).toMatchObject({ spans: [], gaps: [whole.gaps[0]], errors: [] });
    expect(await ask(`from=${iso(100)}`)).toEqual({ ...whole, from: iso(100), to: iso(100), spans: [], gaps: [], errors: [] });
  });
});

/** Three spans of media with two gaps, and errors in two segments that follow one another. */
async function archived(): Promise<TestApp> {
  const storage = createMemoryStorage();
  const archive = await open(storage, { retention: true });
  await archive.beginLife(6);
  for (let i = 0; i < 5; i++) await record(archive);
  const errors = { continuity: 3, transportError: 1, syncSkippedBytes: 188, scrambled: 0 };
  const gap = { fromMs: endOf(archive), toMs: START_MS + 50_000, reason: 'signal' as const };
  await record(archive, factsAt(gap.toMs, 4, { discontinuity: true, gap, errors, lostBytes: 7 }));
  await record(archive, factsAt(endOf(archive), 4, { errors: { ...errors, continuity: 1, transportError: 0, syncSkippedBytes: 0 } }));
  const second = { fromMs: endOf(archive), toMs: START_MS + 60_000, reason: 'restart' as const };
  await record(archive, factsAt(second.toMs, 4, { discontinuity: true, gap: second }));
  for (let i = 0; i < 2; i++) await record(archive);
  const playback = openPlayback({
    isKnown: () => true,
    place: (code) => (code === 'news' ? storage.stream(code) : undefined),
    clock: new ManualClock(START_MS + 100_000),
    limits: () => ({ liveWindowMs: 30_000, maxWindowMs: 86_400_000 }),
    maxCacheBytes: 1e6,
  });
  return openTestApp({ yaml: 'streams: { news: {} }', context: { playback } });
}
