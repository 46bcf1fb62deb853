import { describe, expect, it } from 'vitest';
import { isLivetapeError, type ErrorCode } from '../../base/index.js';
import { createMemoryStorage, type OpenedFile, type StreamStorage } from '../../storage/index.js';
import { patched } from '../../../test/archiveLab.js';
import { TsBuilder, concat, type ChannelSpec } from '../../../test/tsBuilder.js';
import type { Timeline, TimelineEntry } from '../contract.js';
import { START_MS, entryAt, timelineOf } from '../testTimeline.js';
import { exportTs } from './exportTs.js';
import { preview } from './preview.js';

const NOW = START_MS + 1e7;

interface Lab {
  readonly place: StreamStorage;
  readonly timeline: Timeline;
  readonly media: readonly Uint8Array[];
  readonly entries: readonly TimelineEntry[];
  /** Files that are open now. */
  readonly open: () => number;
}

/** Segments of four seconds of one stream, a keyframe each second. `gapBefore` moves a segment and those behind it on by so many seconds. */
async function lab(count: number, spec: ChannelSpec = {}, gaps: Record<number, number> = {}): Promise<Lab> {
  const inner = createMemoryStorage().stream('news');
  await inner.create();
  const media: Uint8Array[] = [];
  const entries: TimelineEntry[] = [];
  let laterSec = 0;
  for (let index = 0; index < count; index++) {
    const builder = new TsBuilder();
    const units = builder.stream({ seconds: 4, startDts90k: 900_000 + index * 360_000, ...spec });
    const keyframes = units.filter(({ pid, key }) => pid === 0x101 && key).map(({ offset, pts90k }) => ({ offsetBytes: offset, pts90k }));
    media.push(builder.bytes());
    laterSec += gaps[index] ?? 0;
    const first90k = units.find(({ pid }) => pid === 0x101)!.pts90k;
    const more = { keyframes, pts: { first90k, end90k: first90k + 360_000 }, headBytes: 0, sizeBytes: media[index]!.byteLength };
    entries.push(
      entryAt(index * 4, { ...more, wallMs: START_MS + (index * 4 + laterSec) * 1000, discontinuity: gaps[index] !== undefined }),
    );
    const upload = inner.put(entries[index]!.uri);
    await upload.write(media[index]!);
    await upload.commit();
  }
  let open = 0;
  const place = patched(inner, {
    open: async (name: string): Promise<OpenedFile | undefined> => {
      const file = await inner.open(name);
      if (file === undefined) return undefined;
      open += 1;
      const close = async (): Promise<void> => {
        open -= 1;
        await file.close();
      };
      return {
        sizeBytes: file.sizeBytes,
        modifiedMs: undefined,
        read: (into, from) => file.read(into, from),
        close,
        [Symbol.asyncDispose]: close,
      };
    },
  });
  return { place, timeline: timelineOf(entries, { ended: true }), media, entries, open: () => open };
}

/** How long what was exported last plays. */
let lastMs = NaN;

/** What is sent, whose length was known. */
async function exported({ place, timeline }: Pick<Lab, 'place' | 'timeline'>, fromSec: number, toSec: number): Promise<Uint8Array> {
  const made = await exportTs(timeline, place, START_MS + fromSec * 1000, START_MS + toSec * 1000, NOW);
  lastMs = made.durationMs;
  const parts: Uint8Array[] = [];
  for await (const chunk of made.body()) parts.push(chunk.slice());
  const bytes = concat(parts);
  expect(bytes.length).toBe(made.sizeBytes);
  return bytes;
}

async function refused(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  const error: unknown = await promise.then(
    (answer) => answer,
    (cause: unknown) => cause,
  );
  expect(isLivetapeError(error) ? error.code : error).toBe(code);
}

const same = (a: Uint8Array, b: Uint8Array): void => expect(Buffer.compare(a, b)).toBe(0);
const pids = (bytes: Uint8Array, count: number): number[] =>
  Array.from({ length: count }, (_, at) => ((bytes[at * 188 + 1]! & 0x1f) << 8) | bytes[at * 188 + 2]!);

