/** `/api/v1/hooks` (W1 to W3): what is written, what is told, and to whom. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { LivetapeError } from '../../base/index.js';
import { openTestApp, type TestApp } from '../testApp.js';

const SECRET = 'a-planted-secret-of-a-hook';
const YAML = `# ours
hooks:
  # the desk's
  desk:
    url: https://me:${SECRET}@desk.example/in?token=${SECRET}&x=1 # theirs
    secret: ${SECRET}
  sport: { url: 'https://sport.example/', streams: ['sport/*'], restricted: true }
`;
const AUTH = `${YAML}auth: { enabled: true }\n`;

type Json = Record<string, unknown>;
const put = (at: TestApp, id: string, payload: Json, headers: Record<string, string> = {}) =>
  at.inject({ method: 'PUT', url: `/api/v1/hooks/${id}`, payload, headers });
const text = (at: TestApp): Promise<string> => readFile(at.context.config.path, 'utf8');
const codeOf = (answer: { json(): unknown }): string => (answer.json() as { error: { code: string } }).error.code;

describe('/api/v1/hooks', () => {
  it('W1: lists what is in the file, without secrets; written back it changes nothing', async () => {
    await using at = await openTestApp({ yaml: YAML });
    const listed = await at.inject('/api/v1/hooks');
    expect(listed.statusCode).toBe(200);
    expect(listed.body).not.toContain(SECRET);
    expect(listed.json()).toMatchObject({
      hooks: [
        { id: 'desk', url: 'https://***@desk.example/in?token=***&x=1', events: null, streams: null, has_secret: true, restricted: false },
        { id: 'sport', streams: ['sport/*'], has_secret: false, batch: null, batch_ms: null, restricted: true },
      ],
    });
    for (const id of ['desk', 'sport']) {
      const one = await at.inject(`/api/v1/hooks/${id}`);
      expect(one.body).not.toContain(SECRET);
      expect((await put(at, id, one.json())).statusCode).toBe(200);
    }
    expect(await text(at)).toBe(YAML);
  });

  it('W1: makes, changes and takes away; a secret stays until it is taken away', async () => {
    await using at = await openTestApp({ yaml: YAML });
    const made = await put(at, 'new', {
      url: 'http://127.0.0.1:9/',
      events: ['gap.opened'],
      streams: ['news'],
      secret: 'of sixteen letters',
      batch: 5,
    });
    expect([made.statusCode, made.json()]).toMatchObject([
      201,
      { id: 'new', events: ['gap.opened'], batch: 5, has_secret: true, restricted: false },
    ]);
    expect((await put(at, 'new', { url: 'http://127.0.0.1:10/' })).json()).toMatchObject({ events: null, streams: null, has_secret: true });
    expect(at.context.config.state.config.hooks['new']?.secret).toBe('of sixteen letters');
    expect((await put(at, 'new', { url: 'http://127.0.0.1:10/', secret: null })).json()).toMatchObject({ has_secret: false });
    expect(await text(at)).toBe(`${YAML}  new:\n    url: http://127.0.0.1:10/\n`);
    expect((await at.inject({ method: 'DELETE', url: '/api/v1/hooks/new' })).statusCode).toBe(204);
    expect(codeOf(await at.inject({ method: 'DELETE', url: '/api/v1/hooks/new' }))).toBe('HOOK_NOT_FOUND');
    expect(codeOf(await at.inject('/api/v1/hooks/new'))).toBe('HOOK_NOT_FOUND');
    expect(await text(at)).toBe(YAML);
  });

  it.each<[string, string, Json]>([
    ['a URL that is none', 'a', { url: 'nowhere' }],
    ['another scheme', 'a', { url: 'file:///etc/passwd' }],
    ['an event that there is not', 'a', { url: 'http://h/', events: ['gap.lost'] }],
    ['a stream that is no code', 'a', { url: 'http://h/', streams: ['../x'] }],
    ['a short secret', 'a', { url: 'http://h/', secret: 'short' }],
    ['a field that there is not', 'a', { url: 'http://h/', method: 'GET' }],
    ['another id', 'a', { url: 'http://h/', id: 'b' }],
    ['an id that is none', 'a%2F..%2Fb', { url: 'http://h/' }],
    ['an id that only case tells from another', 'DESK', { url: 'http://h/' }],
    ['a hidden secret in another URL', 'desk', { url: 'https://***@other.example/' }],
  ])('W1: %s is refused, and nothing is written', async (_what, id, body) => {
    await using at = await openTestApp({ yaml: YAML });
    const answer = await put(at, id, body);
    expect([answer.statusCode, codeOf(answer)]).toEqual([400, 'REQUEST_INVALID']);
    expect(await text(at)).toBe(YAML);
  });

  it('W2: tells how one is doing, with its dead letters; retries and tests it', async () => {
    await using at = await openTestApp({ yaml: YAML });
    const atMs = at.clock.nowMs();
    const time = new Date(atMs).toISOString();
    at.hooks.statuses.set('desk', {
      queued: 2,
      dead: 150,
      sent: 7,
      failed: 3,
      dropped: 1,
      lastSuccessMs: atMs,
      lastError: { atMs, message: 'it answered 500' },
    });
    at.hooks.letters.set(
      'desk',
      Array.from({ length: 150 }, (_, n) => ({ at: time, why: 'it answered 500', event: { id: `e${n}` } })),
    );
    const one = (await at.inject('/api/v1/hooks/desk')).json<{ dead_letters: unknown[] }>();
    expect(one).toMatchObject({
      status: {
        queued: 2,
        dead: 150,
        sent: 7,
        failed: 3,
        dropped: 1,
        last_success_at: time,
        last_error: { at: time, message: 'it answered 500' },
      },
    });
    expect(one.dead_letters).toHaveLength(100);
    const post = (path: string) => at.inject({ method: 'POST', url: `/api/v1/hooks/${path}` });
    expect((await post('desk/retry')).json()).toEqual({ queued: 150 });
    expect((await post('desk/test')).json()).toEqual({ status: 204, duration_ms: 12 });
    for (const [code, status] of [
      ['HOOK_FAILED', 502],
      ['ADDRESS_REFUSED', 403],
    ] as const) {
      at.hooks.outcome = () => {
        throw new LivetapeError(code, 'the receiver did not take it: it answered 418');
      };
      const failed = await post('desk/test');
      expect([failed.statusCode, codeOf(failed)]).toEqual([status, code]);
    }
    expect(codeOf(await post('nobody/test'))).toBe('HOOK_NOT_FOUND');
    expect(codeOf(await post('nobody/retry'))).toBe('HOOK_NOT_FOUND');
    expect(at.hooks.asked).toEqual(['retry desk', 'test desk', 'test desk', 'test desk']);
  });

  it('events come to the webhooks as they come to the event stream', async () => {
    await using at = await openTestApp({ yaml: YAML });
    at.pool.emit('segment.pruned', { streamCode: 'news', count: 2, sizeBytes: 188 });
    const time = new Date(at.clock.nowMs()).toISOString();
    expect(at.hooks.published).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-z]+-1$/) as string,
        type: 'segment.pruned',
        time,
        stream: 'news',
        data: { at: time, stream_code: 'news', count: 2, size_bytes: 188 },
      },
    ]);
  });
});

describe('who is not an admin (W3)', () => {
  const as = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

  it('sees and changes webhooks of its own streams alone, which reach no private address', async () => {
    await using at = await openTestApp({ yaml: AUTH });
    const sport = as(at.door.tokens.make({ scopes: ['api'], streams: ['sport/*'] }));
    const news = as(at.door.tokens.make({ scopes: ['api'], streams: ['news'] }));
    const ids = async (headers: Record<string, string>): Promise<unknown[]> =>
      (await at.inject({ url: '/api/v1/hooks', headers })).json<{ hooks: { id: string }[] }>().hooks.map(({ id }) => id);
    expect([await ids(sport), await ids(news)]).toEqual([['sport'], []]);
    for (const [method, path] of [
      ['GET', 'sport'],
      ['DELETE', 'sport'],
      ['POST', 'sport/test'],
      ['POST', 'sport/retry'],
      ['GET', 'desk'],
      ['DELETE', 'desk'],
      ['POST', 'desk/test'],
      ['POST', 'desk/retry'],
    ] as const) {
      expect(codeOf(await at.inject({ method, url: `/api/v1/hooks/${path}`, headers: news })), `${method} ${path}`).toBe('HOOK_NOT_FOUND');
    }
    const url = 'https://mine.example/';
    for (const [id, body] of [
      ['desk', { url, streams: ['news'] }],
      ['sport', { url, streams: ['news'] }],
      ['mine', { url }],
      ['mine', { url, streams: [] }],
      ['mine', { url, streams: ['*'] }],
      ['mine', { url, streams: ['news', 'sport/1'] }],
      ['mine', { url, streams: ['new*'] }],
    ] as const) {
      const refused = await put(at, id, body, news);
      expect([refused.statusCode, codeOf(refused)], JSON.stringify(body)).toEqual([403, 'FORBIDDEN']);
    }
    expect(await text(at)).toBe(AUTH);
    const made = await put(at, 'mine', { url, streams: ['news'], restricted: false }, news);
    expect([made.statusCode, made.json()]).toMatchObject([201, { restricted: true }]);
    expect(at.context.config.state.config.hooks['mine']).toEqual({ url, streams: ['news'], restricted: true });
    expect([await ids(sport), await ids(news)]).toEqual([['sport'], ['mine']]);
    // an admin takes the mark away, or leaves it as it was answered
    const admin = as(at.door.tokens.make({ scopes: ['admin'] }));
    const told = (await at.inject({ url: '/api/v1/hooks/mine', headers: admin })).json<Json>();
    expect((await put(at, 'mine', told, admin)).json()).toMatchObject({ restricted: true });
    expect((await put(at, 'mine', { url, streams: ['news'] }, admin)).json()).toMatchObject({ restricted: false });
    expect(await ids(news)).toEqual([]);
  });

  it('without the scope `api` there is nothing', async () => {
    await using at = await openTestApp({ yaml: AUTH });
    const headers = as(at.door.tokens.make({ scopes: ['playback', 'metrics', 'publish'] }));
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/sport'],
      ['PUT', '/sport'],
      ['DELETE', '/sport'],
      ['POST', '/sport/test'],
      ['POST', '/sport/retry'],
    ] as const) {
      const url = `/api/v1/hooks${path}`;
      expect((await at.inject({ method, url, headers, ...(method === 'PUT' ? { payload: { url: 'http://h/' } } : {}) })).statusCode).toBe(
        403,
      );
    }
  });

  it('no more are made than there may be', async () => {
    const many = Array.from({ length: 256 }, (_, n) => `  h${n}: { url: 'http://h/' }\n`).join('');
    await using at = await openTestApp({ yaml: `hooks:\n${many}` });
    const answer = await put(at, 'one-more', { url: 'http://h/' });
    expect([answer.statusCode, codeOf(answer)]).toEqual([503, 'LIMIT_REACHED']);
    expect((await put(at, 'h0', { url: 'http://i/' })).statusCode).toBe(200);
  });
});
