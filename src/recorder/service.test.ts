/** The service in this process: its contract, and what takes a clock or a medium that is moved by hand: gaps, trouble, and that one stream's stays its own. */
import { describe, expect, it } from 'vitest';
import { faultyStorage } from '../../test/faultyStorage.js';
import { TsBuilder } from '../../test/tsBuilder.js';
import { isLivetapeError, silentLogger, systemClock, type ErrorCode } from '../base/index.js';
import { MediaBuffers } from '../buffer/index.js';
import { createMemoryStorage, openFolder, openFsStorage } from '../storage/index.js';
import { dvrContract, heard } from './dvrContract.js';
import { InProcessDvrService } from './service.js';
import { CONFIG, joined, play, segmentsOf, settle, testService } from './testService.js';

const builder = new TsBuilder();
builder.stream({ seconds: 60, frameBytes: 400, keyframeBytes: 2000 });
const MINUTE = builder.bytes();
const piece = (fromSec: number, toSec: number): Uint8Array =>
  MINUTE.subarray(188 * Math.floor((builder.packets.length * fromSec) / 60), 188 * Math.floor((builder.packets.length * toSec) / 60));

async function code(promise: Promise<unknown>): Promise<ErrorCode | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => (isLivetapeError(error) ? error.code : undefined),
  );
}

dvrContract('in process', async (root) => {
  const options = { clock: systemClock, log: silentLogger };
  const buffers = new MediaBuffers(options);
  const dvr = new InProcessDvrService({
    ...options,
    storage: openFsStorage(root, options),
    buffers,
    openRoot: (path) => openFsStorage(path, options),
    openFolder: (segmentDir) => openFolder(segmentDir, options),
  });
  return {
    dvr,
    feed: async (bufferId) => {
      const buffer = buffers.open(bufferId);
      return {
        write: async (bytes) => {
          buffer.write(bytes);
          await buffer.room();
        },
      };
    },
  };
});

describe('a start', () => {
  it('is refused on a medium that cannot be written to, or is full', async () => {
    for (const [errno, expected] of [
      ['EROFS', 'STORAGE_UNWRITABLE'],
      ['ENOSPC', 'DISK_FULL'],
      ['EIO', 'STORAGE_FAILED'],
    ] as const) {
      const service = testService(faultyStorage(createMemoryStorage(), { at: 0, times: 1, errno, how: 'before' }));
      expect(await code(service.dvr.startRecording('x', '', CONFIG))).toBe(expected);
      expect(service.dvr.isRecording('x')).toBe(false);
      expect(await code(service.dvr.startRecording('x', '', CONFIG))).toBeUndefined();
      await service.dvr.close();
    }
  });
});

