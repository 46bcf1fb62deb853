import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scan, type Scanned } from '../../test/scan.js';
import { TsBuilder, concat, makeStream, videoFrame } from '../../test/tsBuilder.js';
import { TsReader } from './index.js';

const NO_ERRORS = { continuity: 0, transportError: 0, syncSkippedBytes: 0, scrambled: 0, crc: 0 };

/** The stream with every packet put between `lead` and `trail` other bytes. */
function spaced(input: Uint8Array, lead: number, trail: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < input.length; at += 188)
    parts.push(new Uint8Array(lead).fill(9), input.subarray(at, at + 188), new Uint8Array(trail).fill(7));
  return concat(parts);
}

/** All that came out, as text: NaN is kept apart from null. */
const outcome = ({ bytes, units, programs, reader }: Scanned): string =>
  JSON.stringify({ bytes: Buffer.from(bytes).toString('base64'), units, programs, errors: reader.errors }, (_, value: unknown) =>
    Number.isNaN(value) ? 'NaN' : value,
  );
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe('sync', () => {
  const { bytes: input, units } = makeStream({ seconds: 2 });

  it.each([
    ['188 bytes', 0, 0],
    ['M2TS, 192 bytes', 4, 0],
    ['204 bytes', 0, 16],
  ])('finds packets of %s by itself', (_, lead, trail) => {
    const result = scan(spaced(input, lead, trail));
    expect(same(result.bytes, input)).toBe(true);
    expect(result.units.map(({ unitPosition }) => unitPosition)).toEqual(units.map(({ offset }) => offset));
    expect(result.reader.errors).toEqual(NO_ERRORS);
  });

  it.each([1, 2, 3, 100, 187, 5000])('skips and counts %i bytes in front', (count) => {
    const junk = Uint8Array.from({ length: count }, (_, index) => (index * 71 + 3) & 0xff);
    const result = scan(concat([junk, input]));
    expect(same(result.bytes, input)).toBe(true);
    expect(result.reader.errors.syncSkippedBytes).toBe(count);
  });

  it('leaves out one packet whose sync byte is wrong and keeps sync', () => {
    const broken = input.slice();
    broken[188 * 40] = 0x46;
    const result = scan(broken);
    expect(same(result.bytes, concat([input.subarray(0, 188 * 40), input.subarray(188 * 41)]))).toBe(true);
    expect(result.reader.errors.syncSkippedBytes).toBe(188);
  });

  it('loses sync after two and counts what lies between', () => {
    const junk = new Uint8Array(1000).fill(0x11);
    const result = scan(concat([input.subarray(0, 188 * 40), junk, input.subarray(188 * 40)]));
    expect(same(result.bytes, input)).toBe(true);
    expect(result.reader.errors).toEqual({ ...NO_ERRORS, syncSkippedBytes: 1000 });
  });

  it('finds another packet size after a loss', () => {
    const half = 188 * 300;
    const result = scan(concat([input.subarray(0, half), new Uint8Array(500), spaced(input.subarray(half), 4, 0)]));
    expect(same(result.bytes, input)).toBe(true);
    expect(result.reader.errors.syncSkippedBytes).toBe(500);
  });

  it.each([1, 2, 3, 4])('believes an input of %i packets in all, at its end', (count) => {
    const result = scan(input.subarray(0, 188 * count));
    // a PAT alone chooses no program: nothing can be stored
    expect(result.bytes.length).toBe(count === 1 ? 0 : 188 * count);
    expect(result.reader.errors).toEqual(NO_ERRORS);
  });

  it('does not take noise for packets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (noise) => {
        const quiet = noise.map((byte) => (byte === 0x47 ? 0x48 : byte));
        const { reader, bytes } = scan(quiet, 100);
        expect(bytes.length).toBe(0);
        expect(reader.errors.syncSkippedBytes).toBe(quiet.length);
      }),
    );
  });

  it('counts an incomplete packet at a reset and goes on', () => {
    const { reader } = scan(input.subarray(0, 188 * 30 + 77));
    expect(reader.errors.syncSkippedBytes).toBe(77);
    reader.push(input.subarray(188 * 31), 0);
    expect(reader.position).toBe(input.length - 188);
    expect(reader.errors.continuity).toBe(0);
  });
});

