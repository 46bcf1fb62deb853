/**
 * Streams that are not as they should be, through the real service into a real folder: nothing breaks, nothing that was received is
 * hidden in a segment that says it is short, and the archive's judge is content.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkArchive } from '../../test/archiveChecker.js';
import { TsBuilder, type ChannelSpec } from '../../test/tsBuilder.js';
import { ManualClock, silentLogger } from '../base/index.js';
import { openFsStorage } from '../storage/index.js';
import { CONFIG, settle, testService } from './testService.js';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const VIDEO = 0x101;
const small: ChannelSpec = { frameBytes: 300, keyframeBytes: 900, videoPid: VIDEO };
const pidOf = (packet: Uint8Array): number => (((packet[1] ?? 0) & 0x1f) << 8) | (packet[2] ?? 0);

/** The packets of a channel, each changed or left out; where one is left out its time is not. */
function packets(
  spec: ChannelSpec,
  change: (packet: Uint8Array, at: number) => Uint8Array | undefined = (packet) => packet,
): (Uint8Array | undefined)[] {
  const builder = new TsBuilder();
  builder.stream({ ...small, ...spec });
  const all = builder.packets;
  return all.map((packet, i) => change(Uint8Array.from(packet), i / all.length));
}

/** Takes the PTS (and DTS) out of a PES header, leaving stuffing (2.4.3.7). */
function withoutTimes(packet: Uint8Array): Uint8Array {
  const at = 4 + ((packet[3] ?? 0) & 0x20 ? 1 + (packet[4] ?? 0) : 0);
  if (((packet[1] ?? 0) & 0x40) === 0 || packet[at] !== 0 || packet[at + 1] !== 0 || packet[at + 2] !== 1) return packet;
  const length = packet[at + 8] ?? 0;
  packet[at + 7] = (packet[at + 7] ?? 0) & 0x3f;
  packet.fill(0xff, at + 9, at + 9 + length);
  return packet;
}

interface Recorded {
  readonly extinf: number[];
  readonly text: string;
  readonly failures: string[];
  readonly violations: string[];
  readonly seconds: number;
}

