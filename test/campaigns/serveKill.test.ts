/** The campaign that kills parts of a server, in short: each part once. `npm run campaign:serve` is the long one. */
import { expect, it } from 'vitest';
import { temporaryFolder } from '../lab.js';
import { serveKills, VICTIMS } from './serveKillRounds.js';

it('kill -9 of a recorder, of the server, of both: what was listed stays, viewers go on, and the server alone costs nothing', async () => {
  const said: string[] = [];
  const { kills, broken } = await serveKills({ root: await temporaryFolder(), victims: VICTIMS, say: (line) => said.push(line) });
  expect(broken, said.join('\n')).toEqual([]);
  expect(kills.map(({ victim }) => victim)).toEqual([...VICTIMS]);
  // a recorder that is killed is noticed, and told
  expect(kills.filter(({ victim }) => victim !== 'server').every(({ discontinuities }) => discontinuities > 0)).toBe(true);
}, 180_000);
