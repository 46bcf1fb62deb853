/** The full-disk campaign in small: a disk that is full within seconds, with and without care for its free space, side by side. */
import { describe, expect, it } from 'vitest';
import { faultsOf, fullDiskRound } from './fullDiskRound.js';
import { whyNoLoopDisk } from './powerCutDisk.js';

const noDisk = await whyNoLoopDisk();
/** Three target durations of both streams, which stay in any case, are 13 MB; 19 MB can be used. */
const ROUND = { megabytes: 32, seconds: 24, bitrate: 4_000_000 };

describe.concurrent('a disk that fills while two streams record on it', () => {
  it.skipIf(noDisk)(
    `without --min-free: they fail, keep what they have, and go on when there is room${noDisk === undefined ? '' : `: ${noDisk}`}`,
    async () => {
      const report = await fullDiskRound({ ...ROUND, minFreeMb: 0 });
      expect(faultsOf(report, false)).toEqual([]);
      for (const { gaps } of report.small) expect(gaps.length).toBeGreaterThan(0);
    },
  );

  it.skipIf(noDisk)(`with --min-free: the oldest goes, nothing is lost${noDisk === undefined ? '' : `: ${noDisk}`}`, async () => {
    // With 3 MB the disk came to its last free byte (nothing was lost): files in their grace count as free. Whether that is all is open.
    const report = await fullDiskRound({ ...ROUND, minFreeMb: 6 });
    expect(faultsOf(report, true)).toEqual([]);
    expect(report.leastFreeBytes).toBeGreaterThan(0);
  });
});
