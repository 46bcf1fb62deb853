/** The kill campaign in short: each kind of moment, a few times. `npm run campaign:kill` is the long one. */
import { expect, it } from 'vitest';
import { kills } from './killRounds.js';
import { seeded } from './powerCutRounds.js';

it('a recording with retention survives kill -9: nothing listed is lost, little of what was received, and all of it is told', async () => {
  const said: string[] = [];
  const seed = Date.now() % 1_000_000;
  const { broken, segments, lostMs } = await kills({ rounds: 6, random: seeded(seed), say: (line) => said.push(line) });
  expect(broken, `seed ${seed}\n${said.join('\n')}`).toEqual([]);
  expect(segments).toBeGreaterThan(4);
  expect(lostMs.some((ms) => ms !== undefined)).toBe(true);
}, 120_000);
