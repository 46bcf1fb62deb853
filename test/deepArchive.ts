/**
 * Makes archives of any depth, as a recorder would have left them: four seconds a segment, two keyframes in each, forty gaps of twenty seconds at
 * whatever depth (index.json tells up to a thousand of them, which costs by itself). Media is there for the newest few only (and for as many of the oldest as are asked for): what opens, appends to and prunes a deep archive reads none.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { renderIndex } from '../src/archive/archiveIndex.js';
import type { SegmentFacts } from '../src/archive/index.js';
import { renderEntry, renderHeader, type PlaylistEntry } from '../src/hls/index.js';
import type { Gap } from '../src/model/index.js';

/** How deep, and what of it is more than a line in the playlist. */
export interface DeepArchive {
  readonly streamCode: string;
  readonly entries: number;
  /** So many of the newest have their file. Default 3. */
  readonly newest?: number;
  /** So many of the oldest have theirs. Default 0. */
  readonly oldest?: number;
  /** The newest ends here; UTC milliseconds. Default 2026-01-01. */
  readonly endMs?: number;
  /** Entries may leave: the playlist has no type. */
  readonly retention?: boolean;
}

const DURATION_MS = 4000;
const GAP_MS = 20_000;
const GAPS = 40;
/** Small, for what it weighs is not the point; the same for all, so one CRC fits. */
const MEDIA = new Uint8Array(2 * 188).map((_, i) => (i % 188 === 0 ? 0x47 : i & 0xff));
const MEDIA_CRC32 = crc32(MEDIA);
const DEFAULT_END_MS = Date.UTC(2026, 0, 1);

/** Writes the archive into `folder`, which must not be there. */
export async function writeDeepArchive(folder: string, deep: DeepArchive): Promise<void> {
  const { streamCode, entries, newest = 3, oldest = 0, endMs = DEFAULT_END_MS, retention = false } = deep;
  const gapEvery = Math.ceil(entries / (GAPS + 1));
  const gapCount = Math.floor((entries - 1) / gapEvery);
  const startMs = endMs - entries * DURATION_MS - gapCount * GAP_MS;
  await mkdir(folder, { recursive: true });
  const playlist = createWriteStream(join(folder, 'playlist.m3u8'), { flags: 'wx' });
  playlist.write(
    renderHeader({
      version: 3,
      targetDurationSec: 6,
      mediaSequence: 0,
      discontinuitySequence: 0,
      type: retention ? undefined : 'EVENT',
      life: 1,
      unknownTags: [],
      unknownKeys: [],
    }),
  );
  const gaps: Gap[] = [];
  let text = '';
  for (let index = 0; index < entries; index++) {
    const entry = entryAt(index, startMs, gapEvery);
    const gap = entry.facts?.gap;
    if (gap && entry.wallMs !== undefined) gaps.push({ ...gap, toMs: entry.wallMs });
    text += renderEntry(entry);
    if (text.length < 1 << 20 && index < entries - 1) continue;
    if (!playlist.write(text)) await once(playlist, 'drain');
    text = '';
  }
  playlist.end();
  await finished(playlist);
  for (let index = 0; index < entries; index++) {
    if (index >= oldest && index < entries - newest) index = entries - newest;
    await writeFile(join(folder, fileName(index)), MEDIA);
  }
  const index = renderIndex({
    streamCode,
    status: 'recording',
    startedAtMs: startMs,
    lastSegmentAtMs: endMs,
    segmentCount: entries,
    sizeBytes: entries * MEDIA.length,
    nextIndex: entries,
    epoch: 1,
    gaps,
  });
  await writeFile(join(folder, 'index.json'), index);
}

/** A segment that follows on: its facts and its media. */
export function nextSegment(wallMs: number): { facts: SegmentFacts; media: Uint8Array } {
  return { facts: { ...segmentFacts(wallMs), wallMs, duration90k: DURATION_MS * 90, discontinuity: false, gap: undefined }, media: MEDIA };
}

function entryAt(index: number, startMs: number, gapEvery: number): PlaylistEntry {
  const gapsBefore = Math.floor(index / gapEvery);
  const wallMs = startMs + index * DURATION_MS + gapsBefore * GAP_MS;
  const discontinuity = index > 0 && index % gapEvery === 0;
  return {
    discontinuity,
    wallMs,
    durationUs: DURATION_MS * 1000,
    uri: fileName(index),
    unknownTags: [],
    facts: {
      ...segmentFacts(wallMs),
      index,
      mediaSequence: index,
      discontinuitySequence: gapsBefore,
      sizeBytes: MEDIA.length,
      cumulativeBytes: (index + 1) * MEDIA.length,
      crc32: MEDIA_CRC32,
      gap: discontinuity ? { fromMs: wallMs - GAP_MS, reason: 'signal' } : undefined,
      epoch: 1,
      unknownKeys: [],
    },
  };
}

/** What the entry of a segment that begins at `wallMs` and the facts for one share. */
function segmentFacts(wallMs: number): Pick<SegmentFacts, 'pts' | 'keyframes' | 'headBytes' | 'forced' | 'lostBytes' | 'errors'> {
  const ticks = (ms: number): number => (ms * 90) % 2 ** 33;
  return {
    pts: { first90k: ticks(wallMs), end90k: ticks(wallMs + DURATION_MS) },
    keyframes: [
      { offsetBytes: 0, pts90k: ticks(wallMs) },
      { offsetBytes: 188, pts90k: ticks(wallMs + DURATION_MS / 2) },
    ],
    headBytes: 0,
    forced: false,
    lostBytes: 0,
    errors: { continuity: 0, transportError: 0, syncSkippedBytes: 0, scrambled: 0 },
  };
}

function fileName(index: number): string {
  return `${String(index).padStart(6, '0')}.ts`;
}
