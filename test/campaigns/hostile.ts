/**
 * Hostile traffic against a server, for a minute: 1,000 sockets that send a byte a second, 1,000 that read one, 10,000 logins a second, bombs ("Seen at the end" of the door's issue).
 *
 *   npm run campaign:hostile -- [SECONDS [SOCKETS [LOGINS A SECOND]]]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostile } from './hostileRounds.js';

const [seconds = 60, sockets = 1000, loginsPerSecond = 10_000] = process.argv.slice(2).map(Number);
const root = await mkdtemp(join(tmpdir(), 'livetape-hostile-'));
const { broken } = await hostile({ root, quietSec: 20, seconds, sockets, loginsPerSecond, say: (line) => console.log(line) });
for (const line of broken) console.log(`  ${line}`);
console.log(broken.length === 0 ? 'passed' : `FAILED: ${broken.length}`);
await rm(root, { recursive: true, force: true });
process.exitCode = broken.length === 0 ? 0 : 1;
