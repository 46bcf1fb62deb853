/** The media buffer: order, bounds, isolation of subscribers, and what a source's events become. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, isLivetapeError } from '../base/index.js';
import { DEFAULT_QUEUE_BYTES, MediaBuffers, sourceSink, type Mark, type SubscribeOptions } from './index.js';
import { BoundedQueue, MAX_QUEUED_CHUNKS } from './queue.js';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function open(): { clock: ManualClock; buffers: MediaBuffers; buffer: ReturnType<MediaBuffers['open']> } {
  const clock = new ManualClock();
  const buffers = new MediaBuffers({ clock });
  return { clock, buffers, buffer: buffers.open('news') };
}

/** A subscriber that keeps what it hears: numbers for bytes, marks as they are. */
function recorder(options: Partial<SubscribeOptions> = {}): { heard: (number | Mark)[]; errors: unknown[]; options: SubscribeOptions } {
  const heard: (number | Mark)[] = [];
  const errors: unknown[] = [];
  return {
    heard,
    errors,
    options: {
      onData: (chunk) => heard.push(...chunk),
      onMark: (mark) => heard.push(mark),
      onError: (error) => errors.push(error),
      ...options,
    },
  };
}

describe('MediaBuffer', () => {
  it('calls a subscriber that keeps up from within write, with the same bytes and the arrival time', () => {
    const { buffer, clock } = open();
    const calls: { chunk: Uint8Array; arrivalMs: number }[] = [];
    buffer.subscribe({ ...recorder().options, onData: (chunk, arrivalMs) => calls.push({ chunk, arrivalMs }) });
    const chunk = bytes(1, 2, 3);
    buffer.write(chunk);
    expect(calls[0]?.chunk).toBe(chunk);
    expect(calls[0]?.arrivalMs).toBe(clock.nowMs());
    expect(buffer.stats).toEqual({ writtenBytes: 3, subscribers: 1 });
  });

  it('queues copies for a paused subscriber with the time they came at, and delivers them in order with the marks', () => {
    const { buffer, clock } = open();
    const times: number[] = [];
    const { heard, options } = recorder({});
    const subscription = buffer.subscribe({ ...options, onData: (chunk, at) => (heard.push(...chunk), times.push(at)) });
    subscription.pause();
    const startMs = clock.nowMs();
    const shared = Buffer.from([1]);
    buffer.write(shared);
    shared[0] = 99;
    clock.advance(10);
    buffer.mark({ kind: 'session', detail: 'a' });
    buffer.write(bytes(2));
    expect(heard).toEqual([]);
    expect(subscription.queuedBytes).toBe(2);
    clock.advance(10);
    subscription.resume();
    buffer.write(bytes(3));
    expect(heard).toEqual([1, { kind: 'session', detail: 'a' }, 2, 3]);
    expect(times).toEqual([startMs, startMs + 10, startMs + 20]);
    expect(subscription.queuedBytes).toBe(0);
  });

  it('stops delivering when paused from within, and loses nothing', () => {
    const { buffer } = open();
    const { heard, options } = recorder();
    const subscription = buffer.subscribe({ ...options, onData: (chunk) => (heard.push(...chunk), subscription.pause()) });
    buffer.write(bytes(1));
    buffer.write(bytes(2));
    buffer.write(bytes(3));
    expect(heard).toEqual([1]);
    subscription.resume();
    expect(heard).toEqual([1, 2]);
    subscription.resume();
    expect(heard).toEqual([1, 2, 3]);
  });

  it('drops whole chunks beyond the bound, with one overflow mark of the sum where they were', () => {
    const { buffer } = open();
    const { heard, options } = recorder({ maxQueueBytes: 4 });
    const subscription = buffer.subscribe(options);
    subscription.pause();
    buffer.write(bytes(1, 2, 3));
    buffer.write(bytes(4, 5));
    buffer.write(bytes(6, 7, 8));
    buffer.write(bytes(9)); // fits again: what follows a drop is not dropped for that
    buffer.write(bytes(10));
    expect(subscription.droppedBytes).toBe(6);
    subscription.resume();
    expect(heard).toEqual([1, 2, 3, { kind: 'overflow', droppedBytes: 5 }, 9, { kind: 'overflow', droppedBytes: 1 }]);
  });

  it('takes a chunk larger than the bound when nothing waits', () => {
    const { buffer } = open();
    const { heard, options } = recorder({ maxQueueBytes: 2 });
    const subscription = buffer.subscribe(options);
    subscription.pause();
    buffer.mark({ kind: 'session', detail: '' });
    buffer.write(bytes(1, 2, 3));
    subscription.resume();
    expect(heard.slice(1)).toEqual([1, 2, 3]);
  });

  it('bounds what waits by default at 32 MiB', () => {
    const { buffer } = open();
    const subscription = buffer.subscribe(recorder().options);
    subscription.pause();
    const mebibyte = new Uint8Array(1024 * 1024);
    for (let i = 0; i < 33; i++) buffer.write(mebibyte);
    expect(subscription.queuedBytes).toBe(DEFAULT_QUEUE_BYTES);
    expect(subscription.droppedBytes).toBe(mebibyte.length);
  });

  it('closes a subscriber that throws, and the others notice nothing', () => {
    const { buffer } = open();
    const bad = recorder({
      onData: () => {
        throw new Error('broken');
      },
    });
    const good = recorder();
    buffer.subscribe(bad.options);
    buffer.subscribe(good.options);
    buffer.write(bytes(1));
    buffer.write(bytes(2));
    expect(bad.errors).toEqual([new Error('broken')]);
    expect(good.heard).toEqual([1, 2]);
    expect(buffer.stats.subscribers).toBe(1);
  });

  it('keeps the order when a callback writes', () => {
    const { buffer } = open();
    const { heard, options } = recorder();
    buffer.subscribe({
      ...options,
      onData(chunk) {
        heard.push(...chunk);
        if (chunk[0] === 1) buffer.write(bytes(2));
      },
    });
    buffer.write(bytes(1));
    expect(heard).toEqual([1, 2]);
    buffer.write(bytes(3));
    expect(heard).toEqual([1, 2, 3]);
  });

  it('asks a source to wait from half the bound on, for subscribers that hold back alone', async () => {
    const { buffer } = open();
    const lax = buffer.subscribe(recorder({ maxQueueBytes: 2 }).options);
    lax.pause();
    const strict = buffer.subscribe(recorder({ maxQueueBytes: 8, holdsBack: true }).options);
    strict.pause();
    buffer.write(bytes(1, 2, 3));
    expect(buffer.room()).toBeUndefined();
    buffer.write(bytes(4));
    const room = buffer.room();
    expect(room).toBeInstanceOf(Promise);
    expect(buffer.room()).toBe(room);
    strict.resume();
    await room;
    expect(buffer.room()).toBeUndefined();
    strict.pause();
    buffer.write(bytes(1, 2, 3, 4));
    const again = buffer.room();
    strict.close();
    await again;
  });

  it('gives way to the source when it is closed, and tells the end once', async () => {
    const { buffer, buffers } = open();
    const [first, second] = [recorder({ maxQueueBytes: 2, holdsBack: true }), recorder()];
    const paused = buffer.subscribe(first.options);
    paused.pause();
    buffer.subscribe(second.options);
    buffer.write(bytes(1, 2));
    const room = buffer.room();
    await buffer.close();
    await buffer.close();
    await room;
    expect(second.heard).toEqual([1, 2, { kind: 'end', reason: 'the media buffer was closed' }]);
    paused.resume(); // what waited can still be read
    expect(first.heard).toEqual(second.heard);
    expect(() => buffer.write(bytes(3))).toThrowError(expect.objectContaining({ code: 'CLOSED' }));
    expect(buffers.get('news')).toBeUndefined();
  });

  it('does not tell the end again when the source has', async () => {
    const { buffer } = open();
    const { heard, options } = recorder();
    buffer.subscribe(options);
    buffer.mark({ kind: 'end', reason: 'end of file' });
    await buffer.close();
    expect(heard).toEqual([{ kind: 'end', reason: 'end of file' }]);
  });

  it('hands on every byte that it does not count as dropped, in order, whatever the subscriber does', () => {
    const step = fc.oneof(
      fc.record({ write: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ pause: fc.boolean() }),
      fc.record({ mark: fc.constantFrom('session', 'lost') }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (steps, maxQueueBytes) => {
        const { buffer } = open();
        const { heard, options } = recorder({ maxQueueBytes });
        const subscription = buffer.subscribe(options);
        let next = 0;
        for (const action of steps) {
          if ('write' in action) buffer.write(Uint8Array.from({ length: action.write }, () => next++));
          else if ('mark' in action)
            buffer.mark(action.mark === 'session' ? { kind: 'session', detail: '' } : { kind: 'lost', reason: '' });
          else if (action.pause) subscription.pause();
          else subscription.resume();
          if (!subscription.paused) expect(subscription.queuedBytes).toBe(0);
        }
        subscription.resume();
        let at = 0;
        for (const item of heard) {
          if (typeof item === 'number') expect(item).toBe(at++);
          else if (item.kind === 'overflow') at += item.droppedBytes;
        }
        expect(at).toBe(next);
      }),
    );
  });
});

