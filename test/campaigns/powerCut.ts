/**
 * The power-cut campaign: three streams on an ext4 disk whose power is cut again and again; nothing that was promised may be lost. Then the
 * same without the calls that make durable (all of them; those of data alone), which has to lose something, or the test could not see a loss.
 *
 *   npm run campaign:power -- [ROUNDS] [SEED]
 *
 * Linux, root, a loop device, mkfs.ext4, perl, strace. About seven seconds a round.
 */
import { whyNoLoopDisk } from './powerCutDisk.js';
import { powerCuts, seeded, whyNoStrace } from './powerCutRounds.js';

/** Each on a disk of its own, since nothing can go on from what is lost. */
const ROUNDS_WITHOUT = 3;

const rounds = Number(process.argv[2] ?? 20);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const say = (line: string): void => console.log(line);
// so that a disk is unmounted whatever ends this
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

const missing = (await whyNoLoopDisk()) ?? (await whyNoStrace());
if (missing !== undefined) {
  say(`skipped: it ${missing}`);
} else {
  say(`${rounds} power cuts, seed ${seed}`);
  const random = seeded(seed);
  const kept = await powerCuts({ rounds, without: [], random, say });
  for (const line of kept.broken) say(`  ${line}`);
  say(`with fsync: ${rounds} cuts, ${kept.promised} segments promised, ${kept.broken.length} broken, ${kept.early} seen early`);
  let good = kept.broken.length === 0;
  for (const without of [['fsync', 'fdatasync'], ['fdatasync']] as const) {
    let losing = 0;
    for (let round = 0; round < ROUNDS_WITHOUT; round++) {
      const { broken } = await powerCuts({ rounds: 1, without, random, say });
      if (broken.length > 0) losing += 1;
      say(`  ${broken[0] ?? 'nothing was lost'}${broken.length > 1 ? `, and ${broken.length - 1} more` : ''}`);
    }
    say(`without ${without.join(' and ')}: ${losing} of ${ROUNDS_WITHOUT} cuts lost something`);
    good &&= losing === ROUNDS_WITHOUT;
  }
  say(good ? 'passed' : 'FAILED');
  process.exitCode = good ? 0 : 1;
}
