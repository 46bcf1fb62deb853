/**
 * Reads a segment's facts from its media: what a recovery enters, what a check compares, what a repair rebuilds from. Fed
 * bytes; keeps none of them.
 */
import { crc32 } from 'node:zlib';
import { ptsDelta, PTS_MODULUS, TICKS_PER_SECOND } from '../model/index.js';
import { NULL_PID, PACKET_SIZE, PAT_PID, readPid, SYNC_BYTE, TsReader, type Program, type ScanErrors, type Unit } from '../mpegts/index.js';
import type { StreamStorage } from '../storage/index.js';
import type { Keyframe } from './contract.js';

/** Media is read in pieces of this size. */
const BLOCK_BYTES = 256 * 1024;
/** The length of a frame when two are not there to tell: 25 frames a second. */
const DEFAULT_FRAME = TICKS_PER_SECOND / 25;

/** What the media of a segment says. */
export interface Probe {
  readonly sizeBytes: number;
  readonly crc32: number;
  /** Bytes from its start that are whole packets, each with its sync byte. */
  readonly wholeBytes: number;
  /** Undefined when it holds no program that can be read. */
  readonly program: Program | undefined;
  /** It begins with a PAT, then a PMT. */
  readonly startsWithTables: boolean;
  /** The first access unit of the reference track is a random access point. */
  readonly startsWithKeyframe: boolean;
  /** First access unit's PTS and where the last frame ends; raw 33-bit ticks. Undefined without time stamps. */
  readonly pts: { readonly first90k: number; readonly end90k: number } | undefined;
  /** From the first access unit to the end of the last frame; 0 without time stamps. */
  readonly duration90k: number;
  readonly keyframes: readonly Keyframe[];
  readonly errors: Readonly<ScanErrors>;
}

/** Takes the bytes of one segment in order, then answers once. */
export class SegmentProbe {
  readonly #reader: TsReader;
  readonly #keyframes: Keyframe[] = [];
  readonly #intervals: number[] = [];
  #sizeBytes = 0;
  #crc32 = 0;
  #wholeBytes = 0;
  #whole = true;
  #carry = new Uint8Array(0);
  readonly #firstPids: number[] = [];
  #first90k: number | undefined;
  #lastDts90k = 0;
  #elapsed90k = 0;
  #startsWithKeyframe = false;
  #units = 0;

  constructor() {
    this.#reader = new TsReader({ sink: { program: () => undefined, unit: (unit) => this.#unit(unit) } });
  }

  /** The next bytes; they may be reused afterwards. */
  push(bytes: Uint8Array): void {
    this.#sizeBytes += bytes.length;
    this.#crc32 = crc32(bytes, this.#crc32);
    this.#packets(bytes);
    this.#reader.push(bytes, 0);
    this.#reader.drop(this.#reader.heldFrom);
  }

  /** What it was. */
  end(): Probe {
    this.#reader.resetSync();
    const frame90k = this.#intervals.length === 0 ? DEFAULT_FRAME : Math.min(...this.#intervals);
    const first90k = this.#first90k;
    const duration90k = first90k === undefined ? 0 : this.#elapsed90k + frame90k;
    const program = this.#reader.program;
    return {
      sizeBytes: this.#sizeBytes,
      crc32: this.#crc32,
      wholeBytes: this.#wholeBytes,
      program,
      startsWithTables: this.#firstPids[0] === PAT_PID && program !== undefined && this.#firstPids[1] === program.pmtPid,
      startsWithKeyframe: this.#startsWithKeyframe,
      pts: first90k === undefined ? undefined : { first90k, end90k: (first90k + duration90k) % PTS_MODULUS },
      duration90k,
      keyframes: this.#keyframes,
      errors: { ...this.#reader.errors },
    };
  }

  #unit(unit: Unit): void {
    if (!unit.reference) return;
    this.#units += 1;
    if (this.#units === 1) this.#startsWithKeyframe = unit.randomAccess;
    if (Number.isNaN(unit.pts90k)) return;
    if (this.#first90k === undefined) this.#first90k = unit.pts90k;
    else {
      const interval = ptsDelta(this.#lastDts90k, unit.dts90k);
      if (interval > 0) this.#intervals.push(interval);
    }
    this.#lastDts90k = unit.dts90k;
    this.#elapsed90k = Math.max(this.#elapsed90k, ptsDelta(this.#first90k, unit.pts90k));
    if (unit.randomAccess && unit.role === 'video') this.#keyframes.push({ offsetBytes: unit.unitPosition, pts90k: unit.pts90k });
  }

  /** Counts whole packets from the start, and notes what the first two are. */
  #packets(bytes: Uint8Array): void {
    if (!this.#whole) return;
    const joined = this.#carry.length === 0 ? bytes : Buffer.concat([this.#carry, bytes]);
    let at = 0;
    for (; at + PACKET_SIZE <= joined.length; at += PACKET_SIZE) {
      if (joined[at] !== SYNC_BYTE) {
        this.#whole = false;
        return;
      }
      this.#wholeBytes += PACKET_SIZE;
      if (this.#firstPids.length < 2) {
        const pid = readPid(joined, at);
        if (pid !== NULL_PID) this.#firstPids.push(pid);
      }
    }
    this.#carry = Uint8Array.from(joined.subarray(at));
  }
}

/** Probes a committed file; undefined when there is none. */
export async function probeFile(storage: StreamStorage, name: string): Promise<Probe | undefined> {
  const probe = new SegmentProbe();
  for (let from = 0; ; from += BLOCK_BYTES) {
    const bytes = await storage.read(name, from, from + BLOCK_BYTES);
    if (bytes === undefined) return undefined;
    probe.push(bytes);
    if (bytes.length < BLOCK_BYTES) return probe.end();
  }
}
