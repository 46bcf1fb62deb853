/**
 * H.264 (ITU-T H.264): random access at IDR pictures, and at recovery points of open GOPs (D.2.8) whose first slice is an I slice;
 * resolution and sample format from the sequence parameter set (7.3.2.1.1), and what else a picture's wrapping has to say of it.
 */
import type { AccessUnitFacts, CodecRules, Verdict } from './accessUnit.js';
import { BitReader, unescapeNal } from './bits.js';

const SLICE = 1;
const PARTITION_A = 2;
const IDR = 5;
const SEI = 6;
const SPS = 7;
const RECOVERY_POINT = 6;
/** What is read of a slice's header lies within so many bytes. */
const SLICE_BYTES = 64;
/** aspect_ratio_idc that is followed by the ratio. */
const EXTENDED_SAR = 255;
/** Table E-1, by aspect_ratio_idc. */
const PIXEL_ASPECTS: readonly (readonly [number, number] | undefined)[] = [
  ...([undefined, [1, 1], [12, 11], [10, 11], [16, 11], [40, 33], [24, 11], [20, 11], [32, 11]] as const),
  ...([
    [80, 33],
    [18, 11],
    [15, 11],
    [64, 33],
    [160, 99],
    [4, 3],
    [3, 2],
    [2, 1],
  ] as const),
];
/** Profiles whose parameter sets state the chroma format (7.3.2.1.1). */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);

export const h264Rules: CodecRules = {
  wanted(header) {
    switch (header & 31) {
      case SLICE:
      case PARTITION_A:
      case IDR:
        return 12; // first_mb_in_slice and slice_type
      case SEI:
        return 2048;
      case SPS:
        return 1024;
      default:
        return 0;
    }
  },
  look(unit, length, facts): Verdict {
    const type = unit[0]! & 31;
    if (type === SEI) {
      facts.recovery ||= isRecoveryPoint(unit, length);
      return undefined;
    }
    if (type === SPS) {
      facts.format ??= h264Format(unit, length);
      return undefined;
    }
    return lookAtSlice(unit, length, facts);
  },
};

function lookAtSlice(unit: Uint8Array, length: number, facts: AccessUnitFacts): Verdict {
  const bits = new BitReader(unescapeNal(unit, 1, length));
  const firstMacroblock = bits.ue();
  const sliceType = bits.ue();
  // a PES packet may begin in the middle of a picture: the rest of that one says nothing
  if (firstMacroblock !== 0 || Number.isNaN(sliceType)) return undefined;
  if ((unit[0]! & 31) === IDR) return true;
  const intra = sliceType % 5 === 2 || sliceType % 5 === 4;
  // without the SEI, an I slice after a parameter set is believed where the multiplexer says so too
  return intra && (facts.recovery || (facts.indicator && facts.format !== undefined));
}

/** Whether the SEI unit holds a recovery point message with recovery_frame_cnt 0. */
function isRecoveryPoint(unit: Uint8Array, length: number): boolean {
  const bytes = unescapeNal(unit, 1, length);
  for (let at = 0; at + 2 < bytes.length;) {
    let type = 0;
    while (bytes[at] === 255) type += bytes[at++]!;
    type += bytes[at++] ?? 0;
    let size = 0;
    while (bytes[at] === 255) size += bytes[at++]!;
    size += bytes[at++] ?? 0;
    if (type === RECOVERY_POINT) return new BitReader(bytes.subarray(at)).ue() === 0;
    at += size;
  }
  return false;
}

/** Codec, profile, size, chroma format and bit depth of a sequence parameter set; undefined when it cannot be read. */
export function h264Format(unit: Uint8Array, length = unit.length): string | undefined {
  const sps = parseH264Sps(unit, length);
  return sps && `h264 ${sps.width}x${sps.height} profile ${sps.profile} chroma ${sps.chroma} depth ${sps.lumaDepth}`;
}

/** What a sequence parameter set says (7.3.2.1.1). */
export interface H264Sps {
  readonly id: number;
  /** profile_idc */
  readonly profile: number;
  /** constraint_set flags, as one byte */
  readonly constraints: number;
  /** level_idc */
  readonly level: number;
  /** chroma_format_idc */
  readonly chroma: number;
  readonly separatePlanes: boolean;
  readonly lumaDepth: number;
  readonly chromaDepth: number;
  /** Bits of frame_num. */
  readonly frameNumBits: number;
  /** frame_mbs_only_flag: there are no fields. */
  readonly frameOnly: boolean;
  /** In pixels, what is cropped left out. */
  readonly width: number;
  readonly height: number;
  /** Width and height of a pixel, to each other; undefined where nothing is said. */
  readonly pixelAspect: readonly [number, number] | undefined;
}

