/** What is recorded of a stream, and its keeps, over HTTP. */
import { describe, expect, it } from 'vitest';
import { LivetapeError } from '../../base/index.js';
import type { ArchiveStatus } from '../../playback/index.js';
import { openTestApp } from '../testApp.js';
import { recordingStatus } from '../testStatus.js';

const T = Date.parse('2026-01-01T12:00:00Z');
const ARCHIVE: ArchiveStatus = {
  status: 'stopped',
  startedAtMs: T,
  lastSegmentAtMs: T + 60_000.5,
  segmentCount: 14,
  totalSizeBytes: 26_320,
  gaps: [{ fromMs: T + 20_000, toMs: T + 22_500, reason: 'signal' }],
  ranges: [
    { fromMs: T, toMs: T + 20_000 },
    { fromMs: T + 22_500, toMs: T + 60_000.5 },
  ],
};
const codeOf = (body: string): string => (JSON.parse(body) as { error: { code: string } }).error.code;

describe('GET /api/v1/recordings/{code}', () => {
  it('tells of a stream that nobody records', async () => {
    await using test = await openTestApp();
    test.channels.archives.set('a/b', ARCHIVE);
    expect((await test.inject('/api/v1/recordings/a%2Fb')).json()).toEqual({
      stream_code: 'a/b',
      recording: null,
      status: 'stopped',
      dvr_range: { started_at: '2026-01-01T12:00:00.000Z', last_segment_at: '2026-01-01T12:01:00.000Z' },
      gaps: [{ from: '2026-01-01T12:00:20.000Z', to: '2026-01-01T12:00:22.500Z', duration: 2_500_000_000, reason: 'signal' }],
      segment_count: 14,
      total_size_bytes: 26_320,
      ranges: [
        { from: '2026-01-01T12:00:00.000Z', to: '2026-01-01T12:00:20.000Z' },
        { from: '2026-01-01T12:00:22.500Z', to: '2026-01-01T12:01:00.000Z' },
      ],
    });
  });

  it('tells of one that is recorded, before its first segment too', async () => {
    await using test = await openTestApp({ yaml: 'streams: { news: {} }' });
    const nothing = { dvr_range: null, gaps: [], segment_count: 0, total_size_bytes: 0, ranges: [] };
    expect((await test.inject('/api/v1/recordings/news')).json()).toMatchObject({ recording: null, status: 'stopped', ...nothing });
    test.pool.statuses.set('news', recordingStatus('news', T));
    expect((await test.inject('/api/v1/recordings/news')).json()).toMatchObject({
      recording: { id: 'news', status: 'recording', started_at: '2026-01-01T12:00:00.000Z', stopped_at: null },
      status: 'recording',
      ...nothing,
    });
  });

  it('a damaged archive is an error of its own', async () => {
    await using test = await openTestApp({ yaml: 'streams: { news: {} }' });
    Object.assign(test.context.playback, {
      status: async () => {
        throw new LivetapeError('ARCHIVE_CORRUPT', 'line 7');
      },
    });
    const response = await test.inject('/api/v1/recordings/news');
    expect([response.statusCode, codeOf(response.body)]).toEqual([500, 'ARCHIVE_CORRUPT']);
    expect(test.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('of a stream that is not known there is nothing', async () => {
    await using test = await openTestApp();
    const response = await test.inject('/api/v1/recordings/news');
    expect([response.statusCode, codeOf(response.body)]).toEqual([404, 'STREAM_NOT_FOUND']);
  });
});

describe('deleting what is recorded (K19)', () => {
  const url = '/api/v1/recordings/news';

  it('takes the media away, once', async () => {
    await using test = await openTestApp({ yaml: 'streams: { news: {} }' });
    const place = test.channels.data.stream('news');
    await place.create();
    const upload = place.put('000004.ts');
    await upload.write(new Uint8Array(376));
    await upload.commit();
    await place.appendJournal('#EXTM3U\n', 0);
    const deleted = await test.inject({ method: 'DELETE', url });
    expect([deleted.statusCode, deleted.json()]).toEqual([200, { segment_count: 1, size_bytes: 376 }]);
    expect(test.channels.relisted).toBe(1);
    expect(await place.size('000004.ts')).toBeUndefined();
    // What is left says which number comes next: deleting it again is no error, and takes nothing away.
    expect((await test.inject({ method: 'DELETE', url })).json()).toEqual({ segment_count: 0, size_bytes: 0 });
  });

  it('is refused while it is recorded, and where there is nothing', async () => {
    await using test = await openTestApp({ yaml: 'streams: { news: {} }' });
    const none = await test.inject({ method: 'DELETE', url });
    expect([none.statusCode, codeOf(none.body)]).toEqual([404, 'STREAM_NOT_FOUND']);
    test.pool.statuses.set('news', recordingStatus('news', T));
    const busy = await test.inject({ method: 'DELETE', url });
    expect([busy.statusCode, codeOf(busy.body)]).toEqual([409, 'ALREADY_RECORDING']);
  });
});

describe('keeps (K13)', () => {
  const url = '/api/v1/recordings/a%2Fb/keeps';
  const payload = { name: 'final', from: '2026-01-01T12:00:00Z', to: '2026-01-01T13:30:00+01:00' };

  it('are made, listed and removed', async () => {
    await using test = await openTestApp({ yaml: 'streams: { a/b: {} }' });
    const made = await test.inject({ method: 'POST', url, payload: { ...payload, from: T / 1000 + 0.5 } });
    expect(made.statusCode).toBe(201);
    const keep = {
      stream_code: 'a/b',
      name: 'final',
      started_at: '2026-01-01T12:00:00.500Z',
      last_segment_at: '2026-01-01T12:30:00.000Z',
      segment_count: 3,
      total_size_bytes: 5640,
      segment_dir: '/keeps/a/b/final',
      missing_count: null,
      damage: null,
    };
    expect(made.json()).toEqual(keep);
    const again = await test.inject({ method: 'POST', url, payload });
    expect([again.statusCode, codeOf(again.body)]).toEqual([409, 'KEEP_EXISTS']);
    expect((await test.inject(url)).json()).toEqual({ keeps: [keep] });
    expect((await test.inject('/api/v1/keeps')).json()).toEqual({ keeps: [keep] });
    const removed = await test.inject({ method: 'DELETE', url: `${url}/final` });
    expect([removed.statusCode, removed.body]).toEqual([204, '']);
    const gone = await test.inject({ method: 'DELETE', url: `${url}/final` });
    expect([gone.statusCode, codeOf(gone.body)]).toEqual([404, 'KEEP_NOT_FOUND']);
    expect((await test.inject(url)).json()).toEqual({ keeps: [] });
  });

  it('that cannot be read are listed with what is wrong, of streams that are gone too', async () => {
    await using test = await openTestApp();
    test.pool.kept = [{ streamCode: 'gone', name: 'x', damage: 'no playlist', sizeBytes: 12, location: '/keeps/gone/x' }];
    expect((await test.inject('/api/v1/recordings/gone/keeps')).json()).toEqual({
      keeps: [expect.objectContaining({ damage: 'no playlist', started_at: null, segment_count: null, total_size_bytes: 12 })],
    });
    const other = await test.inject('/api/v1/recordings/other/keeps');
    expect([other.statusCode, codeOf(other.body)]).toEqual([404, 'STREAM_NOT_FOUND']);
  });

  it.each([
    ['a moment that is none', { ...payload, from: 'yesterday' }, 'body.from'],
    ['a day that is not', { ...payload, to: '2026-02-30T00:00:00Z' }, 'body.to'],
    ['a negative moment', { ...payload, from: -5 }, 'body.from'],
    ['no end', { name: 'x', from: 1 }, 'body.to'],
    ['more than is known', { ...payload, format: 'mp4' }, 'format'],
  ])('%s is refused', async (_what, body, says) => {
    await using test = await openTestApp({ yaml: 'streams: { a/b: {} }' });
    const response = await test.inject({ method: 'POST', url, payload: body });
    expect([response.statusCode, codeOf(response.body)]).toEqual([400, 'REQUEST_INVALID']);
    expect(response.body).toContain(says);
    expect(test.pool.kept).toEqual([]);
  });
});
