/**
 * What a datagram is, told by its content: MPEG-TS raw, MPEG-TS in RTP (RFC 2250, payload type 33; others use a dynamic type, so the type is
 * not looked at), or neither. Senders that fill datagrams without regard to packets (ffmpeg without pkt_size does: 1472 bytes, and a tail) are
 * raw too; their datagrams may begin with any byte, so where the last one left off is remembered.
 */
import { PACKET_SIZE, SYNC_BYTE } from '../../mpegts/index.js';
import { STRIDES } from '../sync.js';
import { parseRtp, type RtpPacket } from './rtp.js';

/** `raw`: hand on as it is. */
export type Datagram = { readonly kind: 'raw' } | { readonly kind: 'rtp'; readonly packet: RtpPacket } | { readonly kind: 'foreign' };

const RAW: Datagram = { kind: 'raw' };
const FOREIGN: Datagram = { kind: 'foreign' };

/** Tells datagrams of one socket apart. */
export class DatagramReader {
  /** Bytes that the packet which the last raw datagram broke off still lacks; 0 when it ended with a packet. */
  #missing = 0;
  #stride: number = PACKET_SIZE;

  read(datagram: Uint8Array): Datagram {
    if (isAligned(datagram)) {
      this.#missing = 0;
      return RAW;
    }
    if (this.#missing > 0 && this.#goesOn(datagram)) return RAW;
    const packet = parseRtp(datagram);
    // an empty payload is a keepalive that counts in the sequence
    if (packet && (packet.payload.length === 0 || isAligned(packet.payload))) return { kind: 'rtp', packet };
    return this.#findUnaligned(datagram) ? RAW : FOREIGN;
  }

  /** Whether sync bytes lie where the packet that was broken off says. */
  #goesOn(datagram: Uint8Array): boolean {
    for (let at = this.#missing; at < datagram.length; at += this.#stride) if (datagram[at] !== SYNC_BYTE) return false;
    this.#rest(datagram, this.#missing);
    return true;
  }

  /** Two sync bytes or more and nothing that contradicts them, wherever they begin. */
  #findUnaligned(datagram: Uint8Array): boolean {
    for (const stride of STRIDES) {
      for (let offset = 0; offset < stride && offset + stride < datagram.length; offset++) {
        if (!syncsFrom(datagram, offset, stride)) continue;
        this.#stride = stride;
        this.#rest(datagram, offset);
        return true;
      }
    }
    return false;
  }

  #rest(datagram: Uint8Array, firstSync: number): void {
    const over = datagram.length - firstSync;
    this.#missing = over < 0 ? -over : (this.#stride - (over % this.#stride)) % this.#stride;
  }
}

/** Whole packets of 188, 192 or 204 bytes and nothing else. */
function isAligned(bytes: Uint8Array): boolean {
  if (bytes.length < PACKET_SIZE) return false;
  for (const stride of STRIDES) {
    if (bytes.length % stride !== 0) continue;
    // in 192 bytes the packet comes last, behind its arrival time
    if (syncsFrom(bytes, stride === 192 ? 4 : 0, stride)) return true;
  }
  return false;
}

function syncsFrom(bytes: Uint8Array, offset: number, stride: number): boolean {
  for (let at = offset; at < bytes.length; at += stride) if (bytes[at] !== SYNC_BYTE) return false;
  return true;
}
