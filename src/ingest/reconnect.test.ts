/** The backoff: its bounds, its jitter, when it starts anew; and the limit of silence. */
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../base/index.js';
import { BACKOFF_CAP_MS, Reconnect, STABLE_AFTER_MS } from './reconnect.js';
import { SilenceTimer } from './silence.js';

describe('Reconnect', () => {
  it('doubles from 250 ms to the cap, and begins each attempt when its delay is over', () => {
    const clock = new ManualClock();
    let attempts = 0;
    const reconnect = new Reconnect(
      clock,
      () => attempts++,
      () => 1,
    );
    const delays = Array.from({ length: 8 }, (_, at) => {
      const delayMs = reconnect.retry();
      clock.advance(delayMs - 1);
      expect(attempts).toBe(at);
      clock.advance(1);
      expect(attempts).toBe(at + 1);
      return delayMs;
    });
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 8000, BACKOFF_CAP_MS, BACKOFF_CAP_MS]);
  });

  it('takes off up to half by chance', () => {
    const delays = [0, 0.5, 0.999].map((chance) =>
      new Reconnect(
        new ManualClock(),
        () => undefined,
        () => chance,
      ).retry(),
    );
    expect(delays).toEqual([125, 187.5, expect.closeTo(249.9, 1)]);
  });

  it('starts anew after a connection that delivered for some seconds, and only then', () => {
    const clock = new ManualClock();
    const reconnect = new Reconnect(
      clock,
      () => undefined,
      () => 1,
    );
    for (let i = 0; i < 5; i++) reconnect.retry();
    reconnect.flowing();
    clock.advance(STABLE_AFTER_MS - 1);
    reconnect.flowing();
    expect(reconnect.retry()).toBe(8000);
    reconnect.flowing();
    clock.advance(STABLE_AFTER_MS);
    expect(reconnect.retry()).toBe(250);
  });

  it('begins no attempt after stop', () => {
    const clock = new ManualClock();
    let attempts = 0;
    const reconnect = new Reconnect(clock, () => attempts++);
    reconnect.retry();
    reconnect.stop();
    clock.advance(BACKOFF_CAP_MS);
    expect(attempts).toBe(0);
  });
});

describe('SilenceTimer', () => {
  it('fires once, a full limit after the last touch', () => {
    const clock = new ManualClock();
    const firedAtMs: number[] = [];
    const silence = new SilenceTimer(clock, 1000, () => firedAtMs.push(clock.monotonicMs()));
    silence.start();
    clock.advance(700);
    silence.touch();
    clock.advance(5000);
    expect(firedAtMs).toEqual([1700]);
    silence.start();
    silence.stop();
    clock.advance(5000);
    expect(firedAtMs).toEqual([1700]);
  });
});
