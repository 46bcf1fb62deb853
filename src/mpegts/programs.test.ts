/** Which program is chosen, what is stored of a multiplex, and the tables that segments begin with. */
import { describe, expect, it } from 'vitest';
import { scan, type Scanned } from '../../test/scan.js';
import { TsBuilder, concat, makeStream, patSection, pmtSection, longSection, videoFrame, crc32Mpeg } from '../../test/tsBuilder.js';
import { crc32Mpeg2 } from './crc32.js';
import { readCounter, readPid } from './index.js';
import { SectionAssembler, parsePat, parsePmt, type PatEntry } from './psi.js';

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function packetsOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / 188 }, (_, index) => bytes.subarray(index * 188, index * 188 + 188));
}

/** Sections found on a PID by an assembler of its own. */
function sections(bytes: Uint8Array, pid: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  const assembler = new SectionAssembler((section) => found.push(section.slice()), { crc: 0 });
  for (let at = 0; at < bytes.length; at += 188) if (readPid(bytes, at) === pid) assembler.push(bytes, at, at);
  return found;
}

const programsIn = (bytes: Uint8Array): PatEntry[][] => sections(bytes, 0).map((section) => parsePat(section));
const pids = (bytes: Uint8Array): number[] => [...new Set(packetsOf(bytes).map((packet) => readPid(packet)))].sort((a, b) => a - b);
const references = (result: Scanned) => result.units.filter((unit) => unit.reference);

function frame(builder: TsBuilder, pid: number, seed: number, kind: 'I' | 'P' = 'P'): void {
  builder.pes(pid, { pts90k: seed * 3600, payload: videoFrame('h264', { kind, width: 640, height: 352, size: 300, seed }) });
}

