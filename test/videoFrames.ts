/**
 * Coded pictures for test/tsBuilder.ts: true start codes, parameter sets and slice headers of H.264, H.265 and MPEG-2 video, with filler where a picture would
 * be. Parsers find what they look for; a decoder would not.
 */

export type VideoCodec = 'h264' | 'h265' | 'mpeg2';

/** Bytes without a zero among them, so that no start code arises by chance; 0x47 is frequent. */
export function filler(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2654435761) >>> 0;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const byte = state >>> 24;
    bytes[at] = byte === 0 ? 1 : byte < 24 ? 0x47 : byte;
  }
  return bytes;
}

/** One coded picture with what belongs in front of it: parameter sets on I pictures. Its size is at least `size`. */
export function videoFrame(
  codec: VideoCodec,
  frame: { kind: 'I' | 'P' | 'B'; width: number; height: number; size: number; seed: number },
): Uint8Array {
  const { kind, width, height, seed } = frame;
  const parts: Uint8Array[] = [];
  if (codec === 'h264') {
    parts.push(Uint8Array.of(0, 0, 0, 1, 9, 0xf0));
    if (kind === 'I') parts.push(Uint8Array.of(0, 0, 0, 1), h264Sps(width, height), Uint8Array.of(0, 0, 0, 1, 0x68, 0xce, 0x38, 0x80));
    const slice = new Bits()
      .ue(0)
      .ue(kind === 'I' ? 7 : kind === 'P' ? 5 : 6)
      .ue(0)
      .bytes();
    parts.push(Uint8Array.of(0, 0, 1, kind === 'I' ? 0x65 : kind === 'P' ? 0x41 : 0x01), slice);
  } else if (codec === 'h265') {
    parts.push(Uint8Array.of(0, 0, 0, 1, 0x46, 1, 0x50));
    if (kind === 'I') parts.push(Uint8Array.of(0, 0, 0, 1), h265Sps(width, height));
    parts.push(Uint8Array.of(0, 0, 1, kind === 'I' ? 0x26 : 0x02, 1, 0xaf));
  } else {
    if (kind === 'I') {
      parts.push(
        Uint8Array.of(0, 0, 1, 0xb3, width >> 4, ((width & 15) << 4) | (height >> 8), height & 0xff, 0x33, 0xff, 0xff, 0xe0, 0x18),
      );
      parts.push(Uint8Array.of(0, 0, 1, 0xb5, 0x14, 0x8a, 0, 1, 0, 0), Uint8Array.of(0, 0, 1, 0xb8, 0, 8, 0, 0x40));
    }
    const type = kind === 'I' ? 1 : kind === 'P' ? 2 : 3;
    parts.push(Uint8Array.of(0, 0, 1, 0, 0, (type << 3) | 7, 0xff, 0xf8), Uint8Array.of(0, 0, 1, 1, 0x12));
  }
  const used = parts.reduce((sum, part) => sum + part.length, 0);
  parts.push(filler(Math.max(16, frame.size - used), seed));
  return concat(parts);
}

/** A sequence parameter set of baseline profile (H.264, 7.3.2.1.1), NAL header included. */
export function h264Sps(width: number, height: number): Uint8Array {
  const bits = new Bits().u(66, 8).u(0, 8).u(30, 8).ue(0).ue(0).ue(2).ue(1).u(0, 1);
  bits
    .ue(width / 16 - 1)
    .ue(height / 16 - 1)
    .u(1, 1)
    .u(1, 1)
    .u(0, 1)
    .u(0, 1)
    .u(1, 1);
  return concat([Uint8Array.of(0x67), escape(bits.bytes())]);
}

/** The beginning of an H.265 sequence parameter set (7.3.2.2), NAL header included. */
export function h265Sps(width: number, height: number): Uint8Array {
  const bits = new Bits().u(0, 4).u(0, 3).u(1, 1);
  bits.u(1, 8).u(0x60, 8).u(0, 8).u(0, 8).u(0, 8).u(0x90, 8).u(0, 8).u(0, 8).u(0, 8).u(0, 8).u(0, 8).u(93, 8);
  bits.ue(0).ue(1).ue(width).ue(height).u(0, 1).ue(0).ue(0).ue(4).u(1, 1);
  return concat([Uint8Array.of(0x42, 1), escape(bits.bytes())]);
}

/** Emulation prevention (7.4.1.1). */
function escape(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte <= 3) {
      out.push(3);
      zeros = 0;
    }
    out.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Uint8Array.from(out);
}

/** Writes bits, most significant first. */
class Bits {
  readonly #bits: number[] = [];

  u(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit--) this.#bits.push((value >> bit) & 1);
    return this;
  }

  /** Exp-Golomb, unsigned (H.264, 9.1). */
  ue(value: number): this {
    const length = 32 - Math.clz32(value + 1);
    return this.u(0, length - 1).u(value + 1, length);
  }

  /** The bytes, the last filled up with ones. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(this.#bits.length / 8)).fill(0xff);
    this.#bits.forEach((bit, at) => {
      if (bit === 0) bytes[at >> 3] = (bytes[at >> 3] ?? 0) & ~(0x80 >> (at & 7));
    });
    return bytes;
  }
}

/** Joins. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
