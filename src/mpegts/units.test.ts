/** Access units: time stamps, random access from the bitstream, formats, counters; and the packet helpers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scan, type Scanned } from '../../test/scan.js';
import { TsBuilder, concat, h264Sps, h265Sps, makeStream, videoFrame, type PesSpec, type StreamSpec } from '../../test/tsBuilder.js';
import { AccessUnitReader } from './accessUnit.js';
import { h264Format, h264Rules } from './h264.js';
import { h265Format, h265Rules } from './h265.js';
import { TsReader, addToTimestamps, readCounter, readPcr, readPesTimes, writeCounter } from './index.js';
import { mpeg2Rules } from './mpeg2.js';

const references = (result: Scanned) => result.units.filter((unit) => unit.reference);
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const START = [0, 0, 0, 1];
const nal = (...bytes: number[]): number[] => [...START, ...bytes];
const SPS = [...START, ...h264Sps(640, 352)];
const PPS = nal(0x68, 0xce, 0x38, 0x80);
/** first_mb_in_slice 0, then slice_type: P, I */
const P_SLICE = nal(0x41, 0x9a, 0x5b, 0x66, 0x77);
const I_SLICE = nal(0x41, 0x88, 0x84, 0x66, 0x77);
const IDR_SLICE = nal(0x65, 0x88, 0x84, 0x66, 0x77);
/** The rest of a picture: first_mb_in_slice 6 */
const LATER_SLICE = nal(0x65, 0x38, 0x84, 0x66);
const RECOVERY = nal(0x06, 0x06, 0x01, 0xc4, 0x80);
const RECOVERY_LATER = nal(0x06, 0x06, 0x01, 0x20, 0x80);
const CAPTIONS_AND_RECOVERY = nal(0x06, 0x04, 0x06, 1, 2, 0, 0, 3, 1, 9, 0x06, 0x01, 0xc4, 0x80);

/** Verdicts on access units of one program with one video stream. */
function verdicts(units: readonly PesSpec[], streamType = 0x1b, extra: Partial<StreamSpec> = {}): boolean[] {
  const builder = new TsBuilder();
  builder.pat([{ number: 1, pmtPid: 0x100 }]);
  builder.pmt(0x100, { program: 1, pcrPid: 0x101, streams: [{ pid: 0x101, streamType, ...extra }] });
  for (const unit of units) builder.pes(0x101, unit);
  const plain = references(scan(builder.bytes())).map(({ randomAccess }) => randomAccess);
  // the same, cut into packets of a few bytes of payload
  const cut = new TsBuilder();
  cut.pat([{ number: 1, pmtPid: 0x100 }]);
  cut.pmt(0x100, { program: 1, pcrPid: 0x101, streams: [{ pid: 0x101, streamType, ...extra }] });
  for (const unit of units) cut.pes(0x101, { ...unit, maxPayload: 7 });
  cut.pes(0x101, { pts90k: 1, payload: Uint8Array.from(P_SLICE) });
  const split = references(scan(cut.bytes())).map(({ randomAccess }) => randomAccess);
  if (units.every(({ payload }) => payload.length < 300)) expect(split.slice(0, units.length)).toEqual(plain);
  return plain;
}

const unit = (bytes: readonly number[], randomAccess = false): PesSpec => ({
  pts90k: 9000,
  dts90k: 6000,
  payload: Uint8Array.from(bytes),
  randomAccess,
});
/** Something after the slice, so that it is decided at once. */
const TAIL = [9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];

