/** `GET /api/v1/probe`, with the real probe of a real stream, where it may connect to, and what ends one early. */
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LivetapeError, silentLogger, systemClock } from '../../base/index.js';
import { probeSource } from '../../ingest/index.js';
import type { ServerContext } from '../context.js';
import { openTestApp } from '../testApp.js';

const DEMO = join(import.meta.dirname, '../../../assets/demo.ts');
const probe: ServerContext['probe'] = (source, options) => probeSource(source, { ...options, clock: systemClock, log: silentLogger });
/** A server of bytes. */
async function openOrigin(serve: (socket: Socket) => void): Promise<AsyncDisposable & { readonly url: string; connections(): number }> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const codeOf = (body: string): string => (JSON.parse(body) as { error: { code: string } }).error.code;

describe('GET /api/v1/probe', () => {
  it('looks at eight at a time', async () => {
    let [asked, end]: [number, () => void] = [0, () => undefined];
    const over = new Promise<void>((resolve) => (end = resolve));
    const waits: ServerContext['probe'] = async () => {
      asked += 1;
      await over;
      throw new LivetapeError('SOURCE_FAILED', 'nothing came');
    };
    await using test = await openTestApp({ context: { probe: waits } });
    const ask = async (): Promise<string> => codeOf((await test.inject('/api/v1/probe?source=tcp://127.0.0.1:1')).body);
    const first = Array.from({ length: 8 }, () => ask());
    await expect.poll(() => asked).toBe(8);
    expect(await ask()).toBe('LIMIT_REACHED');
    end();
    expect(await Promise.all(first)).toEqual(Array.from({ length: 8 }, () => 'SOURCE_FAILED'));
    expect(await ask()).toBe('SOURCE_FAILED');
  });

  it('says what is in a source', async () => {
    await using test = await openTestApp({ context: { probe } });
    const sample = await readFile(DEMO);
    await using origin = await openOrigin((socket) => socket.write(sample));
    const response = await test.inject(`/api/v1/probe?source=${encodeURIComponent(origin.url)}`);
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ programs: [{ number: 1, tracks: [{ codec: 'h264', width: 640 }, { codec: 'aac' }] }] });
    // no digits that nobody measured: 389535.99999999994
    expect(response.body).not.toMatch(/\.\d{4}/);
  });

  it.each([
    ['', 400, 'REQUEST_INVALID'],
    ['?source=', 400, 'REQUEST_INVALID'],
    ['?source=a&source=b', 400, 'REQUEST_INVALID'],
    ['?source=file:a&more=1', 400, 'REQUEST_INVALID'],
    ['?source=nonsense', 400, 'SOURCE_INVALID'],
    ['?source=xyz://a', 400, 'SOURCE_UNSUPPORTED'],
    // the server's own standard input is nobody's source
    ['?source=-', 400, 'SOURCE_INVALID'],
    ['?source=-%3Fprogram=1', 400, 'SOURCE_INVALID'],
    // E3: it would say what files there are
    ['?source=file:/nowhere.ts', 403, 'SOURCE_REFUSED'],
    ['?source=FILE:///etc/passwd', 403, 'SOURCE_REFUSED'],
  ])('refuses %s', async (query, status, code) => {
    await using test = await openTestApp({ context: { probe } });
    const response = await test.inject(`/api/v1/probe${query}`);
    expect([response.statusCode, codeOf(response.body)]).toEqual([status, code]);
  });

  it('E1: reaches what is not public for admins alone, and for others what egress.allow names', async () => {
    await using origin = await openOrigin((socket) => socket.end());
    await using test = await openTestApp({ yaml: 'auth: { enabled: true }', context: { probe } });
    const ask = async (scope: 'admin' | 'api', source: string): Promise<string> => {
      const headers = { authorization: `Bearer ${test.door.tokens.make({ scopes: [scope] })}` };
      return codeOf((await test.inject({ url: `/api/v1/probe?source=${encodeURIComponent(source)}`, headers })).body);
    };
    expect(await ask('api', origin.url)).toBe('ADDRESS_REFUSED');
    expect(await ask('api', origin.url.replace('127.0.0.1', 'localhost'))).toBe('ADDRESS_REFUSED');
    expect(await ask('api', 'file:/etc/passwd')).toBe('SOURCE_REFUSED');
    expect(origin.connections()).toBe(0);
    expect(await ask('admin', origin.url)).toBe('SOURCE_FAILED');
    expect(origin.connections()).toBeGreaterThan(0);
  });

  it('ends when the client has gone', async () => {
    let signal: AbortSignal | undefined;
    const waiting: ServerContext['probe'] = (_source, given) =>
      new Promise((_resolve, reject) => {
        signal = given.signal;
        signal.addEventListener('abort', () => reject(new LivetapeError('CLOSED', 'the probe was ended')));
      });
    await using test = await openTestApp({ context: { probe: waiting } });
    const port = await test.listen();
    const client = new AbortController();
    const asked = fetch(`http://127.0.0.1:${port}/api/v1/probe?source=udp://127.0.0.1:9`, { signal: client.signal });
    const refused = expect(asked).rejects.toThrow();
    await expect.poll(() => signal).toBeDefined();
    expect(signal?.aborted).toBe(false);
    client.abort();
    await expect.poll(() => signal?.aborted).toBe(true);
    await refused;
  });
});
