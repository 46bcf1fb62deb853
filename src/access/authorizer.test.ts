/** The authoriser: what it is asked, what its answers open and for how long, and that whatever goes wrong opens nothing (docs/design/door.md, D9). */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTcp } from 'node:net';
import fc from 'fast-check';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { ManualClock, systemClock, type Clock, type Closable, type Logger } from '../base/index.js';
import { openAuthorizer } from './authorizer.js';
import { maxAgeOf, windowSaid } from './authorizerAnswer.js';
import type { Authorizer, AuthorizerQuestion } from './contract.js';

interface Asked {
  readonly method: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}
type Answer = (response: ServerResponse, asked: Asked) => void;

const QUESTION: AuthorizerQuestion = {
  stream: 'sport/1',
  name: 'index.m3u8',
  window: undefined,
  address: '192.0.2.7',
  token: 'SECRET-of-a-viewer',
  agent: 'VLC/3',
};
const windowOf = (fromMs: number, toMs: number): Partial<AuthorizerQuestion> => ({ window: { fromMs, toMs } });
const FAILED = { code: 'AUTHORIZER_FAILED' };

let answer: Answer;
let asked: Asked[];
let lines: string[];
beforeEach(() => {
  answer = (response) => response.end();
  asked = [];
  lines = [];
});

const log: Logger = Object.fromEntries(
  ['debug', 'info', 'warn', 'error'].map((level) => [
    level,
    (fields: object, message: string) => void lines.push(`${level} ${message} ${JSON.stringify(fields)}`),
  ]),
) as unknown as Logger;

