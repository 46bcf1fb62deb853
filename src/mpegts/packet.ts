/**
 * One transport packet (ISO/IEC 13818-1, 2.4.3.2): where its parts are, its clock (2.4.3.4), and the few
 * ways in which a packet is changed in place, for sources that loop. All functions take the bytes that
 * hold the packet and the offset of its sync byte.
 */
import { PTS_MODULUS } from '../model/index.js';

/** Length of a packet in bytes. */
export const PACKET_SIZE = 188;
/** First byte of every packet. */
export const SYNC_BYTE = 0x47;
/** How many PIDs there are. */
export const PID_COUNT = 8192;
/** PID of the program association table. */
export const PAT_PID = 0;
/** PID of packets that say nothing. */
export const NULL_PID = 0x1fff;
/** PIDs below it are PSI and SI (PAT, CAT, NIT, SDT, EIT, TDT…; EN 300 468, table 1). */
export const FIRST_FREE_PID = 0x20;
/** Rate of the program clock reference in Hz. */
export const PCR_HZ = 27_000_000;

/** PID of the packet. */
export const readPid = (bytes: Uint8Array, at = 0): number => ((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]!;
/** Whether a PES packet or a section begins in it (payload_unit_start_indicator). */
export const startsUnit = (bytes: Uint8Array, at = 0): boolean => (bytes[at + 1]! & 0x40) !== 0;
/** Whether it carries payload, and so advances its PID's counter. */
export const hasPayload = (bytes: Uint8Array, at = 0): boolean => (bytes[at + 3]! & 0x10) !== 0;
/** continuity_counter */
export const readCounter = (bytes: Uint8Array, at = 0): number => bytes[at + 3]! & 0x0f;
/** Overwrites continuity_counter with the low four bits of `counter`. */
export function writeCounter(bytes: Uint8Array, at: number, counter: number): void {
  bytes[at + 3] = (bytes[at + 3]! & 0xf0) | (counter & 0x0f);
}

/** Offset of the payload; `at + 188` where there is none, or where the adaptation field's length is nonsense. */
export function payloadStart(bytes: Uint8Array, at = 0): number {
  const control = bytes[at + 3]! & 0x30;
  if (control === 0x10) return at + 4;
  if (control !== 0x30) return at + PACKET_SIZE;
  return at + Math.min(PACKET_SIZE, 5 + bytes[at + 4]!);
}

/** The adaptation field's flags (discontinuity 0x80, random access 0x40, PCR 0x10, OPCR 0x08 …); 0 where there is none. */
export function adaptationFlags(bytes: Uint8Array, at = 0): number {
  if ((bytes[at + 3]! & 0x20) === 0) return 0;
  const length = bytes[at + 4]!;
  return length === 0 || length > 183 ? 0 : bytes[at + 5]!;
}

/** Program clock reference in 27 MHz ticks; NaN where the packet has none. */
export function readPcr(bytes: Uint8Array, at = 0): number {
  if ((adaptationFlags(bytes, at) & 0x10) === 0 || bytes[at + 4]! < 7) return Number.NaN;
  return readClockBase(bytes, at + 6) * 300 + (((bytes[at + 10]! & 1) << 8) | bytes[at + 11]!);
}

/** The 33-bit base of a PCR or OPCR field. */
function readClockBase(bytes: Uint8Array, at: number): number {
  return (bytes[at]! * 0x1000000 + (bytes[at + 1]! << 16) + (bytes[at + 2]! << 8) + bytes[at + 3]!) * 2 + (bytes[at + 4]! >> 7);
}

/** The 33 bits of a PTS or DTS field (2.4.3.7). Marker bits are not looked at: what sets them wrong still sets the time right. */
export function readTimestamp(bytes: Uint8Array, at: number): number {
  const high = (bytes[at]! >> 1) & 7;
  return (
    high * 0x40000000 + (((bytes[at + 1]! << 22) | ((bytes[at + 2]! & 0xfe) << 14) | (bytes[at + 3]! << 7) | (bytes[at + 4]! >> 1)) >>> 0)
  );
}

/** Length that is always enough to read a PES header's time stamps. */
export const PES_TIMES_SIZE = 19;

/**
 * How many bytes of a PES header must be there to read its time stamps, as far as the `have` bytes at `at` tell;
 * more than `have` when that cannot be said yet. 0 when it is not a PES packet.
 */
export function pesTimesSize(bytes: Uint8Array, at: number, have: number): number {
  if (have < 6) {
    for (let byte = 0; byte < Math.min(3, have); byte++) if (bytes[at + byte] !== (byte === 2 ? 1 : 0)) return 0;
    return 6;
  }
  if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) return 0;
  if (!hasPesHeader(bytes[at + 3]!)) return 6;
  if (have < 9) return 9;
  return 9 + Math.min(bytes[at + 8]!, timesLength(bytes[at + 7]!));
}

const timesLength = (flags: number): number => ((flags & 0x80) === 0 ? 0 : (flags & 0x40) === 0 ? 5 : 10);