describe('H.264', () => {
  it.each([
    ['an IDR picture', [...SPS, ...PPS, ...IDR_SLICE, ...TAIL], false, true],
    ['an IDR picture without parameter sets', [...IDR_SLICE, ...TAIL], false, true],
    ['a P picture', [...P_SLICE, ...TAIL], false, false],
    ['a P picture flagged as random access', [...SPS, ...PPS, ...P_SLICE, ...TAIL], true, false],
    ['an I picture', [...I_SLICE, ...TAIL], false, false],
    ['an I picture with parameter sets', [...SPS, ...PPS, ...I_SLICE, ...TAIL], false, false],
    ['an I picture with parameter sets, flagged', [...SPS, ...PPS, ...I_SLICE, ...TAIL], true, true],
    ['a recovery point', [...SPS, ...PPS, ...RECOVERY, ...I_SLICE, ...TAIL], false, true],
    ['a recovery point behind another message', [...CAPTIONS_AND_RECOVERY, ...I_SLICE, ...TAIL], false, true],
    ['a recovery that takes a while', [...SPS, ...RECOVERY_LATER, ...I_SLICE, ...TAIL], false, false],
    ['a recovery point at a P picture', [...RECOVERY, ...P_SLICE, ...TAIL], true, false],
    ['the rest of an IDR picture before a P picture', [5, 5, ...LATER_SLICE, ...TAIL, ...P_SLICE, ...TAIL], false, false],
  ])('%s', (_, bytes, indicator, expected) => {
    expect(verdicts([unit(bytes, indicator), unit([...P_SLICE, ...TAIL])])).toEqual([expected, false]);
  });

  it('is decided by the indicator where the bitstream does not tell', () => {
    const silent = new Uint8Array(20_000).fill(9);
    expect(
      verdicts([
        { pts90k: 1, payload: silent, randomAccess: true },
        { pts90k: 2, payload: silent },
        unit([1, 2, 3], true),
        unit([1, 2, 3]),
      ]),
    ).toEqual([true, false, true, false]);
    const scrambled = { ...unit(P_SLICE), scrambling: 2 };
    expect(verdicts([{ ...scrambled, randomAccess: true }, scrambled])).toEqual([true, false]);
  });

  it('reads the size from the parameter set', () => {
    expect(h264Format(h264Sps(1280, 720))).toBe('h264 1280x720 profile 66 chroma 1 depth 8');
    // x264, high profile, 320x180 with cropping
    expect(h264Format(hex('67 64 00 0d ac d9 41 41 9f 9f 01 10 00 00 03 00 10 00 00 03 03 20 f1 42 99 60'))).toBe(
      'h264 320x180 profile 100 chroma 1 depth 8',
    );
    expect(h264Format(Uint8Array.of(0x67, 100))).toBeUndefined();
  });
});