describe('BoundedQueue', () => {
  it('bounds the number of chunks too, whatever their size', () => {
    const queue = new BoundedQueue(DEFAULT_QUEUE_BYTES);
    for (let i = 0; i <= MAX_QUEUED_CHUNKS; i++) queue.pushChunk(bytes(1), 0);
    expect(queue.bytes).toBe(MAX_QUEUED_CHUNKS);
    expect(queue.droppedBytes).toBe(1);
  });

  it('keeps the latest of each kind of mark between two chunks', () => {
    const queue = new BoundedQueue(100);
    for (let i = 0; i < 1000; i++) {
      queue.pushMark({ kind: 'lost', reason: String(i) }, i);
      queue.pushMark({ kind: 'session', detail: String(i) }, i);
    }
    expect([queue.shift()?.mark, queue.shift()?.mark, queue.shift()]).toEqual([
      { kind: 'lost', reason: '999' },
      { kind: 'session', detail: '999' },
      undefined,
    ]);
  });
});

describe('MediaBuffers', () => {
  it('opens a buffer once by its name and closes all', async () => {
    const { buffers, buffer } = open();
    expect(buffers.open('news')).toBe(buffer);
    expect(buffers.get('news')).toBe(buffer);
    expect(buffers.get('sport')).toBeUndefined();
    const sport = buffers.open('sport');
    await buffers.close();
    expect([buffer.closed, sport.closed]).toEqual([true, true]);
    expect(() => buffers.open('news')).toThrowError(expect.objectContaining({ code: 'CLOSED' }));
  });

  it('refuses an empty name', () => {
    try {
      open().buffers.open('');
      expect.unreachable();
    } catch (error) {
      expect(isLivetapeError(error, 'ARGUMENT_INVALID')).toBe(true);
    }
  });
});

describe('sourceSink', () => {
  it('turns what a source says into bytes and marks', async () => {
    const { buffer } = open();
    const { heard, options } = recorder({ maxQueueBytes: 2, holdsBack: true });
    const subscription = buffer.subscribe(options);
    const sink = sourceSink(buffer);
    const failure = new Error('gone');
    sink.connected('127.0.0.1');
    sink.data(bytes(1));
    sink.lost('reset');
    sink.ended('for good', failure);
    expect(heard).toEqual([
      { kind: 'session', detail: '127.0.0.1' },
      1,
      { kind: 'lost', reason: 'reset' },
      { kind: 'end', reason: 'for good', error: failure },
    ]);
    expect(sink.room()).toBeUndefined();
    subscription.pause();
    sink.data(bytes(1, 2));
    expect(sink.room()).toBeInstanceOf(Promise);
    await buffer.close();
    sink.data(bytes(3)); // a source that is a moment behind
    expect(buffer.stats.writtenBytes).toBe(3);
  });
});
