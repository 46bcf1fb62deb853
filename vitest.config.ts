/**
 * How the tests run: first those beside the code, side by side; then those that cross rooms, three files at a time; then live streams and campaigns, three
 * at a time too, since most of what they do is wait; then, one after another, those that judge times to 50 ms or load the machine.
 * All in processes of their own: they open sockets, start recorders and end them.
 */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const common = { pool: 'forks' as const, testTimeout: 90_000, hookTimeout: 30_000, setupFiles: ['test/fuzzSeed.ts'] };

/** Judge times, or load the machine until it is busy. */
const TIMED = ['test/faults.test.ts', 'test/campaigns/hostile.test.ts'];
/** Wait for streams that run at their own speed, and for recorders that are killed and start again. */
const LIVE = ['test/record.test.ts', 'test/sameMedia.test.ts', 'test/campaigns/**/*.test.ts'];

/** Files that take longest: begun last, they would run alone at the end. */
const LONGEST = [
  'serve.players',
  'recorders',
  'browser',
  'serve.playlists',
  'hooks',
  'paths',
  'ownership',
  'fullDisk',
  'kill',
  'sameMedia',
  'connections',
];

/** Of each project's files the longest first, the others as vitest has them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    teardownTimeout: 5_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...common,
          name: 'rooms',
          include: ['src/**/*.test.ts', 'web/src/**/*.test.ts'],
          maxWorkers: Math.max(3, availableParallelism()),
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: 'across',
          include: ['test/**/*.test.ts'],
          exclude: [...LIVE, ...TIMED],
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...common, name: 'live', include: LIVE, exclude: TIMED, maxWorkers: 3, sequence: { groupOrder: 2 } } },
      { test: { ...common, name: 'timed', include: TIMED, fileParallelism: false, sequence: { groupOrder: 3 } } },
    ],
  },
});