describe('one program', () => {
  it('is stored as it came from the first PAT on, tables right before each keyframe', () => {
    const { bytes: input, units } = makeStream({ seconds: 3, bFrames: 2, nullEvery: 5 });
    const result = scan(input);
    expect(same(result.bytes, input)).toBe(true);
    expect(result.programs).toEqual([
      {
        program: {
          number: 1,
          pmtPid: 0x100,
          pcrPid: 0x101,
          referencePid: 0x101,
          tracks: [
            { pid: 0x101, role: 'video', streamType: 0x1b, codec: 'h264', language: undefined },
            { pid: 0x102, role: 'audio', streamType: 0x0f, codec: 'aac', language: undefined },
          ],
        },
        position: 0,
        changed: false,
      },
    ]);
    expect(result.units.map(({ pid, pts90k, dts90k, randomAccess }) => ({ pid, pts90k, dts90k, randomAccess }))).toEqual(
      units.map(({ pid, pts90k, dts90k, key }) => ({ pid, pts90k, dts90k, randomAccess: key })),
    );
    for (const unit of references(result)) {
      if (unit.randomAccess) {
        expect(unit.unitPosition - unit.position).toBe(376);
        expect(unit.head).toBeUndefined();
      } else {
        expect(unit.position).toBe(unit.unitPosition);
        expect(programsIn(unit.head!)).toEqual([[{ number: 1, pmtPid: 0x100 }]]);
      }
    }
  });

  it('lends copies of the tables whose counters lead into the next real ones', () => {
    const { bytes: input } = makeStream({ seconds: 4, tables: 300 });
    const result = scan(input);
    for (const unit of references(result)) {
      if (!unit.head) continue;
      const [pat, pmt] = packetsOf(unit.head);
      expect(unit.head.length).toBe(376);
      for (const copy of [pat!, pmt!]) {
        const pid = readPid(copy);
        const next = packetsOf(result.bytes.subarray(unit.unitPosition)).find((packet) => readPid(packet) === pid);
        if (next) expect(readCounter(next)).toBe((readCounter(copy) + 1) & 15);
      }
    }
    expect(references(result).filter(({ head }) => head).length).toBeGreaterThan(50);
  });

  it('lends a PMT of several packets, the last with the counter of the latest', () => {
    const descriptors = Array.from({ length: 60 }, () => [0x80, 6, 1, 2, 3, 4, 5, 6]).flat();
    const builder = new TsBuilder();
    builder.pat([{ number: 1, pmtPid: 0x100 }]);
    builder.pmt(0x100, { program: 1, pcrPid: 0x101, streams: [{ pid: 0x101, streamType: 0x1b, descriptors }] });
    frame(builder, 0x101, 1, 'I');
    frame(builder, 0x101, 2);
    const result = scan(builder.bytes());
    expect(result.units.map(({ head }) => head === undefined)).toEqual([true, false]);
    expect(same(result.units[1]!.head!, builder.bytes().subarray(0, result.units[0]!.unitPosition))).toBe(true);
  });

  it('does not take tables for right before when something else lies between, or a PMT is missing', () => {
    const builder = new TsBuilder();
    builder.stream({ seconds: 0.04, audio: false });
    const write = (order: string): void => {
      for (const what of order) {
        if (what === 'A') builder.pat([{ number: 1, pmtPid: 0x100 }]);
        if (what === 'M') builder.pmt(0x100, { program: 1, pcrPid: 0x101, streams: [{ pid: 0x101, streamType: 0x1b }] });
        if (what === 'S') builder.payload(0x11, new Uint8Array(184).fill(0xff));
        if (what === 'N') builder.nullPacket();
        if (what === 'X') builder.payload(0x77, new Uint8Array(184).fill(1), { unitStart: false });
        if (what === 'I') frame(builder, 0x101, 5, 'I');
      }
    };
    for (const order of ['AMI', 'SANSMNI', 'AMAI', 'XAMI', 'AI', 'MI', 'MAI', 'AMXI', 'AXMI']) write(order);
    const result = scan(builder.bytes());
    const distances = references(result)
      .slice(1)
      .map(({ position, unitPosition, head }) => (head ? -1 : (unitPosition - position) / 188));
    expect(distances).toEqual([2, 5, 3, 2, -1, -1, -1, -1, -1]);
  });

  it('tells that the PMT changed, but not for a new version that says the same', () => {
    const builder = new TsBuilder();
    builder.stream({ seconds: 1 });
    builder.stream({ seconds: 1, version: 1, startDts90k: 990_000 });
    const changedAt = builder.length;
    builder.stream({ seconds: 1, version: 2, startDts90k: 1_080_000, videoPid: 0x111 });
    const result = scan(builder.bytes());
    expect(same(result.bytes, builder.bytes())).toBe(true);
    expect(result.programs.map(({ changed, position }) => ({ changed, position }))).toEqual([
      { changed: false, position: 0 },
      { changed: true, position: changedAt + 188 },
    ]);
    const first = references(result).find(({ pid }) => pid === 0x111);
    expect(first).toMatchObject({ position: changedAt, randomAccess: true, head: undefined });
  });

  it('follows a PMT to another PID and a program number that is replaced', () => {
    const builder = new TsBuilder();
    builder.stream({ seconds: 1 });
    builder.stream({ seconds: 1, version: 1, startDts90k: 990_000, pmtPid: 0x1f0 });
    builder.stream({ seconds: 1, version: 2, startDts90k: 1_080_000, pmtPid: 0x1f1, program: 5 });
    const result = scan(builder.bytes());
    expect(same(result.bytes, builder.bytes())).toBe(true);
    expect(result.programs.map(({ program, changed }) => [program.number, program.pmtPid, changed])).toEqual([
      [1, 0x100, false],
      [5, 0x1f1, true],
    ]);
    expect(
      references(result)
        .filter(({ randomAccess }) => randomAccess)
        .map(({ head }) => head),
    ).toEqual([undefined, undefined, undefined]);
  });

  it('ignores tables that are not valid yet and counts those whose CRC is wrong', () => {
    const builder = new TsBuilder();
    builder.pat([{ number: 9, pmtPid: 0x190 }], { currentNext: false });
    const broken = patSection([{ number: 9, pmtPid: 0x190 }]);
    broken[9] = 3;
    builder.section(0, broken);
    builder.stream({ seconds: 1 });
    builder.pmt(0x100, { program: 1, pcrPid: 0x101, streams: [], currentNext: false, version: 1 });
    const result = scan(builder.bytes());
    expect(result.programs.map(({ program }) => program.number)).toEqual([1]);
    expect(result.reader.errors.crc).toBe(1);
  });

  it('records audio alone by its own units', () => {
    const result = scan(makeStream({ seconds: 2, video: null }).bytes);
    expect(result.programs[0]?.program.referencePid).toBe(0x102);
    expect(references(result).length).toBe(94);
    expect(references(result).every(({ randomAccess }) => randomAccess)).toBe(true);
  });
});

