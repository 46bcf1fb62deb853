/** The damage campaign, short: see damage.ts; `npm run campaign:damage` is the long one. */
import { expect, it } from 'vitest';
import { temporaryFolder } from '../lab.js';
import { campaign } from './damage.js';

it('names random damages, repairs what is recoverable, and what is left plays', async () => {
  const counts = await campaign(await temporaryFolder(), 20, 4711, 40, () => undefined);
  expect(counts.failures).toEqual([]);
  expect(counts.damages).toBe(40);
  expect(counts.named + counts.harmless).toBeGreaterThan(30);
  expect(counts.segmentsAfter).toBeGreaterThan(counts.segmentsBefore * 0.95);
});
