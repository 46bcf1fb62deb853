/**
 * Keeps: windows of an archive that are held for good, in places of their own that are plain HLS again (docs/design/keeping.md, K13). Whole segments,
 * linked; the entries are those of the archive.
 */
import { LivetapeError, type Clock } from '../base/index.js';
import { ENDLIST, renderEntry, renderHeader, type EntryFacts, type PlaylistHeader } from '../hls/index.js';
import type { Gap, GapReason } from '../model/index.js';
import { INDEX_NAME, type KeepId, type KeepStorage, type Storage, type StreamStorage } from '../storage/index.js';
import { loadIndex, renderIndex } from './archiveIndex.js';
import { withoutPruned } from './prune.js';
import { NewestGaps, summarize } from './reader.js';
import { scanJournal, type ScannedEntry } from './scan.js';

/** How often a keep is begun anew because what it was to hold was pruned under its hands. */
const MAX_ATTEMPTS = 5;
/** Entries' text is gathered to pieces of this size. */
const PIECE_CHARS = 256 * 1024;
/** Of an open life, media that ended so many target durations ago may still have more under way. */
const UNDER_WAY_TARGETS = 3;

/** What is to be kept. */
export interface KeepRequest {
  readonly from: Date;
  readonly to: Date;
  /** 1 to 64 characters `[A-Za-z0-9_-]`. */
  readonly name: string;
}

/** A keep as it is. */
export interface Keep {
  readonly streamCode: string;
  readonly name: string;
  /** Beginning of its first segment. */
  readonly from: Date;
  /** End of its last. */
  readonly to: Date;
  readonly segmentCount: number;
  /** Of its media, whether or not the stream still shares it. */
  readonly sizeBytes: number;
  /** The folder. */
  readonly location: string;
  /** Segments that the playlist names and whose files were not there when it was made: left out, as a gap. Not told in a list. */
  readonly missingCount?: number;
}

/** A keep that cannot be read. */
export interface DamagedKeep extends Pick<Keep, 'streamCode' | 'name' | 'location'> {
  /** What is wrong with it. */
  readonly damage: string;
  /** Of the files that are left. */
  readonly sizeBytes: number;
}

/** A keep as it is listed. */
export type ListedKeep = (Keep & { readonly damage?: undefined }) | DamagedKeep;

/**
 * The name, when a keep can have it.
 * @throws LivetapeError ARGUMENT_INVALID
 */
export function checkKeepName(name: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(name)) return name;
  throw new LivetapeError(
    'ARGUMENT_INVALID',
    `${JSON.stringify(name.slice(0, 80))}: a keep's name is 1 to 64 letters, digits, "_" and "-"`,
  );
}

/**
 * Keeps a window of a stream.
 * @throws LivetapeError KEEP_EXISTS, ARGUMENT_INVALID, STREAM_NOT_FOUND, WINDOW_EXPIRED, WINDOW_IN_GAP, WINDOW_IN_FUTURE, ARCHIVE_CORRUPT, DISK_FULL,
 * STORAGE_UNWRITABLE, STORAGE_FAILED
 */
export async function makeKeep(storage: Storage, streamCode: string, request: KeepRequest, clock: Clock): Promise<Keep> {
  const id = { streamCode, name: checkKeepName(request.name) };
  const [fromMs, toMs] = [request.from.getTime(), request.to.getTime()];
  if (!(fromMs < toMs)) throw new LivetapeError('ARGUMENT_INVALID', 'a window ends after it begins');
  const archive = storage.stream(streamCode);
  const missing = new Set<string>();
  let suspect: string | undefined;
  for (let attempt = 1; ; attempt++) {
    const window = await findWindow(archive, { streamCode, fromMs, toMs, nowMs: clock.nowMs(), missing });
    // Listed on the second look too: it was not pruned, and is not there.
    if (suspect !== undefined && window.uris.includes(suspect)) {
      for (const uri of window.uris) if ((await archive.size(uri)) === undefined) missing.add(uri);
      suspect = undefined;
      attempt--;
      continue;
    }
    suspect = await tryToMake(storage.keeps, id, window);
    if (suspect === undefined) return { ...id, ...summary(window), location: storage.keeps.place(id).location };
    if (attempt === MAX_ATTEMPTS) {
      throw new LivetapeError('STORAGE_FAILED', `segments of ${streamCode} that the playlist names are not there`, {
        context: { code: streamCode },
      });
    }
  }
}

