/** Datagrams for tests: ports, RTP packets, and sending without overrunning the receiver. */
import { createSocket, type Socket } from 'node:dgram';
import { setImmediate } from 'node:timers/promises';

/** A UDP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

/** Sends one after another, giving the receiver (which is in this process) its turns. */
export async function sendAll(sender: Socket, datagrams: readonly Uint8Array[], port: number, host: string): Promise<void> {
  for (const datagram of datagrams) {
    await new Promise<void>((resolve, reject) => sender.send(datagram, port, host, (error) => (error ? reject(error) : resolve())));
    await setImmediate();
  }
}

/** Renders an RTP packet (RFC 3550, 5.1). */
export function rtpPacket(spec: {
  sequence: number;
  payload: Uint8Array;
  ssrc?: number;
  payloadType?: number;
  csrcs?: number;
  /** Words of the header extension. */
  extension?: number;
  padding?: number;
}): Uint8Array {
  const { csrcs = 0, extension, padding = 0, payload } = spec;
  const headerSize = 12 + 4 * csrcs + (extension === undefined ? 0 : 4 + 4 * extension);
  const packet = new Uint8Array(headerSize + payload.length + padding).fill(0xaa);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x80 | (padding > 0 ? 0x20 : 0) | (extension === undefined ? 0 : 0x10) | csrcs);
  view.setUint8(1, spec.payloadType ?? 33);
  view.setUint16(2, spec.sequence & 0xffff);
  view.setUint32(8, spec.ssrc ?? 1);
  if (extension !== undefined) view.setUint16(12 + 4 * csrcs + 2, extension);
  packet.set(payload, headerSize);
  if (padding > 0) packet[packet.length - 1] = padding;
  return packet;
}
