/** The keyframe at or before a moment as a one-frame MP4 (P18). */
import { LivetapeError } from '../../base/index.js';
import { ptsDelta, ticksToMs } from '../../model/index.js';
import type { OpenedFile, StreamStorage } from '../../storage/index.js';
import type { Timeline, TimelineEntry } from '../contract.js';
import { findWindow } from '../window.js';
import { BLOCK_BYTES, readBlocks } from './blocks.js';
import { keyframeBefore } from './keyframes.js';
import { mp4Of } from './mp4Picture.js';
import { PictureScan, type Choice, type SeenKeyframe } from './pictureScan.js';

/**
 * The picture. Of a moment that is not over yet: the newest there is.
 * @throws LivetapeError PREVIEW_UNSUPPORTED where there is no H.264 or H.265 picture; SEGMENT_NOT_FOUND; WINDOW_IN_GAP, WINDOW_BEFORE_ARCHIVE, WINDOW_EXPIRED, WINDOW_IN_FUTURE; what the
 * storage rejects with
 */
export async function preview(
  timeline: Timeline,
  place: StreamStorage,
  atMs: number,
  nowMs: number,
): Promise<{ readonly body: Uint8Array; readonly wallMs: number }> {
  const { fromSequence } = await findWindow(timeline, atMs, atMs + 1, nowMs);
  const { entry, keyframe } = await keyframeBefore(timeline, Math.min(fromSequence, timeline.endSequence - 1), atMs);
  await using file = await place.open(entry.uri);
  if (file === undefined) {
    throw new LivetapeError('SEGMENT_NOT_FOUND', `segment ${entry.uri} is not there`, { context: { uri: entry.uri } });
  }
  const found = keyframe === undefined ? await findByTime(file, entry, atMs) : await readAt(file, keyframe.offsetBytes);
  if (found === undefined) {
    throw new LivetapeError('PREVIEW_UNSUPPORTED', `segment ${entry.uri} has no H.264 or H.265 picture that can be shown by itself`, {
      context: { uri: entry.uri },
    });
  }
  const wallMs = keyframe?.wallMs ?? wallMsOf(entry, found.keyframe);
  return { body: mp4Of(found.picture), wallMs: Math.round(wallMs) };
}

type Found = ReturnType<PictureScan['end']>;

/** The picture whose place is known; where what it stands on is not beside it, the segment is read from its beginning. */
async function readAt(file: OpenedFile, offsetBytes: number): Promise<Found> {
  const choose = (seen: SeenKeyframe): Choice =>
    seen.offsetBytes < offsetBytes ? 'skip' : seen.offsetBytes === offsetBytes ? 'take' : 'stop';
  if (offsetBytes > BLOCK_BYTES) {
    const scan = new PictureScan(choose);
    await read(scan, file, 0, BLOCK_BYTES);
    if (scan.hasProgram) {
      scan.skipTo(offsetBytes);
      await read(scan, file, offsetBytes, file.sizeBytes);
      const found = scan.end();
      if (found !== undefined) return found;
    }
  }
  const scan = new PictureScan(choose);
  await read(scan, file, 0, file.sizeBytes);
  return scan.end();
}

/** The last picture that is shown at or before `atMs`, else the first, in a segment that names none. */
async function findByTime(file: OpenedFile, entry: TimelineEntry, atMs: number): Promise<Found> {
  let isFirst = true;
  const scan = new PictureScan((seen) => {
    const choice = isFirst || wallMsOf(entry, seen) <= atMs ? 'perhaps' : 'stop';
    isFirst = false;
    return choice;
  });
  await read(scan, file, 0, file.sizeBytes);
  return scan.end();
}

function wallMsOf(entry: TimelineEntry, { first90k, pts90k }: SeenKeyframe): number {
  return Number.isNaN(pts90k) ? entry.wallMs : entry.wallMs + ticksToMs(ptsDelta(first90k, pts90k));
}

async function read(scan: PictureScan, file: OpenedFile, fromByte: number, toByte: number): Promise<void> {
  for await (const block of readBlocks(file, fromByte, toByte)) {
    scan.push(block);
    if (scan.isOver) return;
  }
}