async function record(slots: readonly (Uint8Array | undefined)[], seconds: number): Promise<Recorded> {
  const root = await mkdtemp(join(tmpdir(), 'livetape-odd-'));
  folders.push(root);
  const clock = new ManualClock();
  const service = testService(openFsStorage(root, { clock, log: silentLogger }), clock);
  const failures: string[] = [];
  service.dvr.on('recording.failed', ({ error }) => failures.push(`${error.code} ${error.message}`));
  await service.dvr.startRecording('x', '', CONFIG);
  const buffer = service.buffers.open('x');
  let step = 0;
  for (const [i, packet] of slots.entries()) {
    if (packet) buffer.write(packet);
    for (; step < (i / slots.length) * seconds * 25; step++) clock.advance(40);
    if (i % 200 === 0) await settle();
  }
  await service.dvr.stopRecording('x');
  await service.dvr.close();
  const text = await readFile(join(root, 'x/playlist.m3u8'), 'utf8');
  const extinf = [...text.matchAll(/#EXTINF:([\d.]+)/g)].map(([, length]) => Number(length));
  const violations = (await checkArchive(join(root, 'x'))).map(({ clause, message }) => `${clause}: ${message}`);
  return { extinf, text, failures, violations, seconds: extinf.reduce((sum, length) => sum + length, 0) };
}

describe('odd streams', () => {
  it.each([125, 250, 300])('a keyframe every %d frames beside sound in PES of its own: nothing is cut by force', async (gop) => {
    const { text, failures, violations } = await record(packets({ seconds: 45, gop }), 45);
    expect([failures, violations]).toEqual([[], []]);
    expect(text).not.toContain('cut=forced');
  });

  it('a video that stops while the sound goes on, and comes back', async () => {
    const bytes = packets({ seconds: 60 }, (packet, at) => (pidOf(packet) === VIDEO && at > 0.2 && at < 0.7 ? undefined : packet));
    const { seconds, failures, violations, text } = await record(bytes, 60);
    expect([failures, violations]).toEqual([[], []]);
    expect(seconds).toBeCloseTo(60, 0);
    expect(text).not.toContain('why=');
  });

  it.each([
    ['all of it', (): boolean => true],
    ['the video', (pid: number): boolean => pid === VIDEO],
  ])('scrambled for a while: %s', async (_name, isScrambled) => {
    const bytes = packets({ seconds: 60 }, (packet, at) => {
      const pid = pidOf(packet);
      if (at > 0.3 && at < 0.7 && pid >= 0x101 && isScrambled(pid)) packet[3] = (packet[3] ?? 0) | 0x80;
      return packet;
    });
    const { seconds, extinf, failures, violations } = await record(bytes, 60);
    expect([failures, violations]).toEqual([[], []]);
    expect(seconds).toBeGreaterThan(55);
    expect(Math.max(...extinf)).toBeLessThan(9);
  });

  it.each([
    ['none at all', (): boolean => true],
    ['none from the middle on', (at: number): boolean => at > 0.5],
    ['none for a while', (at: number): boolean => at > 0.4 && at < 0.7],
  ])('without time stamps: %s', async (_name, isGone) => {
    const bytes = packets({ seconds: 60 }, (packet, at) => (isGone(at) ? withoutTimes(packet) : packet));
    const { seconds, extinf, failures, violations } = await record(bytes, 60);
    expect([failures, violations]).toEqual([[], []]);
    expect(seconds).toBeGreaterThan(54);
    expect(Math.max(...extinf)).toBeLessThan(9);
  });

  it('a time stamp on every twelfth frame alone, keyframes mostly not among them', async () => {
    let frame = 0;
    const bytes = packets({ seconds: 40, audio: false, bFrames: 0 }, (packet) => {
      const begins = pidOf(packet) === VIDEO && ((packet[1] ?? 0) & 0x40) !== 0;
      return begins && frame++ % 12 !== 5 ? withoutTimes(packet) : packet;
    });
    const { seconds, extinf, failures } = await record(bytes, 40);
    expect(failures).toEqual([]);
    expect(seconds).toBeGreaterThan(37);
    expect(extinf.slice(1, -1).every((length) => Math.abs(length - 4) < 0.05)).toBe(true);
  });

  it('a time stamp that stands still', async () => {
    const builder = new TsBuilder();
    builder.stream({ ...small, seconds: 10, audio: false, bFrames: 0 });
    const still = new TsBuilder();
    still.stream({ ...small, seconds: 30, audio: false, bFrames: 0 });
    // every PES of the second half carries the times of its first
    let header: Uint8Array | undefined;
    const frozen = still.packets.map((packet) => {
      if (pidOf(packet) !== VIDEO || ((packet[1] ?? 0) & 0x40) === 0) return packet;
      const at = 4 + ((packet[3] ?? 0) & 0x20 ? 1 + (packet[4] ?? 0) : 0);
      header ??= packet.slice(at + 6, at + 19);
      if ((packet[at + 8] ?? 0) === (header[2] ?? 0)) packet.set(header, at + 6);
      return packet;
    });
    const { seconds, extinf, failures } = await record([...builder.packets, ...frozen], 40);
    expect(failures).toEqual([]);
    expect(seconds).toBeGreaterThan(34);
    expect(Math.max(...extinf)).toBeLessThan(9);
  });

  it('data alone ends where the last of it arrived', async () => {
    const builder = new TsBuilder();
    const pmt = { program: 1, pcrPid: 0x1fff, streams: [{ pid: 0x120, streamType: 0x06 }] };
    for (let i = 0; i < 600; i++) {
      if (i % 10 === 0) builder.pat([{ number: 1, pmtPid: 0x1000 }]).pmt(0x1000, pmt);
      builder.pes(0x120, { streamId: 0xbd, pts90k: 900_000 + i * 9000, payload: new Uint8Array(150) });
    }
    const { seconds, failures, violations, text } = await record(builder.packets, 60);
    expect([failures, violations]).toEqual([[], []]);
    expect(seconds).toBeGreaterThan(50);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(text).not.toContain('keys=');
  });
});
