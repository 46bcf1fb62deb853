/** Datagrams told apart by content, and RTP put in order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../base/index.js';
import { rtpPacket } from '../testing/datagrams.js';
import { SAMPLE } from '../testing/probes.js';
import { DatagramReader } from './datagram.js';
import { REORDER_MS, RtpOrder, parseRtp } from './rtp.js';

const TS = SAMPLE.slice(0, 7 * 188);

/** Packets of 188 bytes in strides of 192 or 204. */
function restride(bytes: Uint8Array, stride: 192 | 204): Uint8Array {
  const count = bytes.length / 188;
  const out = new Uint8Array(count * stride).fill(0x80); // as an M2TS arrival time it looks like RTP's first byte
  for (let at = 0; at < count; at++) out.set(bytes.subarray(at * 188, (at + 1) * 188), at * stride + (stride === 192 ? 4 : 0));
  return out;
}

describe('DatagramReader', () => {
  it.each([1, 2, 5, 7, 8, 40])('knows %i packets of 188, 192 and 204 bytes', (count) => {
    const ts = SAMPLE.slice(0, count * 188);
    for (const datagram of [ts, restride(ts, 192), restride(ts, 204)]) expect(new DatagramReader().read(datagram).kind).toBe('raw');
  });

  it('knows RTP with any header, and takes header and padding off', () => {
    for (const payload of [TS, restride(TS, 204)]) {
      for (const spec of [
        {},
        { csrcs: 3 },
        { extension: 0 },
        { extension: 5, csrcs: 15 },
        { padding: 4 },
        { payloadType: 96, padding: 200 },
      ]) {
        const read = new DatagramReader().read(rtpPacket({ sequence: 7, payload, ssrc: 0xdeadbeef, ...spec }));
        expect(read).toMatchObject({ kind: 'rtp', packet: { sequence: 7, ssrc: 0xdeadbeef } });
        expect(read.kind === 'rtp' && Buffer.compare(read.packet.payload, payload)).toBe(0);
      }
    }
  });

  it('knows RTP without payload, and nothing else', () => {
    const empty = new Uint8Array(0);
    expect(new DatagramReader().read(rtpPacket({ sequence: 1, payload: empty })).kind).toBe('rtp');
    for (const payload of [TS.slice(0, 187), TS.slice(1), new Uint8Array(188), Buffer.from('<html>')]) {
      expect(new DatagramReader().read(rtpPacket({ sequence: 1, payload })).kind).not.toBe('rtp');
    }
  });

  it.each([1472, 1000, 376, 250, 189])('knows a stream cut into %i bytes without regard to packets, to its last byte', (size) => {
    const reader = new DatagramReader();
    for (let at = 0; at < SAMPLE.length; at += size) expect(reader.read(SAMPLE.subarray(at, at + size)).kind, `at ${at}`).toBe('raw');
  });

  it('finds it again when datagrams of such a stream are lost', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 5, maxLength: 40 }), (arrives) => {
        const reader = new DatagramReader();
        arrives.forEach((here, at) => {
          if (here) expect(reader.read(SAMPLE.subarray(at * 1472, (at + 1) * 1472)).kind).toBe('raw');
        });
      }),
    );
  });

  it('leaves out what is neither', () => {
    const reader = new DatagramReader();
    for (const datagram of [
      Buffer.alloc(0),
      Buffer.from('?'),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(1316),
      Buffer.alloc(1316, 0x80),
      Buffer.from([0x47]),
    ]) {
      expect(reader.read(datagram).kind).toBe('foreign');
    }
  });

  it('survives any bytes', () => {
    const reader = new DatagramReader();
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 1500 }),
          fc.uint8Array({ maxLength: 60 }).map((tail) => Uint8Array.from([0xbf, 33, ...tail])),
        ),
        (datagram) => {
          expect(['raw', 'rtp', 'foreign']).toContain(reader.read(datagram).kind);
        },
      ),
    );
  });
});

/** Orders packets named by their place in the sequence; `first` is the sequence number of the first. */
function order(first: number): {
  clock: ManualClock;
  push(at: number, ssrc?: number): void;
  out: number[];
  missing(): number;
  order: RtpOrder;
} {
  const clock = new ManualClock();
  const out: number[] = [];
  let missing = 0;
  const rtp = new RtpOrder(
    clock,
    (payload) => out.push(new DataView(payload.buffer, payload.byteOffset).getUint32(0)),
    (packets) => (missing += packets),
  );
  return {
    clock,
    out,
    order: rtp,
    missing: () => missing,
    push(at, ssrc = 1) {
      const payload = new Uint8Array(4);
      new DataView(payload.buffer).setUint32(0, at);
      rtp.push({ sequence: (first + at) & 0xffff, ssrc, payloadType: 33, payload });
    },
  };
}

