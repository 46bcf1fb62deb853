/**
 * playlist.m3u8 as the writer has it: the header, where the entries begin and end, and the two ways in which it
 * changes (F7). Entries are never rendered again: a replacement copies their bytes.
 */
import { LivetapeError, invariant } from '../base/index.js';
import {
  ENDLIST,
  parseEntries,
  parseHeader,
  renderHeader,
  type EntryChunk,
  type HeaderChunk,
  type PlaylistEntry,
  type PlaylistHeader,
} from '../hls/index.js';
import type { StreamStorage } from '../storage/index.js';
import { firstReadable } from './recoveryEntries.js';

/** The first look at the head and the tail; doubled until it holds what is looked for. */
const FIRST_LOOK_BYTES = 16 * 1024;
/** No header is longer. */
const MAX_HEADER_BYTES = 1024 * 1024;

interface State {
  readonly header: PlaylistHeader;
  /** Where the first entry begins. */
  readonly headerBytes: number;
  /** Where the last complete entry ends. */
  readonly toByte: number;
  readonly hasEntries: boolean;
  /** EXT-X-ENDLIST stands after the last entry. */
  readonly ended: boolean;
}

/** What opening a journal finds, besides the journal. */
export interface OpenedJournal {
  readonly journal: Journal;
  readonly first: PlaylistEntry | undefined;
  readonly last: PlaylistEntry | undefined;
  /** The newest entries, as many as came with the last; oldest first. */
  readonly tail: readonly PlaylistEntry[];
  /** Bytes of a torn entry at the end; the next change cuts them off (F6). */
  readonly tornBytes: number;
}

/** A header that is to be, and what is to stand after the entries that are there. */
export interface Replacement {
  readonly header: PlaylistHeader;
  readonly ended: boolean;
  /** One more entry, rendered. */
  readonly entry?: string;
  /** Bytes of entries at the head that leave. */
  readonly dropBytes?: number;
}

/** The journal of one stream, for its one writer. Calls follow one another: the next is made when the last is settled. */
export class Journal {
  readonly #storage: StreamStorage;
  #state: State | undefined;
  /** What stands there in place of `#state`, if a replacement that failed came through after all. */
  #doubt: State | undefined;
  /** Something may stand after the last entry: an append failed, or what was opened ends in a torn one. */
  #torn = true;

  private constructor(storage: StreamStorage, state: State | undefined) {
    this.#storage = storage;
    this.#state = state;
  }

  /**
   * Reads the head and the tail of the playlist, however long it is.
   * @throws LivetapeError ARCHIVE_CORRUPT, ARCHIVE_FORMAT_NEWER
   */
  static async open(storage: StreamStorage): Promise<OpenedJournal> {
    const size = (await storage.journalSize()) ?? 0;
    if (size === 0) return { journal: Journal.none(storage), first: undefined, last: undefined, tail: [], tornBytes: 0 };
    const { header, first } = await readHead(storage, size);
    const { fromByte, chunk } = await readTail(storage, header.toByte, size);
    const state: State = {
      header: header.header,
      headerBytes: header.toByte,
      toByte: fromByte + chunk.toByte,
      hasEntries: first !== undefined,
      ended: chunk.ended,
    };
    const tail = chunk.entries.map(({ entry }) => entry);
    return { journal: new Journal(storage, state), first, last: tail.at(-1), tail, tornBytes: chunk.tornBytes };
  }

  /** That of a stream which has none. */
  static none(storage: StreamStorage): Journal {
    return new Journal(storage, undefined);
  }

  /** Undefined while there is no journal. */
  get header(): PlaylistHeader | undefined {
    return this.#state?.header;
  }

  get hasEntries(): boolean {
    return this.#state?.hasEntries ?? false;
  }

  /** The life is over: EXT-X-ENDLIST is there. */
  get ended(): boolean {
    return this.#state?.ended ?? false;
  }

  /** Bytes of all entries. */
  get entryBytes(): number {
    return this.#state === undefined ? 0 : this.#state.toByte - this.#state.headerBytes;
  }

  /** Bytes [fromByte, toByte) counted from the first entry; shorter where the entries end. */
  readEntries(fromByte: number, toByte: number): Promise<Uint8Array> {
    const state = this.#state;
    if (state === undefined) return Promise.resolve(new Uint8Array(0));
    return this.#storage.readJournal(state.headerBytes + fromByte, Math.min(state.headerBytes + toByte, state.toByte));
  }

