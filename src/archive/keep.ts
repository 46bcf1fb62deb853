/**
 * Keeps: windows of an archive that are held for good, in places of their own that are plain HLS again (docs/design/keeping.md, K13). Whole segments,
 * linked; the entries are those of the archive.
 */
import { LivetapeError, type Clock } from '../base/index.js';
import { ENDLIST, renderEntry, renderHeader, type PlaylistHeader } from '../hls/index.js';
import type { Gap } from '../model/index.js';
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
  if (toMs > clock.nowMs()) throw new LivetapeError('WINDOW_IN_FUTURE', 'the window ends in the future', { context: { code: streamCode } });
  const archive = storage.stream(streamCode);
  for (let attempt = 1; ; attempt++) {
    const window = await findWindow(archive, { streamCode, fromMs, toMs, nowMs: clock.nowMs() });
    const done = await tryToMake(storage.keeps, id, window);
    if (done) return { ...id, ...summary(window), location: storage.keeps.place(id).location };
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
}

interface Wanted {
  readonly streamCode: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
}

/** The segments from the one that holds the window's beginning to the one that holds its end. */
async function findWindow(archive: StreamStorage, wanted: Wanted): Promise<Window> {
  const found = await scanJournal(archive, (header) => new WindowFold(header, wanted));
  if (found === undefined) {
    throw new LivetapeError('STREAM_NOT_FOUND', `there is no playlist in ${archive.location}`, { context: { code: wanted.streamCode } });
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
    this.#first ??= scanned;
    this.#last = scanned;
    // Entries of other systems have their time said, for in the keep there is none before to count from.
    const text = renderEntry({ ...entry, wallMs: Math.trunc(wallMs) });
    this.#piece.push(text);
    this.#pieceChars += text.length;
    if (this.#pieceChars >= PIECE_CHARS) this.#flush();
    this.#uris.push(entry.uri);
    if (entry.facts === undefined) this.#unsized.push(entry.uri);
    else this.#sizeBytes += entry.facts.sizeBytes;
    if (entry.facts?.gap) this.#gaps.add({ ...entry.facts.gap, toMs: wallMs });
  }

  result(ended: boolean): Window {
    const { fromMs, toMs, nowMs, streamCode } = this.#wanted;
    const header = this.#header;
    const context = { code: streamCode };
    if (this.#oldestMs === undefined || this.#newestEndMs === undefined) {
      throw new LivetapeError('WINDOW_IN_GAP', `nothing of ${streamCode} is recorded`, { context });
    }
    const underWayMs = UNDER_WAY_TARGETS * 1000 * header.targetDurationSec;
    if (!ended && toMs > this.#newestEndMs && nowMs - this.#newestEndMs < underWayMs) {
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
    };
  }

  #flush(): void {
    if (this.#piece.length > 0) this.#pieces.push(this.#piece.join(''));
    this.#piece = [];
    this.#pieceChars = 0;
  }
}

/** False when a segment has gone meanwhile. */
async function tryToMake(keeps: KeepStorage, id: KeepId, window: Window): Promise<boolean> {
  const gone = new Error('gone');
  try {
    await keeps.make(id, async ({ place, link }) => {
      // Another system's playlist can name a file twice.
      for (const uri of new Set(window.uris)) if (!(await link(uri))) throw gone;
      for (const uri of window.unsized) window.sizeBytes += (await place.size(uri)) ?? 0;
      await place.replaceJournal([renderHeader(window.header), ...window.pieces, ENDLIST]);
      await place.putCache(INDEX_NAME, indexOf(id, window));
    });
    return true;
  } catch (error) {
    if (error === gone || (error instanceof LivetapeError && error.cause === gone)) return false;
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

function summary({ startedAtMs, endMs, uris, sizeBytes }: Window): Pick<Keep, 'from' | 'to' | 'segmentCount' | 'sizeBytes'> {
  return { from: new Date(startedAtMs), to: new Date(endMs), segmentCount: uris.length, sizeBytes };
}
