/** Reads a segment's packets for {@link checkArchive}: just enough of ISO/IEC 13818-1 to judge how it begins. No code of src/mpegts. */

/** CRC_32 of a section (annex A): 0 over a whole section whose CRC is right. */
function sectionCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/** stream_type of video: MPEG-1 and 2, MPEG-4 part 2, H.264, H.265, AV1 and the rest are not recorded as such. */
const VIDEO = new Set([0x01, 0x02, 0x10, 0x1b, 0x24]);

/** How a segment begins. */
export interface Beginning {
  readonly programs: number;
  readonly pmtPids: readonly number[];
  /** Where the last packet of the first PMT ends. */
  readonly end: number;
  readonly videoPid: number | undefined;
}

/** The bytes of a segment: whole packets. */
export class TsFile {
  readonly #bytes: Buffer;
  #streamTypes = new Map<number, number>();

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  #pid(at: number): number {
    return this.#bytes.readUInt16BE(at + 1) & 0x1fff;
  }

  #starts(at: number): boolean {
    return (this.#bytes.readUInt8(at + 1) & 0x40) !== 0;
  }

  #payload(at: number): Buffer {
    const control = (this.#bytes.readUInt8(at + 3) >> 4) & 3;
    if (!(control & 1)) return this.#bytes.subarray(at, at);
    return this.#bytes.subarray(control & 2 ? at + 5 + this.#bytes.readUInt8(at + 4) : at + 4, at + 188);
  }

  /** PIDs of the packets in [from, to), each once. */
  pids(from: number, to: number): number[] {
    const found = new Set<number>();
    for (let at = from; at < to; at += 188) found.add(this.#pid(at));
    return [...found];
  }

  /** The PAT and the first complete PMT, with nothing but tables before them; or what is wrong. */
  tables(): Beginning | string {
    if (this.#pid(0) !== 0 || !this.#starts(0)) return `it begins with PID ${this.#pid(0)}, not with a PAT`;
    const pat = this.#section(0, 0);
    if (typeof pat === 'string') return `PAT: ${pat}`;
    const pmtPids: number[] = [];
    for (let at = 8; at + 4 <= pat.section.length - 4; at += 4) {
      if (pat.section.readUInt16BE(at) !== 0) pmtPids.push(pat.section.readUInt16BE(at + 2) & 0x1fff);
    }
    let end = 0;
    for (let at = 188; at < this.#bytes.length && end === 0; at += 188) {
      const pid = this.#pid(at);
      if (pmtPids.includes(pid) && this.#starts(at)) {
        const pmt = this.#section(pid, at);
        if (typeof pmt === 'string') return `PMT: ${pmt}`;
        this.#readPmt(pmt.section);
        end = pmt.end;
      } else if (pid >= 0x20 && pid !== 0x1fff && !pmtPids.includes(pid)) return `PID ${pid} comes before the PMT`;
    }
    if (end === 0) return 'it has no PMT';
    const foreign = this.pids(0, end).find((pid) => pid >= 0x20 && pid !== 0x1fff && !pmtPids.includes(pid));
    if (foreign !== undefined) return `PID ${foreign} comes before the PMT is complete`;
    const videoPid = [...this.#streamTypes].find(([, type]) => VIDEO.has(type))?.[0];
    return { programs: pmtPids.length, pmtPids, end, videoPid };
  }

  /** The section that begins in the packet at `at`, over as many packets of its PID as it takes. */
  #section(pid: number, at: number): { section: Buffer; end: number } | string {
    const first = this.#payload(at);
    let bytes = first.subarray(1 + (first[0] ?? 0));
    let next = at + 188;
    const length = (): number => (bytes.length < 3 ? Infinity : 3 + (bytes.readUInt16BE(1) & 0xfff));
    while (bytes.length < length()) {
      while (next < this.#bytes.length && this.#pid(next) !== pid) next += 188;
      if (next >= this.#bytes.length) return 'its section has no end';
      bytes = Buffer.concat([bytes, this.#payload(next)]);
      next += 188;
    }
    const section = bytes.subarray(0, length());
    return sectionCrc(section) === 0 ? { section, end: next } : 'its CRC is wrong';
  }

  #readPmt(section: Buffer): void {
    this.#streamTypes = new Map();
    let at = 12 + (section.readUInt16BE(10) & 0xfff);
    while (at + 5 <= section.length - 4) {
      this.#streamTypes.set(section.readUInt16BE(at + 1) & 0x1fff, section.readUInt8(at));
      at += 5 + (section.readUInt16BE(at + 3) & 0xfff);
    }
  }

  /** Whether the last counter of `pid` in [0, head) leads into its next behind it (2.4.3.3). */
  countersJoin(pid: number, head: number): boolean {
    let last = -1;
    for (let at = 0; at < this.#bytes.length; at += 188) {
      if (this.#pid(at) !== pid) continue;
      const counter = this.#bytes.readUInt8(at + 3) & 15;
      if (at >= head) return counter === ((last + 1) & 15);
      if (last >= 0 && counter !== ((last + 1) & 15)) return false;
      last = counter;
    }
    return true;
  }

  /** PTS of the unit of `pid` that begins in the packet at `at`; undefined when none does. */
  unitAt(pid: number, at: number): number | undefined {
    if (!(at % 188 === 0 && at < this.#bytes.length) || this.#pid(at) !== pid || !this.#starts(at)) return undefined;
    const pes = this.#payload(at);
    if (pes.length < 14 || pes.readUIntBE(0, 3) !== 1 || !(pes.readUInt8(7) & 0x80)) return undefined;
    return ((pes.readUInt8(9) >> 1) & 7) * 2 ** 30 + (pes.readUInt16BE(10) >> 1) * 2 ** 15 + (pes.readUInt16BE(12) >> 1);
  }

  /** Why decoding cannot begin with the first packet of the video; undefined when it can. */
  noRandomAccess(pid: number): string | undefined {
    let unit: Buffer[] | undefined;
    let indicated = false;
    for (let at = 0; at < this.#bytes.length; at += 188) {
      if (this.#pid(at) !== pid) continue;
      if (!unit) {
        if (!this.#starts(at)) return `the first packet of the video, at ${at}, is not the beginning of a unit`;
        unit = [];
        indicated =
          (this.#bytes.readUInt8(at + 3) & 0x20) !== 0 && this.#bytes.readUInt8(at + 4) > 0 && (this.#bytes.readUInt8(at + 5) & 0x40) !== 0;
      } else if (this.#starts(at)) break;
      unit.push(this.#payload(at));
    }
    if (!unit) return undefined;
    const pes = Buffer.concat(unit);
    const data = pes.subarray(9 + (pes[8] ?? 0));
    return indicated || decodable(data, this.#streamTypes.get(pid) ?? 0)
      ? undefined
      : 'the first unit of the video is no random access point';
  }
}

/** Whether the access unit has what decoding begins with: an IDR or a recovery point (H.264), an IRAP (H.265), a sequence header (MPEG-2). */
function decodable(data: Buffer, streamType: number): boolean {
  for (let at = data.indexOf('000001', 0, 'hex'); at >= 0; at = data.indexOf('000001', at + 3, 'hex')) {
    const [header = 0, next = 0, third = 0] = data.subarray(at + 3);
    if (streamType === 0x1b && ((header & 31) === 5 || ((header & 31) === 6 && next === 6))) return true;
    if (streamType === 0x24 && header >> 1 >= 16 && header >> 1 <= 23 && (next & 7) > 0 && third !== undefined) return true;
    if ((streamType === 1 || streamType === 2) && header === 0xb3) return true;
    if (streamType === 0x10 && header === 0xb0) return true;
  }
  return false;
}
