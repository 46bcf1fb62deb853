/** Errors as HTTP tells them (H2): each code its status, each refusal the same shape, nothing of our insides. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ERROR_CODES, LivetapeError } from '../base/index.js';
import { errorAnswer, HTTP_STATUS } from './errors.js';
import { openTestApp, type TestApp } from './testApp.js';

describe('HTTP_STATUS (H2)', () => {
  it('has every code, once, and none besides', () => {
    expect(Object.keys(HTTP_STATUS).sort()).toEqual([...ERROR_CODES].sort());
  });

  it('has statuses of errors only', () => {
    for (const [code, status] of Object.entries(HTTP_STATUS)) expect(status, code).toSatisfy((n: number) => n >= 400 && n < 600);
  });

  it('tells the five reasons for an empty window apart by code, and what is gone by its status (P10)', () => {
    expect(HTTP_STATUS.WINDOW_EXPIRED).toBe(410);
    for (const code of ['WINDOW_IN_GAP', 'WINDOW_BEFORE_ARCHIVE', 'WINDOW_IN_FUTURE', 'NOTHING_RECORDED', 'STREAM_NOT_FOUND'] as const) {
      expect(HTTP_STATUS[code]).toBe(404);
    }
  });
});

describe('errorAnswer (H2)', () => {
  it('tells code and message of ours', () => {
    expect(errorAnswer(new LivetapeError('KEEP_EXISTS', 'there is one'))).toEqual({
      status: 409,
      headers: {},
      body: { error: { code: 'KEEP_EXISTS', message: 'there is one' } },
    });
  });

  it('says when to come again', () => {
    expect(errorAnswer(new LivetapeError('RECORDER_LOST', 'gone')).headers).toEqual({ 'retry-after': '2' });
  });

  it('tells nothing of what is our fault', () => {
    for (const error of [new Error('secret'), new LivetapeError('INVARIANT_BROKEN', 'secret'), 'secret', undefined, { statusCode: 200 }]) {
      const { status, body } = errorAnswer(error);
      expect(status).toBe(500);
      expect(body.error.code).toBe('INVARIANT_BROKEN');
      expect(JSON.stringify(body)).not.toContain('secret');
    }
  });

  it('keeps the status of a refusal by Fastify', () => {
    expect(errorAnswer(Object.assign(new Error('too large'), { statusCode: 413 }))).toEqual({
      status: 413,
      headers: {},
      body: { error: { code: 'REQUEST_INVALID', message: 'too large' } },
    });
  });
});

describe('requests that are none', () => {
  const open: TestApp[] = [];
  afterEach(async () => {
    for (const test of open.splice(0)) await test[Symbol.asyncDispose]();
  });

  /** Sends bytes as they are, and answers with all that comes. */
  async function talk(bytes: string): Promise<string> {
    const test = await openTestApp();
    open.push(test);
    const socket = createConnection({ host: '127.0.0.1', port: await test.listen() });
    const heard: Buffer[] = [];
    socket.on('data', (chunk) => heard.push(chunk));
    // The server may close before all is sent.
    socket.on('error', () => undefined);
    socket.write(bytes);
    await once(socket, 'close');
    return Buffer.concat(heard).toString();
  }

  it.each([
    ['what is not HTTP', 'hello\r\n\r\n', 400],
    ['a method that is none', 'FETCH / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['a URL that is too long', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    ['headers that are too long', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s is refused in the same shape', async (_what, bytes, status) => {
    const answer = await talk(bytes);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1\\.1 ${status} \\S`));
    expect(head).toContain('Connection: close');
    expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
    const { error } = JSON.parse(body) as { error: { code: string; message: string } };
    expect(error.code).toBe('REQUEST_INVALID');
    expect(error.message).not.toBe('');
  });

  it('a client that is gone is not an error', async () => {
    const test = await openTestApp();
    open.push(test);
    const sockets = vi.fn();
    test.app.server.on('connection', sockets);
    const socket = createConnection({ host: '127.0.0.1', port: await test.listen() });
    await once(socket, 'connect');
    socket.write('GET / HT');
    await expect.poll(() => sockets.mock.calls.length).toBe(1);
    socket.resetAndDestroy();
    const connections = (): Promise<number> => new Promise((resolve) => test.app.server.getConnections((_error, count) => resolve(count)));
    await expect.poll(connections).toBe(0);
    expect(test.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
