/**
 * H.264 (ITU-T H.264): random access at IDR pictures, and at recovery points of open GOPs (D.2.8) whose first slice is an I slice;
 * resolution and sample format from the sequence parameter set (7.3.2.1.1).
 */
import type { AccessUnitFacts, CodecRules, Verdict } from './accessUnit.js';
import { BitReader, unescapeNal } from './bits.js';

const SLICE = 1;
const PARTITION_A = 2;
const IDR = 5;
const SEI = 6;
const SPS = 7;
const RECOVERY_POINT = 6;
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
  const bits = new BitReader(unescapeNal(unit, 1, length));
  const profile = bits.u(8);
  bits.skip(16);
  bits.ue(); // seq_parameter_set_id
  let chroma = 1;
  let depth = 8;
  if (HIGH_PROFILES.has(profile)) {
    chroma = bits.ue();
    if (chroma === 3) bits.skip(1);
    depth = 8 + bits.ue();
    bits.ue();
    bits.skip(1);
    if (bits.u(1) === 1) skipScalingLists(bits, chroma === 3 ? 12 : 8);
  }
  bits.ue(); // log2_max_frame_num_minus4
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
  return bits.exhausted ? undefined : `h264 ${width}x${height} profile ${profile} chroma ${chroma} depth ${depth}`;
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