/** Whether packets of this stream_id have the header with the time stamps (2.4.3.6). */
function hasPesHeader(streamId: number): boolean {
  switch (streamId) {
    case 0xbc: // program_stream_map
    case 0xbe: // padding_stream
    case 0xbf: // private_stream_2
    case 0xf0: // ECM
    case 0xf1: // EMM
    case 0xf2: // DSM-CC
    case 0xf8: // H.222.1 type E
    case 0xff: // program_stream_directory
      return false;
    default:
      return true;
  }
}

/** What the beginning of a PES packet says. */
export interface PesHeader {
  streamId: number;
  /** Raw 33-bit ticks; NaN without. */
  pts90k: number;
  /** Raw 33-bit ticks; the PTS without. */
  dts90k: number;
  /** Where the elementary stream's bytes begin, counted from the first byte of the header. */
  headerSize: number;
  /** PES_scrambling_control is not 00. */
  scrambled: boolean;
}

/** Reads the PES header at `at` into `into`; at least {@link pesTimesSize} bytes must be there. */
export function readPesHeader(bytes: Uint8Array, at: number, into: PesHeader): void {
  into.streamId = bytes[at + 3]!;
  into.pts90k = into.dts90k = Number.NaN;
  into.headerSize = 6;
  into.scrambled = false;
  if (!hasPesHeader(into.streamId) || bytes[at + 6]! >> 6 !== 2) return;
  into.headerSize = 9 + bytes[at + 8]!;
  into.scrambled = (bytes[at + 6]! & 0x30) !== 0;
  const times = timesLength(bytes[at + 7]!);
  if (times === 0 || bytes[at + 8]! < 5) return;
  into.pts90k = into.dts90k = readTimestamp(bytes, at + 9);
  if (times === 10 && bytes[at + 8]! >= 10) into.dts90k = readTimestamp(bytes, at + 14);
}

/** Time stamps of the PES packet that begins in this packet; undefined where none begins, or its header goes on in the next. */
export function readPesTimes(bytes: Uint8Array, at = 0): { readonly pts90k: number; readonly dts90k: number } | undefined {
  const start = pesStart(bytes, at);
  if (start < 0) return undefined;
  const header: PesHeader = { streamId: 0, pts90k: Number.NaN, dts90k: Number.NaN, headerSize: 0, scrambled: false };
  readPesHeader(bytes, start, header);
  return { pts90k: header.pts90k, dts90k: header.dts90k };
}

/** Offset of a PES header whose time stamps lie wholly in the packet, else -1. */
function pesStart(bytes: Uint8Array, at: number): number {
  if (!startsUnit(bytes, at) || (bytes[at + 3]! & 0xc0) !== 0) return -1;
  const start = payloadStart(bytes, at);
  const have = at + PACKET_SIZE - start;
  const size = pesTimesSize(bytes, start, have);
  return size === 0 || size > have ? -1 : start;
}

/**
 * Moves every clock in the packet by `offset90k` ticks, modulo 2^33: PCR, OPCR, and the PTS and DTS of a PES header that
 * begins in it. Prefixes, markers and the PCR's extension stay. A header that is split over two packets is left alone.
 */
export function addToTimestamps(bytes: Uint8Array, at: number, offset90k: number): void {
  const flags = adaptationFlags(bytes, at);
  if ((flags & 0x10) !== 0 && bytes[at + 4]! >= 7) moveClockBase(bytes, at + 6, offset90k);
  const opcr = (flags & 0x10) === 0 ? 6 : 12;
  if ((flags & 0x08) !== 0 && bytes[at + 4]! >= opcr + 1) moveClockBase(bytes, at + opcr, offset90k);
  const start = pesStart(bytes, at);
  if (start < 0 || !hasPesHeader(bytes[start + 3]!) || bytes[start + 6]! >> 6 !== 2) return;
  const times = timesLength(bytes[start + 7]!);
  const room = bytes[start + 8]!;
  if (times >= 5 && room >= 5) moveTimestamp(bytes, start + 9, offset90k);
  if (times === 10 && room >= 10) moveTimestamp(bytes, start + 14, offset90k);
}

const wrap = (ticks: number): number => ((ticks % PTS_MODULUS) + PTS_MODULUS) % PTS_MODULUS;

function moveClockBase(bytes: Uint8Array, at: number, offset90k: number): void {
  const base = wrap(readClockBase(bytes, at) + offset90k);
  const top = Math.floor(base / 2);
  bytes[at] = top >>> 24;
  bytes[at + 1] = top >>> 16;
  bytes[at + 2] = top >>> 8;
  bytes[at + 3] = top;
  bytes[at + 4] = (bytes[at + 4]! & 0x7f) | ((base % 2) << 7);
}

function moveTimestamp(bytes: Uint8Array, at: number, offset90k: number): void {
  const ticks = wrap(readTimestamp(bytes, at) + offset90k);
  const low = ticks % 0x40000000;
  bytes[at] = (bytes[at]! & 0xf1) | (Math.floor(ticks / 0x40000000) << 1);
  bytes[at + 1] = low >> 22;
  bytes[at + 2] = ((low >> 14) & 0xfe) | (bytes[at + 2]! & 1);
  bytes[at + 3] = low >> 7;
  bytes[at + 4] = ((low << 1) & 0xfe) | (bytes[at + 4]! & 1);
}
