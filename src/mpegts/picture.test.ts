import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TsBuilder, concat, h264Sps, h265Sps, type PesSpec } from '../../test/tsBuilder.js';
import { makeSample } from '../../test/samples.js';
import { parseH264Field, parseH264Pps, parseH264Slice, parseH264Sps } from './h264.js';
import { parseH265Pps, parseH265Slice, parseH265Sps } from './h265.js';
import { PACKET_SIZE, readPid, startsUnit } from './packet.js';
import { PictureReader, type CodedPicture } from './picture.js';

const PID = 0x101;
const START = [0, 0, 1];
const AUD = [...START, 9, 0xf0];
const FILLER_UNIT = [...START, 12, 0xff, 0xff, 0x80];
const SEI = [6, 5, 1, 7, 0x80];
const PPS = [0x68, 0xce, 0x38, 0x80];

/** Exp-Golomb, as text of bits. */
const ue = (value: number): string => {
  const code = (value + 1).toString(2);
  return '0'.repeat(code.length - 1) + code;
};
const bits = (text: string): number[] =>
  text
    .padEnd(Math.ceil(text.length / 8) * 8, '1')
    .match(/.{8}/g)!
    .map((byte) => Number.parseInt(byte, 2));
const u = (value: number, count: number): string => value.toString(2).padStart(count, '0');

/** A slice of a frame. */
const slice = (firstMacroblock: number, size = 300, type = 0x65, ppsId = 0): number[] => [
  type,
  ...bits(ue(firstMacroblock) + ue(7) + ue(ppsId) + '1'),
  ...Array<number>(size).fill(0x99),
];
/** A sequence parameter set of main profile that allows fields; four bits of frame_num. 720x576. */
const FIELD_SPS = [
  0x67,
  ...bits(u(77, 8) + u(0, 8) + u(30, 8) + ue(0) + ue(0) + ue(2) + ue(1) + '0' + ue(44) + ue(17) + '001' + '00' + '1'),
];
const field = (frameNum: number, bottom: boolean, type = 0x65): number[] => [
  type,
  ...bits(ue(0) + ue(7) + ue(0) + u(frameNum, 4) + '1' + (bottom ? '1' : '0')),
  ...Array<number>(200).fill(bottom ? 0x88 : 0x77),
];
const unit = (bytes: readonly number[] | Uint8Array): number[] => [...START, ...bytes];
const sps = unit(h264Sps(640, 352));

/** Packets of PES packets with these payloads. */
function packetsOf(payloads: readonly (readonly number[])[], spec: Partial<PesSpec> = {}): Uint8Array {
  const builder = new TsBuilder();
  payloads.forEach((payload, index) => builder.pes(PID, { pts90k: index * 3600, payload: Uint8Array.from(payload), ...spec }));
  return builder.bytes();
}

function feed(reader: PictureReader, bytes: Uint8Array): void {
  for (let at = 0; at + PACKET_SIZE <= bytes.length && !reader.isOver; at += PACKET_SIZE) reader.packet(bytes, at);
}

/** The picture that begins with the first packet. */
function read(bytes: Uint8Array, codec: 'h264' | 'h265' = 'h264'): CodedPicture | undefined {
  const reader = new PictureReader(codec);
  reader.begin();
  feed(reader, bytes);
  reader.end();
  return reader.picture;
}

const sizes = (picture: CodedPicture | undefined): number[] | undefined => picture?.units.map((each) => each.length);