async function serve(): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const one: Asked = { method: request.method, headers: request.headers, body: text === '' ? undefined : JSON.parse(text) };
      asked.push(one);
      answer(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth`;
}

function open(url: string, { clock = systemClock, timeoutMs = 5000 }: { clock?: Clock; timeoutMs?: number } = {}): Authorizer & Closable {
  const authorizer = openAuthorizer({ url: () => url, timeoutMs: () => timeoutMs, clock, log });
  onTestFinished(() => authorizer.close());
  return authorizer;
}

/** An answer that holds for a minute. */
const keeps =
  (status: number, body = ''): Answer =>
  (response) =>
    response.writeHead(status, { 'cache-control': 'max-age=60' }).end(body);

it('D9: it is asked by POST, and 2xx opens the stream, live and past', async () => {
  const authorizer = open(await serve());
  expect(await authorizer.ask(QUESTION)).toEqual({
    kind: 'authorizer',
    id: '',
    name: 'authorizer',
    scopes: new Set(['playback']),
    streams: ['sport/1'],
    window: undefined,
    expiresMs: Infinity,
  });
  await authorizer.ask({ ...QUESTION, ...windowOf(1_500, Infinity), token: undefined, agent: undefined });
  expect(asked.map(({ method, body }) => [method, body])).toEqual([
    [
      'POST',
      { stream: 'sport/1', name: 'index.m3u8', from: null, to: null, address: '192.0.2.7', token: 'SECRET-of-a-viewer', agent: 'VLC/3' },
    ],
    ['POST', { stream: 'sport/1', name: 'index.m3u8', from: 1.5, to: null, address: '192.0.2.7', token: null, agent: null }],
  ]);
  expect(asked[0]?.headers['content-type']).toBe('application/json');
});

it.each([400, 401, 403, 404, 429])('D9: %i refuses', async (status) => {
  answer = (response) => response.writeHead(status).end('no');
  const authorizer = open(await serve());
  expect(await authorizer.ask(QUESTION)).toBeUndefined();
  expect(await authorizer.ask(QUESTION)).toBeUndefined();
  expect(asked).toHaveLength(2);
});

it('D9: a window that is said is what is opened; else the one that was asked for', async () => {
  const authorizer = open(await serve());
  expect(await authorizer.ask({ ...QUESTION, ...windowOf(1000, 2000) })).toMatchObject({ window: { fromMs: 1000, toMs: 2000 } });
  answer = (response) => response.end('{"from": 1.25, "to": 9, "why": "paid"}');
  expect(await authorizer.ask({ ...QUESTION, ...windowOf(1000, 2000) })).toMatchObject({ window: { fromMs: 1250, toMs: 9000 } });
  answer = (response) => response.end('{"from": null, "to": 9}');
  expect(await authorizer.ask(QUESTION)).toMatchObject({ window: { fromMs: -Infinity, toMs: 9000 } });
  answer = (response) => response.end(' {"allow": true}\n');
  expect(await authorizer.ask(QUESTION)).toMatchObject({ window: undefined });
});

it.each([
  'OK',
  'true',
  '[]',
  '"x"',
  'null',
  '{"from":"1"}',
  '{"from":2,"to":2}',
  '{"from":3,"to":2}',
  '{"to":-1}',
  '{"from":1e300}',
  '{"from":1',
])('D9: an allowing answer of which %s is the body opens nothing', async (body) => {
  answer = keeps(200, body);
  const authorizer = open(await serve());
  await expect(authorizer.ask(QUESTION)).rejects.toMatchObject(FAILED);
  await expect(authorizer.ask(QUESTION)).rejects.toMatchObject(FAILED);
  expect(asked).toHaveLength(2);
});

it.each<[string, Answer]>([
  ['500', (response) => void response.writeHead(500, { 'cache-control': 'max-age=60' }).end()],
  ['503', (response) => void response.writeHead(503).end()],
  ['a redirect', (response) => void response.writeHead(302, { location: '/yes' }).end()],
  ['a lasting redirect of the same method', (response) => void response.writeHead(308, { location: '/yes' }).end()],
  ['304', (response) => void response.writeHead(304).end()],
  ['a connection that breaks', (response) => void response.destroy()],
  ['a connection that breaks after the header', (response) => response.writeHead(200).write('{', () => response.destroy())],
  [
    'a body that is shorter than said',
    (response) => response.writeHead(200, { 'content-length': 10 }).write('{}', () => response.destroy()),
  ],
  ['a body that is too long', (response) => void response.writeHead(200).end(' '.repeat(65 * 1024))],
  [
    'a body that is said to be too long',
    (response) => void response.writeHead(200, { 'content-length': 1e9 }).write(' '.repeat(65 * 1024)),
  ],
  ['a refusal that is too long', (response) => void response.writeHead(403).end(' '.repeat(65 * 1024))],
  ['what is no HTTP', (response) => void response.socket?.end('hello\r\n\r\n')],
])('D9: %s refuses, is asked again, and is said once', async (_what, given) => {
  answer = given;
  const url = await serve();
  const authorizer = open(url);
  await expect(authorizer.ask(QUESTION)).rejects.toMatchObject(FAILED);
  await expect(authorizer.ask(QUESTION)).rejects.toMatchObject(FAILED);
  expect(asked).toHaveLength(2);
  expect(lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
  answer = keeps(200);
  expect(await authorizer.ask(QUESTION)).toBeDefined();
  expect(lines.at(-1)).toContain('answers again');
  expect(asked).toHaveLength(3);
  // D11
  expect(lines.join()).not.toContain('SECRET');
});

it.each<[string, Answer]>([
  ['never answers', () => undefined],
  ['stops after the header', (response) => void response.writeHead(200).write('{')],
  [
    'answers byte by byte',
    (response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    },
  ],
])('D9: one that %s refuses when its time is over', async (_what, given) => {
  answer = given;
  const authorizer = open(await serve(), { timeoutMs: 150 });
  await expect(authorizer.ask(QUESTION)).rejects.toMatchObject({ ...FAILED, message: 'the authoriser did not answer in time' });
});

it('D9: one that takes connections and reads nothing refuses when its time is over, one that is not there at once', async () => {
  const sockets = new Set<Socket>();
  const server = createTcp((socket) => void sockets.add(socket.pause()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const deaf = open(url, { timeoutMs: 150 });
  await expect(deaf.ask(QUESTION)).rejects.toMatchObject(FAILED);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  await expect(open(url).ask(QUESTION)).rejects.toMatchObject(FAILED);
});

it('D9: an answer holds as long as it says, for the same viewer', async () => {
  answer = keeps(200);
  const clock = new ManualClock();
  const authorizer = open(await serve(), { clock });
  const grant = await authorizer.ask(QUESTION);
  expect(grant).toMatchObject({ expiresMs: clock.nowMs() + 60_000 });
  clock.advance(59_999);
  expect(await authorizer.ask({ ...QUESTION, name: '000001.ts' })).toBe(grant);
  expect(asked).toHaveLength(1);
  clock.advance(1);
  await authorizer.ask(QUESTION);
  expect(asked).toHaveLength(2);
  // a step of the wall clock makes nothing last longer
  clock.stepWall(-3_600_000);
  clock.advance(60_000);
  await authorizer.ask(QUESTION);
  expect(asked).toHaveLength(3);
  for (const other of [{ stream: 'sport/2' }, { address: '192.0.2.8' }, { token: 'another' }, { token: undefined }, { agent: 'curl' }]) {
    const before = asked.length;
    await authorizer.ask({ ...QUESTION, ...other });
    expect(asked).toHaveLength(before + 1);
  }
});

it('D9: a grant with a window answers for what lies within it, and for nothing else', async () => {
  answer = keeps(200);
  const authorizer = open(await serve(), { clock: new ManualClock() });
  const wide = await authorizer.ask({ ...QUESTION, ...windowOf(1000, 9000) });
  expect(await authorizer.ask({ ...QUESTION, ...windowOf(1000, 9000) })).toBe(wide);
  expect(await authorizer.ask({ ...QUESTION, ...windowOf(2000, 3000) })).toBe(wide);
  expect(asked).toHaveLength(1);
  const other = await authorizer.ask({ ...QUESTION, ...windowOf(8000, 9500) });
  expect(asked).toHaveLength(2);
  await authorizer.ask({ ...QUESTION, ...windowOf(500, Infinity) });
  expect(asked).toHaveLength(3);
  // both are kept
  expect(await authorizer.ask({ ...QUESTION, ...windowOf(8500, 9400) })).toMatchObject({ window: { fromMs: 500, toMs: Infinity } });
  expect(other).toMatchObject({ window: { fromMs: 8000, toMs: 9500 } });
  expect(asked).toHaveLength(3);
  const live = await authorizer.ask(QUESTION);
  expect(asked).toHaveLength(4);
  expect(live).toMatchObject({ window: undefined });
});

it('D9: who is let in to live is asked about all the same when he wants the past; a window that is said answers for both', async () => {
  answer = keeps(200);
  const authorizer = open(await serve(), { clock: new ManualClock() });
  await authorizer.ask(QUESTION);
  answer = keeps(403);
  expect(await authorizer.ask({ ...QUESTION, ...windowOf(1000, 2000) })).toBeUndefined();
  expect(asked).toHaveLength(2);
  const other = { ...QUESTION, token: 'another' };
  answer = keeps(200, '{"from":1}');
  const said = await authorizer.ask(other);
  expect(await authorizer.ask({ ...other, name: '000001.ts' })).toBe(said);
  expect(await authorizer.ask({ ...other, ...windowOf(1000, 2000) })).toBe(said);
  expect(asked).toHaveLength(3);
  await authorizer.ask({ ...other, ...windowOf(999, 2000) });
  expect(asked).toHaveLength(4);
});

it('D9: a refusal holds as long as it says, for the same question', async () => {
  answer = keeps(403);
  const clock = new ManualClock();
  const authorizer = open(await serve(), { clock });
  for (let i = 0; i < 3; i++) expect(await authorizer.ask(QUESTION)).toBeUndefined();
  expect(asked).toHaveLength(1);
  // who may not see the past may see what is live, or the other way round
  answer = keeps(200);
  expect(await authorizer.ask({ ...QUESTION, ...windowOf(1, 2) })).toBeDefined();
  expect(await authorizer.ask(QUESTION)).toBeUndefined();
  clock.advance(60_000);
  expect(await authorizer.ask(QUESTION)).toBeDefined();
  expect(asked).toHaveLength(3);
});

it('D9: the same question is asked once at a time, and what came of it is everybody’s', async () => {
  const waiting: ServerResponse[] = [];
  answer = (response) => void waiting.push(response);
  const authorizer = open(await serve());
  const both = [
    authorizer.ask(QUESTION),
    authorizer.ask({ ...QUESTION, name: 'stream.ts' }),
    authorizer.ask({ ...QUESTION, token: 'other' }),
  ];
  await vi.waitFor(() => expect(waiting).toHaveLength(2));
  for (const response of waiting) response.end();
  const [first, second] = await Promise.all(both);
  expect(first).toBeDefined();
  expect(second).toBe(first);
  expect(asked).toHaveLength(2);
  // without max-age it was for those requests alone
  answer = (response) => response.writeHead(403).end();
  expect(await authorizer.ask(QUESTION)).toBeUndefined();
});

it('D9: another address of the authoriser makes what the old one said worth nothing', async () => {
  answer = keeps(200);
  let url = await serve();
  const authorizer = openAuthorizer({ url: () => url, timeoutMs: () => 5000, clock: systemClock, log });
  onTestFinished(() => authorizer.close());
  expect(await authorizer.ask(QUESTION)).toBeDefined();
  url = (await serve()).replace('http://', 'http://bob:p%40ss@');
  answer = keeps(403);
  expect(await authorizer.ask(QUESTION)).toBeUndefined();
  expect(asked.at(-1)?.headers.authorization).toBe(`Basic ${Buffer.from('bob:p@ss').toString('base64')}`);
});

it('too many questions at a time fail at once; closing ends what waits', async () => {
  const waiting: ServerResponse[] = [];
  answer = (response) => void waiting.push(response);
  const authorizer = open(await serve(), { timeoutMs: 20_000 });
  const asks = Promise.allSettled(Array.from({ length: 1000 }, (_, n) => authorizer.ask({ ...QUESTION, token: `t${n}` })));
  await vi.waitFor(() => expect(waiting.length).toBeGreaterThan(0));
  await expect(authorizer.ask({ ...QUESTION, token: 'one more' })).rejects.toMatchObject(FAILED);
  expect(waiting.length).toBeLessThanOrEqual(64);
  await authorizer.close();
  const reasons = (await asks).map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'answered'));
  expect(new Set(reasons)).toEqual(new Set(['AUTHORIZER_FAILED']));
  await expect(authorizer.ask(QUESTION)).rejects.toMatchObject(FAILED);
});

it.each<[string | string[] | undefined, number]>([
  [undefined, 0],
  ['', 0],
  ['max-age=60', 60],
  ['Private, Max-Age=5', 5],
  [['private', 'max-age=7'], 7],
  ['max-age=4000', 3600],
  ['max-age=99999999999999999999', 0],
  ['max-age=-1', 0],
  ['max-age=1.5', 0],
  ['max-age="60"', 0],
  ['max-age=60, max-age=10', 0],
  ['max-age=60, no-store', 0],
  ['no-cache, max-age=60', 0],
  ['no-cache="set-cookie", max-age=60', 0],
  ['private="a, max-age=60"', 0],
  ['s-maxage=60', 0],
  ['max-age', 0],
  ['max-age=60;x', 0],
])('D9: Cache-Control %j holds for %i s', (header, seconds) => expect(maxAgeOf(header)).toBe(seconds));

it('what an authoriser sends is judged, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const seconds = maxAgeOf(text);
      expect(seconds >= 0 && seconds <= 3600).toBe(true);
      windowSaid(text);
    }),
  );
  fc.assert(
    fc.property(fc.json(), (text) => {
      const said = windowSaid(text);
      if (said?.window !== undefined) expect(said.window.fromMs).toBeLessThan(said.window.toMs);
    }),
  );
});