describe('P17: an export', () => {
  it('is whole segments where the window is', async () => {
    const { media, ...rest } = await lab(3);
    same(await exported(rest, 0, 12), concat(media));
    same(await exported(rest, 4, 8), media[1]!);
    expect(rest.open()).toBe(0);
  });

  it('begins at the PAT right before the keyframe, and ends before the first keyframe after it', async () => {
    const { media, entries, ...rest } = await lab(3);
    const bytes = await exported(rest, 2.5, 9.5);
    const from = entries[0]!.keyframes![2]!.offsetBytes - 2 * 188;
    const to = entries[2]!.keyframes![2]!.offsetBytes;
    same(bytes, concat([media[0]!.subarray(from), media[1]!, media[2]!.subarray(0, to)]));
    expect(pids(bytes, 3)).toEqual([0, 0x100, 0x101]);
    same(
      await exported(rest, 1.2, 1.3),
      media[0]!.subarray(entries[0]!.keyframes![1]!.offsetBytes - 376, entries[0]!.keyframes![2]!.offsetBytes),
    );
    same(await exported(rest, 7.2, 7.9), media[1]!.subarray(entries[1]!.keyframes![3]!.offsetBytes - 376));
  });

  it('says how long it plays: what is sent of the first and last segment, and no gap', async () => {
    const { place, timeline, open } = await lab(4, {}, { 2: 30 });
    const plays = async (fromSec: number, toSec: number): Promise<number> => {
      await exported({ place, timeline }, fromSec, toSec);
      return Math.round(lastMs) / 1000;
    };
    expect(await plays(0, 8)).toBe(8);
    // a keyframe each second
    expect(await plays(2.5, 5.5)).toBe(4);
    expect(await plays(1.2, 1.3)).toBe(1);
    // over a gap of thirty seconds behind 8 s
    expect(await plays(6.5, 39.5)).toBe(4);
    expect(await plays(0, 46)).toBe(16);
    expect(open()).toBe(0);
  });

  it('has tables in front whose counters lead into the next, where the stream has none just there', async () => {
    // every 1.7 s, so that keyframes but the first have none
    const { media, entries, ...rest } = await lab(2, { tables: 1700 });
    const { offsetBytes } = entries[0]!.keyframes![1]!;
    const bytes = await exported(rest, 1.5, 8);
    expect(pids(bytes, 3)).toEqual([0, 0x100, 0x101]);
    same(bytes.subarray(376), concat([media[0]!.subarray(offsetBytes), media[1]!]));
    const counters = (pid: number): number[] =>
      Array.from({ length: bytes.length / 188 }, (_, at) => at * 188)
        .filter((at) => (((bytes[at + 1]! & 0x1f) << 8) | bytes[at + 2]!) === pid && at < 376 + media[0]!.length - offsetBytes)
        .map((at) => bytes[at + 3]! & 15);
    expect(counters(0)).toEqual([0, 1, 2]);
    expect(counters(0x100)).toEqual([0, 1, 2]);
  });

  it('goes back to the segment before for a keyframe, within a run', async () => {
    const { media, entries, place } = await lab(3);
    const forced = entries.map((entry, index) => (index === 1 ? { ...entry, keyframes: [] } : entry));
    same(
      await exported({ place, timeline: timelineOf(forced, { ended: true }) }, 5, 8),
      concat([media[0]!.subarray(entries[0]!.keyframes![3]!.offsetBytes - 376), media[1]!]),
    );
    const run = forced.map((entry, index) => (index === 1 ? { ...entry, discontinuity: true } : entry));
    same(await exported({ place, timeline: timelineOf(run, { ended: true }) }, 5, 8), media[1]!);
  });

  it('is of whole segments in an archive of another system', async () => {
    const { media, entries, place } = await lab(3);
    const bare = entries.map((entry) => ({ ...entry, keyframes: undefined, pts: undefined, sizeBytes: undefined, headBytes: undefined }));
    const timeline = timelineOf(bare, { ended: true });
    same(await exported({ place, timeline }, 5, 9), concat(media.slice(1)));
    await place.remove(entries[2]!.uri);
    await refused(exportTs(timeline, place, START_MS, START_MS + 12_000, NOW), 'SEGMENT_NOT_FOUND');
  });

  it('begins where the segment does when what the entry says of it does not hold', async () => {
    const { media, entries, place } = await lab(1);
    const wrong = entries.map((entry) => ({
      ...entry,
      keyframes: entry.keyframes!.map((key) => ({ ...key, offsetBytes: key.offsetBytes + 188 })),
    }));
    const bytes = await exported({ place, timeline: timelineOf(wrong, { ended: true }) }, 2.5, 4);
    same(bytes, media[0]!);
  });

  it('of a window across a gap joins what there is; of one in it there is nothing (P10)', async () => {
    const { media, entries, place, timeline } = await lab(3, {}, { 1: 100 });
    const from = entries[0]!.keyframes![3]!.offsetBytes - 376;
    const to = entries[1]!.keyframes![1]!.offsetBytes;
    same(await exported({ place, timeline }, 3, 105), concat([media[0]!.subarray(from), media[1]!.subarray(0, to)]));
    const asked = (fromSec: number, toSec: number): Promise<unknown> =>
      exportTs(timeline, place, START_MS + fromSec * 1000, START_MS + toSec * 1000, NOW);
    await refused(asked(10, 20), 'WINDOW_IN_GAP');
    await refused(asked(-10, 0), 'WINDOW_BEFORE_ARCHIVE');
    await refused(asked(1e6, 2e6), 'WINDOW_IN_FUTURE');
  });

  it('whose end is still to come is refused, until it is past', async () => {
    const { place, entries } = await lab(2);
    const live = timelineOf(entries);
    const asked = (nowSec: number): Promise<unknown> => exportTs(live, place, START_MS, START_MS + 9000, START_MS + nowSec * 1000);
    await refused(asked(8.5), 'WINDOW_IN_FUTURE');
    await refused(asked(9 + 28), 'WINDOW_IN_FUTURE');
    expect(await asked(9 + 28.001)).toMatchObject({ sizeBytes: expect.any(Number) as number });
    await refused(exportTs(live, place, START_MS + 8000, START_MS + 9000, START_MS + 8500), 'WINDOW_IN_FUTURE');
  });

  it('holds nothing open before it is read, and nothing when the reader breaks off or a segment is gone', async () => {
    const { place, timeline, entries, open } = await lab(3);
    const made = await exportTs(timeline, place, START_MS + 1000, START_MS + 12_000, NOW);
    expect(open()).toBe(0);
    let chunks = 0;
    for await (const chunk of made.body()) {
      expect(open()).toBe(1);
      if (chunk.length > 0 && ++chunks === 2) break;
    }
    expect([chunks, open()]).toEqual([2, 0]);
    await place.remove(entries[2]!.uri);
    const parts: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const chunk of made.body()) parts.push(chunk.length);
    };
    await refused(reading(), 'SEGMENT_NOT_FOUND');
    expect([parts.length, open()]).toEqual([2, 0]);
    await place.remove(entries[0]!.uri);
    await refused(exportTs(timeline, place, START_MS + 1000, START_MS + 2000, NOW), 'SEGMENT_NOT_FOUND');
    expect(open()).toBe(0);
  });
});