/** Reads a sequence parameter set; undefined when it cannot be. */
export function parseH264Sps(unit: Uint8Array, length = unit.length): H264Sps | undefined {
  const bits = new BitReader(unescapeNal(unit, 1, length));
  const profile = bits.u(8);
  const constraints = bits.u(8);
  const level = bits.u(8);
  const id = bits.ue();
  let chroma = 1;
  let separatePlanes = false;
  let lumaDepth = 8;
  let chromaDepth = 8;
  if (HIGH_PROFILES.has(profile)) {
    chroma = bits.ue();
    if (chroma === 3) separatePlanes = bits.u(1) === 1;
    lumaDepth = 8 + bits.ue();
    chromaDepth = 8 + bits.ue();
    bits.skip(1);
    if (bits.u(1) === 1) skipScalingLists(bits, chroma === 3 ? 12 : 8);
  }
  const frameNumBits = 4 + bits.ue();
  const orderType = bits.ue();
  if (orderType === 0) bits.ue();
  if (orderType === 1) {
    bits.skip(1);
    bits.ue();
    bits.ue();
    const cycle = bits.ue();
    for (let index = 0; index < cycle && !bits.exhausted; index++) bits.ue();
  }
  bits.ue(); // max_num_ref_frames
  bits.skip(1);
  const columns = bits.ue() + 1;
  const rows = bits.ue() + 1;
  const frameOnly = bits.u(1);
  if (frameOnly === 0) bits.skip(1);
  bits.skip(1);
  let width = columns * 16;
  let height = rows * 16 * (2 - frameOnly);
  if (bits.u(1) === 1) {
    const unitX = chroma === 1 || chroma === 2 ? 2 : 1;
    const unitY = (chroma === 1 ? 2 : 1) * (2 - frameOnly);
    width -= unitX * (bits.ue() + bits.ue());
    height -= unitY * (bits.ue() + bits.ue());
  }
  if (bits.exhausted) return undefined;
  const pixelAspect = readPixelAspect(bits);
  return {
    ...{ id, profile, constraints, level, chroma, separatePlanes, lumaDepth, chromaDepth },
    ...{ frameNumBits, frameOnly: frameOnly === 1, width, height, pixelAspect },
  };
}

/** The beginning of the VUI parameters (E.1.1), where there are any. */
function readPixelAspect(bits: BitReader): readonly [number, number] | undefined {
  if (bits.u(1) === 0 || bits.u(1) === 0) return undefined;
  const index = bits.u(8);
  const aspect = index === EXTENDED_SAR ? ([bits.u(16), bits.u(16)] as const) : PIXEL_ASPECTS[index];
  return bits.exhausted || aspect?.[0] === 0 || aspect?.[1] === 0 ? undefined : aspect;
}

/** What the beginning of a slice says of its picture (7.3.3). */
export interface H264Slice {
  readonly firstMacroblock: number;
  readonly ppsId: number;
}

/** Reads what does not depend on the parameter sets; undefined when it cannot be. */
export function parseH264Slice(unit: Uint8Array, length = unit.length): H264Slice | undefined {
  const bits = new BitReader(unescapeNal(unit, 1, Math.min(length, SLICE_BYTES)));
  const firstMacroblock = bits.ue();
  bits.ue(); // slice_type
  const ppsId = bits.ue();
  return bits.exhausted ? undefined : { firstMacroblock, ppsId };
}

/** Which field of which frame a slice belongs to; undefined when it is a frame's, or cannot be read. */
export function parseH264Field(unit: Uint8Array, sps: H264Sps): { readonly frameNum: number; readonly bottom: boolean } | undefined {
  if (sps.frameOnly) return undefined;
  const bits = new BitReader(unescapeNal(unit, 1, Math.min(unit.length, SLICE_BYTES)));
  for (let field = 0; field < 3; field++) bits.ue();
  if (sps.separatePlanes) bits.skip(2);
  const frameNum = bits.u(sps.frameNumBits);
  const isField = bits.u(1) === 1;
  const bottom = bits.u(1) === 1;
  return isField && !bits.exhausted ? { frameNum, bottom } : undefined;
}

/** Identifiers of a picture parameter set and of the sequence parameter set it stands on (7.3.2.2); undefined when it cannot be read. */
export function parseH264Pps(unit: Uint8Array): { readonly id: number; readonly spsId: number } | undefined {
  const bits = new BitReader(unescapeNal(unit, 1, Math.min(unit.length, SLICE_BYTES)));
  const id = bits.ue();
  const spsId = bits.ue();
  return bits.exhausted ? undefined : { id, spsId };
}

function skipScalingLists(bits: BitReader, count: number): void {
  for (let list = 0; list < count; list++) {
    if (bits.u(1) === 0) continue;
    let last = 8;
    let next = 8;
    for (let index = 0; index < (list < 6 ? 16 : 64) && !bits.exhausted; index++) {
      if (next !== 0) next = (last + bits.se() + 256) % 256;
      if (next !== 0) last = next;
    }
  }
}
