/** The pipe between reader and archive: when a failed write ends the session at once, and when it is left to the segment's commit. */
import { expect, it } from 'vitest';
import type { ArchiveWriter, SegmentWriter } from '../archive/index.js';
import { LivetapeError, ManualClock, silentLogger, type ErrorCode } from '../base/index.js';
import { TsReader } from '../mpegts/index.js';
import type { Head } from '../segmenter/index.js';
import { LiveFeed } from './liveFeed.js';
import { LivePool } from './liveMemory.js';
import { SegmentPipe, type PipeEvents } from './segmentPipe.js';
import { settle } from './testService.js';

/** A pipe into an archive whose writes all fail with `code`, and what it tells. */
function pipeInto(code: ErrorCode): { readonly pipe: SegmentPipe; readonly told: string[] } {
  const fail = (): Promise<never> => Promise.reject(new LivetapeError(code, 'as the test wants it'));
  const segment: SegmentWriter = { index: 0, write: fail, commit: fail, abort: () => Promise.resolve() };
  const told: string[] = [];
  const reader = new TsReader({ program: undefined, sink: { program: () => undefined, unit: () => undefined } });
  const events: PipeEvents = {
    written: () => told.push('written'),
    lost: (error) => told.push(`lost: ${error.code}`),
    broken: (error) => told.push(`broken: ${error.code}`),
    signalLost: () => undefined,
    signalBack: () => undefined,
    relieved: () => undefined,
  };
  const archive = { openSegment: () => segment } as unknown as ArchiveWriter;
  const live = new LiveFeed('x', silentLogger, new LivePool());
  const pipe = new SegmentPipe({ reader, archive, live, clock: new ManualClock(), events });
  return { pipe, told };
}

const head = { render: () => new Uint8Array(376) } as unknown as Head;

it.each<[ErrorCode, string[], string[]]>([
  ['OWNERSHIP_LOST', ['broken: OWNERSHIP_LOST'], ['broken: OWNERSHIP_LOST']],
  ['ARCHIVE_CORRUPT', ['broken: ARCHIVE_CORRUPT'], ['broken: ARCHIVE_CORRUPT']],
  ['INVARIANT_BROKEN', ['broken: INVARIANT_BROKEN'], ['broken: INVARIANT_BROKEN']],
  ['DISK_FULL', [], ['lost: DISK_FULL']],
  ['CLOSED', [], ['lost: CLOSED']],
])('a write that fails with %s tells %j at once, and %j by the end of the segment', async (code, atOnce, inTheEnd) => {
  const { pipe, told } = pipeInto(code);
  pipe.begin(0, head, true);
  await settle();
  expect(told).toEqual(atOnce);
  pipe.end(0, {
    discontinuity: false,
    wallMs: 0,
    duration90k: 360_000,
    pts: undefined,
    keyframes: [],
    forced: false,
    lostBytes: 0,
    gap: undefined,
  });
  expect((await pipe.settled())?.code).toBe(code);
  expect(told).toEqual(inTheEnd);
  expect(pipe.pendingBytes).toBe(0);
});
