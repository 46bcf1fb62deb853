/**
 * RTP (RFC 3550): the header, and the order of packets. What comes a little out of order is put right, what comes twice is dropped, and
 * what does not come is counted, by sequence numbers of 16 bits that go round.
 */
import type { Clock, Timer } from '../../base/index.js';

/** An RTP packet with its padding taken off. `payload` is a view. */
export interface RtpPacket {
  readonly sequence: number;
  readonly ssrc: number;
  readonly payloadType: number;
  readonly payload: Uint8Array;
}

/** The parts of an RTP packet (RFC 3550, 5.1); undefined when it is none. */
export function parseRtp(bytes: Uint8Array): RtpPacket | undefined {
  if (bytes.length < 12) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint8(0);
  if (first >> 6 !== 2) return undefined;
  let start = 12 + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (start + 4 > bytes.length) return undefined;
    start += 4 + 4 * view.getUint16(start + 2);
  }
  let end = bytes.length;
  if ((first & 0x20) !== 0) {
    const padding = view.getUint8(end - 1);
    if (padding === 0) return undefined;
    end -= padding;
  }
  if (start > end) return undefined;
  const payloadType = view.getUint8(1) & 0x7f;
  return { sequence: view.getUint16(2), ssrc: view.getUint32(8), payloadType, payload: bytes.subarray(start, end) };
}

/** Packets that may wait for one that is late. */
export const REORDER_PACKETS = 32;
/** How long the first of them waits. */
export const REORDER_MS = 100;
/** A jump by more than this is a sender that began anew, once the next packet agrees (RFC 3550, A.1: MAX_DROPOUT, MAX_MISORDER). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

/** Puts the packets of one sender in order. */
export class RtpOrder {
  readonly #clock: Clock;
  readonly #deliver: (payload: Uint8Array) => void;
  readonly #missing: (packets: number) => void;
  #ssrc: number | undefined;
  #next = 0;
  /** Packets ahead of `next`, by sequence number; each is a buffer of its own. */
  readonly #waiting = new Map<number, { readonly payload: Uint8Array; readonly atMs: number }>();
  /** A packet after a jump too large to be loss, kept until the next one tells. */
  #suspect: RtpPacket | undefined;
  #timer: Timer | undefined;

  /**
   * @param deliver - called with payloads in order
   * @param missing - called with how many packets were given up on
   */
  constructor(clock: Clock, deliver: (payload: Uint8Array) => void, missing: (packets: number) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
    this.#missing = missing;
  }

  /** Takes a packet in. Its payload must stay as it is until it is delivered. */
  push(packet: RtpPacket): void {
    if (packet.ssrc !== this.#ssrc) {
      this.#restart(packet);
      return;
    }
    const ahead = signed16(packet.sequence - this.#next);
    if (ahead > MAX_DROPOUT || ahead < -MAX_MISORDER) {
      this.#jump(packet);
      return;
    }
    this.#suspect = undefined;
    if (ahead < 0 || this.#waiting.has(packet.sequence)) return; // a duplicate, or too late: it was counted as missing
    if (ahead === 0) {
      this.#deliver(packet.payload);
      this.#next = (packet.sequence + 1) & 0xffff;
      if (this.#waiting.size > 0) this.#drain();
      return;
    }
    this.#waiting.set(packet.sequence, { payload: packet.payload, atMs: this.#clock.monotonicMs() });
    if (this.#waiting.size >= REORDER_PACKETS) this.#giveUpOne();
    else this.#timer ??= this.#clock.after(REORDER_MS, () => this.#overdue());
  }

  /** Forgets what waits. */
  close(): void {
    this.#waiting.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #jump(packet: RtpPacket): void {
    const before = this.#suspect;
    this.#suspect = packet;
    if (!before || packet.sequence !== ((before.sequence + 1) & 0xffff)) return;
    this.#restart(before);
    this.push(packet);
  }

  /** What waits of the old numbering is delivered; the new one begins with `packet`. */
  #restart(packet: RtpPacket): void {
    while (this.#waiting.size > 0) this.#giveUpOne();
    this.#suspect = undefined;
    this.#ssrc = packet.ssrc;
    this.#next = (packet.sequence + 1) & 0xffff;
    this.#deliver(packet.payload);
  }

  /** Delivers what waits and follows on. */
  #drain(): void {
    for (;;) {
      const packet = this.#waiting.get(this.#next);
      if (!packet) break;
      this.#waiting.delete(this.#next);
      this.#next = (this.#next + 1) & 0xffff;
      this.#deliver(packet.payload);
    }
    this.#timer?.cancel();
    this.#timer = undefined;
    let oldestMs = Infinity;
    for (const { atMs } of this.#waiting.values()) oldestMs = Math.min(oldestMs, atMs);
    if (oldestMs === Infinity) return;
    const leftMs = Math.max(0, oldestMs + REORDER_MS - this.#clock.monotonicMs());
    this.#timer = this.#clock.after(leftMs, () => this.#overdue());
  }

  #overdue(): void {
    this.#timer = undefined;
    if (this.#waiting.size > 0) this.#giveUpOne();
  }

  /** Gives up on what is missing before the first that waits. */
  #giveUpOne(): void {
    let nearest = Infinity;
    for (const sequence of this.#waiting.keys()) nearest = Math.min(nearest, (sequence - this.#next) & 0xffff);
    this.#missing(nearest);
    this.#next = (this.#next + nearest) & 0xffff;
    this.#drain();
  }
}

/** The short way round of a difference of sequence numbers. */
function signed16(difference: number): number {
  return (difference << 16) >> 16;
}
