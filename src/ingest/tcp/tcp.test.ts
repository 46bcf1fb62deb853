/** `tcp://`: connecting again, timeouts, waiting for room, and ffmpeg as the sender. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, systemClock, type Clock } from '../../base/index.js';
import { openSource } from '../registry.js';
import type { Source } from '../source.js';
import { ffmpeg } from '../testing/ffmpeg.js';
import { ProbeLog, ProbeSink, SAMPLE, until } from '../testing/probes.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function start(url: string, clock: Clock): { source: Source; sink: ProbeSink } {
  const source = openSource(url, { clock, log: new ProbeLog() });
  const sink = new ProbeSink();
  cleanups.push(() => source.close());
  source.start(sink);
  return { source, sink };
}

async function serve(
  onConnection: (socket: Socket, nth: number) => void,
  port = 0,
): Promise<{ port: number; server: Server; sockets: Socket[]; close(): Promise<void> }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    sockets.push(socket);
    onConnection(socket, sockets.length);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  cleanups.push(close);
  return { port: (server.address() as AddressInfo).port, server, sockets, close };
}

describe('tcp', () => {
  it('connects again, with backoff, when the other side ends, resets or is not there', async () => {
    const clock = new ManualClock();
    const origin = await serve((socket, nth) => {
      if (nth === 1) socket.end(SAMPLE.subarray(0, 188));
      else socket.write(SAMPLE.subarray(188, 376));
    });
    const { source, sink } = start(`tcp://127.0.0.1:${origin.port}`, clock);
    expect((await sink.heard('lost')).text).toBe('the other side closed the connection');
    clock.advance(250);
    await sink.received(376);
    origin.sockets[1]?.resetAndDestroy();
    expect((await sink.heard('lost', 2)).text).toMatch(/ECONNRESET/);
    await origin.close();
    clock.advance(500);
    expect((await sink.heard('lost', 3)).text).toMatch(/ECONNREFUSED/);
    const again = await serve((socket) => socket.write(SAMPLE.subarray(376, 564)), origin.port);
    clock.advance(1000);
    await sink.received(564);
    expect(again.sockets.length).toBe(1);
    expect(sink.kinds).toEqual(['connected', 'lost', 'connected', 'lost', 'lost', 'connected']);
    expect(sink.bytes.equals(SAMPLE.subarray(0, 564))).toBe(true);
    expect(source.stats.connections).toBe(3);
  });

  it('gives up a connection that says nothing for 30 s', async () => {
    const clock = new ManualClock();
    const origin = await serve((socket, nth) => void (nth === 1 && socket.write(SAMPLE.subarray(0, 188))));
    const { sink } = start(`tcp://127.0.0.1:${origin.port}`, clock);
    await sink.received(188);
    clock.advance(29_999);
    expect(sink.kinds).toEqual(['connected']);
    clock.advance(1);
    expect((await sink.heard('lost')).text).toBe('nothing received for 30 s');
    clock.advance(250);
    await until(() => origin.sockets.length === 2);
  });

  it('reads no more than the kernel holds while there is no room, and loses nothing', async () => {
    const clock = new ManualClock();
    const total = 64 * 1024 * 1024;
    let sent = 0;
    const block = Buffer.alloc(1024 * 1024, 0x47);
    const origin = await serve((socket) => {
      const push = (): void => {
        while (sent < total) {
          sent += block.length;
          if (!socket.write(block)) {
            socket.once('drain', push);
            return;
          }
        }
      };
      push();
    });
    const source = openSource(`tcp://127.0.0.1:${origin.port}`, { clock, log: new ProbeLog() });
    cleanups.push(() => source.close());
    const sink = new ProbeSink();
    sink.data = (chunk) => void (sink.byteCount += chunk.length);
    let goOn = (): void => undefined;
    sink.wait = new Promise((resolve) => (goOn = resolve));
    source.start(sink);
    // until the sender has been stuck for fifty turns of the loop
    let [last, turns] = [-1, 0];
    await until(() => {
      turns = sent === last ? turns + 1 : 0;
      last = sent;
      return turns > 50;
    });
    expect(sink.byteCount).toBeLessThanOrEqual(128 * 1024);
    expect(sent).toBeLessThan(total);
    clock.advance(60_000); // the silence is ours
    expect(sink.kinds).toEqual(['connected']);
    sink.wait = undefined;
    goOn();
    await sink.received(total);
    expect(sink.byteCount).toBe(total);
    expect(sink.kinds).toEqual(['connected']);
  });

  it('receives from ffmpeg, which listens', async () => {
    const origin = await serve(() => undefined);
    await origin.close(); // its port is free now
    const sending = ffmpeg(['-f', 'mpegts', `tcp://127.0.0.1:${origin.port}?listen=1`]);
    cleanups.push(() => sending.end());
    const { sink } = start(`tcp://127.0.0.1:${origin.port}`, systemClock);
    await sink.received(60_000);
    await sending.end();
    await sink.heard('lost', sink.kinds.filter((kind) => kind === 'lost').length + 1);
    const bytes = sink.bytes;
    for (let at = 0; at < bytes.length; at += 188) expect(bytes[at], `at ${at}`).toBe(0x47);
  });
});
