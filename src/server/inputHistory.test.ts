/** What came in the last two minutes (docs/design/page.md, G10), with a clock that is moved. */
import { expect, it } from 'vitest';
import { ManualClock } from '../base/index.js';
import { DVR_DEFAULTS } from '../config/index.js';
import type { RecordingStatus, StreamMetrics } from '../recorder/index.js';
import { HISTORY_LENGTH, InputHistory } from './inputHistory.js';
import { TestPool } from './testPool.js';
import { recordingStatus } from './testStatus.js';

const CONFIG = { enabled: DVR_DEFAULTS.enabled, segmentDuration: 4, retentionSec: 0, maxSizeGb: 0, storagePath: '' };

interface Lab {
  readonly clock: ManualClock;
  readonly pool: TestPool;
  readonly history: InputHistory;
  /** So much comes from now on, for so many samples. */
  comes(code: string, inputBitrate: number, samples?: number): void;
  begin(code: string, change?: Partial<RecordingStatus>): Promise<void>;
}

function lab(): Lab {
  const clock = new ManualClock();
  const pool = new TestPool();
  return {
    clock,
    pool,
    history: new InputHistory(pool, clock),
    comes(code, inputBitrate, samples = 1) {
      pool.counters.set(code, { inputBitrate } as StreamMetrics);
      clock.advance(samples * 5000);
    },
    async begin(code, change = { session: recordingStatus(code, 0).session }) {
      await pool.startRecording(code, '', CONFIG);
      pool.setStatus(code, change);
    },
  };
}

it('G10: holds a value for each 5 s of two minutes, the newest last', async () => {
  const { history, comes, begin } = lab();
  await begin('news');
  expect(history.of('news')).toEqual([]);
  comes('news', 1000.4);
  comes('news', 2000);
  expect(history.of('news')).toEqual([1000, 2000]);
  comes('news', 3000, HISTORY_LENGTH - 1);
  expect(history.of('news')).toEqual([2000, ...Array<number>(HISTORY_LENGTH - 1).fill(3000)]);
  comes('news', 4000);
  expect(history.of('news')).toEqual([...Array<number>(HISTORY_LENGTH - 1).fill(3000), 4000]);
});

it('G10: of a stream whose session broke nothing comes, whatever its recorder said last', async () => {
  const { history, pool, comes, begin } = lab();
  await begin('news');
  comes('news', 1000);
  pool.setStatus('news', { session: undefined });
  comes('news', 1000);
  expect(history.of('news')).toEqual([1000, 0]);
});

it('G10: forgets what is not recorded any more, and begins anew', async () => {
  const { clock, history, pool, comes, begin } = lab();
  await begin('news');
  await begin('sport');
  pool.counters.set('sport', { inputBitrate: 7 } as StreamMetrics);
  comes('news', 1000, 3);
  await pool.stopRecording('news');
  clock.advance(5000);
  expect([history.of('news'), history.of('sport')]).toEqual([[], [7, 7, 7, 7]]);
  await begin('news');
  comes('news', 5000);
  expect(history.of('news')).toEqual([5000]);
});

it('asks nothing more when it is closed', async () => {
  const { history, comes, begin } = lab();
  await begin('news');
  comes('news', 1000);
  await history.close();
  comes('news', 1000, 5);
  expect(history.of('news')).toEqual([1000]);
});
