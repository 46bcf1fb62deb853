/** H.265 (ITU-T H.265): random access at IRAP pictures (3.69); resolution and sample format from the sequence parameter set (7.3.2.2). */
import type { CodecRules, Verdict } from './accessUnit.js';
import { BitReader, unescapeNal } from './bits.js';

const LAST_SLICE_TYPE = 31;
const FIRST_IRAP = 16;
const LAST_IRAP = 21;
const LAST_RESERVED_IRAP = 23;
const SPS = 33;
const PROFILE_TIER_LEVEL_BYTES = 12;
/** What is read of a slice's header and of a picture parameter set lies within so many bytes. */
const SLICE_BYTES = 64;

/** nal_unit_type, of a unit's first byte. */
export const unitType = (header: number): number => (header >> 1) & 63;

export const h265Rules: CodecRules = {
  wanted(header) {
    const type = unitType(header);
    if (type <= LAST_SLICE_TYPE) return 3; // the header and first_slice_segment_in_pic_flag
    return type === SPS ? 512 : 0;
  },
  look(unit, length, facts): Verdict {
    // layers of a scalable stream are no pictures of their own (nuh_layer_id, 7.4.2.2)
    if (length < 3 || (unit[0]! & 1) !== 0 || unit[1]! >> 3 !== 0) return undefined;
    const type = unitType(unit[0]!);
    if (type === SPS) {
      facts.format ??= h265Format(unit, length);
      return undefined;
    }
    // a PES packet may begin in the middle of a picture: the rest of that one says nothing
    if ((unit[2]! & 0x80) === 0) return undefined;
    return type >= FIRST_IRAP && type <= LAST_IRAP;
  },
};

/** Codec, profile, size, chroma format and bit depth of a sequence parameter set; undefined when it cannot be read. */
export function h265Format(unit: Uint8Array, length = unit.length): string | undefined {
  const sps = parseH265Sps(unit, length);
  return sps && `h265 ${sps.width}x${sps.height} profile ${sps.profileTierLevel[0]! & 31} chroma ${sps.chroma} depth ${sps.lumaDepth}`;
}

/** What a sequence parameter set says (7.3.2.2). */
export interface H265Sps {
  readonly id: number;
  readonly vpsId: number;
  /** Temporal sub-layers. */
  readonly subLayers: number;
  /** sps_temporal_id_nesting_flag */
  readonly nested: boolean;
  /** The general part of profile_tier_level (7.3.3): 12 bytes, from general_profile_space to general_level_idc. */
  readonly profileTierLevel: Uint8Array;
  /** chroma_format_idc */
  readonly chroma: number;
  readonly lumaDepth: number;
  readonly chromaDepth: number;
  /** In pixels, what is cropped left out. */
  readonly width: number;
  readonly height: number;
}

/** Reads a sequence parameter set; undefined when it cannot be. */
export function parseH265Sps(unit: Uint8Array, length = unit.length): H265Sps | undefined {
  const bytes = unescapeNal(unit, 2, length);
  const bits = new BitReader(bytes);
  const vpsId = bits.u(4);
  const subLayersMinus1 = bits.u(3);
  const nested = bits.u(1) === 1;
  bits.skip(PROFILE_TIER_LEVEL_BYTES * 8);
  skipSubLayers(bits, subLayersMinus1);
  const id = bits.ue();
  const chroma = bits.ue();
  if (chroma === 3) bits.skip(1);
  let width = bits.ue();
  let height = bits.ue();
  if (bits.u(1) === 1) {
    width -= (chroma === 1 || chroma === 2 ? 2 : 1) * (bits.ue() + bits.ue());
    height -= (chroma === 1 ? 2 : 1) * (bits.ue() + bits.ue());
  }
  const lumaDepth = 8 + bits.ue();
  const chromaDepth = 8 + bits.ue();
  if (bits.exhausted) return undefined;
  const profileTierLevel = bytes.slice(1, 1 + PROFILE_TIER_LEVEL_BYTES);
  return { id, vpsId, subLayers: subLayersMinus1 + 1, nested, profileTierLevel, chroma, lumaDepth, chromaDepth, width, height };
}

/** What the beginning of a slice segment says of its picture (7.3.6.1); undefined when it cannot be read. */
export function parseH265Slice(unit: Uint8Array): { readonly isFirst: boolean; readonly ppsId: number } | undefined {
  const bits = new BitReader(unescapeNal(unit, 2, Math.min(unit.length, SLICE_BYTES)));
  const isFirst = bits.u(1) === 1;
  const type = unitType(unit[0]!);
  if (type >= FIRST_IRAP && type <= LAST_RESERVED_IRAP) bits.skip(1);
  const ppsId = bits.ue();
  return bits.exhausted ? undefined : { isFirst, ppsId };
}

/** Identifiers of a picture parameter set and of the sequence parameter set it stands on (7.3.2.3); undefined when it cannot be read. */
export function parseH265Pps(unit: Uint8Array): { readonly id: number; readonly spsId: number } | undefined {
  const bits = new BitReader(unescapeNal(unit, 2, Math.min(unit.length, SLICE_BYTES)));
  const id = bits.ue();
  const spsId = bits.ue();
  return bits.exhausted ? undefined : { id, spsId };
}

/** Rest of profile_tier_level (7.3.3). */
function skipSubLayers(bits: BitReader, subLayers: number): void {
  if (subLayers === 0) return;
  let skip = 0;
  for (let layer = 0; layer < subLayers; layer++) {
    if (bits.u(1) === 1) skip += 88;
    if (bits.u(1) === 1) skip += 8;
  }
  bits.skip((8 - subLayers) * 2 + skip);
}