describe('P18: which picture a preview is of', () => {
  const wall = async (made: Lab, atSec: number, more: Partial<Timeline> = {}, nowMs = NOW): Promise<number> => {
    const { wallMs, body } = await preview({ ...made.timeline, ...more }, made.place, START_MS + atSec * 1000, nowMs);
    expect(body.length).toBeGreaterThan(3000);
    expect(made.open()).toBe(0);
    return (wallMs - START_MS) / 1000;
  };

  it('is the keyframe at or before', async () => {
    const made = await lab(3);
    expect([await wall(made, 0), await wall(made, 0.999), await wall(made, 1), await wall(made, 7.5), await wall(made, 11.999)]).toEqual([
      0, 0, 1, 7, 11,
    ]);
  });

  it('is the newest there is while what follows is still to come', async () => {
    const made = await lab(2);
    expect(await wall(made, 8.5, { ended: false }, START_MS + 9000)).toBe(7);
    await refused(wall(made, 8.5), 'WINDOW_IN_GAP');
    await refused(wall(made, 9, { ended: false }, START_MS + 9000), 'WINDOW_IN_FUTURE');
  });

  it('is none in a gap, before the archive, of a segment that is gone', async () => {
    const made = await lab(2, {}, { 1: 100 });
    await refused(wall(made, 50), 'WINDOW_IN_GAP');
    await refused(wall(made, -1), 'WINDOW_BEFORE_ARCHIVE');
    await refused(wall(made, -1, { pruned: true }), 'WINDOW_EXPIRED');
    await made.place.remove(made.entries[0]!.uri);
    await refused(wall(made, 1), 'SEGMENT_NOT_FOUND');
  });

  it('is found far into a segment too, without reading what lies before, unless that has the parameter sets', async () => {
    const made = await lab(1, { frameBytes: 20_000 });
    const keyframe = made.entries[0]!.keyframes![3]!;
    expect(keyframe.offsetBytes).toBeGreaterThan(1_000_000);
    const reads: number[] = [];
    const place = patched(made.place, {
      open: async (name: string): Promise<OpenedFile | undefined> => {
        const file = await made.place.open(name);
        if (file === undefined) return undefined;
        const read = (into: Uint8Array, from: number): Promise<number> => {
          reads.push(from);
          return file.read(into, from);
        };
        return { ...file, read, [Symbol.asyncDispose]: () => file.close() };
      },
    });
    expect(await wall({ ...made, place }, 3.5)).toBe(3);
    expect(reads).toEqual([0, keyframe.offsetBytes]);
    // The same stream with the parameter sets at its second keyframe alone: the others' are made into filler.
    const bytes = made.media[0]!.slice();
    const [, second, third] = made.entries[0]!.keyframes!;
    for (let at = 0; at + 4 <= bytes.length; at++) {
      const isSet = bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 1 && [0x67, 0x68].includes(bytes[at + 3]!);
      if (isSet && (at < second!.offsetBytes || at >= third!.offsetBytes)) bytes[at + 3] = 12;
    }
    await made.place.remove(made.entries[0]!.uri);
    const upload = made.place.put(made.entries[0]!.uri);
    await upload.write(bytes);
    await upload.commit();
    reads.length = 0;
    expect(await wall({ ...made, place }, 3.5)).toBe(3);
    expect(reads.filter((from) => from === 0)).toHaveLength(2);
  });
});
