/** Watching a recording as it comes: what a viewer is given is what is stored, from a keyframe on, soon, and at nobody's cost. */
import { describe, expect, it } from 'vitest';
import { patched, rejects } from '../../test/archiveLab.js';
import { TsBuilder, type ChannelSpec } from '../../test/tsBuilder.js';
import { silentLogger } from '../base/index.js';
import { createMemoryStorage, type Storage } from '../storage/index.js';
import type { LiveSink } from './live.js';
import { LiveFeed } from './liveFeed.js';
import { LivePool } from './liveMemory.js';
import { CONFIG, play, segmentsOf, settle, testService } from './testService.js';

const SECONDS = 60;
function channel(spec: ChannelSpec): (fromSec: number, toSec: number) => Uint8Array {
  const builder = new TsBuilder();
  builder.stream({ seconds: SECONDS, frameBytes: 400, keyframeBytes: 2000, ...spec });
  const bytes = builder.bytes();
  const packetAt = (sec: number): number => Math.floor((builder.packets.length * sec) / SECONDS);
  return (fromSec, toSec) => bytes.subarray(188 * packetAt(fromSec), 188 * packetAt(toSec));
}
const piece = channel({});

/** A viewer that keeps all it is given, by segment. */
class Viewer implements LiveSink {
  readonly segments: { readonly keyframe: boolean; readonly chunks: Buffer[] }[] = [];
  end: string | undefined;
  segment(keyframe: boolean): void {
    this.segments.push({ keyframe, chunks: [] });
  }
  data(chunk: Uint8Array): void {
    expect(chunk.length % 188).toBe(0);
    this.segments.at(-1)!.chunks.push(Buffer.from(chunk));
  }
  ended(reason: string): void {
    expect(this.end).toBeUndefined();
    this.end = reason;
  }
  get bytes(): Buffer[] {
    return this.segments.map(({ chunks }) => Buffer.concat(chunks));
  }
  get total(): number {
    return this.bytes.reduce((sum, { length }) => sum + length, 0);
  }
}

/** Where in the archive the segments of a viewer lie: each is one of those stored, byte for byte, in order. */
async function placesOf(viewer: Viewer, storage: Storage): Promise<number[]> {
  const stored = await segmentsOf(storage, 'x');
  return viewer.bytes.map((bytes) => stored.findIndex((segment) => bytes.equals(segment.bytes)));
}

