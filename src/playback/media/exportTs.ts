/** A window as one transport stream (P17): from the keyframe at or before its beginning up to the first keyframe at or after its end, whole segments in between. */
import { LivetapeError } from '../../base/index.js';
import { TsReader } from '../../mpegts/index.js';
import type { OpenedFile, StreamStorage } from '../../storage/index.js';
import type { Timeline, TimelineEntry } from '../contract.js';
import { findWindow, isPast } from '../window.js';
import { readBlocks } from './blocks.js';
import { keyframeBefore, keyframesOf, type PlacedKeyframe } from './keyframes.js';

/** So far behind a keyframe what is said of it is waited for: the reader tells a unit within a megabyte. */
const UNDECIDED_BYTES = 2 * 1024 * 1024;

/** A window, ready to be sent. */
export interface TsExport {
  readonly sizeBytes: number;
  /** How long it plays: the media from its first keyframe to its end, without the gaps in between. */
  readonly durationMs: number;
  /** The bytes, in chunks that are the consumer's until it asks for the next. Rejects with WINDOW_EXPIRED or SEGMENT_NOT_FOUND where a segment was pruned meanwhile. */
  body(): AsyncIterable<Uint8Array>;
}

/** Where the media begins. */
interface Start {
  readonly sequence: number;
  /** In that entry's segment. */
  readonly fromByte: number;
  /** Media of that segment that is not sent. */
  readonly leftOutMs: number;
  /** PAT and PMT in front of it, where the media has none just there. */
  readonly tables: Uint8Array;
}

/** What is sent of which entries. */
interface Plan {
  readonly start: Start;
  readonly toSequence: number;
  /** Where the last segment's part ends; undefined for its end. */
  readonly toByte: number | undefined;
  /** Media of the last segment that is not sent. */
  readonly leftOutMs: number;
}

/**
 * The window [fromMs, toMs).
 * @throws LivetapeError WINDOW_IN_GAP, WINDOW_BEFORE_ARCHIVE, WINDOW_EXPIRED, WINDOW_IN_FUTURE (also when its end is still to come), SEGMENT_NOT_FOUND, what the storage rejects with
 */
export async function exportTs(timeline: Timeline, place: StreamStorage, fromMs: number, toMs: number, nowMs: number): Promise<TsExport> {
  const { fromSequence, toSequence } = await findWindow(timeline, fromMs, toMs, nowMs);
  if (!isPast(timeline, toMs, nowMs)) {
    throw new LivetapeError('WINDOW_IN_FUTURE', 'the window ends after what is recorded so far', { context: { fromMs, toMs } });
  }
  const { entry, keyframe } = await keyframeBefore(timeline, fromSequence, fromMs);
  const start = { sequence: entry.mediaSequence, ...(await findStart(place, entry, keyframe, fromMs)) };
  const last = await timeline.entry(toSequence - 1);
  const after = start.sequence === last.mediaSequence ? start.fromByte : 0;
  const end = keyframesOf(last).find(({ wallMs, offsetBytes }) => wallMs >= toMs && offsetBytes > after);
  const leftOutMs = end === undefined ? 0 : Math.max(0, last.wallMs + last.durationUs / 1000 - end.wallMs);
  const plan = { start, toSequence, toByte: end?.offsetBytes, leftOutMs };
  const { sizeBytes, durationMs } = await measured(timeline, place, plan);
  return { sizeBytes, durationMs, body: () => send(timeline, place, plan, sizeBytes) };
}

/** The beginning of the segment, unless a keyframe in it is at or before the window's beginning. */
async function findStart(
  place: StreamStorage,
  entry: TimelineEntry,
  keyframe: PlacedKeyframe | undefined,
  fromMs: number,
): Promise<Omit<Start, 'sequence'>> {
  const whole = { fromByte: 0, leftOutMs: 0, tables: new Uint8Array(0) };
  if (keyframe === undefined || keyframe.wallMs > fromMs) return whole;
  await using file = await openSegment(place, entry.uri);
  const { offsetBytes } = keyframe;
  const leftOutMs = Math.max(0, keyframe.wallMs - entry.wallMs);
  let start: Omit<Start, 'sequence'> | undefined;
  const reader = new TsReader({
    program: 'all',
    sink: {
      program: () => undefined,
      unit: (unit) => {
        if (unit.reference && unit.unitPosition === offsetBytes)
          start = { fromByte: unit.position, leftOutMs, tables: unit.tables?.render() ?? whole.tables };
      },
    },
  });
  for await (const block of readBlocks(file, 0, Math.min(file.sizeBytes, offsetBytes + UNDECIDED_BYTES))) {
    reader.push(block, 0);
    reader.drop(reader.heldFrom);
    if (start !== undefined) return start;
  }
  reader.resetSync();
  return start ?? whole;
}

/** All that is sent. */
async function measured(timeline: Timeline, place: StreamStorage, plan: Plan): Promise<Pick<TsExport, 'sizeBytes' | 'durationMs'>> {
  let sizeBytes = plan.start.tables.byteLength;
  let durationMs = -plan.start.leftOutMs - plan.leftOutMs;
  for await (const entries of timeline.entries(plan.start.sequence, plan.toSequence)) {
    for (const entry of entries) {
      const [fromByte, toByte] = partOf(plan, entry, entry.sizeBytes ?? (await measure(place, entry.uri)));
      sizeBytes += toByte - fromByte;
      durationMs += entry.durationUs / 1000;
    }
  }
  return { sizeBytes, durationMs: Math.max(0, durationMs) };
}

/** What another system's journal does not say. */
async function measure(place: StreamStorage, uri: string): Promise<number> {
  const sizeBytes = await place.size(uri);
  if (sizeBytes === undefined) throw missing(uri);
  return sizeBytes;
}

function partOf({ start, toSequence, toByte }: Plan, { mediaSequence }: TimelineEntry, sizeBytes: number): readonly [number, number] {
  const fromByte = mediaSequence === start.sequence ? start.fromByte : 0;
  const end = mediaSequence === toSequence - 1 ? Math.min(toByte ?? sizeBytes, sizeBytes) : sizeBytes;
  return [Math.min(fromByte, end), end];
}

async function* send(timeline: Timeline, place: StreamStorage, plan: Plan, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let leftBytes = sizeBytes;
  if (plan.start.tables.byteLength > 0) {
    leftBytes -= plan.start.tables.byteLength;
    yield plan.start.tables;
  }
  for await (const entries of timeline.entries(plan.start.sequence, plan.toSequence)) {
    for (const entry of entries) {
      await using file = await openSegment(place, entry.uri);
      const [fromByte, toByte] = partOf(plan, entry, entry.sizeBytes ?? file.sizeBytes);
      leftBytes -= toByte - fromByte;
      // Another system's file that grew since it was measured.
      if (leftBytes < 0) throw changed(entry.uri);
      yield* readBlocks(file, fromByte, toByte);
    }
  }
  if (leftBytes !== 0) throw changed('a segment');
}

async function openSegment(place: StreamStorage, uri: string): Promise<OpenedFile> {
  const file = await place.open(uri);
  if (file === undefined) throw missing(uri);
  return file;
}

function missing(uri: string): LivetapeError {
  return new LivetapeError('SEGMENT_NOT_FOUND', `segment ${uri} is not there`, { context: { uri } });
}

function changed(what: string): LivetapeError {
  return new LivetapeError('STORAGE_FAILED', `${what} is not as long any more as it was when it was measured`);
}
