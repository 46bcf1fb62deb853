/**
 * What a transport stream holds, found by looking at some seconds of it: programs, tracks, languages, resolution, frame rate, bitrates, the distance
 * of keyframes, errors. For probing; a recording looks at less (scanner.ts). Synchronization, counters and errors are the reader's; here every stored packet is
 * looked at once more, by PID.
 */
import { ptsDelta, TICKS_PER_SECOND } from '../model/index.js';
import { AccessUnitReader } from './accessUnit.js';
import {
  NULL_PID,
  PACKET_SIZE,
  PAT_PID,
  PCR_HZ,
  hasPayload,
  payloadStart,
  pesTimesSize,
  readPcr,
  readPesHeader,
  readPid,
  startsUnit,
  type PesHeader,
} from './packet.js';
import { SectionAssembler, isCurrent, parsePat, parsePmt, sectionNumber, tableExtension, tableId, type PatEntry } from './psi.js';
import { TsReader } from './reader.js';
import type { ScanErrors, Track } from './sink.js';
import { describeTrack } from './streamTypes.js';
import { RULES } from './track.js';

/** Random access points of a video track. */
export interface GopFacts {
  /** Random access points seen. */
  readonly keyframes: number;
  /** Mean and longest distance in presentation time; seconds. Undefined before two were seen. */
  readonly meanSec: number | undefined;
  readonly maxSec: number | undefined;
}

/** One elementary stream. */
export interface TrackReport extends Track {
  /** Bits per second, headers of packets counted; undefined where no time can be told. */
  readonly bitrate: number | undefined;
  /** Packets with transport_scrambling_control other than 00. */
  readonly scrambledPackets: number;
  /** Of video whose parameter sets were seen and can be read (H.264, H.265, MPEG-2); luma samples. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  /** Access units per second of decoding time; of video. */
  readonly frameRate: number | undefined;
  /** Of video; undefined where no bitstream of the codec can be read. */
  readonly gop: GopFacts | undefined;
}

/** One program. */
export interface ProgramReport {
  /** program_number */
  readonly number: number;
  readonly pmtPid: number;
  /** Undefined, as the tracks are empty, when its PMT was not seen. */
  readonly pcrPid: number | undefined;
  readonly tracks: readonly TrackReport[];
}

/** What was seen. */
export interface StreamReport {
  readonly programs: readonly ProgramReport[];
  /** Seconds of it: by the program clock, else by arrival. */
  readonly durationSec: number;
  /** Bits per second of everything, null packets counted. */
  readonly bitrate: number | undefined;
  readonly packets: number;
  readonly nullPackets: number;
  readonly errors: Readonly<ScanErrors>;
}

/** A jump of the program clock by more is another clock (TR 101 290, 2.3b: 100 ms; generous, for recordings that were cut). */
const MAX_PCR_STEP_SEC = 2;

/** Counts of one PID. */
class PidCounts {
  packets = 0;
  scrambled = 0;
  units = 0;
  readonly reader: AccessUnitReader | undefined;
  #format: string | undefined;
  #keyframes = 0;
  #lastKeyframe90k = Number.NaN;
  readonly #intervals: number[] = [];
  #dts90k = Number.NaN;
  /** Sum of the steps of decoding time that are steps of one clock, and how many they were. */
  #decoded90k = 0;
  #steps = 0;
  #unitPts90k = Number.NaN;
  #undecided = false;
  readonly #pes: PesHeader = { streamId: 0, pts90k: Number.NaN, dts90k: Number.NaN, headerSize: 0, scrambled: false };

  constructor(codec: string | undefined) {
    const rules = codec === undefined ? undefined : RULES[codec];
    this.reader = rules && new AccessUnitReader(rules);
  }

