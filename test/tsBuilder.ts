/**
 * Makes transport streams for tests, packet by packet, without any code of src/: what a test reads was
 * written by somebody else than what it tests. {@link TsBuilder} has single packets, tables and PES (with
 * running continuity counters); {@link TsBuilder.stream} adds seconds of a whole channel and says which
 * access units it wrote, and where.
 */

import { concat, filler, videoFrame, type VideoCodec } from './videoFrames.js';

export { concat, h264Sps, h265Sps, videoFrame, type VideoCodec } from './videoFrames.js';

const PTS_MODULUS = 2 ** 33;

/** One elementary stream in a PMT. */
export interface StreamSpec {
  readonly pid: number;
  readonly streamType: number;
  /** Descriptors, already encoded (tag, length, bytes). */
  readonly descriptors?: readonly number[];
}

/** What a PMT says. */
export interface PmtSpec {
  readonly program: number;
  readonly pcrPid: number;
  readonly streams: readonly StreamSpec[];
  readonly descriptors?: readonly number[];
  readonly version?: number;
  readonly currentNext?: boolean;
}

/** What a PES packet holds. */
export interface PesSpec {
  readonly streamId?: number;
  readonly pts90k?: number;
  readonly dts90k?: number;
  readonly payload: Uint8Array;
  readonly randomAccess?: boolean;
  readonly discontinuity?: boolean;
  /** 90 kHz ticks; the extension is 0. */
  readonly pcr90k?: number;
  /** The most payload bytes a packet of it carries: small values split headers and NAL units over packets. */
  readonly maxPayload?: number;
  /** transport_scrambling_control */
  readonly scrambling?: number;
}

/** An access unit that was written. */
export interface MadeUnit {
  readonly pid: number;
  /** Of its first packet, in {@link TsBuilder.bytes}. */
  readonly offset: number;
  readonly pts90k: number;
  readonly dts90k: number;
  /** Decoding can begin here; true for all audio. */
  readonly key: boolean;
}

/** A piece of a channel. Everything has a default: 10 s of 25 fps H.264 with a keyframe each second, and audio. */
export interface ChannelSpec {
  readonly seconds?: number;
  /** `null` for none. */
  readonly video?: VideoCodec | null;
  readonly audio?: boolean;
  readonly fps?: number;
  /** Frames from one keyframe to the next; Infinity for the first one only, 0 for none at all. */
  readonly gop?: number;
  readonly bFrames?: number;
  readonly width?: number;
  readonly height?: number;
  /** DTS of the first video frame; any number, taken modulo 2^33. Default 10 s. */
  readonly startDts90k?: number;
  readonly frameBytes?: number;
  readonly keyframeBytes?: number;
  /** PAT and PMT before every keyframe (default), at the very start only, never, or every so many milliseconds. */
  readonly tables?: 'keyframes' | 'start' | 'none' | number;
  /** random_access_indicator: right (default), never set, or always set. */
  readonly indicator?: 'right' | 'never' | 'always';
  readonly program?: number;
  readonly pmtPid?: number;
  readonly videoPid?: number;
  readonly audioPid?: number;
  /** So many other programs, each with its own PMT, video and audio, one small frame for each frame of the first. Their PMT PIDs are 0x200, 0x210 … */
  readonly otherPrograms?: number;
  /** Put a null packet after every so many frames. */
  readonly nullEvery?: number;
  /** First frame a keyframe (default) or the stream begins in the middle of a GOP. */
  readonly firstKeyframe?: number;
  readonly version?: number;
}

/** Builds a transport stream. Counters go on from call to call. */
export class TsBuilder {
  readonly #packets: Uint8Array[] = [];
  readonly #counters = new Map<number, number>();

  /** Bytes so far; the next packet's offset. */
  get length(): number {
    return this.#packets.length * 188;
  }

