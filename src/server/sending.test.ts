/** Over real connections: what a client that is slow, stands still or goes away does to the server. */
import { EventEmitter } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, silentLogger, systemClock, type Clock } from '../base/index.js';
import { waitFor } from '../../test/lab.js';
import { buildApp, type App } from './app.js';
import { sendBody } from './sending.js';
import { FakePlayback, FakeRecorders, pooled, someBytes, viewersContext } from './testViewers.js';

/** More than what the kernel's buffers take on both sides. */
const LONG = 64 * 1024 * 1024;

const open: { apps: App[]; sockets: Socket[] } = { apps: [], sockets: [] };
afterEach(async () => {
  for (const socket of open.sockets.splice(0)) socket.destroy();
  for (const app of open.apps.splice(0)) await app.close();
});

async function lab({ clock = systemClock, bytes = someBytes(LONG) }: { clock?: Clock; bytes?: Uint8Array } = {}) {
  const playback = new FakePlayback();
  const recorders = new FakeRecorders();
  playback.segmentBytes = bytes;
  const app = await buildApp(viewersContext({ playback, recorders, clock }));
  open.apps.push(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const ask = (path: string): Client => {
    const client = new Client(port, path);
    open.sockets.push(client.socket);
    return client;
  };
  return { app, playback, recorders, ask };
}

/** Reads nothing until it is told to. */
class Client {
  readonly socket: Socket;
  readonly chunks: Buffer[] = [];
  receivedBytes = 0;
  closed = false;

  constructor(port: number, path: string) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.pause();
    this.socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.receivedBytes += chunk.length;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.on('error', () => undefined);
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  }

  /** What came after the headers. */
  get body(): Buffer {
    const all = Buffer.concat(this.chunks);
    return all.subarray(all.indexOf('\r\n\r\n') + 4);
  }
}

/** Kept when a number has stood still for a while. */
async function stands(what: string, value: () => number): Promise<number> {
  let [last, times] = [-1, 0];
  await waitFor(what, () => {
    const now = value();
    times = now === last && now > 0 ? times + 1 : 0;
    last = now;
    return times >= 8;
  });
  return last;
}

describe('bodies', () => {
  it('H6: are pulled as the client takes them, and a buffer is not used again before its bytes are out', async () => {
    const { playback, ask } = await lab();
    let pulled = 0;
    const { segmentBytes } = playback;
    playback.segment = async (code, name) => {
      const file = await FakePlayback.prototype.segment.call(playback, code, name);
      return {
        ...file,
        async *read(from, to) {
          for await (const chunk of pooled(segmentBytes.subarray(from, to), 256 * 1024)) {
            pulled += chunk.length;
            yield chunk;
          }
        },
      };
    };
    const client = ask('/news/000001.ts');
    const held = await stands('the server waits for the client', () => pulled);
    expect(held).toBeLessThan(LONG / 2);
    client.socket.resume();
    await waitFor('all came', () => client.receivedBytes > LONG && playback.openFiles === 0);
    expect(Buffer.compare(client.body, segmentBytes)).toBe(0);
  });

  it('a client that goes away half way: the file is closed, the body is returned', async () => {
    const { playback, ask } = await lab();
    for (const path of ['/news/000001.ts', '/news/archive-1767225600-3600.ts']) {
      const client = ask(path);
      await waitFor('the body is being sent', () => playback.openBodies === 1);
      client.socket.resume();
      await waitFor('some came', () => client.receivedBytes > 1e6);
      client.socket.destroy();
      await waitFor('nothing is held', () => playback.openBodies === 0 && playback.openFiles === 0);
    }
  });

  it('a client that takes nothing for two minutes is let go', async () => {
    const clock = new ManualClock();
    const { playback, ask } = await lab({ clock });
    const client = ask('/news/000001.ts');
    await stands('the server waits for the client', () => (playback.openBodies === 1 ? client.socket.bytesWritten : 0));
    clock.advance(119_000);
    expect(playback.openBodies).toBe(1);
    clock.advance(2000);
    await waitFor('nothing is held', () => playback.openBodies === 0 && playback.openFiles === 0);
  });

  it('a long playlist whose viewer goes away is not made to its end', async () => {
    const { playback, ask } = await lab({ bytes: someBytes(10) });
    playback.text = `#EXTM3U\n${'#EXTINF:4,\n000001.ts\n'.repeat(LONG / 21)}`;
    const client = ask('/news/playlist.m3u8');
    client.socket.resume();
    await waitFor('some came', () => client.receivedBytes > 1e6);
    client.socket.destroy();
    await waitFor('nothing is held', () => playback.openBodies === 0);
  });

  it('a body that ends before its size is broken off, not waited for', async () => {
    const { playback, ask } = await lab({ bytes: someBytes(200_000) });
    playback.segment = async (code, name) => ({ ...(await FakePlayback.prototype.segment.call(playback, code, name)), sizeBytes: 300_000 });
    const client = ask('/news/000001.ts');
    client.socket.resume();
    await waitFor('the connection is closed', () => client.closed);
    expect(client.body.length).toBe(200_000);
  });
});

