/**
 * The built-in channel, assets/demo.ts: it must be 16 s to the tick on both tracks, or its loop would drift or jump. Read here without any
 * code of src/, so that whatever the loop then shows is the file source's doing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROUND_90K = 16 * 90_000;

/** PES packets of one PID: time stamps (ISO/IEC 13818-1, 2.4.3.6) and payloads. */
function pesOf(ts: Buffer, pid: number): { pts90k: number; dts90k: number; payload: Buffer }[] {
  const found: { pts90k: number; dts90k: number; parts: Buffer[] }[] = [];
  for (let at = 0; at < ts.length; at += 188) {
    const packet = ts.subarray(at, at + 188);
    if ((packet.readUInt16BE(1) & 0x1fff) !== pid || !(packet.readUInt8(3) & 0x10)) continue;
    let payload = packet.subarray(packet.readUInt8(3) & 0x20 ? 5 + packet.readUInt8(4) : 4);
    if (packet.readUInt8(1) & 0x40) {
      const stamp = (from: number): number =>
        ((payload.readUInt8(from) >> 1) & 7) * 2 ** 30 +
        ((payload.readUInt16BE(from + 1) >> 1) << 15) +
        (payload.readUInt16BE(from + 3) >> 1);
      const pts90k = stamp(9);
      found.push({ pts90k, dts90k: payload.readUInt8(7) & 0x40 ? stamp(14) : pts90k, parts: [] });
      payload = payload.subarray(9 + payload.readUInt8(8));
    }
    found.at(-1)?.parts.push(payload);
  }
  return found.map(({ parts, ...stamps }) => ({ ...stamps, payload: Buffer.concat(parts) }));
}

describe('assets/demo.ts', () => {
  const ts = readFileSync(join(import.meta.dirname, '../assets/demo.ts'));

  it('is whole packets, small, begins with a PAT, and names its service', () => {
    expect(ts.length % 188).toBe(0);
    expect(ts.length).toBeLessThan(1_500_000);
    for (let at = 0; at < ts.length; at += 188) expect(ts[at]).toBe(0x47);
    // ffmpeg sends its SDT (PID 0x11) first, then PAT and PMT
    const pids = [0, 188, 376].map((at) => ts.readUInt16BE(at + 1) & 0x1fff);
    expect(pids).toEqual([0x11, 0, 0x1000]);
    expect(ts.subarray(0, 188).toString('latin1')).toContain('Livetape');
  });

  it('has 400 frames of 40 ms with B-frames, and a keyframe every 2 s', () => {
    const video = pesOf(ts, 0x100);
    expect(video).toHaveLength(400);
    const first = video[0]?.dts90k ?? NaN;
    expect(video.map((pes) => pes.dts90k - first)).toEqual(video.map((_, index) => index * 3600));
    const shown = video.map((pes) => pes.pts90k).sort((a, b) => a - b);
    expect(shown.map((pts) => pts - (shown[0] ?? NaN))).toEqual(video.map((_, index) => index * 3600));
    expect(video.some((pes) => pes.pts90k !== pes.dts90k + 7200)).toBe(true);
    const idr = video.flatMap((pes, index) => (/\x00\x00\x01[\x65\x45\x25]/.test(pes.payload.toString('latin1')) ? [index] : []));
    expect(idr).toEqual([0, 50, 100, 150, 200, 250, 300, 350]);
    expect(video.length * 3600).toBe(ROUND_90K);
  });

  it('has 750 frames of 1,024 samples of audio that begin with the picture', () => {
    const audio = pesOf(ts, 0x101);
    let frames = 0;
    for (const { pts90k, payload } of audio) {
      expect(pts90k).toBe((audio[0]?.pts90k ?? NaN) + frames * 1920);
      // ADTS: ISO/IEC 13818-7, 6.2
      for (let at = 0; at < payload.length; at += ((payload.readUInt8(at + 3) & 3) << 11) | (payload.readUInt16BE(at + 4) >> 5)) {
        expect(payload.readUInt16BE(at) & 0xfff6).toBe(0xfff0);
        frames += 1;
      }
    }
    expect(frames).toBe(750);
    expect(frames * 1920).toBe(ROUND_90K);
    expect(audio[0]?.pts90k).toBe(Math.min(...pesOf(ts, 0x100).map((pes) => pes.pts90k)));
  });
});