  /** Everything so far. */
  bytes(): Uint8Array {
    return concat(this.#packets);
  }

  /** Packets so far. The arrays are the builder's own: changing one changes the stream. */
  get packets(): readonly Uint8Array[] {
    return this.#packets;
  }

  /** Makes the counter of `pid` jump, as a lost packet does. */
  skipCounter(pid: number, by = 1): this {
    this.#counters.set(pid, ((this.#counters.get(pid) ?? 15) + by) & 15);
    return this;
  }

  /** Any packet as it is. */
  raw(packet: Uint8Array): this {
    if (packet.length !== 188) throw new Error('a packet has 188 bytes');
    this.#packets.push(packet);
    return this;
  }

  nullPacket(): this {
    const packet = new Uint8Array(188).fill(0xff);
    packet.set([0x47, 0x1f, 0xff, 0x10]);
    return this.raw(packet);
  }

  /** Packets of one PID that carry `payload`; the last is stuffed with an adaptation field. */
  payload(
    pid: number,
    payload: Uint8Array,
    options: {
      unitStart?: boolean;
      randomAccess?: boolean;
      discontinuity?: boolean;
      pcr90k?: number;
      maxPayload?: number;
      scrambling?: number;
    } = {},
  ): this {
    let at = 0;
    for (let first = true; first || at < payload.length; first = false) {
      const flags = first
        ? (options.discontinuity ? 0x80 : 0) | (options.randomAccess ? 0x40 : 0) | (options.pcr90k === undefined ? 0 : 0x10)
        : 0;
      const field = flags ? [flags, ...(options.pcr90k === undefined ? [] : pcrBytes(options.pcr90k))] : [];
      const room = 184 - (field.length ? field.length + 1 : 0);
      const take = Math.min(room, payload.length - at, options.maxPayload ?? 184);
      const adaptationLength = 184 - take;
      const packet = new Uint8Array(188).fill(0xff);
      const counter = ((this.#counters.get(pid) ?? 15) + 1) & 15;
      this.#counters.set(pid, counter);
      packet[0] = 0x47;
      packet[1] = (first && options.unitStart !== false ? 0x40 : 0) | (pid >> 8);
      packet[2] = pid & 0xff;
      packet[3] = ((options.scrambling ?? 0) << 6) | (adaptationLength ? 0x30 : 0x10) | counter;
      if (adaptationLength) packet[4] = adaptationLength - 1;
      if (adaptationLength > 1) {
        packet[5] = 0;
        packet.set(field, 5);
      }
      packet.set(payload.subarray(at, at + take), 4 + adaptationLength);
      this.#packets.push(packet);
      at += take;
    }
    return this;
  }

  /** A section, with its pointer field; `stuffing` 0xFF bytes fill the last packet instead of an adaptation field. */
  section(pid: number, section: Uint8Array): this {
    const padded = new Uint8Array(Math.ceil((section.length + 1) / 184) * 184).fill(0xff);
    padded[0] = 0;
    padded.set(section, 1);
    return this.payload(pid, padded);
  }

  pat(
    programs: readonly { readonly number: number; readonly pmtPid: number }[],
    options: { version?: number; currentNext?: boolean; streamId?: number } = {},
  ): this {
    return this.section(0, patSection(programs, options));
  }

  pmt(pid: number, spec: PmtSpec): this {
    return this.section(pid, pmtSection(spec));
  }

  pes(pid: number, spec: PesSpec): this {
    return this.payload(pid, pesBytes(spec), { ...spec, unitStart: true });
  }

  /** Adds a piece of a channel and says what access units it wrote, in stream order. */
  stream(spec: ChannelSpec = {}): MadeUnit[] {
    const { seconds = 10, video = 'h264', audio = true, fps = 25, gop = 25, bFrames = 0, width = 640, height = 352 } = spec;
    const { frameBytes = 600, keyframeBytes = 3000, tables = 'keyframes', indicator = 'right', program = 1, otherPrograms = 0 } = spec;
    const {
      pmtPid = 0x100,
      videoPid = 0x101,
      audioPid = 0x102,
      startDts90k = 900_000,
      nullEvery = 0,
      firstKeyframe = 0,
      version = 0,
    } = spec;
    const units: MadeUnit[] = [];
    const streams: StreamSpec[] = [];
    if (video) streams.push({ pid: videoPid, streamType: { h264: 0x1b, h265: 0x24, mpeg2: 0x02 }[video] });
    if (audio) streams.push({ pid: audioPid, streamType: 0x0f });
    const programs = [{ number: program, pmtPid }];
    for (let other = 0; other < otherPrograms; other++) programs.push({ number: 1000 + other, pmtPid: 0x200 + other * 16 });
    const writeTables = (): void => {
      this.pat(programs, { version });
      this.pmt(pmtPid, { program, pcrPid: video ? videoPid : audioPid, streams, version });
      for (const { number, pmtPid: pid } of programs.slice(1)) {
        this.pmt(pid, {
          program: number,
          pcrPid: pid + 1,
          streams: [
            { pid: pid + 1, streamType: 0x1b },
            { pid: pid + 2, streamType: 0x0f },
          ],
        });
      }
    };
    const frameTicks = Math.round(90_000 / fps);
    const endDts = startDts90k + seconds * 90_000;
    let nextAudio = startDts90k;
    let nextTables = tables === 'none' ? Infinity : startDts90k;
    const audioUntil = (ticks: number): void => {
      for (; audio && nextAudio < ticks; nextAudio += 1920) {
        const pts90k = wrap(nextAudio);
        units.push({ pid: audioPid, offset: this.length, pts90k, dts90k: pts90k, key: true });
        const clock = video ? {} : { pcr90k: wrap(nextAudio - 9000) };
        this.pes(audioPid, { streamId: 0xc0, pts90k, payload: adtsFrame(nextAudio), randomAccess: indicator === 'always', ...clock });
        if (!video && nextAudio >= nextTables) {
          writeTables();
          nextTables = typeof tables === 'number' ? nextAudio + tables * 90 : tables === 'start' ? Infinity : nextAudio + 90_000;
        }
      }
    };
    if (!video) {
      if (tables !== 'none') writeTables();
      nextTables = typeof tables === 'number' ? startDts90k + tables * 90 : tables === 'start' ? Infinity : startDts90k + 90_000;
      audioUntil(endDts);
      return units;
    }
    for (let frame = 0, dts = startDts90k; dts < endDts; frame++, dts += frameTicks) {
      audioUntil(dts);
      const sinceFirst = frame - firstKeyframe;
      const inGop = gop === 0 ? 1 + frame : sinceFirst < 0 ? 1 + frame : Number.isFinite(gop) ? sinceFirst % gop : sinceFirst;
      const key = inGop === 0;
      const shown = displayIndex(inGop, gop > 0 && Number.isFinite(gop) && sinceFirst >= 0 ? gop : Infinity, bFrames);
      const pts90k = wrap(dts + (shown - inGop + (bFrames > 0 ? 1 : 0)) * frameTicks);
      const due = tables === 'keyframes' ? key || frame === 0 : dts >= nextTables;
      if (due) {
        writeTables();
        nextTables = tables === 'start' ? Infinity : typeof tables === 'number' ? nextTables + tables * 90 : nextTables;
      }
      units.push({ pid: videoPid, offset: this.length, pts90k, dts90k: wrap(dts), key });
      const size = key ? keyframeBytes : frameBytes;
      const flagged = indicator === 'always' || (indicator === 'right' && key);
      const isB = bFrames > 0 && !key && shown < inGop;
      this.pes(videoPid, {
        pts90k,
        dts90k: wrap(dts),
        payload: videoFrame(video, { kind: key ? 'I' : isB ? 'B' : 'P', width, height, size, seed: frame }),
        randomAccess: flagged,
        pcr90k: wrap(dts - 9000),
      });
      for (const { pmtPid: pid } of programs.slice(1)) {
        this.pes(pid + 1, {
          pts90k,
          dts90k: wrap(dts),
          payload: videoFrame(video, { kind: key ? 'I' : 'P', width, height, size: 300, seed: frame }),
          pcr90k: wrap(dts - 9000),
        });
        this.pes(pid + 2, { streamId: 0xc0, pts90k: wrap(dts), payload: adtsFrame(frame) });
      }
      if (nullEvery > 0 && frame % nullEvery === 0) this.nullPacket();
    }
    audioUntil(endDts);
    return units;
  }
}

/** Ten seconds of a channel, or what `spec` asks for. */
export function makeStream(spec: ChannelSpec = {}): { bytes: Uint8Array; units: MadeUnit[] } {
  const builder = new TsBuilder();
  const units = builder.stream(spec);
  return { bytes: builder.bytes(), units };
}

/** Display order of the frame that is `index`th in decoding order of a closed GOP: I, then groups of P B…B. */
function displayIndex(index: number, gop: number, bFrames: number): number {
  if (index === 0 || bFrames === 0) return index;
  const group = Math.floor((index - 1) / (bFrames + 1));
  const start = 1 + group * (bFrames + 1);
  const size = Math.min(bFrames + 1, gop - start);
  return index === start ? start + size - 1 : index - 1;
}

const wrap = (ticks: number): number => ((ticks % PTS_MODULUS) + PTS_MODULUS) % PTS_MODULUS;

/** CRC-32/MPEG-2, bit by bit. */
export function crc32Mpeg(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/** A long-form section from its table_id, the 16 bits after the length, and its body. */
export function longSection(
  tableId: number,
  extension: number,
  body: readonly number[],
  {
    version = 0,
    currentNext = true,
    number = 0,
    last = 0,
  }: { version?: number; currentNext?: boolean; number?: number; last?: number } = {},
): Uint8Array {
  const length = body.length + 9;
  const head = [
    tableId,
    0xb0 | (length >> 8),
    length & 0xff,
    extension >> 8,
    extension & 0xff,
    0xc0 | (version << 1) | (currentNext ? 1 : 0),
    number,
    last,
  ];
  const section = Uint8Array.from([...head, ...body, 0, 0, 0, 0]);
  new DataView(section.buffer).setUint32(section.length - 4, crc32Mpeg(section.subarray(0, -4)));
  return section;
}

/** A PAT section (2.4.4.3). */
export function patSection(
  programs: readonly { readonly number: number; readonly pmtPid: number }[],
  options: { version?: number; currentNext?: boolean; number?: number; last?: number; streamId?: number } = {},
): Uint8Array {
  const body = programs.flatMap(({ number, pmtPid }) => [number >> 8, number & 0xff, 0xe0 | (pmtPid >> 8), pmtPid & 0xff]);
  return longSection(0, options.streamId ?? 1, body, options);
}

/** A PMT section (2.4.4.8). */
export function pmtSection(spec: PmtSpec): Uint8Array {
  const { program, pcrPid, streams, descriptors = [], version = 0, currentNext = true } = spec;
  const body = [0xe0 | (pcrPid >> 8), pcrPid & 0xff, 0xf0 | (descriptors.length >> 8), descriptors.length & 0xff, ...descriptors];
  for (const { pid, streamType, descriptors: own = [] } of streams) {
    body.push(streamType, 0xe0 | (pid >> 8), pid & 0xff, 0xf0 | (own.length >> 8), own.length & 0xff, ...own);
  }
  return longSection(2, program, body, { version, currentNext });
}

/** A PES packet (2.4.3.6), video ones with length 0. */
export function pesBytes({ streamId = 0xe0, pts90k, dts90k, payload }: PesSpec): Uint8Array {
  const stamps: number[] = [];
  const separate = dts90k !== undefined && dts90k !== pts90k;
  if (pts90k !== undefined) stamps.push(...stampBytes(separate ? 3 : 2, pts90k));
  if (pts90k !== undefined && separate) stamps.push(...stampBytes(1, dts90k));
  const video = (streamId & 0xf0) === 0xe0;
  const length = video ? 0 : payload.length + 3 + stamps.length;
  const flags = pts90k === undefined ? 0 : separate ? 0xc0 : 0x80;
  return concat([Uint8Array.from([0, 0, 1, streamId, length >> 8, length & 0xff, 0x80, flags, stamps.length, ...stamps]), payload]);
}

function stampBytes(prefix: number, ticks: number): number[] {
  const high = Math.floor(ticks / 2 ** 30) & 7;
  const low = ticks % 2 ** 30;
  return [(prefix << 4) | (high << 1) | 1, (low >> 22) & 0xff, ((low >> 14) & 0xfe) | 1, (low >> 7) & 0xff, ((low << 1) & 0xfe) | 1];
}

function pcrBytes(base90k: number): number[] {
  const top = Math.floor(base90k / 2);
  return [(top >>> 24) & 0xff, (top >>> 16) & 0xff, (top >>> 8) & 0xff, top & 0xff, ((base90k % 2) << 7) | 0x7e, 0];
}

function adtsFrame(seed: number): Uint8Array {
  const frame = filler(200, seed);
  frame.set([0xff, 0xf1, 0x4c, 0x80, (200 >> 3) & 0xff, ((200 & 7) << 5) | 0x1f, 0xfc]);
  return frame;
}
