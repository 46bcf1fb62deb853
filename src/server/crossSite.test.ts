/** Pages of other sites control nothing; programs and our own pages do. */
import { expect, it } from 'vitest';
import { openTestApp } from './testApp.js';

const HOST = '127.0.0.1:8080';

it.each([
  [{ 'sec-fetch-site': 'cross-site' }, 403],
  [{ 'sec-fetch-site': 'same-site' }, 403],
  [{ origin: 'https://evil.example' }, 403],
  [{ origin: 'null' }, 403],
  [{ 'sec-fetch-site': 'cross-site', origin: `http://${HOST}` }, 403],
  [{ 'sec-fetch-site': 'same-origin', origin: `http://${HOST}` }, 204],
  [{ 'sec-fetch-site': 'none' }, 204],
  [{ origin: `http://${HOST}` }, 204],
  [{}, 204],
])('%j: %i', async (headers, status) => {
  await using test = await openTestApp({ yaml: 'streams: { news: {} }' });
  const response = await test.inject({ method: 'DELETE', url: '/api/v1/streams/news', headers: { host: HOST, ...headers } });
  expect(response.statusCode).toBe(status);
  const after = await test.inject('/api/v1/streams/news');
  expect(after.statusCode).toBe(status === 403 ? 200 : 404);
});

it.each(['/%61pi/v1/streams/news', '/a%70%69/v1/streams/%6eews', '/api%2fv1/streams/news', '//api/v1/streams/news'])(
  'however the address is written: %s',
  async (url) => {
    await using test = await openTestApp({ yaml: 'streams: { news: {} }' });
    const { statusCode } = await test.app.inject({ method: 'DELETE', url, headers: { host: HOST, 'sec-fetch-site': 'cross-site' } });
    expect([403, 404, 405]).toContain(statusCode);
    expect((await test.inject('/api/v1/streams/news')).statusCode).toBe(200);
  },
);

it('what is played and watched over is open to any page', async () => {
  await using test = await openTestApp();
  expect((await test.inject({ url: '/healthz', headers: { 'sec-fetch-site': 'cross-site' } })).statusCode).toBe(200);
});