describe('a coded picture', () => {
  const first = [...AUD, ...sps, ...unit(PPS), ...unit(SEI), ...unit(slice(0)), ...unit(slice(20, 100))];
  const next = [...AUD, ...unit(slice(0, 50, 0x41))];

  it('is its slices and SEI, without delimiters, filler and start codes; parameter sets are beside it', () => {
    const picture = read(packetsOf([[...first, ...FILLER_UNIT, 0, 0, 0], next]))!;
    expect(picture.units.map((each) => [...each])).toEqual([SEI, slice(0), slice(20, 100)]);
    expect(picture).toMatchObject({ codec: 'h264', sps: { width: 640, height: 352, profile: 66, level: 30, chroma: 1, lumaDepth: 8 } });
    expect(picture.spsUnits.map((each) => [...each])).toEqual([[...h264Sps(640, 352)]]);
    expect(picture.ppsUnits.map((each) => [...each])).toEqual([PPS]);
  });

  it('ends where another begins: at a delimiter, a parameter set, SEI, a first slice, the last packet', () => {
    const whole = [SEI.length, slice(0).length, slice(20, 100).length];
    for (const after of [next, unit(slice(0, 50, 0x41)), sps, unit(PPS), unit(SEI)]) {
      expect(sizes(read(packetsOf([first, after, next]))), String(after)).toEqual(whole);
      expect(sizes(read(packetsOf([[...first, ...after, ...next]]))), String(after)).toEqual(whole);
    }
    expect(sizes(read(packetsOf([first])))).toEqual(whole);
  });

  it('does not depend on how it is cut into packets and PES packets, nor on packets that come twice', () => {
    const whole = sizes(read(packetsOf([first, next])))!;
    for (const maxPayload of [1, 2, 3, 10, 183]) expect(sizes(read(packetsOf([first, next], { maxPayload })))).toEqual(whole);
    for (let at = 1; at < first.length; at += 7) expect(sizes(read(packetsOf([first.slice(0, at), first.slice(at), next])))).toEqual(whole);
    const bytes = packetsOf([first, next]);
    const twice = concat(
      Array.from({ length: bytes.length / 188 }, (_, at) => bytes.subarray(at * 188, at * 188 + 188)).flatMap((p) => [p, p]),
    );
    expect(sizes(read(twice))).toEqual(whole);
  });

  it('stands on the parameter sets that it names, also where they came before', () => {
    const reader = new PictureReader('h264');
    const before = [...unit(h264Sps(1280, 720)), ...sps, ...unit(PPS), ...unit([0x68, ...bits(ue(3) + ue(0) + '1')])];
    const picture = [...AUD, ...unit(slice(0, 100, 0x65, 3)), ...unit(slice(9, 100, 0x65, 0))];
    const packets = packetsOf([before, [...AUD, ...unit(slice(0, 5, 0x41))], picture, next]);
    feed(reader, packets.subarray(0, 2 * PACKET_SIZE));
    expect(reader.picture).toBeUndefined();
    reader.begin();
    feed(reader, packets.subarray(2 * PACKET_SIZE));
    expect(reader.isOver).toBe(true);
    expect(reader.picture).toMatchObject({ sps: { width: 640 } });
    expect(reader.picture?.ppsUnits).toHaveLength(2);
    expect(read(packetsOf([[...AUD, ...unit(slice(0))], next]))).toBeUndefined();
    expect(read(packetsOf([[...AUD, ...sps, ...unit(slice(0))], next]))).toBeUndefined();
    expect(read(packetsOf([[...AUD, ...unit(PPS), ...unit(slice(0))], next]))).toBeUndefined();
  });

  it('that is scrambled, not there, or begins in its middle is none', () => {
    expect(read(packetsOf([first, next], { scrambling: 2 }))).toBeUndefined();
    expect(read(new Uint8Array(0))).toBeUndefined();
    expect(read(packetsOf([[...AUD, ...sps, ...unit(PPS), ...unit(SEI)]]))).toBeUndefined();
    expect(read(packetsOf([[...sps, ...unit(PPS), ...unit(slice(20))]]))).toBeUndefined();
    const pes = packetsOf([first, next]);
    expect(read(pes.subarray(188, 188 * 2))).toBeUndefined();
  });

  it('that is larger than 16 MiB is none, and is not gathered', () => {
    const builder = new TsBuilder().pes(PID, { payload: Uint8Array.from(first) });
    const filler = new Uint8Array(184).fill(0x99);
    builder.payload(PID, filler, { unitStart: false });
    const more = builder.bytes().subarray(-188);
    const reader = new PictureReader('h264');
    reader.begin();
    feed(reader, builder.bytes());
    for (let sum = 0; sum < 17 * 1024 * 1024 && !reader.isOver; sum += 184) {
      more[3] = (more[3]! & 0xf0) | ((more[3]! + 1) & 15);
      reader.packet(more, 0);
    }
    expect(reader.isOver).toBe(true);
    reader.end();
    expect(reader.picture).toBeUndefined();
  });
});

describe('the fields of a frame', () => {
  const sets = [...AUD, ...unit(FIELD_SPS), ...unit(PPS)];
  const lengths = [field(0, false).length, field(0, true).length];

  it('are one picture, in one PES packet or in two, with or without what lies between', () => {
    for (const between of [[], AUD, unit(SEI), [...AUD, ...unit(PPS), ...unit(SEI)]]) {
      const seis = between.length > AUD.length ? [SEI.length] : between === AUD || between.length === 0 ? [] : [SEI.length];
      const expected = [lengths[0], ...seis, lengths[1]];
      const one = [...sets, ...unit(field(0, false)), ...between, ...unit(field(0, true, 0x41))];
      const after = [...AUD, ...unit(field(1, false, 0x41))];
      expect(sizes(read(packetsOf([[...one, ...after]])))).toEqual(expected);
      expect(sizes(read(packetsOf([[...sets, ...unit(field(0, false))], [...between, ...unit(field(0, true, 0x41))], after])))).toEqual(
        expected,
      );
      expect(sizes(read(packetsOf([one])))).toEqual(expected);
    }
    expect(read(packetsOf([[...sets, ...unit(field(0, false)), ...unit(field(0, true))]]))?.sps).toMatchObject({ width: 720, height: 576 });
  });

  it('of another frame, of the same parity, or a frame, do not join a first field', () => {
    for (const other of [field(1, true, 0x41), field(0, false, 0x41), slice(0, 50, 0x41)]) {
      expect(
        sizes(
          read(
            packetsOf([
              [...sets, ...unit(field(0, false))],
              [...AUD, ...unit(SEI), ...unit(other)],
            ]),
          ),
        ),
      ).toEqual([lengths[0]]);
    }
    expect(
      sizes(
        read(
          packetsOf([
            [...sets, ...unit(field(0, false))],
            [...AUD, ...unit(SEI)],
          ]),
        ),
      ),
    ).toEqual([lengths[0]]);
  });
});

