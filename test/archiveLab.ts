/**
 * What the archive's tests share: an archive in memory, segments of a given length one after another, and the
 * playlist as a client would see it, judged at each step.
 */
import { crc32 } from 'node:zlib';
import { expect } from 'vitest';
import { PlaylistChecker } from './playlistChecker.js';
import { ManualClock, isLivetapeError, silentLogger, type ErrorCode } from '../src/base/index.js';
import { parseEntries, parseHeader, type PlaylistEntry } from '../src/hls/index.js';
import { createMemoryStorage, type Storage, type StreamStorage } from '../src/storage/index.js';
import { openArchiveForWriting, type ArchiveWriter, type CommittedSegment, type SegmentFacts } from '../src/archive/index.js';

/** 2026-01-01T00:00:00.000Z */
export const START_MS = Date.UTC(2026, 0, 1);

/** Facts of a segment without anything remarkable. */
export function factsAt(wallMs: number, durationSec = 4, more: Partial<SegmentFacts> = {}): SegmentFacts {
  const first90k = Math.round((wallMs - START_MS) * 90) + 126000;
  const duration90k = Math.round(durationSec * 90000);
  return {
    discontinuity: false,
    wallMs,
    duration90k,
    pts: { first90k: first90k % 2 ** 33, end90k: (first90k + duration90k) % 2 ** 33 },
    keyframes: [{ offsetBytes: 0, pts90k: first90k % 2 ** 33 }],
    headBytes: 0,
    forced: false,
    lostBytes: 0,
    errors: { continuity: 0, transportError: 0, syncSkippedBytes: 0, scrambled: 0 },
    gap: undefined,
    ...more,
  };
}

/** Media of a segment: the same bytes for the same number. */
export function mediaOf(index: number, sizeBytes = 376): Uint8Array {
  return new Uint8Array(sizeBytes).map((_, i) => (i % 188 === 0 ? 0x47 : (i * 7 + index * 31) & 0xff));
}

export function open(storage: Storage, options: { retention?: boolean; code?: string } = {}): Promise<ArchiveWriter> {
  const streamCode = options.code ?? 'news';
  return openArchiveForWriting({
    storage: storage.stream(streamCode),
    streamCode,
    retention: options.retention ?? false,
    clock: new ManualClock(START_MS),
    log: silentLogger,
  });
}

/** An empty archive in memory, and somebody who watches its playlist. */
export function fresh(): { storage: Storage; place: StreamStorage; watch: Watch } {
  const storage = createMemoryStorage();
  const place = storage.stream('news');
  return { storage, place, watch: new Watch(place) };
}

/** Expects a rejection with a code, and with `text` in its message. */
export async function rejects(promise: Promise<unknown>, code: ErrorCode, text = ''): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(isLivetapeError(error, code), String(error)).toBe(true);
  expect(String(error)).toContain(text);
}

/** Writes and commits a segment at the end of what there is, or where `facts` say. */
export async function record(archive: ArchiveWriter, facts?: SegmentFacts, sizeBytes?: number): Promise<CommittedSegment> {
  const segment = archive.openSegment();
  void segment.write(mediaOf(segment.index, sizeBytes));
  return segment.commit(facts ?? factsAt(endOf(archive)));
}

/** Where the archive's newest segment ends; UTC milliseconds. */
export function endOf(archive: ArchiveWriter): number {
  const { last } = archive;
  return last === undefined ? START_MS : last.wallMs + last.duration90k / 90;
}

export async function playlistOf(place: StreamStorage): Promise<string> {
  return new TextDecoder().decode(await place.readJournal(0, 1e9));
}

export async function indexOf(place: StreamStorage): Promise<string | undefined> {
  const bytes = await place.read('index.json', 0, 1e9);
  return bytes && new TextDecoder().decode(bytes);
}

/** The complete entries of the playlist. */
export async function entriesOf(place: StreamStorage): Promise<PlaylistEntry[]> {
  const bytes = await place.readJournal(0, 1e9);
  if (bytes.byteLength === 0) return [];
  const header = parseHeader(bytes, true);
  return parseEntries(bytes.subarray(header?.toByte), true).entries.map((located) => located.entry);
}

/** Every listed segment is there, of its size, with its CRC; sums and sequence numbers go on from entry to entry (F8, F10). */
export async function checkListed(place: StreamStorage): Promise<PlaylistEntry[]> {
  const entries = await entriesOf(place);
  let before: PlaylistEntry | undefined;
  for (const entry of entries) {
    const { facts, uri } = entry;
    if (!facts) throw new Error(`${uri} has no facts`);
    const media = await place.read(uri, 0, 1e9);
    expect(media, `${uri} is listed`).toBeDefined();
    expect([media!.byteLength, crc32(media!)]).toEqual([facts.sizeBytes, facts.crc32]);
    if (before?.facts) {
      expect(facts.index).toBeGreaterThan(before.facts.index);
      expect(facts.mediaSequence).toBe(before.facts.mediaSequence + 1);
      expect(facts.discontinuitySequence).toBe(before.facts.discontinuitySequence + (entry.discontinuity ? 1 : 0));
      expect(facts.cumulativeBytes).toBe(before.facts.cumulativeBytes + facts.sizeBytes);
    }
    before = entry;
  }
  return entries;
}

/** Looks at the playlist as clients do; what a step makes of it has to be allowed. */
export class Watch {
  readonly #checker = new PlaylistChecker();
  readonly #place: StreamStorage;

  constructor(place: StreamStorage) {
    this.#place = place;
  }

  async look(): Promise<string> {
    const text = await playlistOf(this.#place);
    if (text !== '') expect(this.#checker.see(text)).toEqual([]);
    return text;
  }
}

/** `place` with some of its calls replaced. */
export function patched(place: StreamStorage, calls: Partial<StreamStorage>): StreamStorage {
  return new Proxy(place, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(key in calls ? calls : target, key, key in calls ? calls : target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
