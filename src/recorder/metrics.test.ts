/** What is counted of a recording, over its sessions. */
import { expect, it } from 'vitest';
import { patched } from '../../test/archiveLab.js';
import { TsBuilder } from '../../test/tsBuilder.js';
import { GAP_REASONS } from '../model/index.js';
import { createMemoryStorage, type Storage } from '../storage/index.js';
import { BitrateMeter } from './bitrate.js';
import { CONFIG, play, segmentsOf, settle, testService } from './testService.js';

const builder = new TsBuilder();
builder.stream({ seconds: 60, frameBytes: 400, keyframeBytes: 2000 });
const MEDIA = builder.bytes();
const PACKETS = MEDIA.length / 188;
const piece = (fromSec: number, toSec: number): Uint8Array =>
  MEDIA.subarray(188 * Math.floor((PACKETS * fromSec) / 60), 188 * Math.floor((PACKETS * toSec) / 60));

it('adds up bytes, segments, gaps and errors, over a session that broke', async () => {
  const service = testService();
  expect(service.dvr.metrics('x')).toBeUndefined();
  await service.dvr.startRecording('x', '', CONFIG);
  const none = Object.fromEntries(GAP_REASONS.map((reason) => [reason, { count: 0, seconds: 0 }]));
  expect(service.dvr.metrics('x')).toMatchObject({ receivedBytes: 0, inputBitrate: 0, lastKeyframeAtMs: undefined, restarts: 0 });
  expect(service.dvr.metrics('x')!.gaps).toEqual(none);
  const first = piece(0, 10);
  await play(service, service.buffers.open('x'), first, 10);
  const before = service.dvr.metrics('x')!;
  expect(before).toMatchObject({ receivedBytes: first.length, writtenSegments: 2, restarts: 0, queueDroppedBytes: 0 });
  const bitrate = (first.length * 8) / 10;
  expect(Math.abs(before.inputBitrate / bitrate - 1)).toBeLessThan(0.1);
  // A keyframe each second.
  expect(service.clock.nowMs() - before.lastKeyframeAtMs!).toBeLessThanOrEqual(1100);
  expect(service.clock.nowMs() - before.lastKeyframeAtMs!).toBeGreaterThanOrEqual(0);

  await service.buffers.open('x').close();
  await settle();
  const between = service.dvr.metrics('x')!;
  expect(between).toMatchObject({ receivedBytes: first.length, inputBitrate: 0, restarts: 1, lastKeyframeAtMs: before.lastKeyframeAtMs });
  service.clock.advance(5000);
  await settle();
  // Of the second session: a packet that is missing, and one that says itself that it is broken.
  const second = Buffer.from(piece(30, 50));
  const broken = second.findIndex((_, at) => at % 188 === 0 && at > 188 * 400 && pid(second, at) === pid(second, at + 188));
  expect(broken).toBeGreaterThan(0);
  second[broken + 1]! |= 0x80;
  await play(service, service.buffers.open('x'), second, 20);
  await service.dvr.live('x', { segment: () => undefined, data: () => undefined, ended: () => undefined });
  const after = service.dvr.metrics('x')!;
  expect(after.receivedBytes).toBe(first.length + second.length);
  expect(after.errors).toMatchObject({ transport_error: 1, sync_bytes: 0, scrambled: 0, timestamp: 0, not_stored: 0 });
  expect(after.gaps).toEqual({ ...none, restart: { count: 1, seconds: expect.any(Number) as number } });
  expect(after.gaps['restart']!.seconds).toBeGreaterThan(4);
  expect(after.gaps['restart']!.seconds).toBeLessThan(10);
  const stored = await segmentsOf(service.storage, 'x');
  expect(after.writtenSegments).toBe(stored.length);
  expect(after.writtenBytes).toBe(stored.reduce((sum, { bytes }) => sum + bytes.length, 0));
  expect(after.commitSeconds.counts.reduce((a, b) => a + b)).toBe(stored.length);
  await service.dvr.stopRecording('x');
  expect(service.dvr.metrics('x')).toBeUndefined();
});

function pid(bytes: Uint8Array, at: number): number {
  return (((bytes[at + 1] ?? 0) & 0x1f) << 8) | (bytes[at + 2] ?? 0);
}

it('says how long a commit took, from the segment’s end, and counts what could not be stored', async () => {
  const memory = createMemoryStorage();
  let [appended, failing] = [0, false];
  const storage: Storage = {
    ...memory,
    list: () => memory.list(),
    disk: (code) => memory.disk(code),
    stream: (code) => {
      const place = memory.stream(code);
      const appendJournal: typeof place.appendJournal = async (text, at) => {
        if (failing) throw new Error('as the test wants it');
        appended += 1;
        // The medium takes 0.7 s for one of them.
        if (appended === 2) service.clock.advance(700);
        await place.appendJournal(text, at);
      };
      return patched(place, { appendJournal });
    },
  };
  const service = testService(storage);
  await service.dvr.startRecording('x', '', CONFIG);
  // One step at a time, so that what is under way without a timer takes no time of the clock's.
  for (let at = 0; at < 17; at += 0.04) await play(service, service.buffers.open('x'), piece(at, at + 0.04), 0.04);
  const { bounds, counts, sum } = service.dvr.metrics('x')!.commitSeconds;
  expect(bounds).toEqual([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]);
  expect(counts).toHaveLength(bounds.length + 1);
  expect(counts[bounds.indexOf(1)]).toBe(1);
  expect(counts.reduce((a, b) => a + b)).toBe(service.dvr.metrics('x')!.writtenSegments);
  expect(sum).toBeGreaterThanOrEqual(0.7);
  // And the step of the clock in which each of the others falls.
  expect(sum).toBeLessThan(0.9);
  failing = true;
  await play(service, service.buffers.open('x'), piece(17, 22), 5);
  expect(service.dvr.metrics('x')!.errors['not_stored']).toBe(1);
  await service.dvr.close();
});

it('a rate is that of the last five seconds', () => {
  const meter = new BitrateMeter();
  expect(meter.bitsPerSecond).toBe(0);
  for (let i = 0; i <= 40; i++) meter.look(i * 250, i * 250_000);
  expect(meter.bitsPerSecond).toBeCloseTo(8e6);
  for (let i = 1; i <= 20; i++) meter.look(10_000 + i * 250, 10_000_000 + i * 500_000);
  expect(meter.bitsPerSecond).toBeCloseTo(16e6);
  for (let i = 1; i <= 20; i++) meter.look(15_000 + i * 250, 20_000_000);
  expect(meter.bitsPerSecond).toBe(0);
});