describe('parameter sets', () => {
  it('are read up to the shape of pixels', () => {
    expect(parseH264Sps(Uint8Array.from(FIELD_SPS))).toEqual({
      ...{ id: 0, profile: 77, constraints: 0, level: 30, chroma: 1, separatePlanes: false, lumaDepth: 8, chromaDepth: 8 },
      ...{ frameNumBits: 4, frameOnly: false, width: 720, height: 576, pixelAspect: undefined },
    });
    const head = u(77, 8) + u(0, 8) + u(30, 8) + ue(1) + ue(3) + ue(2) + ue(1) + '0' + ue(44) + ue(35) + '1' + '1' + '0' + '1';
    const aspectOf = (vui: string): unknown => parseH264Sps(Uint8Array.from([0x67, ...bits(head + vui)]))?.pixelAspect;
    expect(aspectOf('1' + u(2, 8) + '1')).toEqual([12, 11]);
    expect(aspectOf('1' + u(255, 8) + u(64, 16) + u(45, 16) + '1')).toEqual([64, 45]);
    for (const vui of ['0', `1${u(0, 8)}1`, `1${u(99, 8)}1`, `1${u(255, 8)}${u(0, 16)}${u(9, 16)}1`]) expect(aspectOf(vui)).toBeUndefined();
    expect(parseH265Sps(h265Sps(1920, 1080))).toMatchObject({
      id: 0,
      vpsId: 0,
      subLayers: 1,
      nested: true,
      chroma: 1,
      width: 1920,
      height: 1080,
    });
    expect(parseH265Sps(h265Sps(1920, 1080))?.profileTierLevel).toEqual(Uint8Array.of(1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93));
  });

  it('that are cut short or none at all give no answer, and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (tail, real) => {
        const bytes = real ? concat([Uint8Array.from(FIELD_SPS.slice(0, 6)), tail]) : tail;
        const h264 = parseH264Sps(bytes);
        const h265 = parseH265Sps(bytes);
        for (const read of [h264, h265])
          if (read !== undefined) expect(Object.values(read).some((value) => Number.isNaN(value))).toBe(false);
        if (h265 !== undefined) expect(h265.profileTierLevel).toHaveLength(12);
        if (bytes.length > 0) {
          for (const parse of [parseH264Slice, parseH264Pps, parseH265Slice, parseH265Pps]) parse(bytes);
          if (h264 !== undefined) parseH264Field(bytes, h264);
        }
      }),
      { numRuns: 1000 },
    );
    expect(parseH264Sps(Uint8Array.from(FIELD_SPS.slice(0, 6)))).toBeUndefined();
    expect(parseH265Sps(h265Sps(1920, 1080).subarray(0, 14))).toBeUndefined();
  });
});

describe('the picture reader on damaged streams', () => {
  it.each(['h264-aac', 'h265-aac'] as const)('%s: answers or not, and never throws', async (name) => {
    const sample = await makeSample(name);
    const packets: Uint8Array[] = [];
    for (let at = 0; at < sample.length; at += PACKET_SIZE) {
      const packet = sample.subarray(at, at + PACKET_SIZE);
      if (readPid(packet) === 0x100) packets.push(packet);
    }
    const ends = packets.findIndex((packet, index) => index > 0 && startsUnit(packet)) + 2;
    const video = concat(packets.slice(0, ends));
    const codec = name === 'h264-aac' ? 'h264' : 'h265';
    expect(read(video, codec)).toMatchObject({ codec, sps: { width: 320, height: 180 } });
    const change = fc.record({ at: fc.nat({ max: video.length - 1 }), value: fc.integer({ min: 0, max: 255 }) });
    let complete = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), fc.nat({ max: ends }), (changes, dropped) => {
        const bytes = video.slice();
        for (const { at, value } of changes) bytes[at] = value;
        bytes.copyWithin(dropped * PACKET_SIZE, Math.min(bytes.length, (dropped + 1) * PACKET_SIZE));
        const picture = read(bytes, codec);
        if (picture === undefined) return;
        complete += 1;
        expect(picture.units.length).toBeGreaterThan(0);
        expect(picture.ppsUnits.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
    expect(complete).toBeGreaterThan(30);
  });
});
