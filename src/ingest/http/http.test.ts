/** `http://`: redirects, credentials, bodies that are no stream, resets while holding back, and ffmpeg as the server. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, systemClock, type Clock } from '../../base/index.js';
import { openSource } from '../registry.js';
import type { Source } from '../source.js';
import { ffmpeg } from '../testing/ffmpeg.js';
import { ProbeLog, ProbeSink, SAMPLE, until } from '../testing/probes.js';
import { BodyStart } from './bodyKind.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function start(url: string, clock: Clock = systemClock): { source: Source; sink: ProbeSink; log: ProbeLog } {
  const log = new ProbeLog();
  const source = openSource(url, { clock, log });
  const sink = new ProbeSink();
  cleanups.push(() => source.close());
  source.start(sink);
  return { source, sink, log };
}

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => undefined);
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  cleanups.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  );
  return (server.address() as AddressInfo).port;
}

const serve = (answer: RequestListener): Promise<number> => listen(createServer(answer));

/** A server that answers each request in turn. */
async function serveInTurn(
  ...answers: ((response: ServerResponse, request: IncomingMessage) => unknown)[]
): Promise<{ port: number; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const port = await serve((request, response) => {
    requests.push(request);
    (answers[requests.length - 1] ?? answers.at(-1))?.(response, request);
  });
  return { port, requests };
}

