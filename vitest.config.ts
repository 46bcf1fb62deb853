/**
 * How the tests run: first those beside the code, side by side, in milliseconds each; then those that cross rooms, one file
 * after another, since they record in real time and some judge times to 50 ms. All in processes of their own: they open sockets, start recorders and end them.
 */
import { defineConfig } from 'vitest/config';

const common = { pool: 'forks' as const, testTimeout: 90_000, hookTimeout: 30_000, setupFiles: ['test/fuzzSeed.ts'] };

export default defineConfig({
  test: {
    teardownTimeout: 5_000,
    projects: [
      { test: { ...common, name: 'rooms', include: ['src/**/*.test.ts'], sequence: { groupOrder: 0 } } },
      { test: { ...common, name: 'across', include: ['test/**/*.test.ts'], fileParallelism: false, sequence: { groupOrder: 1 } } },
    ],
  },
});
