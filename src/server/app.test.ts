/** What all routes share: refusals of the router, the log, and the page of the description. */
import { describe, expect, it } from 'vitest';
import { openTestApp } from './testApp.js';

const codeOf = (body: string): string => (JSON.parse(body) as { error: { code: string } }).error.code;

describe('what no route answers', () => {
  it('is not found, in the shape of all errors', async () => {
    await using test = await openTestApp();
    for (const url of ['/api', '/api/', '/api/v1/nothing', '/api/v1/streams/a/b/c', '/api/v2/streams']) {
      const response = await test.inject(url);
      expect(response.statusCode, url).toBe(404);
    }
    expect(codeOf((await test.inject('/api/v1/nothing')).body)).toBe('ROUTE_NOT_FOUND');
  });

  it('is refused with what would be taken, where only the method is wrong', async () => {
    await using test = await openTestApp();
    // Beside the API there is playback, which takes preflights anywhere.
    const expected = {
      '/api/v1/streams': 'GET, HEAD',
      '/api/v1/streams/news': 'DELETE, GET, HEAD, PATCH, PUT',
      '/api/v1/streams/a%2Fb/start': 'POST',
      '/api/v1/events': 'GET',
      '/healthz': 'GET, HEAD',
    };
    for (const [url, allow] of Object.entries(expected)) {
      const response = await test.inject({ method: 'PROPFIND' as 'POST', url });
      expect(
        response.headers.allow
          ?.split(', ')
          .filter((method) => method !== 'OPTIONS')
          .join(', '),
        url,
      ).toBe(allow);
    }
    for (const method of ['POST', 'PROPFIND', 'TRACE'] as const) {
      const response = await test.inject({ method: method as 'POST', url: '/api/v1/streams' });
      expect(response.statusCode).toBe(405);
      expect(codeOf(response.body)).toBe('METHOD_NOT_ALLOWED');
    }
    // Playback is for GET, HEAD and preflights.
    const response = await test.inject({ method: 'POST', url: '/news/index.m3u8' });
    expect(response.statusCode).toBe(405);
    expect(response.headers.allow).toBe('GET, HEAD, OPTIONS');
  });

  it('a URL that cannot be decoded is a bad request', async () => {
    await using test = await openTestApp();
    for (const url of ['/%zz', '/api/v1/streams/%E0%A4%A']) {
      const response = await test.inject(url);
      expect(response.statusCode, url).toBe(400);
      expect(codeOf(response.body)).toBe('REQUEST_INVALID');
    }
  });
});

describe('the log', () => {
  it('has a line for each request, with its route and without its query, where tokens come', async () => {
    await using test = await openTestApp();
    await test.inject('/api/v1/streams/news?token=secret');
    await test.inject('/api/v1/nothing?token=secret');
    await test.inject('/%zz?token=secret');
    const lines = test.log.lines.filter(({ message }) => message === 'request');
    expect(lines.map(({ fields }) => [fields['route'], fields['status']])).toEqual([
      ['/api/v1/streams/:code', 404],
      [undefined, 404],
      [undefined, 400],
    ]);
    expect(lines.every(({ level, fields }) => level === 'debug' && typeof fields['ms'] === 'number')).toBe(true);
    expect(JSON.stringify(test.log.lines)).not.toContain('secret');
  });

  it('has what is our fault, and the answer has not', async () => {
    await using test = await openTestApp();
    test.channels.list = async () => {
      throw new TypeError('inside');
    };
    const response = await test.inject('/api/v1/streams');
    expect(response.statusCode).toBe(500);
    expect(codeOf(response.body)).toBe('INVARIANT_BROKEN');
    expect(response.body).not.toContain('inside');
    const [line] = test.log.lines.filter(({ level }) => level === 'error');
    expect(line?.fields['err']).toBeInstanceOf(TypeError);
  });

  it('an answer that does not fit its schema is our fault too', async () => {
    await using test = await openTestApp();
    test.pool.kept = [{ streamCode: 'a', name: 'b', damage: 'gone', sizeBytes: -1, location: '/k' }];
    const response = await test.inject('/api/v1/keeps');
    expect(response.statusCode).toBe(500);
    expect(codeOf(response.body)).toBe('INVARIANT_BROKEN');
    expect(test.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });
});

describe('/docs', () => {
  it('needs nothing from elsewhere', async () => {
    await using test = await openTestApp();
    const page = await test.inject('/docs/');
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).not.toMatch(/https?:|unsafe-eval|\*/);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(4);
    for (const link of links) {
      expect(link).not.toMatch(/^(https?:)?\/\//);
      const asset = await test.inject(new URL(link, 'http://a/docs/').pathname);
      expect(asset.statusCode, link).toBe(200);
      expect(asset.body.length, link).toBeGreaterThan(0);
    }
    // No script in the page itself: the policy would keep it from running.
    expect(page.body).not.toMatch(/<script(?![^>]*src=)/);
  });

  it('reads the same description as /openapi.json', async () => {
    await using test = await openTestApp();
    expect((await test.inject('/docs/json')).json()).toEqual((await test.inject('/openapi.json')).json());
  });
});
