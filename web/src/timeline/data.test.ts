import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GapReason, TimelineAnswer } from '../api';
import type { LoadTimeline, View } from './contract';
import { TimelineData } from './data';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 22, 12);
const OLDEST = NOW - 100 * HOUR;
const iso = (ms: number): string => new Date(ms).toISOString();

interface Asked {
  readonly fromMs: number;
  readonly toMs: number;
  readonly points: number;
  readonly signal: AbortSignal;
  resolve(answer: TimelineAnswer): void;
  reject(error: Error): void;
}

/** A server that answers when it is told to. */
class Server {
  readonly asked: Asked[] = [];
  gaps: { fromMs: number; toMs: number; reason: GapReason; count: number }[] = [];
  newestMs: number | undefined = NOW;

  readonly load: LoadTimeline = (fromMs, toMs, points, signal) =>
    new Promise((resolve, reject) => {
      this.asked.push({ fromMs, toMs, points, signal, resolve, reject });
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });

  get last(): Asked {
    const last = this.asked.at(-1);
    if (last === undefined) throw new Error('nothing was asked');
    return last;
  }

  answerTo({ fromMs, toMs }: Asked, isJoined = false): TimelineAnswer {
    const gaps = this.gaps.filter((gap) => gap.toMs > fromMs && gap.fromMs < toMs);
    return {
      stream_code: 'news',
      from: iso(fromMs),
      to: iso(toMs),
      oldest: this.newestMs === undefined ? null : iso(OLDEST),
      newest: this.newestMs === undefined ? null : iso(this.newestMs),
      spans: [],
      gaps: gaps.map((gap) => ({ from: iso(gap.fromMs), to: iso(gap.toMs), reason: gap.reason, count: isJoined ? 2 : gap.count })),
      errors: [],
    };
  }

  async answer(isJoined = false): Promise<void> {
    this.last.resolve(this.answerTo(this.last, isJoined));
    await vi.advanceTimersByTimeAsync(0);
  }
}

const view = (fromHour: number, hours: number): View => ({ fromMs: NOW + fromHour * HOUR, toMs: NOW + (fromHour + hours) * HOUR });

