import { expect, it } from 'vitest';
import { ManualClock } from '../base/index.js';
import { Sessions } from './sessions.js';

it('a session is an address and a user agent; it ends 30 s, or three target durations, after the last playlist', () => {
  const clock = new ManualClock();
  const sessions = new Sessions(clock);
  sessions.seen('news', '10.0.0.1', 'VLC', 6);
  sessions.seen('news', '10.0.0.1', 'VLC', 6);
  sessions.seen('news', '10.0.0.1', 'hls.js', 6);
  sessions.seen('news', '10.0.0.2', undefined, 6);
  sessions.seen('sport', '10.0.0.1', 'VLC', 20);
  expect(Object.fromEntries(sessions.counts())).toEqual({ news: 3, sport: 1 });
  clock.advance(20_000);
  sessions.seen('news', '10.0.0.1', 'VLC', 6);
  clock.advance(10_000);
  expect(Object.fromEntries(sessions.counts())).toEqual({ news: 1, sport: 1 });
  clock.advance(20_000);
  expect(Object.fromEntries(sessions.counts())).toEqual({ sport: 1 });
  clock.advance(10_000);
  expect(sessions.counts().size).toBe(0);
});

it('they are bounded: the one that asked longest ago is forgotten', () => {
  const sessions = new Sessions(new ManualClock(), 3);
  for (const address of ['a', 'b', 'c', 'a', 'd']) sessions.seen(address, address, 'x', 6);
  expect([...sessions.counts().keys()]).toEqual(['c', 'a', 'd']);
});
