/** Hostile traffic against a server, in short. `npm run campaign:hostile` is the long one. */
import { expect, it } from 'vitest';
import { LONG, temporaryFolder } from '../lab.js';
import { BOMBS } from './hostileBombs.js';
import { hostile } from './hostileRounds.js';

/** What the server may take, whatever comes; megabytes. In peace it is about 150. */
const MOST_MB = 700;

it('L1 to L3: slow senders and readers, wrong credentials and bombs: the recording loses nothing, a viewer sees no error, memory is bounded, nothing is new on the disk', async () => {
  const said: string[] = [];
  const size = LONG
    ? { quietSec: 20, seconds: 60, sockets: 1000, loginsPerSecond: 10_000 }
    : { quietSec: 3, seconds: 15, sockets: 150, loginsPerSecond: 1000 };
  const { attack, loud, residentMb, broken } = await hostile({ root: await temporaryFolder(), ...size, say: (line) => said.push(line) });
  expect(broken, said.join('\n')).toEqual([]);
  expect(loud.answers, said.join('\n')).toBeGreaterThan(size.seconds / 2);
  expect(residentMb.most, said.join('\n')).toBeLessThan(MOST_MB);
  // the attack was one
  expect(attack.bombs).toBeGreaterThanOrEqual(BOMBS.length);
  expect(attack.readersOpen).toBeGreaterThan(size.sockets / 2);
  expect(attack.sendersClosed).toBeGreaterThan(0);
  expect(Object.keys(attack.logins)).toContain('401');
}, 240_000);
