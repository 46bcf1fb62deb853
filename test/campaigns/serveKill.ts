/**
 * Kills a recorder, the server, and both, ten times each, under viewers ("Seen at the end" 4 of the server's issue).
 *
 *   npm run campaign:serve -- [TIMES]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveKills, VICTIMS } from './serveKillRounds.js';

const times = Number(process.argv[2] ?? 10);
const root = await mkdtemp(join(tmpdir(), 'livetape-servekill-'));
const victims = VICTIMS.flatMap((victim) => Array.from({ length: times }, () => victim));
const { kills, broken } = await serveKills({ root, victims, say: (line) => console.log(line) });
for (const victim of VICTIMS) {
  const own = kills.filter((kill) => kill.victim === victim);
  const of = (read: (kill: (typeof own)[number]) => number): string => {
    const values = own.map(read).sort((a, b) => a - b);
    return `median ${(values[Math.floor(values.length / 2)] ?? 0).toFixed(2)}, most ${(values.at(-1) ?? 0).toFixed(2)}`;
  };
  console.log(
    `${victim}, ${own.length} times: without an answer ms ${of((kill) => kill.unanswered)}; nothing new ms ${of((kill) => kill.stood)}; lost s ${of((kill) => kill.lostSec)}`,
  );
}
for (const line of broken) console.log(`  ${line}`);
console.log(broken.length === 0 ? 'passed' : `FAILED: ${broken.length}`);
await rm(root, { recursive: true, force: true });
process.exitCode = broken.length === 0 ? 0 : 1;
