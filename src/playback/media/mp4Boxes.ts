/** Boxes of an MP4 file (ISO/IEC 14496-12, 4.2): a size, a type, and what is in them. Pure. */

/** What a box is made of: bytes, or numbers that are bytes. */
export type BoxPart = Uint8Array | readonly number[];

/** Big-endian 16 bits. */
export const u16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
/** Big-endian 32 bits. */
export const u32 = (value: number): number[] => [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
/** So many zero bytes. */
export const zeros = (count: number): Uint8Array => new Uint8Array(count);

/** A box of a type of four characters. */
export function box(type: string, ...parts: BoxPart[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 8);
  const bytes = new Uint8Array(size);
  bytes.set([...u32(size), ...ascii(type)]);
  let at = 8;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A box with version 0 and flags. */
export function fullBox(type: string, flags: number, ...parts: BoxPart[]): Uint8Array {
  return box(type, u32(flags), ...parts);
}

/** Bytes of a text without any other characters. */
export const ascii = (text: string): number[] => [...text].map((char) => char.charCodeAt(0));