describe('http', () => {
  it('sends what the URL says, with Basic authentication, and keeps the query as it is', async () => {
    const { port, requests } = await serveInTurn((response) => response.write(SAMPLE));
    const { source, sink } = start(`http://us%40er:p%3Aw@127.0.0.1:${port}/a%20b?x=1+2&program=3&y=%2F#frag`);
    await sink.received(SAMPLE.length);
    expect(requests[0]?.url).toBe('/a%20b?x=1+2&y=%2F');
    expect(requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('us@er:p:w').toString('base64')}`);
    expect(source.url).toBe(`http://***@127.0.0.1:${port}/a%20b?x=1+2&y=%2F`);
  });

  it('follows redirects, relative and to other hosts, where credentials do not go', async () => {
    const far = await serveInTurn((response) => response.write(SAMPLE));
    const near = await serveInTurn(
      (response) => response.writeHead(302, { location: 'next?a=1' }).end(),
      (response) => response.writeHead(307, { location: `http://127.0.0.1:${far.port}/far` }).end(),
    );
    const { sink } = start(`http://u:p@127.0.0.1:${near.port}/dir/first`);
    await sink.received(SAMPLE.length);
    expect(near.requests.map(({ url, headers }) => [url, headers.authorization !== undefined])).toEqual([
      ['/dir/first', true],
      ['/dir/next?a=1', true],
    ]);
    expect(far.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([['/far', undefined]]);
    expect(sink.events).toEqual([{ kind: 'connected', text: expect.stringContaining(`127.0.0.1:${far.port}`) as string }]);
  });

  it('takes five redirects and not six, and none that leaves HTTP', async () => {
    const five = await serveInTurn(
      ...Array.from({ length: 5 }, () => (response: ServerResponse) => response.writeHead(301, { location: '/' }).end()),
      (response) => response.write(SAMPLE),
    );
    await start(`http://127.0.0.1:${five.port}`).sink.received(SAMPLE.length);
    const endless = await serve((_request, response) => void response.writeHead(303, { location: '/' }).end());
    expect((await start(`http://127.0.0.1:${endless}`, new ManualClock()).sink.heard('lost')).text).toBe('more than 5 redirects');
    const away = await serve((_request, response) => void response.writeHead(302, { location: 'ftp://u:secret@h/' }).end());
    expect((await start(`http://127.0.0.1:${away}`, new ManualClock()).sink.heard('lost')).text).toBe(
      'redirected to ftp://***@h/, which is not HTTP',
    );
  });

  it('tries again what is not a stream, and what ends', async () => {
    const clock = new ManualClock();
    const { port } = await serveInTurn(
      (response) => response.writeHead(404).end('no'),
      (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><p>starting</p>'),
      (response) => response.end(),
      (response) => response.destroy(),
      (response) => response.end(SAMPLE.subarray(0, 188)), // one packet, and the end
      (response) => response.write(SAMPLE.subarray(188)),
    );
    const { source, sink } = start(`http://127.0.0.1:${port}`, clock);
    for (let nth = 1; nth <= 5; nth++) {
      await sink.heard('lost', nth);
      clock.advance(10_000);
    }
    await sink.received(SAMPLE.length);
    expect(sink.bytes.equals(SAMPLE)).toBe(true);
    expect(sink.events.map((event) => [event.kind, event.text])).toEqual([
      ['lost', 'HTTP 404'],
      ['lost', 'HTTP 200 text/html is not a transport stream'],
      ['lost', 'HTTP 200 without a content type is not a transport stream'],
      ['lost', expect.any(String)],
      ['connected', expect.any(String)],
      ['lost', 'the server ended the stream'],
      ['connected', expect.any(String)],
    ]);
    expect(source.stats.connections).toBe(2);
  });

  it('ends with a playlist, which is to come', async () => {
    const port = await serve((_request, response) => void response.end('\ufeff#EXTM3U\n#EXT-X-VERSION:3\n'));
    const { sink } = start(`http://127.0.0.1:${port}/index.m3u8`);
    const { text, error } = await sink.heard('ended');
    expect(text).toBe('HLS sources come later');
    expect(error).toMatchObject({ code: 'SOURCE_UNSUPPORTED' });
    expect(sink.kinds).toEqual(['ended']);
  });

  it('gives up a server that does not answer, one that falls silent, and one that does not connect', async () => {
    const clock = new ManualClock();
    const { port, requests } = await serveInTurn(
      () => undefined,
      (response) => response.write(SAMPLE),
    );
    const { sink } = start(`http://127.0.0.1:${port}`, clock);
    await until(() => requests.length === 1);
    clock.advance(30_000);
    expect((await sink.heard('lost')).text).toBe('nothing received for 30 s');
    clock.advance(250);
    await sink.received(SAMPLE.length);
    clock.advance(30_000);
    await sink.heard('lost', 2);
    // no TLS ever comes of it
    const silent = await listen(createTcpServer());
    const tls = start(`https://127.0.0.1:${silent}`, clock);
    clock.advance(10_000);
    expect((await tls.sink.heard('lost')).text).toBe('no connection within 10 s');
  });

  it('survives a reset while it holds back, and goes on', async () => {
    const clock = new ManualClock();
    const sockets: Socket[] = [];
    const port = await serve((request, response) => {
      sockets.push(request.socket);
      response.writeHead(200, { connection: 'close' });
      response.write(SAMPLE);
    });
    const { sink } = start(`http://127.0.0.1:${port}`, clock);
    let goOn = (): void => undefined;
    sink.wait = new Promise((resolve) => (goOn = resolve));
    await until(() => sink.byteCount > 0);
    sockets[0]?.resetAndDestroy();
    await sink.heard('lost');
    sink.wait = undefined;
    goOn();
    clock.advance(250);
    const before = sink.byteCount;
    await sink.received(before + SAMPLE.length);
    expect(sink.kinds).toEqual(['connected', 'lost', 'connected']);
  });

  it('waits for room and loses nothing', async () => {
    const total = 32 * 1024 * 1024;
    let sent = 0;
    const block = Buffer.alloc(188 * 1024, Uint8Array.of(0x47, ...new Uint8Array(187)));
    const port = await serve((_request, response) => {
      const push = (): void => {
        while (sent < total) {
          sent += block.length;
          if (!response.write(block)) {
            response.once('drain', push);
            return;
          }
        }
      };
      push();
    });
    const source = openSource(`http://127.0.0.1:${port}`, { clock: systemClock, log: new ProbeLog() });
    cleanups.push(() => source.close());
    const sink = new ProbeSink();
    sink.data = (chunk) => void (sink.byteCount += chunk.length);
    let goOn = (): void => undefined;
    sink.wait = new Promise((resolve) => (goOn = resolve));
    source.start(sink);
    let [last, turns] = [-1, 0];
    await until(() => {
      turns = sent === last ? turns + 1 : 0;
      last = sent;
      return turns > 50;
    });
    expect(sink.byteCount).toBeLessThan(256 * 1024);
    expect(sent).toBeLessThan(total);
    // room comes and goes
    sink.room = () => (sink.byteCount % 3 === 0 ? Promise.resolve() : undefined);
    goOn();
    await until(() => sent >= total && sink.byteCount === sent);
    expect(sink.kinds).toEqual(['connected']);
  });

  it('receives from ffmpeg, which listens', async () => {
    const port = await serve(() => undefined);
    for (const cleanup of cleanups.splice(0)) await cleanup(); // its port is free now
    const sending = ffmpeg(['-f', 'mpegts', '-listen', '1', `http://127.0.0.1:${port}/live`]);
    cleanups.push(() => sending.end());
    const { sink } = start(`http://127.0.0.1:${port}/live`);
    await sink.received(60_000);
    const bytes = sink.bytes;
    for (let at = 0; at < bytes.length; at += 188) expect(bytes[at], `at ${at}`).toBe(0x47);
  });
});

describe('BodyStart', () => {
  it('tells a stream in single bytes, from any place in a packet, and keeps all of them', () => {
    for (const from of [0, 1, 100, 187]) {
      const start = new BodyStart();
      let at = from;
      while (start.push(SAMPLE.subarray(at, at + 1)) === 'undecided') at += 1;
      expect(start.push(new Uint8Array(0))).toBe('ts');
      expect(start.bytes).toEqual(SAMPLE.slice(from, at + 1));
      expect(at - from).toBeLessThan(1300);
    }
  });

  it('gives up after 64 KiB without sync', () => {
    const start = new BodyStart();
    expect(start.push(new Uint8Array(60_000))).toBe('undecided');
    expect(start.push(new Uint8Array(6_000))).toBe('other');
  });
});