/** A client that takes one chunk when it is told to. */
class FakeResponse extends EventEmitter {
  closed = false;
  destroyed = false;
  writableEnded = false;
  take: () => void = () => undefined;
  writeHead(): void {}
  setTimeout(): void {}
  write(_chunk: Uint8Array, taken: () => void): void {
    this.take = taken;
  }
  destroy(): void {
    this.closed = this.destroyed = true;
    this.emit('close');
  }
}

describe('the least that is taken', () => {
  /** Minutes until a client that takes so many chunks a minute is let go; at most 10. */
  async function minutes(chunkBytes: number, perMinute: number): Promise<{ held: number; noted: string[] }> {
    const clock = new ManualClock();
    const response = new FakeResponse();
    const noted: string[] = [];
    const reply = { hijack: () => undefined, getHeaders: () => ({}), statusCode: 200, raw: response } as unknown as FastifyReply;
    const limits = { note: (kind: string) => void noted.push(kind) };
    const over = sendBody(reply, pooled(someBytes(16 * 1024 * 1024), chunkBytes), { clock, log: silentLogger, limits });
    let held = 0;
    for (; held < 10 && !response.destroyed; held++) {
      for (let n = 0; n < perMinute && !response.destroyed; n++) {
        await new Promise((resolve) => setImmediate(resolve));
        clock.advance(60_000 / perMinute);
        if (!response.destroyed) response.take();
      }
    }
    response.destroy();
    await over;
    return { held, noted };
  }

  it.each([
    [16, 9, 10],
    [16, 6, 2],
    [16, 1, 2],
    [300, 1, 10],
  ])('L3: chunks of %d KiB, %d a minute: held for %d minutes (256 KiB in two are asked for)', async (kib, perMinute, held) => {
    const came = await minutes(kib * 1024, perMinute);
    expect(came).toEqual({ held, noted: held === 10 ? [] : ['slow_readers'] });
  });
});

describe('stream.ts', () => {
  it('is sent as it comes, and the relay is given up when the viewer goes', async () => {
    const { recorders, ask } = await lab();
    const client = ask('/news/stream.ts');
    client.socket.resume();
    await waitFor('the recorder is asked', () => recorders.open === 1);
    await waitFor('the answer begins', () => client.receivedBytes > 0);
    expect(Buffer.concat(client.chunks).toString()).toMatch(/^HTTP\/1\.1 200 [^]*cache-control: no-store[^]*transfer-encoding: chunked/i);
    recorders.sink.segment(true);
    recorders.sink.data(Buffer.from('first'));
    await waitFor('it came', () => client.body.toString().includes('first'));
    recorders.sink.data(Buffer.from('second'));
    await waitFor('it came', () => client.body.toString().includes('second'));
    client.socket.destroy();
    await waitFor('the relay is given up', () => recorders.open === 0);
  });

  it('ends well when the recording is stopped', async () => {
    const { recorders, ask } = await lab();
    const client = ask('/news/stream.ts');
    client.socket.resume();
    await waitFor('the recorder is asked', () => recorders.open === 1);
    recorders.sink.segment(true);
    recorders.sink.data(Buffer.from('last'));
    recorders.recording.delete('news');
    recorders.sink.ended('stopped');
    await waitFor('it ended', () => client.body.toString().endsWith('0\r\n\r\n'));
    expect(client.body.toString()).toContain('last');
  });

  it('H6: a viewer that takes nothing for 30 s is let go; one that gets nothing is not', async () => {
    const clock = new ManualClock();
    const { recorders, ask } = await lab({ clock });
    const stuck = ask('/news/stream.ts');
    const quiet = ask('/news/stream.ts');
    quiet.socket.resume();
    await waitFor('both watch', () => recorders.asked === 1 && quiet.receivedBytes > 0);
    clock.advance(60_000);
    expect([stuck.closed, quiet.closed]).toEqual([false, false]);
    recorders.sink.segment(true);
    const piece = new Uint8Array(1024 * 1024);
    // until the kernel takes no more for the one that stands still
    for (let sent = 0; sent < LONG; sent += piece.length) {
      recorders.sink.data(piece);
      await waitFor('the other took it', () => quiet.receivedBytes > sent);
    }
    clock.advance(31_000);
    stuck.socket.resume();
    await waitFor('it is let go', () => stuck.closed);
    expect(stuck.receivedBytes).toBeLessThan(LONG);
    expect([quiet.closed, recorders.open]).toEqual([false, 1]);
  });

  it('of what is not recorded there is none', async () => {
    const { app } = await lab();
    const code = async (url: string, method: 'GET' | 'HEAD' = 'GET') => (await app.inject({ method, url })).statusCode;
    expect([await code('/uk/bbc/stream.ts'), await code('/other/stream.ts')]).toEqual([409, 404]);
    expect([await code('/uk/bbc/stream.ts', 'HEAD'), await code('/news/stream.ts', 'HEAD')]).toEqual([409, 200]);
  });
});
