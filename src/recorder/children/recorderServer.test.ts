/** A recorder's end of its socket under a server that does not read, says nonsense, or comes second: it waits for nobody. */
import { EventEmitter } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger, systemClock } from '../../base/index.js';
import { failure, testRoot, until } from '../dvrContract.js';
import type { LiveSink } from '../live.js';
import { testService } from '../testService.js';
import { FRAME, FrameReader, frameOf } from './frames.js';
import { MAX_BEHIND_BYTES } from './liveOut.js';
import { PROTOCOL, type ToServer } from './protocol.js';
import type { RecorderParts } from './recorderCommands.js';
import { RecorderLink } from './recorderLink.js';
import { RecorderServer } from './recorderServer.js';
import { decodeValue, encodeValue } from './values.js';

interface Recorder {
  readonly path: string;
  readonly parts: RecorderParts & { readonly emit: (name: string, event: unknown) => void; sink: LiveSink | undefined; left: number };
  readonly server: RecorderServer;
}

/** A recorder's server in this process, on a service whose events and live media the test makes. */
async function recorder(orphanMs = 60_000): Promise<Recorder> {
  const path = join(await testRoot(), '0.sock');
  const { dvr } = testService();
  const emitter = new EventEmitter();
  const parts: Recorder['parts'] = {
    sink: undefined,
    left: 0,
    dvr: Object.assign(dvr, {
      on(name: string, listener: (event: unknown) => void) {
        emitter.on(name, listener);
        return dvr;
      },
      async live(_code: string, sink: LiveSink) {
        parts.sink = sink;
        const close = async (): Promise<void> => void (parts.left += 1);
        return { close, [Symbol.asyncDispose]: close };
      },
    }),
    emit: (name, event) => void emitter.emit(name, event),
    checkSource: async () => undefined,
    connect: () => {
      throw new Error('not asked for here');
    },
    close: () => dvr.close(),
    [Symbol.asyncDispose]: () => dvr.close(),
  };
  const server = await RecorderServer.listen({ path, version: 'test', parts, clock: systemClock, log: silentLogger, orphanMs });
  onTestFinished(() => server.close());
  return { path, parts, server };
}

/** A connection as it is, and what comes over it. */
async function raw(path: string, hello: unknown): Promise<{ socket: Socket; messages: ToServer[]; mediaBytes: () => number }> {
  const socket = connect({ path });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  const messages: ToServer[] = [];
  let mediaBytes = 0;
  const reader = new FrameReader((kind, payload) => {
    if (kind === FRAME.message) messages.push(decodeValue(payload) as ToServer);
    else mediaBytes += payload.length;
  });
  socket.on('data', (chunk: Buffer) => reader.push(chunk));
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  socket.write(frameOf(FRAME.message, encodeValue({ hello })));
  return { socket, messages, mediaBytes: () => mediaBytes };
}

const CONTROL = { protocol: PROTOCOL, version: 'test' };
const link = (path: string): Promise<RecorderLink> =>
  RecorderLink.open(path, { version: 'test', clock: systemClock, log: silentLogger, timeoutMs: 5000 });

describe("a recorder's server", () => {
  it('leaves out events and heartbeats that are not read, counts them, and answers all the same', async () => {
    const { path, parts } = await recorder();
    const { socket, messages } = await raw(path, CONTROL);
    await until('a welcome', () => messages.some((message) => 'welcome' in message));
    socket.pause();
    const event = { streamCode: 'x', count: 1, sizeBytes: 1, text: 'x'.repeat(100_000) };
    for (let i = 0; i < 200; i++) parts.emit('segment.pruned', event);
    socket.write(frameOf(FRAME.message, encodeValue({ id: 7, call: 'stop', args: ['x'] })));
    socket.resume();
    await until('the answer', () => messages.some((message) => 'id' in message));
    expect(messages.find((message) => 'id' in message)).toMatchObject({ id: 7, error: { code: 'NOT_RECORDING' } });
    await until('a heartbeat that says so', () => messages.some((message) => 'beat' in message && message.beat.process.unsent > 100));
    const told = messages.filter((message) => 'event' in message).length;
    const unsent = messages.reduce((most, message) => ('beat' in message ? Math.max(most, message.beat.process.unsent) : most), 0);
    expect(told + unsent).toBe(200);
  });

  it('has one controlling connection; the next may come when that is gone', async () => {
    const { path } = await recorder();
    const first = await link(path);
    expect(await failure(link(path))).toMatchObject({ code: 'ROOT_OWNED' });
    expect(await failure(first.call('stop', 'x'))).toMatchObject({ code: 'NOT_RECORDING' });
    first.destroy();
    await first.ended;
    expect(await failure(first.call('stop', 'x'))).toMatchObject({ code: 'RECORDER_LOST' });
    let second: RecorderLink | undefined;
    await until('the place', async () => (second = await link(path).catch(() => undefined)) !== undefined);
    expect(second?.welcome).toMatchObject({ protocol: PROTOCOL, version: 'test', pid: process.pid, requests: [], sources: [] });
  });

  it('ends a connection that says what it may not, and goes on', async () => {
    const { path } = await recorder();
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      frameOf(FRAME.message, Buffer.from('{')),
      frameOf(FRAME.message, encodeValue({ id: 1, call: 'close', args: [] })),
    ]) {
      const socket = connect({ path });
      socket.on('error', () => undefined);
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.write(bytes);
      await closed;
    }
    expect((await link(path)).welcome.pid).toBe(process.pid);
  });

  it('lets go of one who does not take the live stream, and tells the others of its end', async () => {
    const { path, parts } = await recorder();
    const slow = await raw(path, { ...CONTROL, live: 'x' });
    await until('a viewer', () => parts.sink !== undefined);
    slow.socket.pause();
    const chunk = new Uint8Array(188 * 1000);
    parts.sink?.segment(true);
    let sent = 0;
    for (; sent < 3 * MAX_BEHIND_BYTES && parts.left === 0; sent += chunk.length) {
      parts.sink?.data(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(parts.left).toBe(1);
    expect(sent).toBeGreaterThan(MAX_BEHIND_BYTES);
    parts.sink = undefined;
    const quick = await raw(path, { ...CONTROL, live: 'x' });
    await until('another', () => parts.sink !== undefined);
    parts.sink!.segment(true);
    parts.sink!.data(chunk);
    parts.sink!.ended('it was stopped');
    await until('all of it', () => quick.messages.length === 2);
    expect(quick.messages).toEqual([{ live: true }, { ended: 'it was stopped' }]);
    expect(quick.mediaBytes()).toBe(chunk.length + 1);
  });

  it('ends by itself when nobody comes, and not before', async () => {
    const { path, server } = await recorder(300);
    const first = await link(path);
    let ended = false;
    void server.ended.then(() => (ended = true));
    // longer than it would wait alone
    const fromMs = Date.now();
    await until('time', () => Date.now() - fromMs > 600);
    expect(ended).toBe(false);
    first.destroy();
    await server.ended;
    expect(await link(path).catch((error: unknown) => error)).toMatchObject({ code: 'ENOENT' });
  });
});
