/** The page's files (docs/design/page.md, G3): its policy, its caching, coded copies, and that nothing else of the folder, nor above it, is served. */
import { gzipSync } from 'node:zlib';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTestApp } from '../testApp.js';

describe('the page', () => {
  it('G3: is served under a policy that lets in nothing from elsewhere and nothing inline, and asked again each time', async () => {
    await using test = await openTestApp();
    const page = await test.app.inject('/');
    expect([page.statusCode, page.headers['content-type'], page.headers['cache-control']]).toEqual([
      200,
      'text/html; charset=utf-8',
      'no-cache',
    ]);
    expect(page.body).toContain('<title>Livetape</title>');
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(page.headers['referrer-policy']).toBe('no-referrer');
    const again = await test.app.inject({ url: '/', headers: { 'if-none-match': String(page.headers['etag']) } });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    expect((await test.app.inject({ method: 'HEAD', url: '/' })).statusCode).toBe(200);
  });

  it('G3: has files whose names tell their content: kept for a year, coded where that is taken', async () => {
    await using test = await openTestApp();
    const assets = join(test.context.page, 'assets');
    await writeFile(join(assets, 'index-1a2b.js.gz'), gzipSync('export {};'));
    const plain = await test.app.inject('/assets/index-1a2b.js');
    expect([plain.statusCode, plain.headers['cache-control'], plain.body]).toEqual([
      200,
      'public, max-age=31536000, immutable',
      'export {};',
    ]);
    expect(plain.headers['content-type']).toMatch(/^(text|application)\/javascript/);
    const coded = await test.app.inject({ url: '/assets/index-1a2b.js', headers: { 'accept-encoding': 'gzip' } });
    expect([coded.statusCode, coded.headers['content-encoding'], coded.rawPayload]).toEqual([200, 'gzip', gzipSync('export {};')]);
    expect(coded.headers['vary']).toBe('accept-encoding');
  });

  it.each([
    '/assets/',
    '/assets/none.js',
    '/assets/../index.html',
    '/assets/..%2findex.html',
    '/assets/..%2f..%2flivetape.yaml',
    '/assets/.hidden',
  ])('serves nothing at %s', async (url) => {
    await using test = await openTestApp({ yaml: 'streams: {}\n' });
    await writeFile(join(test.context.page, 'assets/.hidden'), 'hidden');
    const answer = await test.app.inject(url);
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
    expect(answer.statusCode).toBeLessThan(500);
    expect(answer.body).not.toMatch(/hidden|doctype|streams: /);
    expect(JSON.parse(answer.body)).toHaveProperty('error.code');
  });

  it('D6: is there for whoever has no credential, with auth, too', async () => {
    await using test = await openTestApp({ yaml: 'auth:\n  enabled: true\n' });
    expect((await test.app.inject('/')).statusCode).toBe(200);
    expect((await test.app.inject('/assets/index-1a2b.js')).statusCode).toBe(200);
    expect((await test.app.inject('/api/v1/streams')).statusCode).toBe(401);
  });
});
