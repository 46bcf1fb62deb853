/**
 * How the tests run: first those beside the code, side by side; then those that cross rooms, three files at a time, since most of them wait for what is
 * live; then, one after another, those that judge times to 50 ms or load the machine. All in processes of their own: they open sockets, start recorders and end them.
 */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const common = { pool: 'forks' as const, testTimeout: 90_000, hookTimeout: 30_000, setupFiles: ['test/fuzzSeed.ts'] };

/** Judge times, or have faults of the machine's own. */
const TIMED = ['test/record.test.ts', 'test/faults.test.ts', 'test/campaigns/**/*.test.ts'];

export default defineConfig({
  test: {
    teardownTimeout: 5_000,
    projects: [
      {
        test: {
          ...common,
          name: 'rooms',
          include: ['src/**/*.test.ts'],
          maxWorkers: Math.max(3, availableParallelism()),
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...common, name: 'across', include: ['test/**/*.test.ts'], exclude: TIMED, maxWorkers: 3, sequence: { groupOrder: 1 } } },
      { test: { ...common, name: 'timed', include: TIMED, fileParallelism: false, sequence: { groupOrder: 2 } } },
    ],
  },
});
