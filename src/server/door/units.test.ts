/** Addresses and rates, by themselves. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ManualClock } from '../../base/index.js';
import { addressMatcher, clientOf } from './address.js';
import { RateLimiter } from './rate.js';

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80::/64'],
  ['::1', '::/64'],
  ['', ''],
  ['unknown', 'unknown'],
  ['1.2.3', '1.2.3'],
])('a client at %s is counted as %s', (address, client) => expect(clientOf(address)).toBe(client));

it('whatever an address is, it has a client and is matched without an error', () => {
  const within = addressMatcher(() => ['10.0.0.0/8', 'nonsense', '::1']);
  const address = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.ipV4Extended());
  fc.assert(fc.property(address, (text) => typeof clientOf(text) === 'string' && typeof within(text) === 'boolean'));
});

it('a network is matched in whatever way the address is written; none is in no list', () => {
  let networks: readonly string[] = ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'];
  const within = addressMatcher(() => networks);
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1', '192.0.2.1']) expect(within(address), address).toBe(true);
  for (const address of ['11.0.0.1', '2001:db9::1', '192.0.2.2', '', 'x']) expect(within(address), address).toBe(false);
  networks = [];
  expect(within('10.1.2.3')).toBe(false);
});

it('over any time no more comes through than the burst and what is due, and who keeps to the rate is never refused', () => {
  const steps = fc.array(fc.nat(3000), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 50 }), (waits, count) => {
      const clock = new ManualClock();
      const limiter = new RateLimiter(clock, () => ({ count, periodMs: 10_000 }));
      let [passed, atMs] = [0, 0];
      for (const wait of waits) {
        clock.advance(wait);
        atMs += wait;
        if (limiter.count('a')) passed += 1;
        expect(passed).toBeLessThanOrEqual(count + Math.ceil((atMs * count) / 10_000));
      }
      clock.advance(20_000);
      for (let n = 0; n < 2 * count; n++) {
        expect(limiter.count('a')).toBe(true);
        clock.advance(10_000 / count);
      }
    }),
  );
});

it('memory is bounded, and falls again', () => {
  const clock = new ManualClock();
  const limiter = new RateLimiter(clock, () => ({ count: 10, periodMs: 1000 }), 100);
  for (let n = 0; n < 10_000; n++) limiter.count(`address ${n}`);
  expect(limiter.size).toBe(100);
  clock.advance(1000);
  for (let n = 0; n < 100; n++) limiter.count('one');
  expect(limiter.size).toBeLessThan(5);
});
