/**
 * One coded picture out of a transport stream: the units of an H.264 or H.265 access unit, with the parameter sets they stand on. PES packets are put
 * together here (ISO/IEC 13818-1, 2.4.3.6); where the picture ends is told by the units (H.264, 7.4.1.2.3; H.265, 7.4.2.4.4), since a PES packet may hold
 * less or more than one. The two fields of a frame are one picture.
 */
import { parseH264Field, parseH264Pps, parseH264Slice, parseH264Sps, type H264Sps } from './h264.js';
import { parseH265Pps, parseH265Slice, parseH265Sps, unitType, type H265Sps } from './h265.js';
import { NalUnitSplitter } from './nalUnits.js';
import { PesPayload } from './pesPayload.js';

/** Largest picture that is put together; coded pictures of 8K stay below it. */
const MAX_PICTURE_BYTES = 16 * 1024 * 1024;

/** Largest identifier of a parameter set there is (H.264, 7.4.2.2), and what a decoder configuration can hold of one. */
const MAX_SET_ID = 255;
const MAX_SET_BYTES = 0xffff;
/** Picture parameter sets that a decoder configuration can hold (ISO/IEC 14496-15, 5.3.3.1.2). */
const MAX_PPS_UNITS = 255;

/** A picture, and what a decoder has to be told before it. Units have no start codes. */
export type CodedPicture =
  | {
      readonly codec: 'h264';
      readonly sps: H264Sps;
      readonly spsUnits: readonly Uint8Array[];
      readonly ppsUnits: readonly Uint8Array[];
      /** Slices and SEI. */
      readonly units: readonly Uint8Array[];
    }
  | {
      readonly codec: 'h265';
      readonly sps: H265Sps;
      readonly vpsUnits: readonly Uint8Array[];
      readonly spsUnits: readonly Uint8Array[];
      readonly ppsUnits: readonly Uint8Array[];
      readonly units: readonly Uint8Array[];
    };

/** What a unit is to whoever puts a picture together. */
type UnitKind = 'slice' | 'sei' | 'suffix' | 'vps' | 'sps' | 'pps' | 'delimiter' | 'other';

const KINDS_264: Readonly<Record<number, UnitKind>> = {
  ...{ 1: 'slice', 2: 'slice', 3: 'suffix', 4: 'suffix', 5: 'slice', 6: 'sei', 7: 'sps', 8: 'pps', 9: 'delimiter' },
};
const KINDS_265: Readonly<Record<number, UnitKind>> = { 32: 'vps', 33: 'sps', 34: 'pps', 35: 'delimiter', 39: 'sei', 40: 'suffix' };
const LAST_SLICE_265 = 21;

/** What may stand between the slices of a picture without ending it. */
const WITHIN: ReadonlySet<UnitKind> = new Set(['slice', 'suffix']);

/**
 * Takes the packets of one video track. Parameter sets are remembered from the first packet on; the picture is the one whose first packet follows
 * {@link begin}.
 */
export class PictureReader {
  readonly codec: 'h264' | 'h265';
  readonly #splitter: NalUnitSplitter;
  readonly #payload: PesPayload;
  /** The latest parameter sets, by identifier. */
  readonly #sets = { vps: new Map<number, Uint8Array>(), sps: new Map<number, Uint8Array>(), pps: new Map<number, Uint8Array>() };
  #stage: 'before' | 'inside' | 'complete' | 'failed' = 'before';
  #units: Uint8Array[] = [];
  #sizeBytes = 0;
  /** How many of `#units` belong to pictures that are complete: the first field. */
  #keep = 0;
  #hasSlice = false;
  #firstField: { readonly frameNum: number; readonly bottom: boolean } | undefined;
  readonly #ppsIds = new Set<number>();

