/** `GET /api/v1/probe`, with the real probe of a real file, and what ends one early. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LivetapeError, silentLogger, systemClock } from '../../base/index.js';
import { probeSource } from '../../ingest/index.js';
import type { ServerContext } from '../context.js';
import { openTestApp } from '../testApp.js';

const DEMO = join(import.meta.dirname, '../../../assets/demo.ts');
const probe: ServerContext['probe'] = (source, options) => probeSource(source, { ...options, clock: systemClock, log: silentLogger });
const codeOf = (body: string): string => (JSON.parse(body) as { error: { code: string } }).error.code;

describe('GET /api/v1/probe', () => {
  it('says what is in a source', async () => {
    await using test = await openTestApp({ context: { probe } });
    const response = await test.inject(`/api/v1/probe?source=${encodeURIComponent(`file:${DEMO}?pace=0`)}`);
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
    ['?source=file:/nowhere.ts', 404, 'SOURCE_NOT_FOUND'],
  ])('refuses %s', async (query, status, code) => {
    await using test = await openTestApp({ context: { probe } });
    const response = await test.inject(`/api/v1/probe${query}`);
    expect([response.statusCode, codeOf(response.body)]).toEqual([status, code]);
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
