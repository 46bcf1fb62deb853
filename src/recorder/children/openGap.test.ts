/** The gap that goes on, as a server hears of it from recorders that it did not start (docs/design/page.md, G10). */
import { expect, it } from 'vitest';
import { BRIEF, heard, piece, testRoot, until } from '../dvrContract.js';
import { startSender, testPool } from './testPool.js';

it('G10: a gap that goes on is told of by the next server that finds the recorders, until media comes', async () => {
  const root = await testRoot();
  const sender = await startSender();
  const first = await testPool(root, { recorders: 1 });
  const events = heard(first.dvr);
  await first.dvr.startRecording('x', '', { ...BRIEF, segmentDuration: 2 });
  await first.dvr.connect(sender.url, 'x');
  await until('a connection', () => sender.receivers() > 0);
  // so little of it that the silence is a loss (dvrContract.ts)
  await sender.write(piece(0, 0.5));
  await until('silence', () => events.includes('gap opened x signal'));
  await until('a status of it', () => first.dvr.status('x')?.openGap !== undefined);
  const open = first.dvr.status('x')?.openGap;
  expect(open).toEqual({ fromMs: expect.any(Number) as number, reason: 'signal' });
  await first.dvr.detach();
  const second = await testPool(root, { recorders: 1 });
  expect(second.dvr.status('x')?.openGap).toEqual(open);
  await sender.write(piece(40, 46));
  await until('media', () => second.dvr.status('x')?.openGap === undefined);
  await until('the gap', () => second.dvr.status('x')?.lastGap?.reason === 'signal');
});