describe('other codecs', () => {
  it('H.265 has random access at IRAP pictures', () => {
    const slice = (type: number, first = true): number[] => nal(type << 1, 1, first ? 0xaf : 0x2f, 5, 5);
    const units = [19, 20, 21, 16, 1, 0, 9].map((type) => unit(slice(type)));
    expect(verdicts([...units, unit([...slice(21, false), ...slice(1)])], 0x24)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(h265Format(h265Sps(1920, 1080))).toBe('h265 1920x1080 profile 1 chroma 1 depth 8');
    expect(h265Format(Uint8Array.of(0x42, 1, 1))).toBeUndefined();
  });

  it('MPEG-2 has random access at an I picture behind a sequence header', () => {
    const frame = (kind: 'I' | 'P' | 'B'): PesSpec => ({
      pts90k: 1,
      payload: videoFrame('mpeg2', { kind, width: 720, height: 576, size: 200, seed: 1 }),
    });
    const bare = unit([0, 0, 1, 0, 0, 0x0f, 0xff, 0xf8, 0, 0, 1, 1]);
    expect(verdicts([frame('I'), frame('P'), frame('B'), bare], 0x02)).toEqual([true, false, false, false]);
    expect(verdicts([frame('I'), frame('P')], 0x01)).toEqual([true, false]);
  });

  it('of those that are not read the indicator decides', () => {
    expect(verdicts([unit(IDR_SLICE), unit(P_SLICE, true)], 0x33)).toEqual([false, true]);
    const av1 = { descriptors: [0x05, 4, ...Buffer.from('AV01')] };
    expect(verdicts([unit(IDR_SLICE), unit(P_SLICE, true)], 0x06, av1)).toEqual([false, true]);
  });

  it.each([
    [0x0f, [], 'audio', 'aac'],
    [0x11, [], 'audio', 'aac_latm'],
    [0x03, [], 'audio', 'mp2'],
    [0x81, [], 'audio', 'ac3'],
    [0x87, [], 'audio', 'eac3'],
    [0x06, [0x6a, 1, 0], 'audio', 'ac3'],
    [0x06, [0x7a, 1, 0], 'audio', 'eac3'],
    [0x06, [0x7b, 1, 0], 'audio', 'dts'],
    [0x06, [0x05, 4, ...Buffer.from('Opus')], 'audio', 'opus'],
    [0x06, [0x0a, 4, ...Buffer.from('deu'), 0, 0x6a, 1, 0], 'audio', 'ac3'],
    [0x06, [0x56, 5, ...Buffer.from('deu'), 9, 0], 'data', 'teletext'],
    [0x06, [0x59, 8, ...Buffer.from('deu'), 16, 0, 1, 0, 1], 'data', 'dvbsub'],
    [0x06, [], 'data', 'private'],
    [0x15, [0x26, 13, 0xff, 0xff, ...Buffer.from('ID3 '), 0xff, ...Buffer.from('ID3 '), 0, 0x0f], 'data', 'id3'],
    [0x86, [], 'data', 'scte35'],
    [0x82, [], 'data', 'scte27'],
    [0x24, [], 'video', 'h265'],
    [0x02, [], 'video', 'mpeg2video'],
  ])('stream type %i %j is %s %s', (streamType, descriptors, role, codec) => {
    const builder = new TsBuilder();
    builder.pat([{ number: 1, pmtPid: 0x100 }]);
    builder.pmt(0x100, { program: 1, pcrPid: 0x1fff, streams: [{ pid: 0x101, streamType, descriptors }] });
    const [track] = scan(builder.bytes()).reader.program!.tracks;
    expect(track).toMatchObject({ role, codec, language: String.fromCharCode(...descriptors).includes('deu') ? 'deu' : undefined });
  });

  it('are read without a fault whatever the bytes are', () => {
    for (const rules of [h264Rules, h265Rules, mpeg2Rules]) {
      fc.assert(
        fc.property(
          fc.array(
            fc.oneof(
              fc.uint8Array({ maxLength: 60 }),
              fc.constantFrom(
                Uint8Array.of(0, 0, 1, 0x67),
                Uint8Array.of(0, 0, 1, 0x06),
                Uint8Array.of(0, 0, 1, 0x42, 1),
                Uint8Array.of(0, 0, 1, 0x41),
              ),
            ),
          ),
          fc.integer({ min: 1, max: 50 }),
          (parts, step) => {
            const bytes = concat(parts);
            const read = (size: number): unknown => {
              const reader = new AccessUnitReader(rules);
              reader.begin(false);
              for (let at = 0; at < bytes.length; at += size) {
                const verdict = reader.feed(bytes, at, Math.min(bytes.length, at + size));
                if (verdict !== undefined) return [verdict, reader.facts];
              }
              return [reader.finish(), reader.facts];
            };
            if (bytes.length / step < 64) expect(read(step)).toEqual(read(bytes.length || 1));
          },
        ),
        { numRuns: 300 },
      );
    }
  });
});

describe('units', () => {
  it.each(['right', 'never', 'always'] as const)('have random access by the bitstream when the indicator is set: %s', (indicator) => {
    for (const video of ['h264', 'h265', 'mpeg2'] as const) {
      const { bytes, units } = makeStream({ seconds: 2, video, indicator, bFrames: 1 });
      expect(references(scan(bytes)).map(({ randomAccess }) => randomAccess)).toEqual(
        units.filter(({ pid }) => pid === 0x101).map(({ key }) => key),
      );
    }
  });

  it('keep their time stamps across the 33-bit wrap', () => {
    const { bytes, units } = makeStream({ seconds: 2, bFrames: 2, startDts90k: 2 ** 33 - 90_000 });
    expect(scan(bytes).units.map(({ pts90k, dts90k }) => [pts90k, dts90k])).toEqual(units.map(({ pts90k, dts90k }) => [pts90k, dts90k]));
  });

  it('without a PTS have none', () => {
    expect(references(scanOf([{ payload: Uint8Array.from(IDR_SLICE) }]))[0]).toMatchObject({ pts90k: Number.NaN, dts90k: Number.NaN });
  });

  function scanOf(units: readonly PesSpec[], size?: number): Scanned {
    const builder = new TsBuilder();
    builder.pat([{ number: 1, pmtPid: 0x100 }]);
    builder.pmt(0x100, {
      program: 1,
      pcrPid: 0x101,
      streams: [
        { pid: 0x101, streamType: 0x1b },
        { pid: 0x102, streamType: 0x0f },
      ],
    });
    for (const pes of units) builder.pes(pes.streamId === 0xc0 ? 0x102 : 0x101, pes);
    return scan(builder.bytes(), size);
  }

  it('may have their PES header split over packets', () => {
    for (let maxPayload = 1; maxPayload < 24; maxPayload++) {
      const result = scanOf([
        { pts90k: 7_000_000_000, dts90k: 6_999_996_400, payload: Uint8Array.from([...IDR_SLICE, ...TAIL]), maxPayload },
        { streamId: 0xc0, pts90k: 5, payload: Uint8Array.of(1, 2, 3), maxPayload },
      ]);
      expect(result.units.map(({ pts90k, dts90k, randomAccess, pid }) => [pid, pts90k, dts90k, randomAccess])).toEqual([
        [0x101, 7_000_000_000, 6_999_996_400, true],
        [0x102, 5, 5, true],
      ]);
      expect(result.units[0]).toMatchObject({ position: 0, unitPosition: 376 });
    }
  });

  it('tell that the format changed at the first keyframe of another size', () => {
    for (const video of ['h264', 'h265', 'mpeg2'] as const) {
      const builder = new TsBuilder();
      builder.stream({ seconds: 2, video });
      const at = builder.length;
      builder.stream({ seconds: 2, video, width: 1280, height: 720, startDts90k: 1_080_000 });
      const changed = scan(builder.bytes()).units.filter(({ formatChanged }) => formatChanged);
      expect(changed.map(({ position, pid }) => [position, pid])).toEqual([[at, 0x101]]);
    }
  });

  it('an undecided one is told as no random access at a reset', () => {
    const told: boolean[] = [];
    const reader = new TsReader({
      sink: { program: () => undefined, unit: ({ reference, randomAccess }) => reference && told.push(randomAccess) },
    });
    const builder = new TsBuilder();
    builder.stream({ seconds: 0.04, audio: false });
    builder.pes(0x101, unit([...SPS, ...PPS], true));
    reader.push(builder.bytes(), 0);
    expect(told).toEqual([true]);
    expect(reader.heldFrom).toBe(builder.length - 188);
    reader.resetSync();
    expect(told).toEqual([true, false]);
    expect(reader.heldFrom).toBe(reader.position);
  });
});

describe('counters', () => {
  const { bytes: input, units } = makeStream({ seconds: 2, audio: false });
  const packets = Array.from({ length: input.length / 188 }, (_, index) => input.subarray(index * 188, index * 188 + 188));
  const errorsOf = (list: readonly Uint8Array[]) => scan(concat(list)).reader.errors.continuity;
  const unitAt = units[30]!.offset / 188;

  it('a missing packet is an error, a duplicate is none and is stored, a third copy is one', () => {
    expect(errorsOf(packets)).toBe(0);
    expect(errorsOf(packets.toSpliced(unitAt + 1, 1))).toBe(1);
    const doubled = packets.toSpliced(unitAt, 0, packets[unitAt]!);
    const result = scan(concat(doubled));
    expect(result.reader.errors.continuity).toBe(0);
    expect(result.bytes.length).toBe(input.length + 188);
    expect(result.units.length).toBe(units.length);
    expect(errorsOf(packets.toSpliced(unitAt, 0, packets[unitAt]!, packets[unitAt]!))).toBe(1);
  });

  it('the discontinuity indicator makes a jump legal; null packets and those without payload count nothing', () => {
    const builder = new TsBuilder();
    builder.stream({ seconds: 1, audio: false });
    builder.skipCounter(0x101, 5);
    builder.pes(0x101, { pts90k: 1, payload: Uint8Array.from(P_SLICE), discontinuity: true });
    builder.nullPacket().nullPacket();
    const last = builder.packets.at(-3)!;
    const empty = new Uint8Array(188).fill(0xff);
    empty.set([0x47, 1, 1, 0x20 | readCounter(last), 183, 0]);
    builder.raw(empty).raw(empty);
    builder.pes(0x101, { pts90k: 2, payload: Uint8Array.from(P_SLICE) });
    expect(scan(builder.bytes()).reader.errors.continuity).toBe(0);
    builder.skipCounter(0x101, 5);
    builder.pes(0x101, { pts90k: 3, payload: Uint8Array.from(P_SLICE) });
    expect(scan(builder.bytes()).reader.errors.continuity).toBe(1);
  });

  it('sixteen missing packets are not taken for a duplicate when another unit begins', () => {
    const builder = new TsBuilder();
    builder.stream({ seconds: 0.04, audio: false });
    builder.pes(0x101, { pts90k: 1, payload: Uint8Array.from(P_SLICE) });
    builder.skipCounter(0x101, 15);
    builder.pes(0x101, { pts90k: 2, payload: Uint8Array.from(P_SLICE) });
    const result = scan(builder.bytes());
    expect(result.reader.errors.continuity).toBe(1);
    expect(
      references(result)
        .slice(1)
        .map(({ pts90k }) => pts90k),
    ).toEqual([1, 2]);
  });

  it('transport errors and scrambled packets are counted and stored', () => {
    const marked = input.slice();
    marked[unitAt * 188 + 1]! |= 0x80;
    marked[(unitAt + 1) * 188 + 3]! |= 0x80;
    const { reader, bytes } = scan(marked);
    expect(reader.errors).toEqual({ continuity: 0, transportError: 1, syncSkippedBytes: 0, scrambled: 1, crc: 0 });
    expect(Buffer.compare(bytes, marked)).toBe(0);
  });
});

describe('packet helpers', () => {
  it('move PCR, PTS and DTS, round the wrap too, and nothing else', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.integer({ min: -(2 ** 34), max: 2 ** 34 }), fc.boolean(), (seed, offset, wraps) => {
        const wrap = (ticks: number): number => ((ticks % 2 ** 33) + 2 ** 33) % 2 ** 33;
        const start = wraps ? 2 ** 33 - seed : seed;
        const make = (by: number): TsBuilder =>
          new TsBuilder().pes(5, {
            pts90k: wrap(start + 7200 + by),
            dts90k: wrap(start + by),
            pcr90k: wrap(start - 3 + by),
            payload: Uint8Array.of(1, 2),
          });
        const moved = make(0).bytes();
        addToTimestamps(moved, 0, offset);
        expect(moved).toEqual(make(offset).bytes());
        expect(readPesTimes(moved)).toEqual({ pts90k: wrap(start + 7200 + offset), dts90k: wrap(start + offset) });
        expect(readPcr(moved)).toBe(wrap(start - 3 + offset) * 300);
      }),
    );
  });

  it('leave PSI and continuing packets alone', () => {
    const builder = new TsBuilder().pat([{ number: 1, pmtPid: 0x100 }]).payload(9, new Uint8Array(600).fill(1));
    for (const packet of builder.packets) {
      const moved = packet.slice();
      addToTimestamps(moved, 0, 12345);
      expect(moved).toEqual(packet);
      expect(readPcr(packet)).toBeNaN();
      expect(readPesTimes(packet)).toBeUndefined();
      writeCounter(moved, 0, 23);
      expect(readCounter(moved)).toBe(7);
    }
  });

  it('never fail on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 188, maxLength: 188 }), (packet) => {
        const moved = packet.slice();
        addToTimestamps(moved, 0, 1000);
        addToTimestamps(moved, 0, -1000);
        expect(moved).toEqual(packet);
      }),
    );
  });
});
