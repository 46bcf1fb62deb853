/**
 * Program specific information (ISO/IEC 13818-1, 2.4.4): sections out of packets, what PAT and PMT sections say, and
 * the way back, from a section to packets.
 */
import { crc32Mpeg2 } from './crc32.js';
import { PACKET_SIZE, payloadStart, readCounter, startsUnit } from './packet.js';

/** Longest section there is (private sections; PAT and PMT stay within 1024). */
const MAX_SECTION = 4096;

/** A section is handed over as a view that is good during the call only. `firstPosition` is that of the packet it began in. */
export type SectionSink = (section: Uint8Array, firstPosition: number) => void;

/** Puts the sections of one PID together. Sections whose CRC is wrong, or of which a packet is missing, are left out. */
export class SectionAssembler {
  readonly #buffer = new Uint8Array(MAX_SECTION);
  /** Bytes of the section under way; -1 when none is. */
  #have = -1;
  #position = 0;
  #counter = -1;
  readonly #sink: SectionSink;
  readonly #errors: { crc: number };

  /** @param errors - whose `crc` counts sections whose CRC did not match */
  constructor(sink: SectionSink, errors: { crc: number }) {
    this.#sink = sink;
    this.#errors = errors;
  }

  /** Forgets the section under way and the counter. */
  reset(): void {
    this.#have = -1;
    this.#counter = -1;
  }

