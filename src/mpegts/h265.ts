/** H.265 (ITU-T H.265): random access at IRAP pictures (3.69); resolution and sample format from the sequence parameter set (7.3.2.2). */
import type { CodecRules, Verdict } from './accessUnit.js';
import { BitReader, unescapeNal } from './bits.js';

const LAST_SLICE_TYPE = 31;
const FIRST_IRAP = 16;
const LAST_IRAP = 21;
const SPS = 33;

const unitType = (header: number): number => (header >> 1) & 63;

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
  const bits = new BitReader(unescapeNal(unit, 2, length));
  bits.skip(4);
  const subLayers = bits.u(3);
  bits.skip(1);
  const profile = bits.u(8) & 31;
  bits.skip(80 + 8);
  skipSubLayers(bits, subLayers);
  bits.ue(); // sps_seq_parameter_set_id
  const chroma = bits.ue();
  if (chroma === 3) bits.skip(1);
  let width = bits.ue();
  let height = bits.ue();
  if (bits.u(1) === 1) {
    width -= (chroma === 1 || chroma === 2 ? 2 : 1) * (bits.ue() + bits.ue());
    height -= (chroma === 1 ? 2 : 1) * (bits.ue() + bits.ue());
  }
  const depth = 8 + bits.ue();
  return bits.exhausted ? undefined : `h265 ${width}x${height} profile ${profile} chroma ${chroma} depth ${depth}`;
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
