/** The power-cut campaign in small: two cuts that lose nothing, and one without the calls that make durable, which does. */
import { describe, expect, it } from 'vitest';
import { whyNoLoopDisk } from './powerCutDisk.js';
import { powerCuts, seeded, whyNoStrace } from './powerCutRounds.js';

const noDisk = await whyNoLoopDisk();
const noStrace = noDisk ?? (await whyNoStrace());
const SEED = 3;

describe('a power cut on ext4', () => {
  it.skipIf(noDisk)(`loses nothing that was promised${noDisk === undefined ? '' : `: ${noDisk}`}`, async () => {
    const lines: string[] = [];
    const { broken, promised } = await powerCuts({ rounds: 2, without: [], random: seeded(SEED), say: (line) => lines.push(line) });
    expect(broken, lines.join('\n')).toEqual([]);
    expect(promised).toBeGreaterThanOrEqual(6);
  });

  it.skipIf(noStrace)(`without fsync and fdatasync loses much${noStrace === undefined ? '' : `: ${noStrace}`}`, async () => {
    const { broken, promised } = await powerCuts({
      rounds: 1,
      without: ['fsync', 'fdatasync'],
      random: seeded(SEED),
      say: () => undefined,
    });
    expect(promised).toBeGreaterThanOrEqual(3);
    expect(broken.length).toBeGreaterThanOrEqual(3);
    expect(broken.join('\n')).toMatch(/was (written|seen)/);
  });
});
