import { afterEach, expect, it, vi } from 'vitest';
import { api, ApiError, credentialHeaders, getJson, request, useCredential, whenRefused } from './client';

afterEach(() => {
  vi.unstubAllGlobals();
  useCredential(undefined);
  whenRefused(() => undefined);
});

/** Answers every request; what was sent is kept. */
function serve(answer: () => Response): { readonly path: string; readonly credential: string | undefined }[] {
  const asked: { path: string; credential: string | undefined }[] = [];
  vi.stubGlobal('fetch', async (path: string, { headers }: { headers: Record<string, string> }) => {
    asked.push({ path, credential: headers['authorization'] });
    return answer();
  });
  return asked;
}

const codeOf = (asked: Promise<unknown>): Promise<unknown> =>
  asked.then(
    () => 'answered',
    (error: unknown) => (error instanceof ApiError ? error.code : error),
  );

it('says of an answer that is not the server’s that it is none: empty, half, or a proxy’s page', async () => {
  for (const body of ['', '{"streams": [', '<html>Sign in to the network</html>']) {
    serve(() => new Response(body));
    expect(await codeOf(api.whoami())).toBe('ANSWER_INVALID');
    serve(() => new Response(body, { status: 502 }));
    expect(await codeOf(api.whoami())).toBe('ANSWER_INVALID');
  }
});

it('says of an answer that breaks off that the server does not answer', async () => {
  serve(() => new Response(new ReadableStream({ start: (body) => body.error(new TypeError('network error')) })));
  expect(await codeOf(api.streams())).toBe('UNREACHABLE');
});

it('tells who has given up no error of the server', async () => {
  const given = new AbortController();
  serve(() => new Response(new ReadableStream({ start: (body) => body.error(given.signal.reason) })));
  given.abort();
  expect(await codeOf(getJson('/api/v1/streams', given.signal))).toBe(given.signal.reason);
});

it('takes no more of the timeline than it has asked for', async () => {
  const gap = { from: '2026-11-22T00:00:00Z', to: '2026-11-22T00:00:01Z', reason: 'signal', count: 1 };
  serve(() => Response.json({ gaps: [gap, gap], errors: [] }));
  expect((await api.timeline('news', 0, 1000, 2)).gaps).toHaveLength(2);
  expect(await codeOf(api.timeline('news', 0, 1000, 1))).toBe('ANSWER_INVALID');
});

it('sends its credential with what is its own, and hears of a refusal of that alone (G9)', async () => {
  const refused: string[] = [];
  whenRefused(({ code }) => refused.push(code));
  useCredential('lt_secret');
  const asked = serve(() => Response.json({ error: { code: 'TOKEN_EXPIRED', message: 'it has expired' } }, { status: 401 }));
  expect(await codeOf(request('/t/signed/news/index.m3u8'))).toBe('TOKEN_EXPIRED');
  expect(refused).toEqual([]);
  expect(await codeOf(api.whoami())).toBe('TOKEN_EXPIRED');
  expect(refused).toEqual(['TOKEN_EXPIRED']);
  expect(asked.map(({ credential }) => credential)).toEqual([undefined, 'Bearer lt_secret']);
  // What hls.js and pictures ask for by themselves.
  expect([credentialHeaders('/t/signed/news/000001.ts'), credentialHeaders('/news/000001.ts')]).toEqual([
    {},
    { authorization: 'Bearer lt_secret' },
  ]);
});
