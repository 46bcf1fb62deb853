/**
 * Opens the playlist and index.json of an archive that is to be written to, whatever state they are in (K1, K3, K4). What cannot be
 * read is kept under another name first; then there is a playlist that can be gone on with, or none.
 */
import { LivetapeError, isLivetapeError, type Clock } from '../base/index.js';
import { parseHeader, type PlaylistEntry, type PlaylistHeader } from '../hls/index.js';
import { INDEX_NAME, JOURNAL_NAME, TMP_SUFFIX, copyAside, setAside, type StreamStorage } from '../storage/index.js';
import { loadIndex, type ArchiveIndex } from './archiveIndex.js';
import type { Healing } from './healed.js';
import { Journal, type OpenedJournal } from './journal.js';
import { stretchesFrom } from './recoveryEntries.js';

/** The first look at a damaged tail; doubled until it holds an entry before the damage. */
const FIRST_LOOK_BYTES = 64 * 1024;
/** No header is longer. */
const MAX_HEADER_BYTES = 1024 * 1024;
/** So many readable entries behind a damage are remembered: more than files are entered on open. */
const MAX_BEHIND = 2000;
/** Files that a crash may leave under a temporary name. */
const LEFTOVERS = [JOURNAL_NAME, INDEX_NAME, 'probe'];

/** A playlist that can be gone on with, or none. */
export interface HealedJournal extends OpenedJournal {
  /** Entries that could be read behind the damage and were cut off with it, by URI: their files are there, and what they said still holds. */
  readonly cutOff: ReadonlyMap<string, PlaylistEntry>;
  /** There was a playlist, and none of it is in use any more. */
  readonly lost: boolean;
}

/** What a place needs for healing. */
export interface Patient {
  readonly storage: StreamStorage;
  readonly clock: Clock;
  readonly healing: Healing;
}

/** index.json; undefined where there is none or it could not be read and is set aside (K4). */
export async function openIndex({ storage, clock, healing }: Patient): Promise<ArchiveIndex | undefined> {
  try {
    return await loadIndex(storage);
  } catch (error) {
    const newer = isLivetapeError(error, 'ARCHIVE_FORMAT_NEWER');
    if (!newer && !isLivetapeError(error, 'ARCHIVE_CORRUPT')) throw error;
    const sizeBytes = (await storage.files.stat(INDEX_NAME))?.sizeBytes ?? 0;
    if (sizeBytes === 0) {
      healing.note({ found: 'index_unreadable', done: 'rewritten', file: INDEX_NAME, sizeBytes, detail: 'index.json is empty' });
      return undefined;
    }
    const keptAs = await setAside(storage.files, INDEX_NAME, clock.nowMs());
    const found = newer ? 'index_newer' : 'index_unreadable';
    healing.note({ found, done: 'set_aside', file: INDEX_NAME, keptAs, sizeBytes, detail: error.message });
    return undefined;
  }
}

/** The playlist, after what is needed to open it. */
export async function openJournal(patient: Patient, index: ArchiveIndex | undefined): Promise<HealedJournal> {
  const { storage, healing } = patient;
  const size = await storage.journalSize();
  const none = { journal: Journal.none(storage), first: undefined, last: undefined, tail: [], tornBytes: 0, cutOff: new Map() };
  if (size === undefined) return { ...none, lost: false };
  if (size === 0) {
    healing.note({ found: 'playlist_empty', done: 'rewritten', file: JOURNAL_NAME, sizeBytes: 0, detail: 'the playlist is empty' });
    return { ...none, lost: true };
  }
  let cutOff: ReadonlyMap<string, PlaylistEntry> = new Map();
  for (let cut = false; ; cut = true) {
    let opened: OpenedJournal;
    try {
      opened = await Journal.open(storage);
    } catch (error) {
      if (!isLivetapeError(error, 'ARCHIVE_CORRUPT') && !isLivetapeError(error, 'ARCHIVE_FORMAT_NEWER')) throw error;
      if (error.code === 'ARCHIVE_CORRUPT' && !cut) {
        const found = await cutDamage(patient, size);
        if (found !== undefined) {
          cutOff = found;
          continue;
        }
      }
      await setPlaylistAside(patient, size, error);
      return { ...none, cutOff, lost: true };
    }
    const why = whyNotGoneOnWith(opened, index);
    if (why === undefined) {
      if (opened.tornBytes > 0) {
        await opened.journal.cutTorn();
        const detail = 'the playlist ended in a torn entry';
        healing.note({ found: 'torn_entry', done: 'cut_off', file: JOURNAL_NAME, sizeBytes: opened.tornBytes, detail });
      }
      return { ...opened, cutOff, lost: false };
    }
    await setPlaylistAside(patient, size, new LivetapeError('ARCHIVE_CORRUPT', why));
    return { ...none, cutOff, lost: true };
  }
}