describe('what is known of an archive, and what is asked for (G6)', () => {
  let server: Server;
  let data: TimelineData;
  beforeEach(() => {
    vi.useFakeTimers();
    server = new Server();
    data = new TimelineData(server.load);
  });
  afterEach(() => {
    data.close();
    vi.useRealTimers();
  });
  const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(120);
  const see = async (seen: View, isJoined = false): Promise<void> => {
    data.want(seen, 1280, NOW);
    await settle();
    await server.answer(isJoined);
  };

  it('asks at once for what is seen first, and half as much on each side', async () => {
    const seen = view(-10, 2);
    data.want(seen, 1280, NOW);
    await vi.advanceTimersByTimeAsync(0);
    expect(server.asked).toHaveLength(1);
    expect(server.last.fromMs).toBeLessThanOrEqual(seen.fromMs - HOUR);
    expect(server.last.toMs).toBeGreaterThanOrEqual(seen.toMs + HOUR);
    expect(server.last.toMs - server.last.fromMs).toBeLessThanOrEqual(8 * HOUR);
    expect(server.last.points).toBeGreaterThanOrEqual(1280);
    expect(server.last.points).toBeLessThanOrEqual(2000);
    expect(data.isLoaded).toBe(false);
    await server.answer();
    expect(data).toMatchObject({ isLoaded: true, oldestMs: OLDEST, newestMs: NOW });
    expect(data.facts(seen).known[0]?.fromMs).toBeLessThanOrEqual(seen.fromMs);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.asked).toHaveLength(1);
  });

  it('asks for nothing while it moves within what it has, or zooms within what was not joined', async () => {
    await see(view(-10, 2));
    for (const seen of [view(-9.8, 2), view(-9.5, 1), view(-9.2, 0.01)]) data.want(seen, 1280, NOW);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.asked).toHaveLength(1);
  });

  it('asks again where several gaps were told as one, and shows those meanwhile', async () => {
    server.gaps = [{ fromMs: NOW - 9.1 * HOUR, toMs: NOW - 9 * HOUR, reason: 'signal', count: 1 }];
    await see(view(-10, 2), true);
    const close = view(-9.2, 0.5);
    data.want(close, 1280, NOW);
    expect(data.facts(close).gaps[0]?.count).toBe(2);
    await settle();
    expect(server.asked).toHaveLength(2);
    expect(server.last.toMs - server.last.fromMs).toBeLessThan(3 * HOUR);
    await server.answer();
    expect(data.facts(close).gaps[0]?.count).toBe(1);
  });

  it('has one request at a time, and then one for the newest wish', async () => {
    data.want(view(-10, 2), 1280, NOW);
    await vi.advanceTimersByTimeAsync(0);
    for (const hour of [-30, -50, -70]) {
      data.want(view(hour, 2), 1280, NOW);
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(server.asked).toHaveLength(1);
    await server.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(server.asked).toHaveLength(2);
    expect(server.last.fromMs).toBeLessThanOrEqual(NOW - 70 * HOUR);
    await server.answer();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.asked).toHaveLength(2);
    expect(data.facts(view(-50, 2)).known).toEqual([]);
  });

  it('shows what it has of another zoom and of neighbours', async () => {
    server.gaps = [{ fromMs: NOW - 40 * HOUR, toMs: NOW - 39 * HOUR, reason: 'disk', count: 1 }];
    await see(view(-80, 70));
    const facts = data.facts(view(-41, 4));
    expect(facts.gaps).toHaveLength(1);
    expect(facts.known).toHaveLength(1);
  });

  it('is not asked for what is before the oldest or to come', async () => {
    await see(view(-1, 2));
    data.want(view(-0.5, 2), 1280, NOW);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.asked).toHaveLength(1);
    await see(view(-101, 2));
    data.want(view(-102, 2.2), 1280, NOW);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.asked).toHaveLength(2);
  });

  it('asks for the newest stretch only when it has grown', async () => {
    const seen = view(-0.15, 0.2);
    await see(seen);
    data.want(seen, 1280, NOW + 20_000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(server.asked).toHaveLength(1);
    data.want(seen, 1280, NOW + 31_000);
    await settle();
    expect(server.asked).toHaveLength(2);
    // The server does not know of it yet: it is not asked over and over.
    await server.answer();
    await vi.advanceTimersByTimeAsync(60_000);
    data.want(seen, 1280, NOW + 50_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.asked).toHaveLength(2);
  });

  it('asks again for what is seen when it is old, and shows it until then', async () => {
    const seen = view(-10, 2);
    server.gaps = [{ fromMs: NOW - 9.1 * HOUR, toMs: NOW - 9 * HOUR, reason: 'signal', count: 1 }];
    await see(seen);
    server.gaps = [];
    data.outdate();
    await settle();
    expect(data.facts(seen).gaps).toHaveLength(1);
    expect(server.asked).toHaveLength(2);
    await server.answer();
    expect(data.facts(seen).gaps).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.asked).toHaveLength(2);
  });

  it('what became old while it was asked for is asked for again', async () => {
    data.want(view(-10, 2), 1280, NOW);
    await vi.advanceTimersByTimeAsync(0);
    data.outdate();
    await server.answer();
    await settle();
    expect(server.asked).toHaveLength(2);
  });

  it('keeps what it has while the server is away, and tries again ever more seldom', async () => {
    const seen = view(-10, 2);
    await see(seen);
    const before = data.facts(seen);
    data.outdate();
    await settle();
    const at: number[] = [];
    for (let i = 0; i < 8; i++) {
      const count = server.asked.length;
      at.push(Date.now());
      server.last.reject(new Error('The server does not answer.'));
      await vi.advanceTimersByTimeAsync(0);
      expect(data.problem.value).toBe('The server does not answer.');
      expect(data.facts(seen).known).toEqual(before.known);
      while (server.asked.length === count) await vi.advanceTimersByTimeAsync(500);
    }
    const waits = at.slice(1).map((ms, i) => ms - (at[i] ?? 0));
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    await server.answer();
    expect(data.problem.value).toBeUndefined();
  });

  it('of an archive in which nothing is recorded it is not asked again, until there is something', async () => {
    server.newestMs = undefined;
    data.want(view(-1, 1), 1280, undefined);
    await vi.advanceTimersByTimeAsync(0);
    await server.answer();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.asked).toHaveLength(1);
    expect(data).toMatchObject({ isLoaded: true, oldestMs: undefined, newestMs: undefined });
    expect(data.facts(view(-1, 1)).known).toEqual([]);
    data.want(view(-1, 1), 1280, NOW - HOUR / 2);
    await settle();
    expect(server.asked).toHaveLength(2);
  });

  it('holds two hundred answers', async () => {
    for (let i = 0; i < 260; i++) {
      data.outdate();
      server.newestMs = NOW;
      await see(view(-99 + i * 0.3, 0.01));
    }
    const held = (i: number): number => data.facts(view(-99 + i * 0.3, 0.01)).known.length;
    expect(held(259)).toBe(1);
    expect(held(61)).toBe(1);
    expect(held(58)).toBe(0);
  });

  it('ends its request when it is closed', async () => {
    data.want(view(-10, 2), 1280, NOW);
    await vi.advanceTimersByTimeAsync(0);
    data.close();
    expect(server.last.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.asked).toHaveLength(1);
    expect(data.problem.value).toBeUndefined();
  });

  describe('the next and the previous gap', () => {
    /** Answers as the server does: the nearest are told as one when there are more than so many. */
    function joining(most: number): LoadTimeline {
      return async (fromMs, toMs, points, signal) => {
        signal.throwIfAborted();
        let gaps = server.gaps.filter((gap) => gap.toMs > fromMs && gap.fromMs < toMs);
        while (gaps.length > Math.min(most, points)) {
          let nearest = 1;
          for (let i = 1; i < gaps.length; i++) {
            const between = (j: number): number => (gaps[j]?.fromMs ?? 0) - (gaps[j - 1]?.toMs ?? 0);
            if (between(i) < between(nearest)) nearest = i;
          }
          const [a, b] = [gaps[nearest - 1], gaps[nearest]];
          if (a && b) gaps = gaps.toSpliced(nearest - 1, 2, { ...a, toMs: b.toMs, count: a.count + b.count });
        }
        return {
          ...server.answerTo({ fromMs, toMs } as Asked),
          gaps: gaps.map((gap) => ({ from: iso(gap.fromMs), to: iso(gap.toMs), reason: gap.reason, count: gap.count })),
        };
      };
    }

    beforeEach(async () => {
      server.gaps = Array.from({ length: 90 }, (_, i) => {
        const fromMs = OLDEST + (i + 1) * HOUR + ((i * 7919) % 1000) * 1000;
        return { fromMs, toMs: fromMs + 10_000 + i * 100, reason: 'signal' as const, count: 1 };
      });
      await see(view(-10, 2));
    });

    it('are found wherever they are, though the server tells several as one', async () => {
      const finder = new TimelineData(joining(8));
      finder.want(view(-10, 2), 1280, NOW);
      await vi.advanceTimersByTimeAsync(0);
      for (const i of [1, 17, 50, 88]) {
        const gap = server.gaps[i];
        const ms = (gap?.toMs ?? 0) + 60_000;
        expect((await finder.findGap('previous', ms))?.seekMs).toBe((gap?.fromMs ?? 0) - 3000);
        const next = server.gaps[i + 1];
        expect((await finder.findGap('next', ms))?.seekMs).toBe((next?.fromMs ?? 0) - 3000);
      }
      finder.close();
    });

    it('are none before the first and after the last', async () => {
      const finder = new TimelineData(joining(8));
      finder.want(view(-10, 2), 1280, NOW);
      await vi.advanceTimersByTimeAsync(0);
      expect(await finder.findGap('previous', OLDEST + 1000)).toBeUndefined();
      expect(await finder.findGap('next', NOW - 1000)).toBeUndefined();
      finder.close();
    });
  });
});
