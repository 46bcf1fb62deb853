import { expect, it } from 'vitest';
import { ManualClock } from '../base/index.js';
import { Sessions } from './sessions.js';

const session = (code: string, address: string, agent?: string, targetDurationSec = 6) => ({ code, address, agent, targetDurationSec });

it('a session is an address and a user agent; it ends 30 s, or three target durations, after the last playlist', () => {
  const clock = new ManualClock();
  const sessions = new Sessions(clock, () => ({ all: 100, perAddress: 100 }));
  sessions.seen(session('news', '10.0.0.1', 'VLC'));
  sessions.seen(session('news', '10.0.0.1', 'VLC'));
  sessions.seen(session('news', '10.0.0.1', 'hls.js'));
  sessions.seen(session('news', '10.0.0.2'));
  sessions.seen(session('sport', '10.0.0.1', 'VLC', 20));
  expect(Object.fromEntries(sessions.counts())).toEqual({ news: 3, sport: 1 });
  clock.advance(20_000);
  sessions.seen(session('news', '10.0.0.1', 'VLC'));
  clock.advance(10_000);
  expect(Object.fromEntries(sessions.counts())).toEqual({ news: 1, sport: 1 });
  clock.advance(20_000);
  expect(Object.fromEntries(sessions.counts())).toEqual({ sport: 1 });
  clock.advance(10_000);
  expect(sessions.counts().size).toBe(0);
});

it('L2: beyond the limit nobody comes, and who is there goes on; when somebody has gone there is room', () => {
  const clock = new ManualClock();
  let all = 3;
  const sessions = new Sessions(clock, () => ({ all, perAddress: 100 }));
  expect(['a', 'b', 'c', 'd', 'a'].map((address) => sessions.seen(session('news', address)))).toEqual([true, true, true, false, true]);
  expect(sessions.size).toBe(3);
  all = 4;
  expect(sessions.seen(session('news', 'd'))).toBe(true);
  clock.advance(29_000);
  sessions.seen(session('news', 'b'));
  clock.advance(1000);
  expect(['e', 'f', 'g', 'h'].map((address) => sessions.seen(session('news', address)))).toEqual([true, true, true, false]);
});

it('L2: one address does not take the room of all, whatever it calls itself; an IPv6 /64 is one address', () => {
  const sessions = new Sessions(new ManualClock(), () => ({ all: 100, perAddress: 2 }));
  expect([1, 2, 3].map((n) => sessions.seen(session('news', '10.0.0.1', `agent ${n}`)))).toEqual([true, true, false]);
  expect([1, 2, 3].map((n) => sessions.seen(session('news', `2001:db8:1:2::${n}`)))).toEqual([true, true, false]);
  expect(sessions.seen(session('news', '2001:db8:1:3::1'))).toBe(true);
});