/**
 * Cuts a playlist, copied aside, off before the first entry that cannot be read; answers with the readable ones behind that. For a playlist
 * of which all has to be read. Undefined, and nothing is done, when no entry is left before it.
 */
export async function cutDamage(patient: Patient, size: number, whole = false): Promise<Map<string, PlaylistEntry> | undefined> {
  const { storage, clock, healing } = patient;
  const head = await headerOf(storage, size);
  if (head === undefined) return undefined;
  // An entry of ours has its facts and its date-time; one that lost a line to the damage may look like another system's.
  const isGood = (entry: PlaylistEntry | undefined): boolean =>
    entry !== undefined && (head.header.life === undefined || (entry.facts !== undefined && entry.wallMs !== undefined));
  for (let look = whole ? size : FIRST_LOOK_BYTES; ; look *= 2) {
    const fromByte = Math.max(head.toByte, size - look);
    const atEntry = fromByte === head.toByte;
    let cutAt: number | undefined;
    let bad = false;
    const behind = new Map<string, PlaylistEntry>();
    for await (const { entry, toByte } of stretchesFrom(storage, { fromByte, toByte: size, atEntry })) {
      const good = isGood(entry) ? entry : undefined;
      if (good === undefined) bad = true;
      else if (!bad) cutAt = toByte;
      else if (behind.set(good.uri, good).size >= MAX_BEHIND) break;
      // It may have begun earlier.
      if (bad && cutAt === undefined) break;
    }
    if (!bad || cutAt === undefined) {
      if (atEntry) return undefined;
      continue;
    }
    const keptAs = await copyAside(storage.files, JOURNAL_NAME, clock.nowMs());
    await storage.appendJournal('', cutAt);
    const sizeBytes = size - cutAt;
    const detail = `the playlist cannot be read from byte ${cutAt} on and was cut off there`;
    healing.note({ found: 'playlist_tail_unreadable', done: 'cut_off', file: JOURNAL_NAME, keptAs, sizeBytes, detail });
    return behind;
  }
}

/** Sets a playlist aside that nothing can be gone on with. */
export async function setPlaylistAside({ storage, clock, healing }: Patient, size: number, error: LivetapeError): Promise<void> {
  const keptAs = await setAside(storage.files, JOURNAL_NAME, clock.nowMs());
  const found = error.code === 'ARCHIVE_FORMAT_NEWER' ? 'playlist_newer' : 'playlist_unreadable';
  healing.note({ found, done: 'set_aside', file: JOURNAL_NAME, keptAs, sizeBytes: size, detail: error.message });
}

/**
 * Removes what a crash left under temporary names. The copy of a playlist that is not in use with its entries (`inUse`), whatever became of
 * it, may be all there is of them: it is set aside, where `check --repair` finds it.
 */
export async function removeLeftovers({ storage, clock, healing }: Patient, inUse: boolean): Promise<void> {
  for (const name of LEFTOVERS) {
    const file = name + TMP_SUFFIX;
    const found = await storage.files.stat(file);
    if (found === undefined) continue;
    const note = { found: 'leftover_file', file, sizeBytes: found.sizeBytes, detail: 'a replacement was cut short by a crash' } as const;
    if (name === JOURNAL_NAME && found.sizeBytes > 0 && !inUse) {
      healing.note({ ...note, done: 'set_aside', keptAs: await setAside(storage.files, file, clock.nowMs()) });
    } else if (await storage.files.remove(file)) healing.note({ ...note, done: 'removed' });
  }
}

/** A playlist without an entry is what is left of one that was cut short, unless all of its entries went the way of retention. */
function whyNotGoneOnWith(opened: OpenedJournal, index: ArchiveIndex | undefined): string | undefined {
  const { journal } = opened;
  if (journal.hasEntries) return undefined;
  const pruned = journal.header?.life !== undefined && (journal.ended || index?.segmentCount === 0);
  return pruned ? undefined : 'playlist: it holds no segment that can be read';
}

async function headerOf(storage: StreamStorage, size: number): Promise<{ header: PlaylistHeader; toByte: number } | undefined> {
  try {
    for (let look = FIRST_LOOK_BYTES; ; look *= 2) {
      const head = parseHeader(await storage.readJournal(0, Math.min(look, size)), look >= size);
      if (head !== undefined || look >= Math.min(size, MAX_HEADER_BYTES)) return head;
    }
  } catch (error) {
    if (isLivetapeError(error, 'ARCHIVE_CORRUPT')) return undefined;
    throw error;
  }
}
