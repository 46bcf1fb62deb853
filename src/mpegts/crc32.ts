/** The CRC of PSI sections (ISO/IEC 13818-1, annex A): polynomial 0x04C11DB7, most significant bit first, begins with all ones. */

const TABLE = new Uint32Array(256);
for (let index = 0; index < 256; index++) {
  let crc = index << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  TABLE[index] = crc;
}

/** CRC-32/MPEG-2 of bytes [from, to); 0 over a whole section, its own CRC counted, when that is right. */
export function crc32Mpeg2(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let crc = 0xffffffff;
  for (let at = from; at < to; at++) crc = (crc << 8) ^ TABLE[(crc >>> 24) ^ bytes[at]!]!;
  return crc >>> 0;
}
