/** That the tests' hold on answers bites: each way to differ from the document, once. */
import { expect, it } from 'vitest';
import { errorSchema } from './openapi.js';
import { openTestApp } from './testApp.js';
import type { GivenAnswer } from './testDocument.js';

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const ERROR = JSON.stringify({ error: { code: 'STREAM_NOT_FOUND', message: 'there is no stream' } });
const good: GivenAnswer = { method: 'GET', url: '/healthz', status: 200, headers: JSON_TYPE, body: '{"status":"ok","version":"1"}' };

it.each([
  ['an answer as described', good],
  ['an error as described', { ...good, url: '/api/v1/streams/a%2Fb?x=1', status: 404, body: ERROR }],
  ['HEAD without a body', { ...good, method: 'HEAD', body: '' }],
  ['no body where none is described', { ...good, method: 'DELETE', url: '/api/v1/streams/a', status: 204, headers: {}, body: '' }],
  ['what no route answers', { ...good, url: '/api/v1/nothing', status: 404, body: ERROR }],
  ['playback of a code with slashes', { ...good, url: '/a/b/index.m3u8', status: 404, body: ERROR }],
])('%s passes', async (_what, answer) => {
  await using test = await openTestApp();
  expect(() => test.checker.check(answer)).not.toThrow();
});

it.each([
  ['a status', { ...good, status: 202 }, 'no status 202'],
  ['a type', { ...good, headers: { 'content-type': 'text/plain' } }, 'text/plain is none of'],
  ['no type', { ...good, headers: {} }, 'is none of'],
  ['a field that is missing', { ...good, body: '{"status":"ok"}' }, 'version'],
  ['a field too many', { ...good, body: '{"status":"ok","version":"1","more":1}' }, 'additional properties'],
  ['a value', { ...good, body: '{"status":"bad","version":"1"}' }, 'status'],
  ['no JSON', { ...good, body: 'ok' }, 'no JSON'],
  ['a body where none is described', { ...good, method: 'DELETE', url: '/api/v1/streams/a', status: 204, body: '{}' }, 'no body'],
  ['a code that there is not', { ...good, status: 500, body: '{"error":{"code":"OOPS","message":"x"}}' }, 'code'],
  ['a refusal in another shape', { ...good, url: '/api/v1/nothing', status: 404, body: '{"message":"x"}' }, 'error'],
  ['a path that is not described', { ...good, url: '/api/v1/nothing' }, 'nothing is described'],
  ['405 without Allow', { ...good, method: 'POST', status: 405, body: ERROR }, 'Allow'],
])('%s that is not as described fails', async (_what, answer, says) => {
  await using test = await openTestApp();
  expect(() => test.checker.check(answer)).toThrow(says);
});

it('the example of an error is one', () => {
  const [example] = (errorSchema.meta()?.['examples'] ?? []) as unknown[];
  expect(errorSchema.safeParse(example).success).toBe(true);
});
