import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { LivetapeError, ManualClock } from '../../base/index.js';
import { buildApp, type App } from '../app.js';
import { ResponseChecker } from '../testDocument.js';
import { FakePlayback, FakeRecorders, someBytes, viewersContext } from '../testViewers.js';

const apps: App[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function lab(options: Parameters<typeof viewersContext>[0] = {}) {
  const playback = options.playback ?? new FakePlayback();
  const recorders = options.recorders ?? new FakeRecorders();
  const context = viewersContext({ ...options, playback, recorders });
  const app = await buildApp(context);
  apps.push(app);
  const checker = new ResponseChecker(app.swagger());
  const ask = async (method: 'GET' | 'HEAD' | 'OPTIONS' | 'POST', url: string, headers: Record<string, string> = {}) => {
    const response = await app.inject({ method, url, headers });
    checker.check({ method, url, status: response.statusCode, headers: response.headers, body: response.body });
    return response;
  };
  const get = (url: string, headers?: Record<string, string>) => ask('GET', url, headers);
  return { playback, recorders, ask, get, http: context.config.state.config.http };
}

describe('paths', () => {
  it('a code may hold slashes, encoded or not; the last element is what is asked', async () => {
    const { get, playback } = await lab();
    for (const url of ['/uk/bbc/index.m3u8', '/uk%2Fbbc/index.m3u8']) expect((await get(url)).statusCode).toBe(200);
    expect(playback.asked.map(({ code }) => code)).toEqual(['uk/bbc', 'uk/bbc']);
  });

  it.each([
    ['/news/nothing.html', 404, 'ROUTE_NOT_FOUND'],
    ['/index.m3u8', 404, 'ROUTE_NOT_FOUND'],
    ['/news/', 404, 'ROUTE_NOT_FOUND'],
    ['/api/nothing', 404, 'ROUTE_NOT_FOUND'],
    ['/api/index.m3u8', 404, 'ROUTE_NOT_FOUND'],
    ['/a%252Fb/index.m3u8', 400, 'STREAM_CODE_INVALID'],
    ['/news%2F..%2Fold/index.m3u8', 400, 'STREAM_CODE_INVALID'],
    ['/..%2Fold/index.m3u8', 400, 'STREAM_CODE_INVALID'],
    ['//index.m3u8', 404, 'ROUTE_NOT_FOUND'],
    ['/new%00s/index.m3u8', 400, 'STREAM_CODE_INVALID'],
    ['/%zz/index.m3u8', 400, 'REQUEST_INVALID'],
    ['/other/index.m3u8', 404, 'STREAM_NOT_FOUND'],
    ['/news/index.m3u8?dvr=x', 400, 'REQUEST_INVALID'],
    ['/news/000009.ts', 404, 'SEGMENT_NOT_FOUND'],
  ])('%s: %d %s', async (url, status, code) => {
    const { get } = await lab();
    const answer = await get(url);
    expect([answer.statusCode, answer.json<{ error: { code: string } }>().error.code]).toEqual([status, code]);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('L5: no page of another site may play, unless http.cors names it', async () => {
    const { ask, get, http } = await lab();
    const origin = 'https://tv.example';
    const urls = ['/news/index.m3u8', '/news/000001.ts', '/other/index.m3u8', '/news/recording_status.json'];
    const allowed = async (url: string, by: string) => (await get(url, { origin: by })).headers['access-control-allow-origin'];
    for (const url of urls) expect(await allowed(url, origin), url).toBeUndefined();
    const closed = await ask('OPTIONS', '/news/000001.ts', { origin });
    expect([closed.statusCode, closed.headers['access-control-allow-methods']]).toEqual([204, undefined]);

    http.cors = [origin, 'http://localhost:3000'];
    for (const url of urls) {
      expect([await allowed(url, origin), await allowed(url, 'https://evil.example'), await allowed(url, 'null')], url).toEqual([
        origin,
        undefined,
        undefined,
      ]);
      const { headers } = await get(url, { origin });
      expect(headers.vary, url).toMatch(/(^|, )origin(,|$)/);
      expect(headers['access-control-expose-headers'], url).toBe('Content-Length, Content-Range, ETag, Date');
      expect(headers['access-control-allow-credentials'], url).toBeUndefined();
      expect(headers['cross-origin-resource-policy'], url).toBe('cross-origin');
    }
    expect((await get('/news/index.m3u8', { origin })).headers.vary).toBe('origin, accept-encoding');
    expect((await get('/news/index.m3u8')).headers.vary).toBe('origin, accept-encoding');
    const preflight = await ask('OPTIONS', '/news/000001.ts', { origin });
    expect([preflight.statusCode, preflight.headers['access-control-allow-methods']]).toEqual([204, 'GET, HEAD, OPTIONS']);

    http.cors = ['*'];
    for (const url of urls) expect(await allowed(url, 'https://any.example'), url).toBe('*');
    // the API is for its own page
    for (const url of ['/metrics', '/readyz', '/healthz']) expect(await allowed(url, origin), url).toBeUndefined();
    const post = await ask('POST', '/news/index.m3u8');
    expect([post.statusCode, post.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });
});

describe('playlists', () => {
  it('P8: a window that is counted back from now is told by its beginning, so that players who ask again ask for the same', async () => {
    const clock = new ManualClock();
    const { ask, playback } = await lab({ clock });
    const now = clock.nowMs() / 1000;
    for (const method of ['GET', 'HEAD'] as const) {
      const { statusCode, headers } = await ask(method, '/uk/bbc/index.m3u8?delay=60&dur=120&token=a');
      expect([statusCode, headers.location]).toEqual([302, `index.m3u8?from=${now - 60}&dur=120&token=a`]);
      expect(headers).toMatchObject({ 'cache-control': 'no-store' });
    }
    expect(playback.asked).toEqual([]);
  });

  it('H3: say how long they hold, and are not sent to who has them; no text is made for that', async () => {
    const { get, playback } = await lab();
    const first = await get('/news/index.m3u8');
    expect(first.headers).toMatchObject({
      'content-type': 'application/vnd.apple.mpegurl',
      'cache-control': 'max-age=1',
      etag: 'W/"v1"',
      vary: 'accept-encoding',
      'content-length': '8',
    });
    playback.rendered = 0;
    for (const known of ['W/"v1"', '"x,y", "v1"', '*']) {
      const again = await get('/news/index.m3u8', { 'if-none-match': known, 'accept-encoding': 'br' });
      expect([again.statusCode, again.body, again.headers.etag, again.headers['cache-control']]).toEqual([304, '', 'W/"v1"', 'max-age=1']);
    }
    expect(playback.rendered).toBe(0);
    expect((await get('/news/index.m3u8', { 'if-none-match': 'W/"v0"' })).statusCode).toBe(200);
    playback.age = 'past';
    expect((await get('/news/index.m3u8?from=1767225600&dur=60')).headers['cache-control']).toBe('max-age=60');
  });

  it('are coded as the client takes it, and rendered once for all who ask for the same', async () => {
    const { get, playback } = await lab();
    playback.text = `#EXTM3U\n${'#EXTINF:4,\n000001.ts\n'.repeat(100)}`;
    const asked = await Promise.all(
      ['br', 'gzip', 'gzip;q=0.5, br', ''].map((coding) => get('/news/index.m3u8', { 'accept-encoding': coding })),
    );
    expect(asked.map(({ headers }) => headers['content-encoding'])).toEqual(['br', 'gzip', 'br', undefined]);
    expect(brotliDecompressSync(asked[0]!.rawPayload).toString()).toBe(playback.text);
    expect(gunzipSync(asked[1]!.rawPayload).toString()).toBe(playback.text);
    expect(asked[3]!.body).toBe(playback.text);
    for (const { headers, rawPayload } of asked) expect(Number(headers['content-length'])).toBe(rawPayload.length);
    expect(playback.rendered).toBe(1);
    playback.version = 'v2';
    await get('/news/index.m3u8');
    expect(playback.rendered).toBe(2);
    // another request of the same version is another text
    await get('/news/index.m3u8?dvr=3600');
    expect(playback.rendered).toBe(3);
  });

  it('HEAD: the same headers, and no text is made', async () => {
    const { ask, playback } = await lab();
    const head = await ask('HEAD', '/news/index.m3u8', { 'accept-encoding': 'gzip' });
    expect([head.statusCode, head.headers['content-encoding'], head.headers.etag, head.body]).toEqual([200, 'gzip', 'W/"v1"', '']);
    expect(playback.rendered).toBe(0);
  });

  it('long ones are sent as they are made, also coded', async () => {
    const { get, playback } = await lab();
    playback.text = `#EXTM3U\n${'#EXTINF:4,\n000001.ts\n'.repeat(60_000)}`;
    const [plain, coded] = await Promise.all([get('/news/playlist.m3u8'), get('/news/playlist.m3u8', { 'accept-encoding': 'gzip' })]);
    expect(plain.body).toBe(playback.text);
    expect(plain.headers['content-length']).toBeUndefined();
    expect(gunzipSync(coded.rawPayload).toString()).toBe(playback.text);
    expect(playback.openBodies).toBe(0);
  });

  it('one that cannot be made is an error with its status; one that breaks half way is broken off', async () => {
    const { get, playback } = await lab();
    playback.failure = new LivetapeError('WINDOW_IN_GAP', 'nothing there');
    const gap = await get('/news/index.m3u8?from=1767225600&dur=60', { 'accept-encoding': 'gzip' });
    expect([gap.statusCode, gap.headers['content-encoding'], gap.headers.etag]).toEqual([404, undefined, undefined]);
    playback.failure = undefined;
    playback.textFailure = new LivetapeError('WINDOW_EXPIRED', 'pruned meanwhile');
    expect((await get('/news/index.m3u8')).statusCode).toBe(410);
    playback.text = `#EXTM3U\n${'#EXTINF:4,\n000001.ts\n'.repeat(60_000)}`;
    for (const coding of ['', 'gzip', 'br']) {
      await expect(get('/news/playlist.m3u8', { 'accept-encoding': coding }), coding).rejects.toThrow();
    }
    expect(playback.openBodies).toBe(0);
    // a failure is not remembered
    playback.textFailure = undefined;
    expect((await get('/news/playlist.m3u8')).body).toBe(playback.text);
  });

  it('K8: the recorder is told how far back was served, once a second at most, the furthest', async () => {
    const clock = new ManualClock();
    const { get, playback, recorders } = await lab({ clock });
    await get('/news/index.m3u8');
    playback.reachMs = 7_200_000;
    await get('/news/index.m3u8?dvr=7200');
    playback.reachMs = 30_000;
    await get('/news/index.m3u8');
    expect(recorders.served).toEqual([]);
    clock.advance(1000);
    expect(recorders.served).toEqual([['news', 7_200_000]]);
    clock.advance(5000);
    expect(recorders.served).toHaveLength(1);
  });
});

describe('segments', () => {
  it('are sent whole, with what caches need', async () => {
    const { ask, get, playback } = await lab();
    const whole = await get('/news/000001.ts', { 'accept-encoding': 'gzip' });
    expect(whole.statusCode).toBe(200);
    expect(whole.headers).toMatchObject({
      'content-type': 'video/mp2t',
      'cache-control': 'max-age=31536000, immutable',
      'content-length': '1000000',
      'accept-ranges': 'bytes',
    });
    expect(whole.headers['content-encoding']).toBeUndefined();
    expect(Buffer.compare(whole.rawPayload, playback.segmentBytes)).toBe(0);
    const tag = whole.headers.etag as string;
    expect(tag).toMatch(/^"[\w.-]+"$/);
    expect((await get('/news/000001.ts', { 'if-none-match': tag })).statusCode).toBe(304);
    const head = await ask('HEAD', '/news/000001.ts', { range: 'bytes=0-1' });
    expect([head.statusCode, head.headers['content-length'], head.body]).toEqual([200, '1000000', '']);
    expect(playback.openFiles).toBe(0);
  });

  it.each([
    ['bytes=0-0', 206, 0, 1],
    ['bytes=100-199', 206, 100, 200],
    ['bytes=999990-', 206, 999_990, 1_000_000],
    ['bytes=999990-5000000', 206, 999_990, 1_000_000],
    ['bytes=-10', 206, 999_990, 1_000_000],
    ['bytes=-5000000', 206, 0, 1_000_000],
    ['bytes=5-2', 200, 0, 1_000_000],
    ['bytes=x', 200, 0, 1_000_000],
    ['items=0-5', 200, 0, 1_000_000],
  ])('Range: %s: %d', async (range, status, from, to) => {
    const { get, playback } = await lab();
    const answer = await get('/news/000001.ts', { range });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-range']).toBe(status === 206 ? `bytes ${from}-${to - 1}/1000000` : undefined);
    expect(answer.headers['content-length']).toBe(String(to - from));
    expect(Buffer.compare(answer.rawPayload, playback.segmentBytes.subarray(from, to))).toBe(0);
  });

  it.each(['bytes=1000000-', 'bytes=-0', 'bytes=1000000-1000005', 'bytes=0-99,200-299'])('Range: %s: 416', async (range) => {
    const { get, playback } = await lab();
    const answer = await get('/news/000001.ts', { range });
    expect([answer.statusCode, answer.headers['content-range'], answer.body]).toEqual([416, 'bytes */1000000', '']);
    expect(answer.headers['cache-control']).toBeUndefined();
    expect(playback.openFiles).toBe(0);
  });

  it('If-Range: only the very same tag holds', async () => {
    const { get } = await lab();
    const tag = (await get('/news/000001.ts')).headers.etag as string;
    const status = async (ifRange: string) => (await get('/news/000001.ts', { range: 'bytes=0-9', 'if-range': ifRange })).statusCode;
    expect([await status(tag), await status(`W/${tag}`), await status('"x"'), await status('Thu, 01 Jan 2026 00:00:00 GMT')]).toEqual([
      206, 200, 200, 200,
    ]);
  });

  it('X-Accel-Redirect: nginx is told what to send, of segments that are there', async () => {
    const { get, playback } = await lab({ xAccelRedirect: '/archive/' });
    const answer = await get('/uk/bbc/000001.ts', { range: 'bytes=0-9' });
    expect([answer.statusCode, answer.headers['x-accel-redirect'], answer.body]).toEqual([200, '/archive/uk/bbc/000001.ts', '']);
    expect(answer.headers).toMatchObject({ 'content-type': 'video/mp2t', 'cache-control': 'max-age=31536000, immutable' });
    expect((await get('/uk/bbc/000009.ts')).statusCode).toBe(404);
    expect(playback.openFiles).toBe(0);
  });
});

describe('files made of segments', () => {
  it('an export says its size and a file name', async () => {
    const { ask, get, playback } = await lab();
    const answer = await get('/uk/bbc/archive-1767225600-3600.ts');
    expect(answer.headers).toMatchObject({
      'content-type': 'video/mp2t',
      'content-length': '1000000',
      'x-content-duration': '3602.500',
      'content-disposition': 'attachment; filename="uk-bbc-20260101T000000Z-3600.ts"',
    });
    expect(Buffer.compare(answer.rawPayload, playback.segmentBytes)).toBe(0);
    const head = await ask('HEAD', '/news/archive-1767225600-3600.ts');
    expect([head.headers['content-length'], head.body]).toEqual(['1000000', '']);
    expect(playback.openBodies).toBe(0);
  });

  it('a preview, by ranges too', async () => {
    const { get } = await lab();
    const answer = await get('/news/1767225600-preview.mp4');
    expect([answer.statusCode, answer.headers['content-type'], answer.headers['cache-control']]).toEqual([200, 'video/mp4', 'max-age=60']);
    const part = await get('/news/1767225600-preview.mp4', { range: 'bytes=10-19' });
    expect([part.statusCode, Buffer.compare(part.rawPayload, someBytes(500).subarray(10, 20))]).toEqual([206, 0]);
  });

  it('recording_status.json, and as Flussonic has it', async () => {
    const { get } = await lab();
    const status = await get('/news/recording_status.json');
    expect(status.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(status.json()).toEqual({
      data: {
        stream_code: 'news',
        status: 'recording',
        dvr_range: { started_at: '2026-01-01T00:00:00.000Z', last_segment_at: '2026-01-01T01:00:00.000Z' },
        gaps: [{ from: '2026-01-01T00:01:40.000Z', to: '2026-01-01T00:01:42.500Z', duration: 2_500_000_000, reason: 'signal' }],
        segment_count: 800,
        total_size_bytes: 1e9,
      },
      ranges: [
        { from: '2026-01-01T00:00:00.000Z', to: '2026-01-01T00:01:40.000Z' },
        { from: '2026-01-01T00:01:42.500Z', to: '2026-01-01T01:00:00.000Z' },
      ],
    });
    const ranges = await get('/news/recording_status.json?from=1767225600&to=1767229200&request=ranges');
    expect(ranges.json()).toEqual([
      {
        stream: 'news',
        ranges: [
          { from: 1_767_225_600, duration: 100 },
          { from: 1_767_225_703, duration: 3497 },
        ],
      },
    ]);
  });
});