  /** Cuts off what stands after the last entry of an open life and is not one. */
  async cutTorn(): Promise<void> {
    if (this.#state !== undefined && !this.#state.ended) await this.#storage.appendJournal('', this.#state.toByte);
  }

  /** Adds one rendered entry. When it rejects the entry does not exist: the next change overwrites what was written of it. */
  async append(entry: string): Promise<void> {
    await this.settle();
    const state = this.#state;
    invariant(state && !state.ended, 'F7: entries are appended to an open life only');
    if (!this.#torn) await this.#makeSure(state.toByte);
    this.#torn = true;
    await this.#storage.appendJournal(entry, state.toByte);
    this.#torn = false;
    this.#state = { ...state, toByte: state.toByte + Buffer.byteLength(entry), hasEntries: true };
  }

  /** Somebody who puts another playlist in the place of this one, or writes to it, is not overwritten: what is there has to be read anew (K5). */
  async #makeSure(toByte: number): Promise<void> {
    const size = await this.#storage.journalSize();
    if (size === toByte) return;
    const context = { path: this.#storage.location, expectedBytes: toByte, seenBytes: size };
    throw new LivetapeError('ARCHIVE_CORRUPT', 'the playlist is not as it was left', { context });
  }

  /** Puts another header before the entries that are there. When it rejects, `entry` does not exist, as after `append`. */
  async replace(by: Replacement): Promise<void> {
    await this.settle();
    const text = renderHeader(by.header);
    const headerBytes = Buffer.byteLength(text);
    const kept = this.#state && { fromByte: this.#state.headerBytes + (by.dropBytes ?? 0), toByte: this.#state.toByte };
    invariant(kept === undefined || kept.fromByte <= kept.toByte, 'no more entries leave than there are');
    const keptTo = headerBytes + (kept === undefined ? 0 : kept.toByte - kept.fromByte);
    const without: State = { header: by.header, headerBytes, toByte: keptTo, hasEntries: this.hasEntries, ended: by.ended };
    const parts = [text, ...(kept === undefined ? [] : [kept]), by.entry ?? '', by.ended ? ENDLIST : ''];
    try {
      await this.#storage.replaceJournal(parts);
    } catch (error) {
      this.#doubt = without;
      throw error;
    }
    this.#state = by.entry === undefined ? without : { ...without, toByte: keptTo + Buffer.byteLength(by.entry), hasEntries: true };
  }

  /** After a replacement that failed: looks which journal stands there. Every replacement has another header, so that tells. */
  async settle(): Promise<void> {
    const doubt = this.#doubt;
    if (doubt === undefined) return;
    const stands = new TextDecoder().decode(await this.#storage.readJournal(0, doubt.headerBytes));
    if (stands === renderHeader(doubt.header)) this.#state = doubt;
    this.#doubt = undefined;
  }
}

/** The header and the first entry. */
async function readHead(storage: StreamStorage, size: number): Promise<{ header: HeaderChunk; first: PlaylistEntry | undefined }> {
  for (let look = FIRST_LOOK_BYTES; ; look *= 2) {
    const bytes = await storage.readJournal(0, Math.min(look, size));
    const whole = look >= size;
    const header = parseHeader(bytes, whole);
    if (header === undefined) {
      if (look >= MAX_HEADER_BYTES) throw new LivetapeError('ARCHIVE_CORRUPT', `playlist: no segment within ${MAX_HEADER_BYTES} bytes`);
      continue;
    }
    // A damage at the head is for a repair: resuming needs to know where the stream begins, not every entry.
    const first = firstReadable(bytes.subarray(header.toByte));
    if (first !== undefined || whole) return { header, first };
  }
}

async function readTail(storage: StreamStorage, headerBytes: number, size: number): Promise<{ fromByte: number; chunk: EntryChunk }> {
  for (let look = FIRST_LOOK_BYTES; ; look *= 2) {
    const fromByte = Math.max(headerBytes, size - look);
    const chunk = parseEntries(await storage.readJournal(fromByte, size), fromByte === headerBytes, { byte: fromByte });
    if (chunk.entries.length > 0 || fromByte === headerBytes) return { fromByte, chunk };
  }
}