describe('chunking', () => {
  const builder = new TsBuilder();
  builder.stream({ seconds: 1, bFrames: 2, otherPrograms: 1 });
  builder.skipCounter(0x101, 3);
  builder.stream({ seconds: 1, startDts90k: 990_000, otherPrograms: 1, width: 320, height: 192, version: 1 });
  const clean = builder.bytes();
  const dirty = concat([
    clean.subarray(50, 188 * 200),
    new Uint8Array(333).fill(0x47),
    clean.subarray(188 * 200, 188 * 300 + 90),
    clean.subarray(188 * 301),
  ]);

  it.each([
    ['188', dirty],
    ['192', spaced(dirty.subarray(138, 138 + 188 * 190), 4, 0)],
    ['204', spaced(dirty.subarray(138, 138 + 188 * 190), 0, 16)],
  ])('never changes what comes out (%s)', (_, input) => {
    const expected = outcome(scan(input, input.length));
    for (const size of [1, 3, 187, 188, 1316]) expect(outcome(scan(input, size)) === expected).toBe(true);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1, maxLength: 50 }), (sizes) => {
        expect(outcome(scan(input, sizes)) === expected).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('nor does the size of blocks: a long stream is stored whole, in positions that go on', () => {
    const { bytes: input, units } = makeStream({ seconds: 20, frameBytes: 8000, audio: false });
    expect(input.length).toBeGreaterThan(3_000_000);
    for (const [lead, trail] of [
      [0, 0],
      [4, 0],
      [0, 16],
    ] as const) {
      for (const size of [1316, 65_536, 1_000_003]) {
        const result = scan(spaced(input, lead, trail), size);
        expect(same(result.bytes, input)).toBe(true);
        expect(result.units.map(({ unitPosition }) => unitPosition)).toEqual(units.map(({ offset }) => offset));
      }
    }
  });
});

describe('mutated input', () => {
  const { bytes: input } = makeStream({ seconds: 1, bFrames: 2, otherPrograms: 1, nullEvery: 3 });

  it('never throws, names no position below what was promised, and holds little', () => {
    const mutation = fc.record({
      at: fc.nat(input.length - 1),
      length: fc.integer({ min: 1, max: 40 }),
      value: fc.nat(255),
      cut: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(mutation, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.constantFrom(undefined, 1, 1000, 'all' as const),
        (mutations, size, program) => {
          const broken = input.slice();
          let length = broken.length;
          for (const { at, length: count, value, cut } of mutations) {
            if (cut) {
              broken.copyWithin(at, at + count);
              length -= count;
            } else broken.fill(value, at, at + count);
          }
          // counted, not expected one by one: there are too many
          let wrong = 0;
          const check = (right: boolean): void => void (right || wrong++);
          let heldFrom = 0;
          let inPush = 0;
          const last = new Map<number, number>();
          const reader = new TsReader({
            program,
            sink: {
              program: (_, position) => check(position >= heldFrom),
              unit: ({ position, unitPosition, pid }) => {
                check(position >= heldFrom);
                check(unitPosition >= position);
                check(position >= (last.get(pid) ?? 0));
                last.set(pid, position);
                inPush++;
              },
            },
          });
          for (let at = 0; at < length; at += size) {
            reader.push(broken.subarray(at, Math.min(length, at + size)), 0);
            check(reader.heldFrom >= heldFrom);
            heldFrom = reader.heldFrom;
            check(heldFrom <= reader.position);
            check(reader.position - heldFrom < 1_200_000);
            reader.drop(heldFrom);
          }
          expect(wrong).toBe(0);
          reader.resetSync();
          expect(reader.position % 188).toBe(0);
          expect(reader.drop(reader.position)).toBeGreaterThanOrEqual(0);
          expect(inPush).toBeLessThan(2000);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is bounded when only null packets and SI follow the tables', () => {
    const builder = new TsBuilder();
    builder.stream({ seconds: 1 });
    const reader = new TsReader({ sink: { program: () => undefined, unit: () => undefined } });
    const tables = new TsBuilder();
    tables.pat([{ number: 1, pmtPid: 0x100 }]);
    for (let count = 0; count < 3000; count++) tables.nullPacket();
    reader.push(builder.bytes(), 0);
    reader.push(tables.bytes(), 0);
    expect(reader.position - reader.heldFrom).toBe(0);
  });

  it('is bounded when a unit is never decided', () => {
    const builder = new TsBuilder();
    builder.stream({ seconds: 1 });
    builder.payload(0x101, Uint8Array.of(0, 0, 1, 0xe0, 0, 0, 0x80), { maxPayload: 7 });
    const begun = builder.length - 188;
    for (let count = 0; count < 8000; count++) builder.payload(0x102, new Uint8Array(184).fill(1), { unitStart: false });
    const reader = new TsReader({ sink: { program: () => undefined, unit: () => undefined } });
    reader.push(builder.bytes().subarray(0, begun + 188 * 100), 0);
    expect(reader.heldFrom).toBe(begun);
    reader.push(builder.bytes().subarray(begun + 188 * 100), 0);
    expect(reader.heldFrom).toBe(reader.position);
  });
});

describe('take', () => {
  const { bytes: input } = makeStream({ seconds: 20, frameBytes: 8000 });

  it('hands out views that stay as they are until they are released', () => {
    const reader = new TsReader({ sink: { program: () => undefined, unit: () => undefined } });
    const spans: { bytes: Uint8Array; at: number; release: () => void }[] = [];
    let at = 0;
    for (let from = 0; from < input.length; from += 50_000) {
      reader.push(input.subarray(from, from + 50_000), 0);
      reader.take(reader.position, (bytes, release) => {
        spans.push({ bytes, at, release });
        at += bytes.length;
      });
      // late and out of order, as writes end
      if (spans.length > 12) {
        const [span] = spans.splice(from % 7, 1);
        expect(same(span!.bytes, input.subarray(span!.at, span!.at + span!.bytes.length))).toBe(true);
        span!.release();
        span!.release();
      }
    }
    expect(at).toBe(input.length);
    for (const span of spans) expect(same(span.bytes, input.subarray(span.at, span.at + span.bytes.length))).toBe(true);
  });

  it('uses memory again', () => {
    const reader = new TsReader({ sink: { program: () => undefined, unit: () => undefined } });
    const memory = new Set<ArrayBufferLike>();
    for (let from = 0; from < input.length; from += 10_000) {
      reader.push(input.subarray(from, from + 10_000), 0);
      reader.take(reader.position, (bytes, release) => {
        memory.add(bytes.buffer);
        release();
      });
    }
    expect(memory.size).toBeLessThanOrEqual(2);
  });

  it('refuses what is not there', () => {
    const reader = new TsReader({ sink: { program: () => undefined, unit: () => undefined } });
    expect(() => reader.drop(188)).toThrow(expect.objectContaining({ code: 'INVARIANT_BROKEN' }) as Error);
  });
});

it('tells when the bytes came in which a unit began', () => {
  const builder = new TsBuilder();
  builder.stream({ seconds: 1, audio: false });
  const at = builder.length;
  builder.pes(0x101, { pts90k: 1, payload: videoFrame('h264', { kind: 'P', width: 640, height: 352, size: 100, seed: 1 }) });
  const arrivals: number[] = [];
  const reader = new TsReader({ sink: { program: () => undefined, unit: ({ arrivalMs }) => arrivals.push(arrivalMs) } });
  reader.push(builder.bytes().subarray(0, at + 10), 1000);
  reader.push(builder.bytes().subarray(at + 10, at + 20), 2000);
  reader.push(builder.bytes().subarray(at + 20), 3000);
  expect(arrivals.at(-1)).toBe(1000);
});