  take(bytes: Uint8Array, at: number): void {
    this.packets += 1;
    if ((bytes[at + 3]! & 0xc0) !== 0) {
      this.scrambled += 1;
      return;
    }
    if (!hasPayload(bytes, at)) return;
    let from = payloadStart(bytes, at);
    const to = at + PACKET_SIZE;
    if (startsUnit(bytes, at)) {
      this.#conclude();
      const size = pesTimesSize(bytes, from, to - from);
      // a header that goes on in the next packet is rare enough to be passed over here
      if (size === 0 || size > to - from) return;
      readPesHeader(bytes, from, this.#pes);
      this.#began();
      from += this.#pes.headerSize;
      this.reader?.begin((bytes[at + 3]! & 0x20) !== 0 && bytes[at + 4]! > 0 && (bytes[at + 5]! & 0x40) !== 0);
      this.#undecided = this.reader !== undefined;
    }
    if (!this.#undecided || from >= to) return;
    const verdict = this.reader?.feed(bytes, from, to);
    if (verdict !== undefined) this.#decided(verdict);
  }

  #began(): void {
    this.units += 1;
    const { pts90k, dts90k } = this.#pes;
    const step = ptsDelta(this.#dts90k, dts90k);
    if (step > 0 && step < MAX_PCR_STEP_SEC * TICKS_PER_SECOND) {
      this.#decoded90k += step;
      this.#steps += 1;
    }
    this.#dts90k = dts90k;
    this.#unitPts90k = pts90k;
  }

  #conclude(): void {
    if (this.#undecided) this.#decided(this.reader?.finish() ?? false);
  }

  #decided(randomAccess: boolean): void {
    this.#undecided = false;
    this.#format = this.reader?.facts.format ?? this.#format;
    if (!randomAccess) return;
    this.#keyframes += 1;
    const interval = ptsDelta(this.#lastKeyframe90k, this.#unitPts90k) / TICKS_PER_SECOND;
    if (interval > 0) this.#intervals.push(interval);
    this.#lastKeyframe90k = this.#unitPts90k;
  }

  get video(): Pick<TrackReport, 'width' | 'height' | 'frameRate' | 'gop'> {
    const size = /(\d+)x(\d+)/.exec(this.#format ?? '');
    const { length } = this.#intervals;
    return {
      width: size ? Number(size[1]) : undefined,
      height: size ? Number(size[2]) : undefined,
      frameRate: this.#steps > 0 ? (this.#steps * TICKS_PER_SECOND) / this.#decoded90k : undefined,
      gop: this.reader && {
        keyframes: this.#keyframes,
        meanSec: length > 0 ? this.#intervals.reduce((sum, interval) => sum + interval, 0) / length : undefined,
        maxSec: length > 0 ? Math.max(...this.#intervals) : undefined,
      },
    };
  }
}

/** The span of one program's clock, and the bytes that lie in it. */
interface ClockSpan {
  last: number;
  seconds: number;
}

/** Takes a stream's bytes, says what is in it. */
export class StreamAnalyzer {
  readonly #reader = new TsReader({ program: 'all', sink: { program: () => undefined, unit: () => undefined } });
  readonly #pids = new Map<number, PidCounts>();
  readonly #clocks = new Map<number, ClockSpan>();
  readonly #assemblers = new Map<number, SectionAssembler>();
  #entries: PatEntry[] = [];
  readonly #patSections: PatEntry[][] = [];
  readonly #programs = new Map<number, { pcrPid: number; tracks: Track[] }>();
  #packets = 0;
  #nullPackets = 0;
  #firstArrivalMs: number | undefined;
  #lastArrivalMs = 0;

  /** @param arrivalMs - when the bytes came; UTC milliseconds */
  push(chunk: Uint8Array, arrivalMs: number): void {
    this.#firstArrivalMs ??= arrivalMs;
    this.#lastArrivalMs = arrivalMs;
    this.#reader.push(chunk, arrivalMs);
    this.#takeStored();
  }

  /** Whether every program that the PAT names has shown its tables, and every video track of a codec that can be read two keyframes. */
  get complete(): boolean {
    return (
      this.#entries.length > 0 &&
      this.#entries.every(({ number }) => this.#programs.has(number)) &&
      [...this.#programs.values()].every(({ tracks }) =>
        tracks.every((track) => track.role !== 'video' || RULES[track.codec] === undefined || this.#sawTwoKeyframes(track.pid)),
      )
    );
  }

  #sawTwoKeyframes(pid: number): boolean {
    const video = this.#pids.get(pid)?.video;
    return (video?.gop?.keyframes ?? 0) >= 2 && video?.width !== undefined;
  }

  report(): StreamReport {
    const byClock = Math.max(0, ...[...this.#clocks.values()].map(({ seconds }) => seconds));
    const durationSec = byClock > 0 ? byClock : (this.#lastArrivalMs - (this.#firstArrivalMs ?? this.#lastArrivalMs)) / 1000;
    const bitrate = (packets: number): number | undefined => (durationSec > 0 ? (packets * PACKET_SIZE * 8) / durationSec : undefined);
    const track = (facts: Track): TrackReport => {
      const counts = this.#pids.get(facts.pid) ?? new PidCounts(undefined);
      const none = { width: undefined, height: undefined, frameRate: undefined, gop: undefined };
      return {
        ...facts,
        bitrate: bitrate(counts.packets),
        scrambledPackets: counts.scrambled,
        ...(facts.role === 'video' ? counts.video : none),
      };
    };
    return {
      programs: this.#entries.map(({ number, pmtPid }) => {
        const known = this.#programs.get(number);
        return { number, pmtPid, pcrPid: known?.pcrPid, tracks: (known?.tracks ?? []).map(track) };
      }),
      durationSec,
      bitrate: bitrate(this.#packets),
      packets: this.#packets,
      nullPackets: this.#nullPackets,
      errors: { ...this.#reader.errors },
    };
  }

  #takeStored(): void {
    this.#reader.take(this.#reader.position, (bytes, release) => {
      for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) this.#packet(bytes, at);
      release();
    });
  }

  #packet(bytes: Uint8Array, at: number): void {
    const pid = readPid(bytes, at);
    this.#packets += 1;
    if (pid === NULL_PID) {
      this.#nullPackets += 1;
      return;
    }
    const clock = this.#clocks.get(pid);
    if (clock) this.#clock(clock, bytes, at);
    const assembler = pid === PAT_PID ? this.#assembler(pid) : this.#assemblers.get(pid);
    if (assembler) {
      if (hasPayload(bytes, at)) assembler.push(bytes, at, 0);
      return;
    }
    let counts = this.#pids.get(pid);
    if (!counts) this.#pids.set(pid, (counts = new PidCounts(undefined)));
    counts.take(bytes, at);
  }

  #clock(clock: ClockSpan, bytes: Uint8Array, at: number): void {
    const pcr = readPcr(bytes, at);
    if (Number.isNaN(pcr)) return;
    const step = (pcr - clock.last) / PCR_HZ;
    if (step > 0 && step < MAX_PCR_STEP_SEC) clock.seconds += step;
    clock.last = pcr;
  }

  #assembler(pid: number): SectionAssembler {
    let assembler = this.#assemblers.get(pid);
    if (!assembler) {
      // the reader counts sections with a wrong CRC already
      assembler = new SectionAssembler((section) => this.#section(pid, section), { crc: 0 });
      this.#assemblers.set(pid, assembler);
    }
    return assembler;
  }

  #section(pid: number, section: Uint8Array): void {
    if (!isCurrent(section)) return;
    if (pid === PAT_PID && tableId(section) === 0) {
      this.#patSections[sectionNumber(section)] = parsePat(section);
      this.#entries = this.#patSections.flat();
      for (const { pmtPid } of this.#entries) this.#assembler(pmtPid);
    } else if (tableId(section) === 2) {
      const pmt = parsePmt(section);
      if (!pmt) return;
      const tracks = pmt.streams.map((stream) => describeTrack(stream, pmt));
      this.#programs.set(tableExtension(section), { pcrPid: pmt.pcrPid, tracks });
      if (!this.#clocks.has(pmt.pcrPid)) this.#clocks.set(pmt.pcrPid, { last: Number.NaN, seconds: 0 });
      for (const { pid: trackPid, role, codec } of tracks) {
        const known = this.#pids.get(trackPid);
        if (role === 'video' && !known?.reader) this.#pids.set(trackPid, new PidCounts(codec));
      }
    }
  }
}