describe('several programs', () => {
  const { bytes: input, units } = makeStream({ seconds: 2, otherPrograms: 2, bFrames: 2, nullEvery: 4 });
  const own = new Set([0, 0x100, 0x101, 0x102, 0x1fff]);

  it('are cut down to one; the PAT names it alone, everything else is byte for byte', () => {
    const result = scan(input);
    const expected = packetsOf(input).filter((packet) => own.has(readPid(packet)));
    const stored = packetsOf(result.bytes);
    expect(stored.length).toBe(expected.length);
    stored.forEach((packet, index) => {
      const before = expected[index]!;
      expect(same(packet.subarray(0, 4), before.subarray(0, 4))).toBe(true);
      if (readPid(packet) !== 0) expect(same(packet, before)).toBe(true);
    });
    const pats = programsIn(result.bytes);
    expect(pats.length).toBe(2);
    expect(pats.every((programs) => programs.length === 1 && programs[0]?.number === 1)).toBe(true);
    expect(result.units.map(({ pts90k }) => pts90k)).toEqual(units.map(({ pts90k }) => pts90k));
    expect(references(result).filter(({ randomAccess, head }) => randomAccess && head)).toEqual([]);
    expect(result.reader.errors.crc).toBe(0);
  });

  it('can be chosen by number', () => {
    const result = scan(input, 1316, 1001);
    expect(result.reader.program).toMatchObject({ number: 1001, pmtPid: 0x210, referencePid: 0x211 });
    expect(pids(result.bytes)).toEqual([0, 0x210, 0x211, 0x212, 0x1fff]);
    expect(programsIn(result.bytes)[0]).toEqual([{ number: 1001, pmtPid: 0x210 }]);
    expect(references(result).length).toBe(50);
  });

  it('are all stored, untouched, when all are asked for', () => {
    const result = scan(input, 1316, 'all');
    expect(same(result.bytes, input)).toBe(true);
    expect(result.reader.program).toMatchObject({ number: -1, referencePid: 0x101 });
    expect(result.reader.program?.tracks.length).toBe(6);
    const head = references(result).find((unit) => unit.head)!.head!;
    expect(pids(head)).toEqual([0, 0x100, 0x200, 0x210]);
  });

  it('store nothing when the one asked for is not there', () => {
    const result = scan(input, 1316, 4);
    expect(result.bytes.length).toBe(0);
    expect(result.programs).toEqual([]);
  });

  const table = (
    builder: TsBuilder,
    pid: number,
    program: number,
    streamType: number,
    extra: { descriptors?: number[]; version?: number } = {},
  ): void => {
    builder.pmt(pid, { program, pcrPid: pid + 1, streams: [{ pid: pid + 1, streamType }], ...extra });
  };

  it('the first with video is chosen, though another comes first', () => {
    const builder = new TsBuilder();
    for (let turn = 0; turn < 2; turn++) {
      builder.pat([
        { number: 1, pmtPid: 0x300 },
        { number: 2, pmtPid: 0x310 },
        { number: 3, pmtPid: 0x320 },
      ]);
      table(builder, 0x320, 3, 0x1b);
      table(builder, 0x300, 1, 0x0f);
      table(builder, 0x310, 2, 0x1b);
    }
    expect(scan(builder.bytes()).reader.program?.number).toBe(2);
  });

  it('a PMT that never comes is not waited for longer than three of another', () => {
    const builder = new TsBuilder();
    for (let turn = 0; turn < 4; turn++) {
      builder.pat([
        { number: 1, pmtPid: 0x300 },
        { number: 2, pmtPid: 0x310 },
      ]);
      table(builder, 0x310, 2, 0x1b);
      frame(builder, 0x311, turn, 'I');
      builder.payload(0x77, new Uint8Array(184).fill(1), { unitStart: false });
    }
    const result = scan(builder.bytes());
    expect(result.reader.program?.number).toBe(2);
    expect(result.units.length).toBe(2);
    // what nobody claims is left out as long as not all claims are known
    expect(pids(result.bytes)).toEqual([0, 0x310, 0x311]);
  });

  it('keep what no program claims, and the entitlement messages of the chosen one', () => {
    const ca = (pid: number): number[] => [0x09, 4, 0x0b, 0, 0xe0 | (pid >> 8), pid & 0xff];
    const builder = new TsBuilder();
    builder.pat([
      { number: 1, pmtPid: 0x300 },
      { number: 2, pmtPid: 0x310 },
    ]);
    table(builder, 0x300, 1, 0x1b, { descriptors: ca(0x400) });
    table(builder, 0x310, 2, 0x1b, { descriptors: ca(0x401) });
    for (const pid of [0x400, 0x401, 0x77, 0x12]) builder.payload(pid, new Uint8Array(184).fill(1), { unitStart: false });
    expect(pids(scan(builder.bytes()).bytes)).toEqual([0, 0x12, 0x77, 0x300, 0x400]);
  });

  it('another is chosen when the chosen one goes, and the one asked for is kept to', () => {
    const builder = new TsBuilder();
    const programs = [
      { number: 1, pmtPid: 0x300 },
      { number: 2, pmtPid: 0x310 },
    ];
    builder.pat(programs);
    table(builder, 0x300, 1, 0x1b);
    table(builder, 0x310, 2, 0x1b);
    frame(builder, 0x301, 1, 'I');
    builder.pat(programs.slice(1), { version: 1 });
    frame(builder, 0x311, 2, 'I');
    const free = scan(builder.bytes());
    expect(free.programs.map(({ program, changed }) => [program.number, changed])).toEqual([
      [1, false],
      [2, true],
    ]);
    expect(free.units.map(({ pid }) => pid)).toEqual([0x301, 0x311]);
    const pinned = scan(builder.bytes(), 1316, 1);
    expect(pinned.programs.length).toBe(1);
    expect(programsIn(pinned.bytes).every(([program]) => program?.number === 1)).toBe(true);
  });

  it('a PAT of several sections and packets becomes one of one', () => {
    const many = Array.from({ length: 60 }, (_, index) => ({ number: 10 + index, pmtPid: 0x500 + index }));
    const builder = new TsBuilder();
    const write = (): void => {
      builder.section(0, patSection(many, { number: 0, last: 1 }));
      builder.section(0, patSection([{ number: 1, pmtPid: 0x100 }], { number: 1, last: 1 }));
      builder.pmt(0x100, { program: 1, pcrPid: 0x101, streams: [{ pid: 0x101, streamType: 0x1b }] });
    };
    write();
    frame(builder, 0x101, 1, 'I');
    write();
    frame(builder, 0x101, 2, 'I');
    const result = scan(builder.bytes(), 1316, 1);
    expect(programsIn(result.bytes)).toEqual(Array.from({ length: 4 }, () => [{ number: 1, pmtPid: 0x100 }]));
    expect(references(result).map(({ head }) => head)).toEqual([undefined, undefined]);
    expect(
      packetsOf(result.bytes)
        .filter((packet) => readPid(packet) === 0)
        .map((packet) => readCounter(packet)),
    ).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('sections', () => {
  it('are put together from packets however they lie', () => {
    const first = longSection(
      0x80,
      1,
      Array.from({ length: 300 }, (_, index) => index & 0xff),
    );
    const second = longSection(0x81, 2, [1, 2, 3]);
    const third = longSection(
      0x82,
      3,
      Array.from({ length: 170 }, () => 5),
    );
    const bytes = concat([first, second, third]);
    // a pointer field in each packet where a section begins: the first, and the second, where two do
    const one = concat([Uint8Array.of(0), bytes.subarray(0, 183)]);
    const two = concat([Uint8Array.of(first.length - 183), bytes.subarray(183, 366)]);
    const three = concat([bytes.subarray(366), new Uint8Array(184).fill(0xff)]).subarray(0, 184);
    const builder = new TsBuilder();
    builder.payload(0x50, one).payload(0x50, two).payload(0x50, three, { unitStart: false });
    expect(sections(builder.bytes(), 0x50).map((section) => Buffer.from(section))).toEqual(
      [first, second, third].map((section) => Buffer.from(section)),
    );
    const gap = new TsBuilder();
    gap.payload(0x50, one).skipCounter(0x50).payload(0x50, two).payload(0x50, three, { unitStart: false });
    expect(sections(gap.bytes(), 0x50).length).toBe(2);
  });

  it('have the CRC of the standard', () => {
    expect(crc32Mpeg2(new TextEncoder().encode('123456789'))).toBe(0x0376e6e7);
    const section = pmtSection({ program: 1, pcrPid: 2, streams: [] });
    expect(crc32Mpeg2(section)).toBe(0);
    expect(crc32Mpeg(section.subarray(0, -4))).toBe(crc32Mpeg2(section, 0, section.length - 4));
  });

  it('of a PMT whose lengths are wrong say nothing', () => {
    const section = pmtSection({
      program: 1,
      pcrPid: 2,
      streams: [{ pid: 3, streamType: 0x1b, descriptors: [0x0a, 4, 0x65, 0x6e, 0x67, 0] }],
    });
    expect(parsePmt(section)?.streams[0]).toMatchObject({ pid: 3, streamType: 0x1b, descriptors: [{ tag: 0x0a }] });
    section[16] = 200;
    expect(parsePmt(section)).toBeUndefined();
  });
});
