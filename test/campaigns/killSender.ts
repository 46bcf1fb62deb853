/**
 * A live channel that never stops, over UDP, in real time: it knows to the frame what it has sent, whoever listens. 25 frames a second with
 * B-frames, a keyframe every 0.4 s, and sound.
 */
import { createSocket } from 'node:dgram';
import { TsBuilder, type MadeUnit } from '../tsBuilder.js';

/** Made at a time: whole frames of sound and whole GOPs. */
const PIECE_SEC = 16;
const FRAME_90K = 3600;
const VIDEO_PID = 0x101;
/** Seven packets, as encoders send them. */
const DATAGRAM_BYTES = 1316;
const TICK_MS = 10;

/** The channel, on air until it is closed. */
export interface KillSender {
  /** Where the video that was sent ends: time stamps are not wrapped, and begin at 10 s. */
  sentTo90k(): number;
  /** The first keyframe at or after a time stamp. */
  keyframeFrom(pts90k: number): number;
  close(): Promise<void>;
}

/** Begins to send to a port of the loopback. */
export function startSender(port: number): KillSender {
  const socket = createSocket('udp4');
  const builder = new TsBuilder();
  const keyframes: number[] = [];
  let units: MadeUnit[] = [];
  let madeTo90k = 900_000;
  let sentPackets = 0;
  let sentUnits = 0;
  let sentTo90k = 0;
  const startMs = performance.now();

  const make = (): void => {
    const piece = builder.stream({
      seconds: PIECE_SEC,
      startDts90k: madeTo90k,
      gop: 10,
      bFrames: 2,
      frameBytes: 1500,
      keyframeBytes: 9000,
    });
    units = [...units.slice(sentUnits), ...piece];
    sentUnits = 0;
    madeTo90k += PIECE_SEC * 90_000;
    keyframes.push(...piece.filter(({ pid, key }) => pid === VIDEO_PID && key).map(({ pts90k }) => pts90k));
  };
  const tick = (): void => {
    const due90k = 900_000 + (performance.now() - startMs) * 90;
    if (due90k > madeTo90k - 90_000) make();
    let to = sentPackets;
    for (; sentUnits + 1 < units.length; sentUnits++) {
      const unit = units[sentUnits]!;
      if (unit.dts90k > due90k) break;
      if (unit.pid === VIDEO_PID) sentTo90k = Math.max(sentTo90k, unit.pts90k + FRAME_90K);
      to = units[sentUnits + 1]!.offset / 188;
    }
    while (sentPackets < to) {
      const packets = builder.packets.slice(sentPackets, Math.min(to, sentPackets + DATAGRAM_BYTES / 188));
      socket.send(Buffer.concat(packets), port, '127.0.0.1');
      sentPackets += packets.length;
    }
  };
  make();
  const timer = setInterval(tick, TICK_MS);
  return {
    sentTo90k: () => sentTo90k,
    keyframeFrom: (pts90k) => keyframes.find((key) => key >= pts90k) ?? Infinity,
    close() {
      clearInterval(timer);
      return new Promise((resolve) => socket.close(() => resolve()));
    },
  };
}
