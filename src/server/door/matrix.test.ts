/**
 * Every route × every kind of credential (docs/design/door.md, D5): the table of what each route asks for stands here a second time, by hand, so that a route which asks for too little
 * fails, and so does one that nobody thought of. None gets what it should not; whoever may is not refused.
 */
import { describe, expect, it } from 'vitest';
import type { Scope } from '../../access/index.js';
import { openTestApp, type TestApp } from '../testApp.js';
import { FakePlayback } from '../testViewers.js';
import type { RouteAccess } from './access.js';

const API: RouteAccess = { scope: 'api' };
const STREAM: RouteAccess = { scope: 'api', stream: 'code' };
const ADMIN: RouteAccess = { scope: 'admin' };

/** What each route has to ask for. */
const EXPECTED: Readonly<Record<string, RouteAccess>> = {
  'GET /': 'open',
  'GET /assets/*': 'open',
  'GET /licenses.md': 'open',
  'GET /openapi.json': 'open',
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  'ANY /api/*': 'open',
  'OPTIONS /*': 'open',
  'GET /*': 'playback',
  'GET /playlist.m3u': { scope: 'playback' },
  'GET /metrics': { scope: 'metrics' },
  'GET /api/v1/whoami': { scope: 'any' },
  'GET /api/v1/audit': ADMIN,
  'GET /api/v1/system': ADMIN,
  'GET /api/v1/tokens': ADMIN,
  'POST /api/v1/tokens': ADMIN,
  'DELETE /api/v1/tokens/:id': ADMIN,
  'POST /api/v1/sign': API,
  'GET /api/v1/streams': API,
  'GET /api/v1/streams/:code': STREAM,
  'PUT /api/v1/streams/:code': STREAM,
  'PATCH /api/v1/streams/:code': STREAM,
  'DELETE /api/v1/streams/:code': STREAM,
  'POST /api/v1/streams/:code/start': STREAM,
  'POST /api/v1/streams/:code/stop': STREAM,
  'GET /api/v1/recordings': API,
  'GET /api/v1/recordings/:code': STREAM,
  'DELETE /api/v1/recordings/:code': STREAM,
  'GET /api/v1/recordings/:code/timeline': STREAM,
  'GET /api/v1/recordings/:code/keeps': STREAM,
  'POST /api/v1/recordings/:code/keeps': STREAM,
  'DELETE /api/v1/recordings/:code/keeps/:name': STREAM,
  'GET /api/v1/keeps': API,
  'GET /api/v1/probe': API,
  'GET /api/v1/events': API,
  'GET /api/v1/hooks': API,
  'GET /api/v1/hooks/:id': API,
  'PUT /api/v1/hooks/:id': API,
  'DELETE /api/v1/hooks/:id': API,
  'POST /api/v1/hooks/:id/test': API,
  'POST /api/v1/hooks/:id/retry': API,
};

const WINDOW_MS = Date.UTC(2026, 0, 1);
const at = (seconds: number): number => WINDOW_MS / 1000 + seconds;

/** What may be asked of the stream; what of it lies in the window from 100 s to 200 s after its beginning. */
const PLAYBACK: readonly { readonly name: string; readonly inWindow: boolean }[] = [
  { name: 'index.m3u8', inWindow: false },
  { name: 'index.m3u8?dvr=3600', inWindow: false },
  { name: 'index.m3u8?delay=60', inWindow: false },
  { name: `index.m3u8?from=${at(100)}`, inWindow: false },
  { name: `index.m3u8?from=${at(100)}&dur=100`, inWindow: true },
  { name: `index.m3u8?from=${at(99)}&dur=50`, inWindow: false },
  { name: `index.m3u8?from=${at(150)}&dur=51`, inWindow: false },
  { name: `archive-${at(120)}-60.m3u8`, inWindow: true },
  { name: `archive-${at(300)}-60.m3u8`, inWindow: false },
  { name: `archive-${at(120)}-now.m3u8`, inWindow: false },
  { name: `timeshift_abs-${at(120)}.m3u8`, inWindow: false },
  { name: 'timeshift_rel-30.m3u8', inWindow: false },
  { name: 'rewind-30.m3u8', inWindow: false },
  { name: `playlist_dvr_range-${at(120)}-60.m3u8`, inWindow: true },
  { name: `playlist_dvr_range-${at(50)}-60.m3u8`, inWindow: false },
  { name: 'playlist.m3u8', inWindow: false },
  { name: '000001.ts', inWindow: false },
  { name: '000024.ts', inWindow: false },
  { name: '000025.ts', inWindow: true },
  { name: '000049.ts', inWindow: true },
  { name: '000050.ts', inWindow: false },
  { name: `archive-${at(120)}-60.ts`, inWindow: true },
  { name: `archive-${at(120)}-100.ts`, inWindow: false },
  { name: `${at(150)}-preview.mp4`, inWindow: true },
  { name: `${at(99)}-preview.mp4`, inWindow: false },
  { name: `${at(201)}-preview.mp4`, inWindow: false },
  { name: 'recording_status.json', inWindow: false },
  { name: `recording_status.json?from=${at(110)}&to=${at(120)}`, inWindow: true },
  { name: `recording_status.json?from=${at(110)}&to=${at(220)}&request=ranges`, inWindow: false },
];

