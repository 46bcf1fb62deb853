/**
 * The kill campaign ("Seen at the end" 1): a recording with retention is killed again and again, and started again each time.
 *
 *   npm run campaign:kill -- [ROUNDS] [SEED]
 *
 * About four seconds a round.
 */
import { kills } from './killRounds.js';
import { seeded } from './powerCutRounds.js';

const rounds = Number(process.argv[2] ?? 100);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const say = (line: string): void => console.log(line);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

say(`${rounds} kills, seed ${seed}`);
const { broken, runs, lostMs, segments, versions, pruned, entered } = await kills({ rounds, random: seeded(seed), say });
const lost = lostMs.filter((ms) => ms !== undefined).sort((a, b) => a - b);
const at = (part: number): string => `${Math.round(lost[Math.min(lost.length - 1, Math.floor(part * lost.length))] ?? 0)} ms`;
say(`${segments} segments in ${versions} versions of the playlist, ${pruned} of them pruned; ${entered} starts that healed something`);
say(
  `lost of what was received: ${at(0.5)} half of the time, at most ${at(1)}; ${runs.length - lost.length} kills before anything was recorded`,
);
for (const line of broken) say(`  ${line}`);
say(broken.length === 0 ? 'passed' : `FAILED: ${broken.length}`);
process.exitCode = broken.length === 0 ? 0 : 1;