describe('RtpOrder', () => {
  it('mends any order within its window, across the wrap, and drops duplicates', () => {
    fc.assert(
      fc.property(fc.nat(65_535), fc.array(fc.tuple(fc.nat(16), fc.boolean()), { minLength: 2, maxLength: 300 }), (first, moves) => {
        const { push, out, missing } = order(first);
        // each packet comes up to 16 places late, some come twice; the first must come first, it is where counting begins
        const arrivals = moves.flatMap(([late, twice], at) => [
          { at, key: at === 0 ? -1 : at + late },
          ...(twice ? [{ at, key: at + late + 0.5 }] : []),
        ]);
        for (const { at } of arrivals.sort((a, b) => a.key - b.key)) push(at);
        expect(out).toEqual(moves.map((_, at) => at));
        expect(missing()).toBe(0);
      }),
    );
  });

  it('gives a missing packet up after 100 ms, counts it, and drops it when it comes later', () => {
    const { push, out, missing, clock } = order(65_534);
    for (const at of [0, 1, 4, 5]) push(at);
    clock.advance(REORDER_MS - 1);
    expect(out).toEqual([0, 1]);
    clock.advance(1);
    expect(out).toEqual([0, 1, 4, 5]);
    expect(missing()).toBe(2);
    push(2);
    push(6);
    expect(out).toEqual([0, 1, 4, 5, 6]);
  });

  it('gives it up after 32 packets that wait, each hole in its own time', () => {
    const { push, out, missing, clock } = order(0);
    push(0);
    for (let at = 2; at < 33; at++) push(at);
    expect(out).toEqual([0]);
    push(33);
    expect(out.length).toBe(33);
    expect(missing()).toBe(1);
    push(35);
    clock.advance(REORDER_MS / 2);
    push(37);
    clock.advance(REORDER_MS / 2);
    expect(out.slice(-1)).toEqual([35]);
    clock.advance(REORDER_MS / 2);
    expect(out.slice(-1)).toEqual([37]);
    expect(missing()).toBe(3);
  });

  it('counts everything that does not come', () => {
    fc.assert(
      fc.property(fc.nat(65_535), fc.array(fc.boolean(), { minLength: 1, maxLength: 400 }), (first, arrives) => {
        const { push, out, missing, clock } = order(first);
        const sent = [0, ...arrives.flatMap((here, at) => (here ? [at + 1] : [])), arrives.length + 1];
        for (const at of sent) push(at);
        for (let i = 0; i < 200; i++) clock.advance(REORDER_MS);
        expect(out).toEqual(sent);
        expect(missing()).toBe(arrives.filter((here) => !here).length);
      }),
    );
  });

  it('begins anew with another SSRC, what waits first', () => {
    const { push, out, missing } = order(10);
    push(0);
    push(2);
    push(30_000, 2);
    push(30_001, 2);
    expect(out).toEqual([0, 2, 30_000, 30_001]);
    expect(missing()).toBe(1);
  });

  it('takes a far jump for a new beginning once two packets agree, and loses neither', () => {
    const { push, out, missing } = order(0);
    push(0);
    push(20_000);
    expect(out).toEqual([0]);
    push(20_001);
    push(40_000); // a stray one
    push(20_002);
    expect(out).toEqual([0, 20_000, 20_001, 20_002]);
    expect(missing()).toBe(0);
  });

  it('keeps no timer after close', () => {
    const { push, out, order: rtp, clock } = order(0);
    push(0);
    push(2);
    rtp.close();
    clock.advance(REORDER_MS * 2);
    expect(out).toEqual([0]);
  });
});

describe('parseRtp', () => {
  it('refuses what is cut short or of another version', () => {
    const whole = rtpPacket({ sequence: 1, payload: new Uint8Array(0), csrcs: 2, extension: 3 });
    for (let size = 0; size < whole.length; size++) expect(parseRtp(whole.subarray(0, size))).toBeUndefined();
    expect(parseRtp(whole)?.payload.length).toBe(0);
    expect(parseRtp(rtpPacket({ sequence: 1, payload: new Uint8Array(0) }).fill(0x40, 0, 1))).toBeUndefined();
    const padded = rtpPacket({ sequence: 1, payload: new Uint8Array(0), padding: 1 });
    expect(parseRtp(padded)?.payload.length).toBe(0);
    padded[padded.length - 1] = 3; // more padding than there is
    expect(parseRtp(padded)).toBeUndefined();
    padded[padded.length - 1] = 0;
    expect(parseRtp(padded)).toBeUndefined();
  });
});