  constructor(codec: 'h264' | 'h265') {
    this.codec = codec;
    this.#splitter = new NalUnitSplitter(
      {
        wants: (header) => this.#wants(header),
        unit: (unit) => this.#unit(unit),
        tooLong: () => this.#fail(),
      },
      MAX_PICTURE_BYTES,
    );
    this.#payload = new PesPayload((bytes, from, to) => {
      if (!this.isOver) this.#splitter.push(bytes, from, to);
    });
  }

  /** Nothing more is to come: the picture is complete, or cannot be. */
  get isOver(): boolean {
    return this.#stage === 'complete' || this.#stage === 'failed';
  }

  /** The picture begins with the next packet. */
  begin(): void {
    this.#splitter.reset();
    this.#payload.reset();
    this.#stage = 'inside';
    this.#units = [];
    this.#sizeBytes = this.#keep = 0;
    this.#hasSlice = false;
    this.#firstField = undefined;
    this.#ppsIds.clear();
  }

  /** Takes a packet of the track's PID, at `bytes[at]`. */
  packet(bytes: Uint8Array, at: number): void {
    this.#payload.packet(bytes, at);
  }

  /** There are no more packets: the unit under way ends here. */
  end(): void {
    if (this.#stage !== 'inside') return;
    this.#splitter.end();
    if (this.#stage === 'inside') this.#complete(this.#hasSlice ? this.#units.length : this.#keep);
  }

  /** The picture; undefined while it is not complete, and when it or a parameter set that it stands on is not there. */
  get picture(): CodedPicture | undefined {
    if (this.#stage !== 'complete') return undefined;
    const { vps, pps } = this.#sets;
    const ppsUnits = [...this.#ppsIds].sort((a, b) => a - b).map((id) => pps.get(id));
    const units = this.#units;
    if (ppsUnits.length === 0 || ppsUnits.length > MAX_PPS_UNITS || !ppsUnits.every((unit) => unit !== undefined)) return undefined;
    const spsUnit = this.#spsOf(ppsUnits[0]!);
    if (spsUnit === undefined) return undefined;
    if (this.codec === 'h264') {
      const sps = parseH264Sps(spsUnit);
      return sps && isPictureSize(sps) ? { codec: 'h264', sps, spsUnits: [spsUnit], ppsUnits, units } : undefined;
    }
    const sps = parseH265Sps(spsUnit);
    const vpsUnit = sps && vps.get(sps.vpsId);
    if (sps === undefined || vpsUnit === undefined || !isPictureSize(sps)) return undefined;
    return { codec: 'h265', sps, vpsUnits: [vpsUnit], spsUnits: [spsUnit], ppsUnits, units };
  }

  #spsOf(ppsUnit: Uint8Array): Uint8Array | undefined {
    const pps = this.codec === 'h264' ? parseH264Pps(ppsUnit) : parseH265Pps(ppsUnit);
    return pps && this.#sets.sps.get(pps.spsId);
  }

  #kind(header: number): UnitKind {
    if (this.codec === 'h264') return KINDS_264[header & 31] ?? 'other';
    const type = unitType(header);
    return type <= LAST_SLICE_265 ? 'slice' : (KINDS_265[type] ?? 'other');
  }

  #wants(header: number): boolean {
    const kind = this.#kind(header);
    // A delimiter is told by its header alone, and so is the end of a picture by anything that cannot stand within one.
    return kind === 'vps' || kind === 'sps' || kind === 'pps' || (this.#stage === 'inside' && kind !== 'other');
  }

  #unit(unit: Uint8Array): void {
    if (this.isOver) return;
    // Layers of a scalable stream are no pictures of their own (H.265, 7.4.2.2).
    if (this.codec === 'h265' && (unit.length < 3 || (unit[0]! & 1) !== 0 || unit[1]! >> 3 !== 0)) return;
    const kind = this.#kind(unit[0]!);
    if (this.#stage === 'inside' && this.#hasSlice && !WITHIN.has(kind)) this.#pictureEnds();
    if (this.isOver) return;
    if (kind === 'vps' || kind === 'sps' || kind === 'pps') return this.#remember(kind, unit);
    if (this.#stage !== 'inside' || kind === 'delimiter') return;
    if (kind === 'slice' && !this.#slice(unit)) return;
    this.#sizeBytes += unit.length;
    if (this.#sizeBytes > MAX_PICTURE_BYTES) return this.#fail();
    this.#units.push(unit);
  }

  #remember(kind: 'vps' | 'sps' | 'pps', unit: Uint8Array): void {
    const id = this.#identifier(kind, unit);
    if (id !== undefined && id <= MAX_SET_ID && unit.length <= MAX_SET_BYTES) this.#sets[kind].set(id, unit);
  }

  #identifier(kind: 'vps' | 'sps' | 'pps', unit: Uint8Array): number | undefined {
    if (kind === 'vps') return unit[2]! >> 4;
    if (this.codec === 'h264') return (kind === 'sps' ? parseH264Sps(unit) : parseH264Pps(unit))?.id;
    return (kind === 'sps' ? parseH265Sps(unit) : parseH265Pps(unit))?.id;
  }

  /** False when it is not the picture's. */
  #slice(unit: Uint8Array): boolean {
    const slice = this.#sliceFacts(unit);
    if (slice === undefined) return false;
    if (slice.isFirst && this.#hasSlice) {
      this.#pictureEnds();
      if (this.isOver) return false;
    }
    // The rest of a picture that began before.
    if (!slice.isFirst && !this.#hasSlice) return false;
    if (slice.isFirst && this.codec === 'h264' && !this.#fieldFits(unit, slice.ppsId)) return false;
    this.#hasSlice = true;
    this.#ppsIds.add(slice.ppsId);
    return true;
  }

  #sliceFacts(unit: Uint8Array): { readonly isFirst: boolean; readonly ppsId: number } | undefined {
    if (this.codec === 'h265') return parseH265Slice(unit);
    const slice = parseH264Slice(unit);
    return slice && { isFirst: slice.firstMacroblock === 0, ppsId: slice.ppsId };
  }

  /** The first slice of a picture: a frame, a first field, or the second field to the one before; else what came before was all. */
  #fieldFits(unit: Uint8Array, ppsId: number): boolean {
    const ppsUnit = this.#sets.pps.get(ppsId);
    const spsUnit = ppsUnit && this.#spsOf(ppsUnit);
    const sps = spsUnit && parseH264Sps(spsUnit);
    const field = sps && parseH264Field(unit, sps);
    const first = this.#firstField;
    if (this.#keep === 0) {
      this.#firstField = field;
      return true;
    }
    if (field !== undefined && first !== undefined && field.bottom !== first.bottom && field.frameNum === first.frameNum) return true;
    this.#complete(this.#keep);
    return false;
  }

  /** The picture is over; a first field waits for what comes next. */
  #pictureEnds(): void {
    const isSecond = this.#keep > 0;
    this.#hasSlice = false;
    if (this.#firstField === undefined || isSecond) return this.#complete(this.#units.length);
    this.#keep = this.#units.length;
  }

  /** @param count - units of it */
  #complete(count: number): void {
    this.#units.length = count;
    this.#stage = count > 0 ? 'complete' : 'failed';
  }

  #fail(): void {
    this.#stage = 'failed';
    this.#units = [];
  }
}

/** What a header of an MP4 file can say. */
function isPictureSize({ width, height }: { readonly width: number; readonly height: number }): boolean {
  return width > 0 && height > 0 && width <= 0xffff && height <= 0xffff;
}
