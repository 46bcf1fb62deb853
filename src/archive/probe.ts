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
/** A step of the time stamps back by more than this, or forward by more than the other, is believed when the next unit confirms it. */
const STEP_BACK = TICKS_PER_SECOND / 5;
const STEP_FORWARD = TICKS_PER_SECOND;
/** How many intervals are remembered. */
const REMEMBERED = 16;
/** So many packets say how it begins: PSI/SI and null packets may lie between the tables (data-format.md, F3). */
const FIRST_PACKETS = 1024;
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
  /** Where decoding can begin: keyframes of the video; without video the first access unit alone, as the recorder has it. */
  readonly keyframes: readonly Keyframe[];
  /** Access units of the reference track that have a time stamp. */
  readonly timedUnits: number;
  /** The longest way from one of them to the next; 0 where there are not two. */
  readonly longestInterval90k: number;
  /** PTS of the last access unit of a sound beside the reference track. */
  readonly lastBeside90k: number | undefined;
  readonly errors: Readonly<ScanErrors>;
}

/** An access unit whose time stamp does not follow; the next one says whether it is to be believed. */
interface Suspect {
  readonly step90k: number;
  readonly pts90k: number;
  readonly dts90k: number;
}

/** Takes the bytes of one segment in order, then answers once. */
export class SegmentProbe {
  readonly #reader: TsReader;
  readonly #keyframes: Keyframe[] = [];
  /** The newest ones, from which the length of a frame is told. */
  readonly #intervals: number[] = [];
  #longest90k = 0;
  #sizeBytes = 0;
  #crc32 = 0;
  #wholeBytes = 0;
  #whole = true;
  #carry = new Uint8Array(0);
  #packetsSeen = 0;
  readonly #firstPids = new Set<number>();
  #first90k: number | undefined;
  #lastDts90k = 0;
  #elapsed90k = 0;
  #suspect: Suspect | undefined;
  #startsWithKeyframe = false;
  #units = 0;
  #timedUnits = 0;
  #lastBeside90k: number | undefined;

  constructor() {
    // A file holds what was chosen: all of it counts, whether one program or several.
    this.#reader = new TsReader({ program: 'all', sink: { program: () => undefined, unit: (unit) => this.#unit(unit) } });
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
    const sorted = [...this.#intervals].sort((a, b) => a - b);
    const frame90k = sorted[sorted.length >> 1] ?? DEFAULT_FRAME;
    const first90k = this.#first90k;
    const duration90k = first90k === undefined ? 0 : this.#elapsed90k + frame90k;
    return {
      sizeBytes: this.#sizeBytes,
      crc32: this.#crc32,
      wholeBytes: this.#wholeBytes,
      program: this.#reader.program,
      startsWithTables: this.#startsWithTables(),
      startsWithKeyframe: this.#startsWithKeyframe,
      pts: first90k === undefined ? undefined : { first90k, end90k: (first90k + duration90k) % PTS_MODULUS },
      duration90k,
      keyframes: this.#keyframes,
      timedUnits: this.#timedUnits,
      longestInterval90k: this.#longest90k,
      lastBeside90k: this.#lastBeside90k,
      errors: { ...this.#reader.errors },
    };
  }

  #unit(unit: Unit): void {
    if (!unit.reference) {
      if (unit.role === 'audio' && !Number.isNaN(unit.pts90k)) this.#lastBeside90k = unit.pts90k;
      return;
    }
    this.#units += 1;
    if (this.#units === 1) this.#startsWithKeyframe = unit.randomAccess;
    if (Number.isNaN(unit.pts90k)) return;
    const isKey = unit.randomAccess && (unit.role === 'video' || this.#units === 1);
    if (isKey) this.#keyframes.push({ offsetBytes: unit.unitPosition, pts90k: unit.pts90k });
    const { pts90k, dts90k } = unit;
    if (this.#first90k === undefined) {
      this.#first90k = pts90k;
      this.#lastDts90k = dts90k;
      this.#timedUnits = 1;
      return;
    }
    const step90k = ptsDelta(this.#lastDts90k, dts90k);
    const suspect = this.#suspect;
    this.#suspect = undefined;
    if (this.#follows(step90k)) return this.#advance(pts90k, dts90k);
    const since90k = suspect === undefined ? 0 : ptsDelta(suspect.dts90k, dts90k);
    if (suspect === undefined || !(this.#follows(since90k) || agree(since90k, suspect.step90k))) {
      this.#suspect = { step90k, pts90k, dts90k };
      return;
    }
    this.#advance(suspect.pts90k, suspect.dts90k);
    this.#advance(pts90k, dts90k);
  }

  #follows(step90k: number): boolean {
    return step90k >= -STEP_BACK && step90k <= Math.max(STEP_FORWARD, 2 * this.#longest90k);
  }

  #advance(pts90k: number, dts90k: number): void {
    const interval = ptsDelta(this.#lastDts90k, dts90k);
    if (interval > 0) {
      this.#intervals.push(interval);
      if (this.#intervals.length > REMEMBERED) this.#intervals.shift();
      this.#longest90k = Math.max(this.#longest90k, interval);
    }
    this.#lastDts90k = dts90k;
    this.#timedUnits += 1;
    this.#elapsed90k = Math.max(this.#elapsed90k, ptsDelta(this.#first90k ?? pts90k, pts90k));
  }

  /** A PAT, and the PMT before anything but PSI/SI and null packets (F3). */
  #startsWithTables(): boolean {
    const { program } = this.#reader;
    const pids = [...this.#firstPids];
    if (program === undefined || pids[0] !== PAT_PID) return false;
    const elementary = new Set(program.tracks.map((track) => track.pid));
    const media = pids.findIndex((pid) => elementary.has(pid));
    const pmt = pids.indexOf(program.pmtPid);
    return pmt > 0 && (media < 0 || pmt < media);
  }

  /** Counts whole packets from the start, and notes what the first are. */
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
      if (this.#packetsSeen++ >= FIRST_PACKETS) continue;
      const pid = readPid(joined, at);
      if (pid !== NULL_PID) this.#firstPids.add(pid);
    }
    this.#carry = Uint8Array.from(joined.subarray(at));
  }
}

/** Two steps of about the same length: a slow frame rate, not a jump. */
function agree(a90k: number, b90k: number): boolean {
  return a90k > b90k / 2 && a90k < b90k * 2;
}

/** Probes a file of any name; undefined when there is none. */
export async function probeFile(storage: StreamStorage, name: string): Promise<Probe | undefined> {
  const probe = new SegmentProbe();
  for (let from = 0; ; from += BLOCK_BYTES) {
    const bytes = await storage.files.read(name, from, from + BLOCK_BYTES);
    if (bytes === undefined) return undefined;
    probe.push(bytes);
    if (bytes.length < BLOCK_BYTES) return probe.end();
  }
}
