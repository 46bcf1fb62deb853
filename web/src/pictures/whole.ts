/** Whether an MP4 came whole: a browser ends in the same error where it knows no decoder, and where a proxy sent half a file. Pure. */

const MOOV = 0x6d_6f_6f_76;

/** Its boxes fill it to the last byte, and one of them says what is in it. */
export function isWhole(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let isDescribed = false;
  // A preview is far below the 4 GiB from which a box says its size elsewhere.
  while (at + 8 <= bytes.length) {
    const size = view.getUint32(at);
    if (size < 8) return false;
    isDescribed ||= view.getUint32(at + 4) === MOOV;
    at += size;
  }
  return isDescribed && at === bytes.length;
}