describe('a recording', () => {
  it('says what happens, in order', async () => {
    const service = testService();
    const events = heard(service.dvr);
    const buffer = service.buffers.open('x');
    await service.dvr.startRecording('x', '', CONFIG);
    await play(service, buffer, piece(0, 14), 14);
    service.clock.advance(20_000);
    await settle();
    expect(service.dvr.status('x')?.session?.signal).toBe('lost');
    await play(service, buffer, piece(40, 50), 10);
    const recording = await service.dvr.stopRecording('x');
    expect(recording).toMatchObject({ id: 'x', status: 'stopped' });
    expect(events.filter((event) => !event.startsWith('segment'))).toEqual([
      'started x',
      'gap opened x signal',
      'gap closed x signal',
      'stopped x',
    ]);
    expect(events.filter((event) => event.startsWith('segment')).length).toBe((await segmentsOf(service.storage, 'x')).length);
    expect(events.indexOf('gap opened x signal')).toBeLessThan(events.indexOf('gap closed x signal'));
  });

  it('that is closed is resumed; one that was stopped begins a new life', async () => {
    const first = testService();
    await first.dvr.startRecording('x', '', CONFIG);
    await play(first, first.buffers.open('x'), piece(0, 10), 10);
    await first.dvr.close();
    const second = testService(first.storage, first.clock);
    await second.dvr.startRecording('x', '', CONFIG);
    first.clock.advance(5000);
    await play(second, second.buffers.open('x'), piece(20, 30), 10);
    await second.dvr.stopRecording('x');
    const text = async (): Promise<string> => new TextDecoder().decode(await first.storage.stream('x').readJournal(0, 1e9));
    expect(await text()).toContain('life=1');
    expect(await text()).toMatch(/ENDLIST\n$/);
    expect((await text()).match(/why=restart/g)).toHaveLength(1);
    await second.dvr.startRecording('x', '', CONFIG);
    await play(second, second.buffers.open('x'), piece(40, 50), 10);
    await second.dvr.stopRecording('x');
    expect(await text()).toContain('life=2');
    expect((await text()).match(/^#EXT-X-DISCONTINUITY$/gm)).toHaveLength(2);
    expect((await text()).match(/why=restart/g)?.length).toBe(1); // it was stopped for no time at all
  });

  it('drops what does not fit into its queue, and calls it a gap with reason overflow', async () => {
    const storage = createMemoryStorage();
    let open: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const slow = {
      ...storage,
      location: storage.location,
      list: () => storage.list(),
      stream: (name: string) => {
        const place = storage.stream(name);
        const put = place.put.bind(place);
        place.put = (file) => {
          const upload = put(file);
          const write = upload.write.bind(upload);
          upload.write = async (bytes) => gate.then(() => write(bytes));
          return upload;
        };
        return place;
      },
    };
    const service = testService(slow);
    const buffer = service.buffers.open('x');
    await service.dvr.startRecording('x', '', CONFIG);
    const big = new TsBuilder();
    big.stream({ seconds: 60, frameBytes: 40_000, keyframeBytes: 200_000 });
    for (const packets = big.bytes(), state = { at: 0 }; state.at < packets.length; state.at += 188 * 140) {
      buffer.write(packets.subarray(state.at, state.at + 188 * 140));
      service.clock.advance((60_000 * 188 * 140) / packets.length);
    }
    expect(service.dvr.status('x')?.session?.droppedBytes).toBeGreaterThan(1_000_000);
    open?.();
    await settle();
    await play(service, buffer, piece(50, 60), 10);
    await service.dvr.stopRecording('x');
    const text = new TextDecoder().decode(await storage.stream('x').readJournal(0, 1e9));
    expect(text).toContain('why=overflow');
  });
});

describe('trouble', () => {
  it('of the medium in the middle is a gap with reason disk; the recording goes on and says so', async () => {
    const storage = faultyStorage(createMemoryStorage());
    const service = testService(storage);
    const events = heard(service.dvr);
    const [x, y] = [service.buffers.open('x'), service.buffers.open('y')];
    await service.dvr.startRecording('x', '', CONFIG);
    await play(service, x, piece(0, 10), 10);
    storage.plan = { at: storage.operations.length, times: 40, errno: 'ENOSPC', how: 'before' };
    await play(service, x, piece(10, 25), 15);
    expect(service.dvr.status('x')?.recording.status).toBe('failed');
    expect(service.dvr.status('x')?.error?.code).toBe('DISK_FULL');
    storage.plan = undefined;
    await service.dvr.startRecording('y', '', CONFIG);
    await Promise.all([play(service, x, piece(25, 40), 15), play(service, y, piece(0, 15), 15)]);
    expect(service.dvr.status('x')?.recording.status).toBe('recording');
    await service.dvr.stopRecording('x');
    await service.dvr.stopRecording('y');
    expect(events.filter((event) => /started|failed/.test(event))).toEqual(['started x', 'failed x DISK_FULL', 'started y', 'started x']);
    const text = new TextDecoder().decode(await storage.stream('x').readJournal(0, 1e9));
    expect(text).toContain('why=disk');
    await segmentsOf(storage, 'x');
    expect((await joined(storage, 'y')).equals(Buffer.from(piece(0, 15)))).toBe(true);
  });

  it('that breaks a session ends in another one, and reaches no other stream', async () => {
    const service = testService();
    const events = heard(service.dvr);
    const [x, y] = [service.buffers.open('x'), service.buffers.open('y')];
    await service.dvr.startRecording('x', '', CONFIG);
    await service.dvr.startRecording('y', '', CONFIG);
    await play(service, x, piece(0, 10), 10);
    // A fault in the middle of a session's work: here its clock breaks.
    const monotonicMs = service.clock.monotonicMs.bind(service.clock);
    service.clock.monotonicMs = () => {
      throw new Error('broken');
    };
    x.write(piece(10, 25));
    service.clock.monotonicMs = monotonicMs;
    await settle();
    expect(events).toContain('failed x INVARIANT_BROKEN');
    expect(service.dvr.isRecording('x')).toBe(true);
    service.clock.advance(2000);
    await settle();
    await Promise.all([play(service, x, piece(30, 45), 15), play(service, y, piece(30, 45), 15)]);
    expect(service.dvr.status('x')?.restarts).toBe(1);
    await service.dvr.stopRecording('x');
    await service.dvr.stopRecording('y');
    const text = new TextDecoder().decode(await service.storage.stream('x').readJournal(0, 1e9));
    expect(text).toContain('why=restart');
    expect((await joined(service.storage, 'y')).length).toBeGreaterThan(0.9 * piece(30, 45).length);
  });
});

describe('ends and beginnings that meet', () => {
  it('a stop whose last segment cannot be stored says so', async () => {
    const storage = faultyStorage(createMemoryStorage());
    const service = testService(storage);
    await service.dvr.startRecording('x', '', CONFIG);
    await play(service, service.buffers.open('x'), piece(0, 10), 10);
    storage.plan = { at: storage.operations.length, times: 100, errno: 'ENOSPC', how: 'before' };
    expect(await code(service.dvr.stopRecording('x'))).toBe('DISK_FULL');
    expect(service.dvr.isRecording('x')).toBe(false);
    storage.plan = undefined;
    await service.dvr.startRecording('x', '', CONFIG);
    await service.dvr.close();
  });

  it('a close waits for starts that are under way', async () => {
    const storage = faultyStorage(createMemoryStorage());
    const service = testService(storage);
    const started = code(service.dvr.startRecording('x', '', CONFIG));
    await service.dvr.close();
    const operations = storage.operations.length;
    expect(await started).toBe('CLOSED');
    await settle();
    expect(storage.operations.length).toBe(operations);
  });

  it('a buffer that is closed and made anew is read again', async () => {
    const service = testService();
    await service.dvr.startRecording('x', '', CONFIG);
    await play(service, service.buffers.open('x'), piece(0, 10), 10);
    await service.buffers.open('x').close();
    await settle();
    expect(service.dvr.status('x')?.error?.code).toBe('CLOSED');
    service.clock.advance(2000);
    await settle();
    await play(service, service.buffers.open('x'), piece(30, 45), 15);
    expect(service.dvr.status('x')?.recording.status).toBe('recording');
    await service.dvr.stopRecording('x');
    expect((await segmentsOf(service.storage, 'x')).length).toBeGreaterThan(5);
  });

  it('another source may be connected from within a listener that hears of the end of the first', async () => {
    const service = testService();
    const buffer = service.buffers.open('x');
    service.dvr.on('source.ended', () => {
      buffer.mark({ kind: 'source_switch' });
      buffer.write(piece(20, 21));
    });
    await service.dvr.startRecording('x', '', CONFIG);
    await play(service, buffer, piece(0, 10), 10);
    buffer.mark({ kind: 'end', reason: 'over' });
    await play(service, buffer, piece(21, 35), 14);
    await service.dvr.stopRecording('x');
    expect((await joined(service.storage, 'x')).length).toBeGreaterThan(0.9 * piece(11, 35).length);
  });
});
