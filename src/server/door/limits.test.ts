/** L1, L2, L4 over the whole application: what is too much, and whose address counts. */
import { afterEach, describe, expect, it } from 'vitest';
import type { InjectOptions } from 'fastify';
import { ManualClock } from '../../base/index.js';
import { buildApp, type App } from '../app.js';
import { FakePlayback, viewersContext } from '../testViewers.js';

const apps: App[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function lab() {
  const clock = new ManualClock();
  const playback = new FakePlayback();
  const context = viewersContext({ clock, playback });
  const app = await buildApp(context);
  apps.push(app);
  const ask = async (options: string | InjectOptions) => {
    const answer = await app.inject(options);
    const { error } = answer.headers['content-type']?.toString().includes('json')
      ? answer.json<{ error?: { code: string } }>()
      : { error: undefined };
    return { status: answer.statusCode, code: error?.code, headers: answer.headers };
  };
  const { http } = context.config.state.config;
  return { clock, playback, ask, http };
}

describe('L1', () => {
  it.each([
    ['a URL that is too long', { url: `/news/index.m3u8?x=${'a'.repeat(8200)}` }, 414],
    ['a coded body', { method: 'PUT', url: '/api/v1/streams/news', headers: { 'content-encoding': 'gzip' }, payload: { source: '' } }, 415],
    ['several ranges', { url: '/news/000001.ts', headers: { range: 'bytes=0-1,4-5' } }, 416],
    ['a body that is too large', { method: 'PUT', url: '/api/v1/streams/news', payload: { title: 'x'.repeat(70_000) } }, 413],
  ] as const)('%s is refused', async (_what, options, status) => {
    const { ask } = await lab();
    const answer = await ask(options);
    expect(answer.status).toBe(status);
    if (status !== 416) expect(answer.code).toBe('REQUEST_INVALID');
  });

  it('a URL of 8 KiB is not too long', async () => {
    const { ask } = await lab();
    const url = '/news/index.m3u8?x=';
    expect((await ask(`${url}${'a'.repeat(8192 - url.length)}`)).status).toBe(200);
  });
});

describe('L2: requests', () => {
  it('an address has a burst of ten seconds, then what comes in a second; another is not concerned; the limit may change', async () => {
    const { clock, ask, http } = await lab();
    http.limits.requests_per_second = 2;
    const statuses = async (count: number, remoteAddress: string): Promise<number[]> => {
      const all: number[] = [];
      for (let n = 0; n < count; n++) all.push((await ask({ url: '/healthz', remoteAddress })).status);
      return all;
    };
    expect(await statuses(22, '10.0.0.1')).toEqual([...Array<number>(20).fill(200), 429, 429]);
    expect(await statuses(1, '10.0.0.2')).toEqual([200]);
    clock.advance(1000);
    expect(await statuses(3, '10.0.0.1')).toEqual([200, 200, 429]);
    http.limits.requests_per_second = 10;
    clock.advance(100);
    expect(await statuses(1, '10.0.0.1')).toEqual([200]);
  });

  it('what is refused says so, ends the connection, and is a refusal for what is no URL, too', async () => {
    const { ask, http } = await lab();
    http.limits.requests_per_second = 1;
    for (let n = 0; n < 10; n++) await ask('/%zz');
    for (const url of ['/%zz', '/news/index.m3u8', '/nothing']) {
      const answer = await ask(url);
      expect([answer.status, answer.code, answer.headers.connection, answer.headers['retry-after']], url).toEqual([
        429,
        'TOO_MANY_REQUESTS',
        'close',
        '1',
      ]);
    }
  });
});

describe('L4: proxies', () => {
  const asked = (ask: (options: InjectOptions) => Promise<{ status: number }>, remoteAddress: string, forwarded?: string) =>
    ask({ url: '/healthz', remoteAddress, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } });

  it('X-Forwarded-For is believed of trusted proxies, from the right; read at each request', async () => {
    const { ask, http } = await lab();
    http.limits.requests_per_second = 1;
    // nobody is trusted: each of these is the same address, whatever it says
    for (let n = 0; n < 10; n++) expect((await asked(ask, '10.0.0.1', `192.0.2.${n}`)).status).toBe(200);
    expect((await asked(ask, '10.0.0.1', '192.0.2.99')).status).toBe(429);
    http.trusted_proxies = ['10.0.0.0/8', 'fd00::/8', '::1'];
    // what a client wrote itself stands left of what the proxy wrote
    for (let n = 0; n < 10; n++) expect((await asked(ask, '10.0.0.1', `198.51.100.${n}, 192.0.2.7, 10.0.0.2`)).status).toBe(200);
    expect((await asked(ask, '::ffff:10.0.0.1', '198.51.100.99, 192.0.2.7')).status).toBe(429);
    expect((await asked(ask, '::1', '192.0.2.8')).status).toBe(200);
    expect((await asked(ask, '203.0.113.1', '192.0.2.7')).status).toBe(200);
  });

  it('an IPv6 /64 is one address', async () => {
    const { ask, http } = await lab();
    http.limits.requests_per_second = 1;
    for (let n = 0; n < 10; n++) expect((await asked(ask, `2001:db8::${n}`)).status).toBe(200);
    expect((await asked(ask, '2001:db8::ffff:1')).status).toBe(429);
    expect((await asked(ask, '2001:db8:0:1::1')).status).toBe(200);
  });
});

describe('L2: what is bounded in number', () => {
  it('viewers: a new one beyond the limit is refused, those there go on', async () => {
    const { ask, http } = await lab();
    http.limits.sessions = 2;
    const watch = async (remoteAddress: string) => ask({ url: '/news/index.m3u8', remoteAddress });
    expect([(await watch('10.0.0.1')).status, (await watch('10.0.0.2')).status]).toEqual([200, 200]);
    const refused = await watch('10.0.0.3');
    expect([refused.status, refused.code, refused.headers['retry-after']]).toEqual([503, 'LIMIT_REACHED', '5']);
    expect((await ask({ url: '/news/stream.ts', remoteAddress: '10.0.0.3' })).code).toBe('LIMIT_REACHED');
    expect((await watch('10.0.0.1')).status).toBe(200);
    http.limits.sessions = 3;
    expect((await watch('10.0.0.3')).status).toBe(200);
  });

  it('exports: so many at a time, and one address a quarter of them', async () => {
    const { ask, http, playback } = await lab();
    http.limits.exports = 4;
    let go: () => void = () => undefined;
    const waits = new Promise<void>((resolve) => (go = resolve));
    const { exportTs } = playback;
    let begun = 0;
    playback.exportTs = async (...given) => {
      begun += 1;
      await waits;
      return exportTs.apply(playback, given);
    };
    const save = (remoteAddress: string) => ask({ url: '/news/archive-1767225600-10.ts', remoteAddress });
    const saving = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(save);
    await expect.poll(() => begun, { timeout: 20_000 }).toBe(3);
    expect((await save('10.0.0.1')).code).toBe('LIMIT_REACHED');
    saving.push(save('10.0.0.4'));
    await expect.poll(() => begun, { timeout: 20_000 }).toBe(4);
    expect((await save('10.0.0.5')).code).toBe('LIMIT_REACHED');
    go();
    expect((await Promise.all(saving)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await save('10.0.0.1')).status).toBe(200);
  });
});