  /** Takes a packet with payload at `bytes[at]`, whose position is `position`. */
  push(bytes: Uint8Array, at: number, position: number): void {
    const counter = readCounter(bytes, at);
    if (counter === this.#counter) return; // a duplicate (2.4.3.3)
    if (counter !== ((this.#counter + 1) & 15)) this.#have = -1;
    this.#counter = counter;
    let from = payloadStart(bytes, at);
    const end = at + PACKET_SIZE;
    if (from >= end) return;
    if (startsUnit(bytes, at)) {
      const pointer = bytes[from]!;
      from += 1;
      const next = Math.min(end, from + pointer);
      if (this.#have >= 0) this.#take(bytes, from, next);
      this.#have = -1;
      from = next;
      while (from < end && bytes[from] !== 0xff) {
        this.#have = 0;
        this.#position = position;
        from = this.#take(bytes, from, end);
      }
    } else if (this.#have >= 0) {
      this.#take(bytes, from, end);
    }
  }

  /** Adds what belongs to the section under way; answers where the next may begin. */
  #take(bytes: Uint8Array, from: number, to: number): number {
    while (this.#have < 3 && from < to) this.#buffer[this.#have++] = bytes[from++]!;
    if (this.#have < 3) return to;
    const length = 3 + (((this.#buffer[1]! & 0x0f) << 8) | this.#buffer[2]!);
    if (length > MAX_SECTION) {
      this.#have = -1;
      return to;
    }
    const until = Math.min(to, from + length - this.#have);
    while (from < until) this.#buffer[this.#have++] = bytes[from++]!;
    if (this.#have < length) return to;
    this.#have = -1;
    // a table with section_syntax_indicator has a CRC; PAT and PMT always do
    if (length < 12 || (this.#buffer[1]! & 0x80) === 0) return from;
    if (crc32Mpeg2(this.#buffer, 0, length) !== 0) this.#errors.crc += 1;
    else this.#sink(this.#buffer.subarray(0, length), this.#position);
    return from;
  }
}

/** table_id */
export const tableId = (section: Uint8Array): number => section[0]!;
/** transport_stream_id of a PAT, program_number of a PMT */
export const tableExtension = (section: Uint8Array): number => (section[3]! << 8) | section[4]!;
/** version_number */
export const versionNumber = (section: Uint8Array): number => (section[5]! >> 1) & 31;
/** current_next_indicator: false where the table is not valid yet */
export const isCurrent = (section: Uint8Array): boolean => (section[5]! & 1) !== 0;
/** section_number */
export const sectionNumber = (section: Uint8Array): number => section[6]!;
/** last_section_number */
export const lastSectionNumber = (section: Uint8Array): number => section[7]!;

/** A program as the PAT names it. */
export interface PatEntry {
  readonly number: number;
  readonly pmtPid: number;
}

/** Programs of a PAT section in its order; the network PID (program 0) is left out. */
export function parsePat(section: Uint8Array): PatEntry[] {
  const programs: PatEntry[] = [];
  for (let at = 8; at + 4 <= section.length - 4; at += 4) {
    const number = (section[at]! << 8) | section[at + 1]!;
    if (number !== 0) programs.push({ number, pmtPid: ((section[at + 2]! & 0x1f) << 8) | section[at + 3]! });
  }
  return programs;
}

/** An elementary stream as the PMT names it. */
export interface PmtStream {
  readonly pid: number;
  readonly streamType: number;
  readonly descriptors: readonly Descriptor[];
}

/** A descriptor (2.6): its tag and what follows its length. */
export interface Descriptor {
  readonly tag: number;
  readonly data: Uint8Array;
}

/** What a PMT section says. */
export interface Pmt {
  readonly program: number;
  readonly pcrPid: number;
  readonly descriptors: readonly Descriptor[];
  readonly streams: readonly PmtStream[];
}

/** Reads a PMT section; undefined when its lengths contradict each other. */
export function parsePmt(section: Uint8Array): Pmt | undefined {
  const end = section.length - 4;
  if (end < 12) return undefined;
  const programInfo = ((section[10]! & 0x0f) << 8) | section[11]!;
  let at = 12 + programInfo;
  if (at > end) return undefined;
  const descriptors = parseDescriptors(section, 12, at);
  const streams: PmtStream[] = [];
  while (at + 5 <= end) {
    const info = ((section[at + 3]! & 0x0f) << 8) | section[at + 4]!;
    if (at + 5 + info > end) return undefined;
    const pid = ((section[at + 1]! & 0x1f) << 8) | section[at + 2]!;
    streams.push({ pid, streamType: section[at]!, descriptors: parseDescriptors(section, at + 5, at + 5 + info) });
    at += 5 + info;
  }
  return { program: tableExtension(section), pcrPid: ((section[8]! & 0x1f) << 8) | section[9]!, descriptors, streams };
}

/** Copies of the descriptors in [from, to); one that would reach beyond ends the list. */
function parseDescriptors(bytes: Uint8Array, from: number, to: number): Descriptor[] {
  const descriptors: Descriptor[] = [];
  for (let at = from; at + 2 <= to; at += 2 + bytes[at + 1]!) {
    if (at + 2 + bytes[at + 1]! > to) break;
    descriptors.push({ tag: bytes[at]!, data: bytes.slice(at + 2, at + 2 + bytes[at + 1]!) });
  }
  return descriptors;
}

/** PIDs of the entitlement messages that CA descriptors name (2.6.16). */
export function caPids(pmt: Pmt): number[] {
  const all = [...pmt.descriptors, ...pmt.streams.flatMap((stream) => stream.descriptors)];
  return all.filter(({ tag, data }) => tag === 0x09 && data.length >= 4).map(({ data }) => ((data[2]! & 0x1f) << 8) | data[3]!);
}

/** Whether two PMT sections say the same, version_number and CRC aside. */
export function samePmt(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length - 4; at++) if (at !== 5 && a[at] !== b[at]) return false;
  return true;
}

/** Whether two sections are the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** A PAT section that names one program. */
export function buildPat(transportStreamId: number, version: number, program: PatEntry): Uint8Array {
  const section = Uint8Array.of(
    ...[0x00, 0xb0, 13, transportStreamId >> 8, transportStreamId & 0xff, 0xc1 | (version << 1), 0, 0],
    ...[program.number >> 8, program.number & 0xff, 0xe0 | (program.pmtPid >> 8), program.pmtPid & 0xff, 0, 0, 0, 0],
  );
  new DataView(section.buffer).setUint32(12, crc32Mpeg2(section, 0, 12));
  return section;
}

/** How many packets {@link packetize} makes of these sections. */
export function packetCount(sections: readonly Uint8Array[]): number {
  return sections.reduce((sum, section) => sum + Math.ceil((section.length + 1) / 184), 0);
}

/**
 * Writes the sections as packets of `pid` to `into` at `at`, each section beginning a packet of its own, the rest stuffed with
 * 0xFF. The last packet has `lastCounter`, those before it count up to it. Answers where they end.
 */
export function packetize(into: Uint8Array, at: number, pid: number, sections: readonly Uint8Array[], lastCounter: number): number {
  let counter = lastCounter - packetCount(sections) + 1;
  for (const section of sections) {
    for (let from = 0; from < section.length;) {
      const first = from === 0;
      into.fill(0xff, at, at + PACKET_SIZE);
      into[at] = 0x47;
      into[at + 1] = (first ? 0x40 : 0) | (pid >> 8);
      into[at + 2] = pid & 0xff;
      into[at + 3] = 0x10 | (counter++ & 15);
      if (first) into[at + 4] = 0;
      const take = Math.min(first ? 183 : 184, section.length - from);
      into.set(section.subarray(from, from + take), at + (first ? 5 : 4));
      from += take;
      at += PACKET_SIZE;
    }
  }
  return at;
}

/**
 * Rewrites a PAT packet in place (docs/design/data-format.md, F2): the packet in which a section begins carries all of `section`, every
 * other, and one whose adaptation field leaves no room, carries stuffing. Header, counter and adaptation field stay. Answers whether it carries the section.
 */
export function rewritePatPacket(bytes: Uint8Array, at: number, section: Uint8Array): boolean {
  const from = payloadStart(bytes, at);
  const end = at + PACKET_SIZE;
  if (from >= end) return false;
  const whole = startsUnit(bytes, at) && from + 1 + section.length <= end;
  bytes.fill(0xff, from, end);
  if (whole) {
    bytes[from] = 0;
    bytes.set(section, from + 1);
  } else {
    bytes[at + 1] = bytes[at + 1]! & ~0x40;
  }
  return whole;
}
