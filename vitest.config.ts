/**
 * How the tests run: those beside the code and those that cross rooms, in processes of their own, since some of them
 * open sockets, start recorders or end them. The timeout is for what records in real time; a unit test takes milliseconds.
 */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 90_000,
    hookTimeout: 30_000,
    teardownTimeout: 5_000,
    sequence: { concurrent: false },
  },
});