describe('a viewer', () => {
  it('is given the segment that is being received from its beginning, then all that comes', async () => {
    const service = testService();
    await service.dvr.startRecording('x', '', CONFIG);
    const buffer = service.buffers.open('x');
    await play(service, buffer, piece(0, 10), 10);
    const viewer = new Viewer();
    await service.dvr.live('x', viewer);
    expect(viewer.segments).toHaveLength(1);
    expect(viewer.total).toBeGreaterThan(piece(8, 9).length);
    await play(service, buffer, piece(10, 25), 15);
    expect(viewer.end).toBeUndefined();
    await service.dvr.stopRecording('x');
    expect(viewer.end).toBe('the recording was stopped');
    const places = await placesOf(viewer, service.storage);
    expect(places).toEqual([2, 3, 4, 5, 6]);
    expect(viewer.segments.every(({ keyframe }) => keyframe)).toBe(true);
    expect(await segmentsOf(service.storage, 'x')).toHaveLength(7);
    await rejects(service.dvr.live('x', viewer), 'NOT_RECORDING');
  });

  it('is given a recording that is just being started, and one that is closed ends for it', async () => {
    const service = testService();
    const viewer = new Viewer();
    const started = service.dvr.startRecording('x', '', CONFIG);
    const live = service.dvr.live('x', viewer);
    await started;
    await live;
    await play(service, service.buffers.open('x'), piece(0, 9), 9);
    await service.dvr.close();
    expect(viewer.end).toBe('the recorder ends');
    expect(await placesOf(viewer, service.storage)).toEqual([0, 1, 2]);
  });

  it('gets what comes every quarter of a second, and costs no write more', async () => {
    const writes: number[] = [];
    for (const watched of [false, true]) {
      let count = 0;
      const memory = createMemoryStorage();
      const storage: Storage = {
        ...memory,
        list: () => memory.list(),
        disk: (code) => memory.disk(code),
        stream: (code) => {
          const place = memory.stream(code);
          const put: typeof place.put = (name) => {
            const upload = place.put(name);
            const write = upload.write.bind(upload);
            upload.write = (bytes) => {
              count += 1;
              return write(bytes);
            };
            return upload;
          };
          return patched(place, { put });
        },
      };
      const service = testService(storage);
      const viewer = new Viewer();
      await service.dvr.startRecording('x', '', CONFIG);
      if (watched) await service.dvr.live('x', viewer);
      const buffer = service.buffers.open('x');
      let worst = 0;
      let sent = 0;
      for (let at = 0; at < 30; at += 0.04) {
        await play(service, buffer, piece(at, at + 0.04), 0.04);
        sent += piece(at, at + 0.04).length;
        worst = Math.max(worst, sent - viewer.total);
      }
      // A cut is settled half a second after it (segmenter), and a keyframe is larger than its share.
      if (watched) expect(worst).toBeLessThan(piece(0, 1.1).length);
      await service.dvr.stopRecording('x');
      if (watched) expect(await placesOf(viewer, memory)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      writes.push(count);
    }
    expect(writes[0]).toBeGreaterThan(30);
    expect(writes[1]).toBe(writes[0]);
  });

  it('goes on at the next segment after a session that broke', async () => {
    const service = testService();
    const viewer = new Viewer();
    await service.dvr.startRecording('x', '', CONFIG);
    await service.dvr.live('x', viewer);
    await play(service, service.buffers.open('x'), piece(0, 10), 10);
    const before = viewer.segments.length;
    await service.buffers.open('x').close();
    await settle();
    // Of the segment that was broken off nothing is given to who comes now.
    const later = new Viewer();
    await service.dvr.live('x', later);
    expect(later.segments).toHaveLength(0);
    service.clock.advance(2000);
    await settle();
    await play(service, service.buffers.open('x'), piece(30, 41), 11);
    expect(service.dvr.status('x')?.restarts).toBe(1);
    expect(viewer.end).toBeUndefined();
    await service.dvr.stopRecording('x');
    expect(later.segments.length).toBeGreaterThan(1);
    expect(later.bytes).toEqual(viewer.bytes.slice(before));
    expect(await placesOf(later, service.storage)).not.toContain(-1);
    expect([viewer.end, later.end]).toEqual(['the recording was stopped', 'the recording was stopped']);
  });

  it('that throws, or closes, is given nothing more, and the recording goes on', async () => {
    const service = testService();
    await service.dvr.startRecording('x', '', CONFIG);
    const calls: string[] = [];
    const bad: LiveSink = {
      segment: () => {
        calls.push('segment');
        throw new Error('mine');
      },
      data: () => calls.push('data'),
      ended: () => calls.push('ended'),
    };
    await service.dvr.live('x', bad);
    const gone = new Viewer();
    const subscription = await service.dvr.live('x', gone);
    await play(service, service.buffers.open('x'), piece(0, 6), 6);
    const seen = gone.total;
    expect(seen).toBeGreaterThan(0);
    await subscription.close();
    await play(service, service.buffers.open('x'), piece(6, 15), 9);
    expect(service.dvr.status('x')).toMatchObject({ restarts: 0, error: undefined });
    await service.dvr.stopRecording('x');
    expect(calls).toEqual(['segment']);
    expect(gone.total).toBe(seen);
    expect(gone.end).toBeUndefined();
  });

  it.each([
    ['sound alone', channel({ video: null }), true],
    ['video that shows a keyframe once', channel({ gop: Infinity }), false],
  ])('of %s', async (_what, media, keyframes) => {
    const service = testService();
    await service.dvr.startRecording('x', '', CONFIG);
    await play(service, service.buffers.open('x'), media(0, 5), 5);
    const viewer = new Viewer();
    await service.dvr.live('x', viewer);
    await play(service, service.buffers.open('x'), media(5, 60), 55);
    await service.dvr.stopRecording('x');
    expect(viewer.segments.length).toBeGreaterThan(1);
    expect(viewer.segments.at(-1)!.keyframe).toBe(keyframes);
    expect(await placesOf(viewer, service.storage)).not.toContain(-1);
  });
});

describe('the feed', () => {
  it('remembers a segment up to 16 MB, and nothing of one that is longer', () => {
    const feed = new LiveFeed('x', silentLogger, new LivePool());
    const chunk = new Uint8Array(188 * 1394).fill(7);
    const fits = Math.floor((16 * 1024 * 1024) / chunk.length);
    feed.begin(true);
    for (let i = 0; i < fits; i++) feed.data(chunk);
    const first = new Viewer();
    feed.subscribe(first);
    expect(first.total).toBe(fits * chunk.length);
    feed.data(chunk);
    expect(first.total).toBe((fits + 1) * chunk.length);
    const second = new Viewer();
    feed.subscribe(second);
    feed.data(chunk);
    expect(second.segments).toEqual([]);
    feed.over();
    feed.begin(true);
    feed.data(new Uint8Array(188).fill(9));
    const third = new Viewer();
    feed.subscribe(third);
    for (const viewer of [first, second, third]) expect(viewer.bytes.at(-1)).toEqual(Buffer.alloc(188, 9));
  });

  it('shares its memory with those of other recordings: what finds no room is not remembered', () => {
    const pool = new LivePool(3);
    const [x, y] = [new LiveFeed('x', silentLogger, pool), new LiveFeed('y', silentLogger, pool)];
    const chunk = new Uint8Array(188 * 1394);
    for (const feed of [x, y]) feed.begin(true);
    for (let i = 0; i < 2; i++) for (const feed of [x, y]) feed.data(chunk);
    const seen = (feed: LiveFeed): number => {
      const viewer = new Viewer();
      void feed.subscribe(viewer).close();
      return viewer.total;
    };
    expect([seen(x), seen(y)]).toEqual([2 * chunk.length, 0]);
    // What y had is free again, and so is all when the segments are over.
    x.data(chunk);
    expect(seen(x)).toBe(3 * chunk.length);
    x.begin(true);
    y.begin(true);
    for (let i = 0; i < 3; i++) y.data(chunk);
    expect([seen(x), seen(y)]).toEqual([0, 3 * chunk.length]);
  });

  it('begins without a keyframe where none comes', () => {
    const feed = new LiveFeed('x', silentLogger, new LivePool());
    const viewer = new Viewer();
    feed.subscribe(viewer);
    for (let i = 0; i < 4; i++) {
      feed.begin(false);
      feed.data(new Uint8Array(188));
    }
    expect(viewer.segments.map(({ keyframe }) => keyframe)).toEqual([false, false]);
  });
});
