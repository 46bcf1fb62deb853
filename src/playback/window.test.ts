import { describe, expect, it } from 'vitest';
import { isLivetapeError, type ErrorCode } from '../base/index.js';
import { START_MS, entryAt, timelineOf } from './testTimeline.js';
import { findWindow, isPast } from './window.js';

/** Four segments, a gap from 16 s to 40 s, two segments, up to 48 s; media sequences from 100. */
const list = [0, 4, 8, 12, 40, 44].map((seconds, index) => entryAt(seconds, { mediaSequence: 100 + index, discontinuity: seconds === 40 }));
const live = timelineOf(list);
const at = (seconds: number): number => START_MS + seconds * 1000;

async function find(from: number, to: number, now: number, timeline = live): Promise<[number, number]> {
  const { fromSequence, toSequence } = await findWindow(timeline, at(from), at(to), at(now));
  return [fromSequence, toSequence];
}

async function refused(window: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error: unknown = await window.then(
    (answer) => answer,
    (cause: unknown) => cause,
  );
  expect(isLivetapeError(error) ? error.code : error).toBe(code);
}

describe('P7: the entries of a window', () => {
  it.each([
    ['whole segments', 4, 12, [101, 103]],
    ['parts of segments', 5, 9, [101, 103]],
    ['a moment within one', 5, 5.001, [101, 102]],
    ['what ends where it begins is not in it', 4, 5, [101, 102]],
    ['what begins where it ends is not in it', 3, 4, [100, 101]],
    ['before the first and into it', -100, 1, [100, 101]],
    ['across the gap', 14, 41, [103, 105]],
    ['from the gap on', 20, 41, [104, 105]],
    ['into the gap', 13, 30, [103, 104]],
    ['to the end', 44, 48, [105, 106]],
    ['beyond the end', 44, 1e6, [105, 106]],
    ['all', -1e6, Infinity, [100, 106]],
  ] as const)('%s', async (_, from, to, range) => {
    expect(await find(from, to, 50)).toEqual(range);
  });

  it('holds entries of a machine whose clock is ahead of ours', async () => {
    expect(await find(44, 48, 10)).toEqual([105, 106]);
  });

  it('that has begun and may still get its first entry is empty, at the end', async () => {
    expect(await find(48, 52, 50)).toEqual([106, 106]);
    expect(await find(49, Infinity, 1e6)).toEqual([106, 106]);
    expect(await find(49, 52, 52 + 28)).toEqual([106, 106]);
  });
});

describe('P10: why a window holds nothing', () => {
  it('in a gap', async () => {
    await refused(find(16, 40, 50), 'WINDOW_IN_GAP');
    await refused(find(20, 21, 50), 'WINDOW_IN_GAP');
  });

  it('before the first segment ever, or before the oldest that is kept', async () => {
    await refused(find(-10, 0, 50), 'WINDOW_BEFORE_ARCHIVE');
    await refused(find(-10, 0, 50, timelineOf(list, { pruned: true })), 'WINDOW_EXPIRED');
    expect(await find(-10, 1, 50, timelineOf(list, { pruned: true }))).toEqual([100, 101]);
  });

  it('after now, also of a life that is over', async () => {
    await refused(find(50, 60, 50), 'WINDOW_IN_FUTURE');
    await refused(find(51, Infinity, 50), 'WINDOW_IN_FUTURE');
    await refused(find(51, 60, 50, timelineOf(list, { ended: true })), 'WINDOW_IN_FUTURE');
  });

  it('after the last segment, once no more can come for it', async () => {
    await refused(find(49, 52, 52 + 28.001), 'WINDOW_IN_GAP');
    await refused(find(49, 60, 50, timelineOf(list, { ended: true })), 'WINDOW_IN_GAP');
    await refused(find(49, Infinity, 50, timelineOf(list, { ended: true })), 'WINDOW_IN_GAP');
  });

  it('ends before it begins', async () => {
    await refused(find(5, 5, 50), 'ARGUMENT_INVALID');
    await refused(find(6, 5, 50), 'ARGUMENT_INVALID');
    await refused(find(Number.NaN, 5, 50), 'ARGUMENT_INVALID');
  });
});

describe('P7: when a window is past', () => {
  it.each([
    ['media reach its end', live, 48, 40, true],
    ['media do not yet', live, 48.001, 50, false],
    ['three target durations and ten seconds later', live, 49, 49 + 28.001, true],
    ['not before', live, 49, 49 + 28, false],
    ['the life has ended', timelineOf(list, { ended: true }), 1e6, 50, true],
  ] as const)('%s', (_, timeline, to, now, past) => {
    expect(isPast(timeline, at(to), at(now))).toBe(past);
  });
});