interface Who {
  readonly name: string;
  readonly token: string | undefined;
  readonly scopes: readonly Scope[];
  /** Of `news`. */
  readonly stream: boolean;
  readonly window: boolean;
  /** With what it is refused where nothing is opened by it. */
  readonly status: 401 | 403;
}

interface Lab extends AsyncDisposable {
  readonly test: TestApp;
  readonly everybody: readonly Who[];
}

async function lab(): Promise<Lab> {
  const test = await openTestApp({
    yaml: 'auth: { enabled: true }\nhttp: { limits: { failures_per_minute: 1000000, requests_per_second: 1000000 } }\nstreams:\n  news: { source: "tcp://127.0.0.1:1" }\n  other: {}\n',
    context: { playback: new FakePlayback() },
  });
  test.clock.advance(WINDOW_MS + 3_600_000 - test.clock.nowMs());
  const { tokens, context } = test.door;
  const expiresMs = test.clock.nowMs() + 60_000;
  const made = (name: string, scopes: readonly Scope[], streams: readonly string[], stream: boolean): Who => ({
    name,
    token: tokens.make({ name, scopes, streams }),
    scopes,
    stream,
    window: false,
    status: 403,
  });
  const sign = (stream: string, fromSec?: number, toSec?: number): Promise<string> =>
    context.signed.sign({
      stream,
      expiresMs,
      address: undefined,
      window: {
        ...(fromSec === undefined ? {} : { fromMs: at(fromSec) * 1000 }),
        ...(toSec === undefined ? {} : { toMs: at(toSec) * 1000 }),
      },
    });
  const expired = tokens.make({ scopes: ['admin'], expiresAt: new Date(test.clock.nowMs() - 1) });
  const revoked = tokens.make({ name: 'revoked', scopes: ['admin'] });
  await tokens.revoke(tokens.list().find(({ name }) => name === 'revoked')?.id ?? '');
  const late = await sign('news');
  const nobody = { scopes: [], stream: false, window: false, status: 401 } as const;
  const everybody: Who[] = [
    { name: 'none', token: undefined, ...nobody },
    { name: 'nonsense', token: 'abc', ...nobody },
    { name: 'wrong secret', token: `${tokens.make({ scopes: ['admin'] }).slice(0, -6)}AAAAAA`, ...nobody },
    { name: 'revoked', token: revoked, ...nobody },
    { name: 'expired', token: expired, ...nobody },
    { name: 'signed, broken', token: `${late.slice(0, -6)}AAAAAA`, ...nobody },
    { name: 'signed, alg none', token: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${late.split('.')[1] ?? ''}.`, ...nobody },
    made('admin', ['admin'], [], true),
    made('api', ['api'], ['*'], true),
    made('api of another stream', ['api'], ['other', 'new', 'news/*'], false),
    made('publish', ['publish'], ['*'], true),
    made('playback', ['playback'], ['*'], true),
    made('playback of another stream', ['playback'], ['other', 'New*'], false),
    made('metrics', ['metrics'], ['*'], true),
    { name: 'signed', token: late, scopes: ['playback'], stream: true, window: false, status: 403 },
    { name: 'signed for another stream', token: await sign('other'), scopes: ['playback'], stream: false, window: false, status: 403 },
    { name: 'signed for a window', token: await sign('news', 100, 200), scopes: ['playback'], stream: true, window: true, status: 403 },
  ];
  return { test, everybody, [Symbol.asyncDispose]: () => test[Symbol.asyncDispose]() };
}

/** Whether it should be let in, by the rules of the note alone. */
function mayAsk(who: Who, access: RouteAccess, inWindow: boolean): boolean {
  if (access === 'open') return true;
  const has = (scope: Scope): boolean => who.scopes.includes('admin') || who.scopes.includes(scope);
  if (access === 'playback') return has('playback') && who.stream && (!who.window || inWindow);
  if (access.scope === 'any') return who.scopes.length > 0;
  return has(access.scope) && (access.stream === undefined || who.stream);
}

const codeOf = (body: string): string => (body.startsWith('{"error"') ? (JSON.parse(body) as { error: { code: string } }).error.code : '');
const REFUSED = ['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'FORBIDDEN'];

describe('D5: the routes', () => {
  it('ask for what the table says, and there is none beside it', async () => {
    await using one = await lab();
    const found = Object.fromEntries(
      one.test.door.context.door.routes
        .filter(({ method, url }) => method !== 'HEAD' && !url.startsWith('/docs'))
        .map(({ method, url, access }) => [`${method} ${url}`, access]),
    );
    expect(found).toEqual(EXPECTED);
  });

  it('let nobody in who may not, whatever carries the credential, and everybody who may', async () => {
    await using one = await lab();
    const { test, everybody } = one;
    const before = test.context.config.state;
    let asked = 0;
    for (const [route, access] of Object.entries(EXPECTED)) {
      if (access === 'playback' || route === 'OPTIONS /*' || route === 'GET /api/v1/events') continue;
      const [given = '', pattern = ''] = route.split(' ');
      const method = given === 'ANY' ? 'POST' : given;
      const url = pattern.replace(':code', 'news').replace(':name', 'kept').replace(':id', 'one').replace('*', 'nothing');
      for (const who of everybody) {
        const isLetIn = mayAsk(who, access, false);
        // What would be done by those who may is not done here: they are asked for with a body that is wrong.
        const body = method === 'GET' || method === 'DELETE' ? {} : { payload: '"wrong"', headers: { 'content-type': 'application/json' } };
        if (isLetIn && (method === 'DELETE' || route.endsWith('/start') || route.endsWith('/stop'))) continue;
        for (const carried of carriers(url, who.token)) {
          const response = await test.app.inject({
            method: method as 'GET',
            ...body,
            url: carried.url,
            headers: { ...body.headers, ...carried.headers },
          });
          asked += 1;
          const said = `${who.name}: ${method} ${carried.url} answered ${response.statusCode} ${response.body.slice(0, 200)}`;
          if (isLetIn) expect(REFUSED, said).not.toContain(codeOf(response.body));
          else {
            expect([response.statusCode, REFUSED.includes(codeOf(response.body))], said).toEqual([who.status, true]);
            expect(response.headers['www-authenticate'] !== undefined, said).toBe(who.status === 401);
            // what is refused tells nothing of what is there
            expect(response.body, said).not.toContain('127.0.0.1');
          }
        }
      }
    }
    expect(asked).toBeGreaterThan(700);
    expect(test.context.config.state).toBe(before);
    expect([test.channels.started, test.channels.stopped]).toEqual([[], []]);
  });

  it('of playback open the stream and the window of the credential, and no more', async () => {
    await using one = await lab();
    const { test, everybody } = one;
    let asked = 0;
    for (const { name, inWindow } of PLAYBACK) {
      for (const who of everybody) {
        const isLetIn = mayAsk(who, 'playback', inWindow);
        for (const carried of carriers(`/news/${name}`, who.token, true)) {
          for (const method of ['GET', 'HEAD'] as const) {
            const response = await test.app.inject({ method, url: carried.url, headers: carried.headers });
            asked += 1;
            const said = `${who.name}: ${method} ${carried.url} answered ${response.statusCode} ${response.body.slice(0, 200)}`;
            if (isLetIn) expect([200, 302, 307, 404], said).toContain(response.statusCode);
            else expect(response.statusCode, said).toBe(who.status);
            if (response.statusCode === 404) expect(codeOf(response.body) || 'SEGMENT_NOT_FOUND', said).toBe('SEGMENT_NOT_FOUND');
          }
        }
      }
    }
    expect(asked).toBeGreaterThan(2000);
  });

  it('tell lists of nothing that is another’s', async () => {
    await using one = await lab();
    const { test } = one;
    const narrow = test.door.tokens.make({ scopes: ['api', 'playback', 'metrics'], streams: ['other'] });
    const headers = { authorization: `Bearer ${narrow}` };
    for (const url of ['/api/v1/streams', '/playlist.m3u', '/metrics', '/api/v1/keeps', '/readyz']) {
      const { body, statusCode } = await test.app.inject({ url, headers });
      expect([200, 503], url).toContain(statusCode);
      expect(body, url).not.toContain('news');
    }
    expect((await test.app.inject({ url: '/api/v1/streams', headers })).body).toContain('other');
    expect((await test.app.inject({ url: '/playlist.m3u', headers })).body).toContain(`/t/${narrow}/other/index.m3u8`);
    expect((await test.app.inject({ url: '/api/v1/events?stream=news', headers })).statusCode).toBe(403);
    // nobody is told more of what is not well than that something is not
    expect((await test.app.inject({ url: '/readyz' })).json()).toEqual({ status: 'unwell', problems: [] });
  });
});

/** The credential in each of the ways in which it can come. */
function carriers(url: string, token: string | undefined, inPath = false): { url: string; headers: Record<string, string> }[] {
  if (token === undefined) return [{ url, headers: {} }];
  const ways = [
    { url, headers: { authorization: `Bearer ${token}` } },
    { url: `${url}${url.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}`, headers: {} },
  ];
  return inPath ? [...ways, { url: `/t/${token}${url}`, headers: {} }] : ways;
}

describe('D4 and D7: what a link leads to', () => {
  it('a token in a playlist’s query becomes its path, where segments inherit it', async () => {
    await using one = await lab();
    const { test } = one;
    const token = test.door.tokens.make({ scopes: ['playback'] });
    const first = await test.app.inject(`/news/index.m3u8?delay=20&token=${token}`);
    expect([first.statusCode, first.headers.location]).toEqual([307, `/t/${token}/news/index.m3u8?delay=20`]);
    expect((await test.app.inject(String(first.headers.location))).statusCode).toBe(200);
    expect((await test.app.inject(`/t/${token}/news/000001.ts`)).statusCode).toBe(200);
    // and a prefix is for what people watch
    for (const url of ['/api/v1/streams', '/metrics', '/healthz', '/docs']) {
      expect((await test.app.inject(`/t/${test.door.tokens.make({ scopes: ['admin'] })}${url}`)).statusCode, url).toBe(404);
    }
  });

  it('what a URL or an address opened is not kept by caches that are shared, and control by none', async () => {
    await using one = await lab();
    const { test } = one;
    const token = test.door.tokens.make({ scopes: ['admin'] });
    const told = async (url: string, headers = {}): Promise<unknown> => (await test.app.inject({ url, headers })).headers['cache-control'];
    const bearer = { authorization: `Bearer ${token}` };
    for (const name of ['index.m3u8', '000001.ts', `${at(150)}-preview.mp4`, `archive-${at(100)}-50.ts`, 'recording_status.json']) {
      expect(await told(`/news/${name}`, bearer), name).toMatch(/^max-age=/);
      expect(await told(`/t/${token}/news/${name}`), name).toMatch(/^private, max-age=/);
    }
    expect(await told(`/news/000001.ts?token=${token}`)).toBe('private, max-age=31536000, immutable');
    expect(await told(`/t/${token}/playlist.m3u`)).toBe('private, no-cache');
    expect(await told(`/api/v1/streams?token=${token}`)).toBe('no-store');
    expect(await told('/api/v1/whoami', bearer)).toBe('no-store');
  });

  it('POST /api/v1/sign makes one, for what the asker may watch', async () => {
    await using one = await lab();
    const { test } = one;
    const ask = (scopes: readonly Scope[], body: object): ReturnType<TestApp['inject']> =>
      test.inject({
        method: 'POST',
        url: '/api/v1/sign',
        headers: { authorization: `Bearer ${test.door.tokens.make({ scopes, streams: ['news', 'sport/*'] })}` },
        payload: body,
      });
    const body = { stream: 'news', from: at(100), to: at(200), expires_in: 60 };
    const made = await ask(['api', 'playback'], body);
    const { path, token } = made.json<{ path: string; token: string }>();
    expect(path).toBe(`/t/${token}/news/index.m3u8?from=${at(100)}&dur=100`);
    expect((await test.app.inject(path)).statusCode).toBe(200);
    expect((await test.app.inject(`/t/${token}/news/index.m3u8`)).statusCode).toBe(403);
    test.clock.advance(60_001);
    expect(codeOf((await test.app.inject(path)).body)).toBe('TOKEN_EXPIRED');
    expect((await ask(['api'], body)).statusCode).toBe(403);
    expect((await ask(['playback'], body)).statusCode).toBe(403);
    expect((await ask(['api', 'playback'], { ...body, stream: 'other' })).statusCode).toBe(403);
    expect((await ask(['api', 'playback'], { ...body, stream: '*' })).statusCode).toBe(403);
    expect((await ask(['api', 'playback'], { ...body, stream: 'sport/f*' })).json()).toMatchObject({ path: null });
    expect((await ask(['api', 'playback'], { ...body, to: at(100) })).statusCode).toBe(400);
  });

  it('with auth.playback: open everybody watches, and nobody controls', async () => {
    await using test = await openTestApp({
      yaml: 'auth: { enabled: true, playback: open }\nstreams: { news: {} }',
      context: { playback: new FakePlayback() },
    });
    expect((await test.app.inject('/news/index.m3u8')).statusCode).toBe(200);
    expect((await test.app.inject('/playlist.m3u')).statusCode).toBe(200);
    expect((await test.app.inject('/api/v1/streams')).statusCode).toBe(401);
    expect((await test.app.inject('/metrics')).statusCode).toBe(401);
  });
});

describe('D9: the authoriser', () => {
  it('is asked for what no credential of ours opens, and its window holds', async () => {
    await using test = await openTestApp({
      yaml: 'auth: { enabled: true, http_url: "http://127.0.0.1:1/" }\nstreams: { news: {} }',
      context: { playback: new FakePlayback() },
    });
    test.clock.advance(WINDOW_MS + 3_600_000 - test.clock.nowMs());
    const { door } = test;
    expect((await test.app.inject({ url: '/news/index.m3u8?token=theirs', headers: { 'user-agent': 'tv' } })).statusCode).toBe(401);
    expect(door.questions).toEqual([
      { stream: 'news', name: 'index.m3u8', window: undefined, address: '127.0.0.1', token: 'theirs', agent: 'tv' },
    ]);
    door.answer = ({ stream }) => ({
      kind: 'authorizer',
      id: '',
      name: 'authorizer',
      scopes: new Set(['playback']),
      streams: [stream],
      window: { fromMs: at(100) * 1000, toMs: at(200) * 1000 },
      expiresMs: Infinity,
    });
    const allowed = await test.app.inject({ url: `/news/archive-${at(120)}-60.m3u8`, headers: { authorization: 'Bearer theirs' } });
    expect([allowed.statusCode, allowed.headers['cache-control']]).toEqual([200, 'private, max-age=1']);
    expect((await test.app.inject(`/t/theirs/news/archive-${at(120)}-60.m3u8`)).statusCode).toBe(200);
    expect(door.questions.at(-1)?.window).toEqual({ fromMs: at(120) * 1000, toMs: at(180) * 1000 });
    expect((await test.app.inject(`/t/theirs/news/archive-${at(20)}-60.m3u8`)).statusCode).toBe(403);
    expect((await test.app.inject('/t/theirs/news/000001.ts')).statusCode).toBe(403);
    // a token of ours that opens another stream is no question for anybody
    const count = door.questions.length;
    expect((await test.app.inject(`/t/${door.tokens.make({ scopes: ['playback'], streams: ['other'] })}/news/index.m3u8`)).statusCode).toBe(
      403,
    );
    expect((await test.app.inject('/api/v1/streams?token=theirs')).statusCode).toBe(401);
    expect(door.questions.length).toBe(count);
  });
});
