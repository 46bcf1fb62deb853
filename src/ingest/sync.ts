/**
 * Whether bytes are a transport stream, told by the sync bytes alone (ISO/IEC 13818-1, 2.4.3.2): 0x47 every 188 bytes, every 192 (M2TS:
 * four bytes of arrival time in front) or every 204 (sixteen bytes of Reed-Solomon code behind).
 */
import { PACKET_SIZE, SYNC_BYTE } from '../mpegts/index.js';

export const STRIDES = [188, 192, 204] as const;
/** Sync bytes in a row that make a transport stream; as many as the scanner wants to regain sync. */
const SYNCS_WANTED = 5;

/** Where packets lie. */
export interface Layout {
  /** Of the first sync byte. */
  readonly offset: number;
  /** From sync byte to sync byte. */
  readonly stride: number;
}

/** Bytes that suffice to find the sync of a stream that begins in the middle of a packet. */
export const SYNC_WINDOW_BYTES = (SYNCS_WANTED + 1) * 204;

/**
 * The first place from `from` on where sync bytes come in a row; undefined where there is none (or, unless `complete`, where more bytes are needed
 * to tell). When `complete`, the bytes are all there are: then fewer will do, if they reach to the end and the first packet is whole.
 */
export function findSync(bytes: Uint8Array, from: number, complete: boolean): Layout | undefined {
  for (let offset = from; offset < bytes.length; offset++) {
    if (bytes[offset] !== SYNC_BYTE) continue;
    for (const stride of STRIDES) {
      let at = offset;
      let syncs = 0;
      while (syncs < SYNCS_WANTED && bytes[at] === SYNC_BYTE) {
        syncs += 1;
        at += stride;
      }
      const toTheEnd = complete && at >= bytes.length && offset + PACKET_SIZE <= bytes.length;
      if (syncs === SYNCS_WANTED || (syncs > 0 && toTheEnd)) return { offset, stride };
    }
  }
  return undefined;
}