/** The keeps of a stream, or all, by stream and time; those of streams that are gone too. */
export async function listKeeps(storage: Storage, streamCode?: string): Promise<ListedKeep[]> {
  const keeps: ListedKeep[] = [];
  for await (const id of storage.keeps.list()) {
    if (streamCode !== undefined && id.streamCode !== streamCode) continue;
    const place = storage.keeps.place(id);
    let damage = 'its playlist holds no segment';
    const sums = await sumsOf(place).catch((error: unknown) => {
      damage = error instanceof Error ? error.message : String(error);
      return undefined;
    });
    const { location } = place;
    keeps.push(sums === undefined ? { ...id, damage, sizeBytes: await filesSize(place), location } : { ...id, ...sums, location });
  }
  const key = (keep: ListedKeep): string => `${keep.streamCode} ${keep.damage === undefined ? keep.from.toISOString() : ''} ${keep.name}`;
  return keeps.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Of one that cannot be read. */
async function filesSize({ files }: StreamStorage): Promise<number> {
  let sizeBytes = 0;
  try {
    for await (const name of files.list()) sizeBytes += (await files.stat(name))?.sizeBytes ?? 0;
  } catch {
    // What could be counted is said.
  }
  return sizeBytes;
}

/** What index.json says, else the playlist, which is the truth: where that is gone the keep is, too. */
async function sumsOf(place: StreamStorage): Promise<Pick<Keep, 'from' | 'to' | 'segmentCount' | 'sizeBytes'> | undefined> {
  if (((await place.journalSize()) ?? 0) === 0) return undefined;
  const index = await loadIndex(place).catch(() => undefined);
  if (index?.startedAt && index.lastSegmentAt) {
    return { from: index.startedAt, to: index.lastSegmentAt, segmentCount: index.segmentCount, sizeBytes: index.totalSizeBytes };
  }
  const { startedAtMs, lastSegmentAtMs, segmentCount, sizeBytes } = await summarize(place);
  if (startedAtMs === undefined || lastSegmentAtMs === undefined) return undefined;
  return { from: new Date(startedAtMs), to: new Date(lastSegmentAtMs), segmentCount, sizeBytes };
}

/**
 * Removes a keep.
 * @throws LivetapeError KEEP_NOT_FOUND
 */
export async function removeKeep(storage: Storage, streamCode: string, name: string): Promise<void> {
  if (await storage.keeps.remove({ streamCode, name: checkKeepName(name) })) return;
  throw new LivetapeError('KEEP_NOT_FOUND', `there is no keep ${name} of ${streamCode}`, { context: { code: streamCode, name } });
}

interface Window {
  readonly header: PlaylistHeader;
  /** The text of the entries. */
  readonly pieces: readonly string[];
  readonly uris: readonly string[];
  /** Of the entries that say it; of others the medium does. */
  sizeBytes: number;
  readonly unsized: readonly string[];
  readonly startedAtMs: number;
  readonly endMs: number;
  readonly nextIndex: number;
  readonly gaps: readonly Gap[];
  readonly missingCount: number;
}

interface Wanted {
  readonly streamCode: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
  /** Files of listed segments that are not there. */
  readonly missing: ReadonlySet<string>;
}

/** The segments from the one that holds the window's beginning to the one that holds its end. */
async function findWindow(archive: StreamStorage, wanted: Wanted): Promise<Window> {
  const found = await scanJournal(archive, (header) => new WindowFold(header, wanted));
  if (found === undefined) {
    throw new LivetapeError('STREAM_NOT_FOUND', `there is no playlist in ${archive.location}`, {
      context: { code: wanted.streamCode, location: archive.location },
    });
  }
  return found;
}

class WindowFold {
  readonly #header: PlaylistHeader;
  readonly #wanted: Wanted;
  #oldestMs: number | undefined;
  #newestEndMs: number | undefined;
  #first: ScannedEntry | undefined;
  #last: ScannedEntry | undefined;
  readonly #pieces: string[] = [];
  #piece: string[] = [];
  #pieceChars = 0;
  readonly #uris: string[] = [];
  readonly #unsized: string[] = [];
  #sizeBytes = 0;
  readonly #gaps = new NewestGaps();
  #missingCount = 0;
  /** By what was left out before an entry its numbers differ from those in the archive. */
  readonly #shift = { entries: 0, bytes: 0, tags: 0 };
  /** Where what is left out before the next segment begins. */
  #leftOutFromMs: number | undefined;

  constructor(header: PlaylistHeader, wanted: Wanted) {
    this.#header = header;
    this.#wanted = wanted;
  }

  add(scanned: ScannedEntry): void {
    const { entry, wallMs } = scanned;
    const endMs = wallMs + entry.durationUs / 1000;
    this.#oldestMs ??= wallMs;
    this.#newestEndMs = endMs;
    if (endMs <= this.#wanted.fromMs || wallMs >= this.#wanted.toMs) return;
    if (this.#wanted.missing.has(entry.uri)) {
      this.#missingCount += 1;
      if (this.#first !== undefined) {
        this.#leftOutFromMs ??= Math.trunc(entry.facts?.gap?.fromMs ?? wallMs);
        this.#shift.entries += 1;
        this.#shift.bytes += entry.facts?.sizeBytes ?? 0;
        if (entry.discontinuity) this.#shift.tags -= 1;
      }
      return;
    }
    this.#first ??= scanned;
    this.#last = scanned;
    const leftOutFromMs = this.#leftOutFromMs;
    this.#leftOutFromMs = undefined;
    const gap: { fromMs: number; reason: GapReason } | undefined =
      leftOutFromMs === undefined ? entry.facts?.gap : { fromMs: leftOutFromMs, reason: 'disk' };
    // Entries of other systems have their time said, for in the keep there is none before to count from.
    const text = renderEntry({
      ...entry,
      wallMs: Math.trunc(wallMs),
      discontinuity: entry.discontinuity || leftOutFromMs !== undefined,
      facts: entry.facts && this.#shifted({ ...entry.facts, gap }, entry.discontinuity ? 0 : leftOutFromMs === undefined ? 0 : 1),
    });
    this.#piece.push(text);
    this.#pieceChars += text.length;
    if (this.#pieceChars >= PIECE_CHARS) this.#flush();
    this.#uris.push(entry.uri);
    if (entry.facts === undefined) this.#unsized.push(entry.uri);
    else this.#sizeBytes += entry.facts.sizeBytes;
    if (gap !== undefined) this.#gaps.add({ ...gap, toMs: wallMs });
  }

  result(ended: boolean): Window {
    const { fromMs, toMs, nowMs, streamCode } = this.#wanted;
    const header = this.#header;
    const context = { code: streamCode };
    if (this.#oldestMs === undefined || this.#newestEndMs === undefined) {
      throw new LivetapeError('WINDOW_IN_GAP', `nothing of ${streamCode} is recorded`, { context });
    }
    const underWayMs = UNDER_WAY_TARGETS * 1000 * header.targetDurationSec;
    // What is stored may be labelled ahead of now.
    if (!ended && toMs > this.#newestEndMs && (toMs > nowMs || nowMs - this.#newestEndMs < underWayMs)) {
      const until = new Date(Math.trunc(this.#newestEndMs)).toISOString();
      throw new LivetapeError('WINDOW_IN_FUTURE', `${streamCode} is recorded up to ${until} so far`, { context });
    }
    if (toMs <= this.#oldestMs) {
      const since = new Date(Math.trunc(this.#oldestMs)).toISOString();
      throw new LivetapeError('WINDOW_EXPIRED', `the oldest segment of ${streamCode} begins at ${since}`, { context });
    }
    if (this.#first === undefined || this.#last === undefined) {
      const window = `${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}`;
      throw new LivetapeError('WINDOW_IN_GAP', `nothing of ${streamCode} is recorded from ${window}`, { context });
    }
    this.#flush();
    const tag = this.#first.entry.discontinuity ? 1 : 0;
    return {
      header: {
        ...withoutPruned(header),
        mediaSequence: this.#first.mediaSequence,
        discontinuitySequence: this.#first.discontinuitySequence - tag,
        type: 'VOD',
      },
      pieces: this.#pieces,
      uris: this.#uris,
      sizeBytes: this.#sizeBytes,
      unsized: this.#unsized,
      startedAtMs: Math.trunc(this.#first.wallMs),
      endMs: Math.trunc(this.#last.wallMs + this.#last.entry.durationUs / 1000),
      nextIndex: this.#last.index + 1,
      gaps: this.#gaps.list(),
      missingCount: this.#missingCount,
    };
  }

  #shifted(facts: EntryFacts, addedTags: number): EntryFacts {
    this.#shift.tags += addedTags;
    const { entries, bytes, tags } = this.#shift;
    return {
      ...facts,
      mediaSequence: facts.mediaSequence - entries,
      discontinuitySequence: facts.discontinuitySequence + tags,
      cumulativeBytes: facts.cumulativeBytes - bytes,
    };
  }

  #flush(): void {
    if (this.#piece.length > 0) this.#pieces.push(this.#piece.join(''));
    this.#piece = [];
    this.#pieceChars = 0;
  }
}

/** The file of a segment that is not there (any more); undefined when it is made. */
async function tryToMake(keeps: KeepStorage, id: KeepId, window: Window): Promise<string | undefined> {
  const gone = new Error('gone');
  let which: string | undefined;
  try {
    await keeps.make(id, async ({ place, link }) => {
      // Another system's playlist can name a file twice.
      for (const uri of new Set(window.uris)) {
        if (await link(uri)) continue;
        which = uri;
        throw gone;
      }
      for (const uri of window.unsized) window.sizeBytes += (await place.size(uri)) ?? 0;
      await place.replaceJournal([renderHeader(window.header), ...window.pieces, ENDLIST]);
      await place.putCache(INDEX_NAME, indexOf(id, window));
    });
    return undefined;
  } catch (error) {
    if (error === gone || (error instanceof LivetapeError && error.cause === gone)) return which;
    throw error;
  }
}

function indexOf({ streamCode }: KeepId, window: Window): string {
  const { startedAtMs, endMs, sizeBytes, nextIndex, gaps } = window;
  return renderIndex({
    streamCode,
    status: 'stopped',
    startedAtMs,
    lastSegmentAtMs: endMs,
    segmentCount: window.uris.length,
    sizeBytes,
    nextIndex,
    gaps,
  });
}

function summary({ startedAtMs, endMs, uris, sizeBytes, missingCount }: Window): Omit<Keep, 'streamCode' | 'name' | 'location'> {
  const sums = { from: new Date(startedAtMs), to: new Date(endMs), segmentCount: uris.length, sizeBytes };
  return missingCount === 0 ? sums : { ...sums, missingCount };
}
