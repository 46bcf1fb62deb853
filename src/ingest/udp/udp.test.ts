/** `udp://` and `rtp://` over loopback: groups, addresses in use, silence, and ffmpeg as the sender. */
import { createSocket, type Socket } from 'node:dgram';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock, systemClock, type Clock } from '../../base/index.js';
import { openSource } from '../registry.js';
import type { Source } from '../source.js';
import { freePort, rtpPacket, sendAll } from '../testing/datagrams.js';
import { ffmpeg } from '../testing/ffmpeg.js';
import { ProbeLog, ProbeSink, SAMPLE, until } from '../testing/probes.js';

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

async function sender(): Promise<Socket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, resolve));
  cleanups.push(() => new Promise<void>((resolve) => socket.close(resolve)));
  return socket;
}

/** Sends `?` until the source has heard one. */
const listening = (source: Source, socket: Socket, port: number, host: string): Promise<void> =>
  until(() => {
    socket.send('?', port, host);
    return source.stats.foreignDatagrams > 0;
  });

const packet = (at: number): Uint8Array => SAMPLE.subarray(at * 188, (at + 1) * 188);

describe('udp', () => {
  it('keeps two groups on one port apart', async () => {
    const port = await freePort();
    const a = start(`udp://@239.255.77.1:${port}?interface=127.0.0.1`);
    const b = start(`udp://@239.255.77.2:${port}?interface=127.0.0.1`);
    const socket = await sender();
    socket.setMulticastInterface('127.0.0.1');
    await listening(a.source, socket, port, '239.255.77.1');
    await listening(b.source, socket, port, '239.255.77.2');
    for (let at = 0; at < 20; at++) {
      await sendAll(socket, [packet(at)], port, '239.255.77.1');
      await sendAll(socket, [packet(at + 100)], port, '239.255.77.2');
    }
    await a.sink.received(20 * 188);
    await b.sink.received(20 * 188);
    expect(a.sink.bytes.equals(SAMPLE.subarray(0, 20 * 188))).toBe(true);
    expect(b.sink.bytes.equals(SAMPLE.subarray(100 * 188, 120 * 188))).toBe(true);
  });

  it('takes one group twice, so two recorders can have it', async () => {
    const port = await freePort();
    const both = [1, 2].map(() => start(`udp://@239.255.77.3:${port}?interface=127.0.0.1`));
    const socket = await sender();
    socket.setMulticastInterface('127.0.0.1');
    for (const { source } of both) await listening(source, socket, port, '239.255.77.3');
    await sendAll(socket, [packet(0)], port, '239.255.77.3');
    for (const { sink } of both) await sink.received(188);
  });

  it('asks for a large receive buffer', async () => {
    const port = await freePort();
    const { source, log } = start(`udp://127.0.0.1:${port}`);
    await listening(source, await sender(), port, '127.0.0.1');
    const probe = createSocket('udp4');
    await new Promise<void>((resolve) => probe.bind(0, resolve));
    probe.setRecvBufferSize(1024 * 1024);
    const isAllowed = probe.getRecvBufferSize() >= 2 * 1024 * 1024;
    probe.close();
    // where the kernel allows less, one line says what to set
    const warnings = log.lines.filter((line) => line.level === 'warn');
    expect(warnings.map((line) => line.fields['remedy'])).toEqual(isAllowed ? [] : ['sysctl -w net.core.rmem_max=8388608']);
  });

  it('tries an address in use again until it is free', async () => {
    const clock = new ManualClock();
    const other = createSocket('udp4');
    await new Promise<void>((resolve) => other.bind(0, '127.0.0.1', resolve));
    const { port } = other.address();
    const { source, sink } = start(`udp://127.0.0.1:${port}`, clock);
    expect((await sink.heard('lost')).text).toMatch(/EADDRINUSE/);
    clock.advance(250);
    await sink.heard('lost', 2);
    await new Promise<void>((resolve) => other.close(resolve));
    clock.advance(500);
    const socket = await sender();
    await listening(source, socket, port, '127.0.0.1');
    await sendAll(socket, [packet(0)], port, '127.0.0.1');
    await sink.received(188);
    expect(sink.kinds).toEqual(['lost', 'lost', 'connected']);
  });

  it.each([
    'udp://192.0.2.77:5000',
    'udp://239.1.2.3:5000?interface=192.0.2.77',
    'udp://[ff02::7]:5000?interface=fe80::77',
    'udp://nowhere.invalid:5000',
  ])('goes on trying with %s, which may come up', async (url) => {
    const clock = new ManualClock();
    const { sink } = start(url, clock);
    await sink.heard('lost');
    clock.advance(250);
    await sink.heard('lost', 2);
    expect(sink.kinds).toEqual(['lost', 'lost']);
  });

  it('is lost after five seconds of silence, once, and connected with the next datagram', async () => {
    const clock = new ManualClock();
    const port = await freePort();
    const { source, sink } = start(`udp://127.0.0.1:${port}`, clock);
    const socket = await sender();
    await listening(source, socket, port, '127.0.0.1');
    clock.advance(5_000);
    expect(sink.events).toEqual([
      { kind: 'lost', text: expect.stringMatching(/^no datagram of MPEG-TS for 5 s \(\d+ that are not MPEG-TS so far\)$/) as string },
    ]);
    await sendAll(socket, [packet(0)], port, '127.0.0.1');
    await sink.heard('connected');
    clock.advance(4_999);
    await sendAll(socket, [packet(1)], port, '127.0.0.1');
    await sink.received(2 * 188);
    clock.advance(4_999);
    expect(sink.kinds).toEqual(['lost', 'connected']);
    clock.advance(60_000);
    await sendAll(socket, [packet(2)], port, '127.0.0.1');
    await sink.heard('connected', 2);
    expect(sink.kinds).toEqual(['lost', 'connected', 'lost', 'connected']);
    expect(source.stats).toMatchObject({ connections: 2, receivedBytes: 3 * 188 });
  });

  it('puts RTP in order, counts what is missing, and takes raw datagrams in between', async () => {
    const clock = new ManualClock();
    const port = await freePort();
    const { source, sink } = start(`rtp://127.0.0.1:${port}`, clock);
    const socket = await sender();
    await listening(source, socket, port, '127.0.0.1');
    const rtp = (at: number): Uint8Array => rtpPacket({ sequence: 65_535 + at, payload: packet(at) });
    await sendAll(socket, [rtp(0), rtp(2), rtp(1), rtp(1), rtp(4)], port, '127.0.0.1');
    await sink.received(3 * 188);
    await until(() => {
      clock.advance(100);
      return sink.byteCount === 4 * 188;
    });
    expect(sink.bytes.equals(Buffer.concat([0, 1, 2, 4].map(packet)))).toBe(true);
    expect(source.stats.rtpLostPackets).toBe(1);
    await sendAll(socket, [packet(9)], port, '127.0.0.1');
    await sink.received(5 * 188);
  });

  it.each([
    ['raw, in datagrams that ffmpeg fills without regard to packets', (port: number) => ['-f', 'mpegts', `udp://127.0.0.1:${port}`]],
    ['raw, seven packets a datagram', (port: number) => ['-f', 'mpegts', `udp://127.0.0.1:${port}?pkt_size=1316`]],
    ['RTP', (port: number) => ['-f', 'rtp_mpegts', `rtp://127.0.0.1:${port}`]],
  ])('receives ffmpeg: %s', async (_name, output) => {
    const port = await freePort();
    const { source, sink } = start(`udp://127.0.0.1:${port}`);
    const sending = ffmpeg(output(port));
    cleanups.push(() => sending.end());
    await sink.received(60_000);
    await sending.end();
    expect(sink.kinds).toEqual(['connected']);
    expect(source.stats).toMatchObject({ foreignDatagrams: 0, rtpLostPackets: 0 });
    const bytes = sink.bytes;
    for (let at = 0; at < bytes.length; at += 188) expect(bytes[at], `at ${at}`).toBe(0x47);
  });
});
