/**
 * What an archive needs of a medium. A storage knows nothing of video: it keeps bytes under names, and each
 * call is durable when its promise is kept (unless it says otherwise). Every implementation runs through
 * storage/storageContract.ts.
 *
 * Errors are LivetapeErrors: DISK_FULL (ENOSPC, EDQUOT), STORAGE_UNWRITABLE (EACCES, EPERM, EROFS),
 * STORAGE_FAILED (the rest), PATH_OUTSIDE_ROOT (also for a name that is not a single word).
 */

import type { Closable } from '../base/index.js';
import type { Ownership } from './ownership.js';
import type { PlaceFiles } from './placeFiles.js';

/** The medium of many streams: a root folder, a bucket. */
export interface Storage {
  /** Where it is, for people: a path or a URL. */
  readonly location: string;
  /** The place of one stream. Touches nothing yet. `code` is checked already (model/streamCode). */
  stream(code: string): StreamStorage;
  /** Codes of all streams there are: the places that hold a journal or an index, in no order. */
  list(): AsyncIterable<string>;
  /** Windows that are held for good. */
  readonly keeps: KeepStorage;
  /** The disk on which a stream's place lies, or would lie; without one that of the root. */
  disk(code?: string): Promise<Disk>;
}

/** What streams share the space of. */
export interface Disk {
  /** The same for all places on it. */
  readonly id: string;
  /** Bytes that can still be written. */
  readonly freeBytes: number;
  /** Bytes that fit on it: those that can still be written, those that are, and what it keeps for its own ends. */
  readonly totalBytes: number;
}

/** A piece of a new journal: text, or a byte range of the journal that is being replaced. */
export type JournalPart = string | { readonly fromByte: number; readonly toByte: number };
/** All pieces in order; one that is long is made while it is written. */
export type JournalParts = Iterable<JournalPart> | AsyncIterable<JournalPart>;

/** The place of one stream. Names are single words such as `000000.ts`; readers take no lock. */
export interface StreamStorage {
  /** Where it is, for people and as `segmentDir`: a path or a URL. */
  readonly location: string;
  /** All files there are, unfinished ones and those set aside too: for recovery, check and repair. */
  readonly files: PlaceFiles;
  /** Makes the place if it is missing and proves that it can be written to. Rejects with PATH_OUTSIDE_ROOT where a symbolic link leads out of the root. */
  create(): Promise<void>;
  /**
   * Takes the place for writing, before anything in it is changed. Rejects with STREAM_OWNED while another writer holds it, in this process or
   * any other that sees the medium; one that died is taken over at once. The place itself refuses nobody: who writes asks `check()`.
   */
  own(): Promise<Ownership>;
  /**
   * Begins a new file. Nothing is seen under `name` until `commit()` is under way. Synchronous: failures show in the first promise.
   * A name that is being written already is refused at once (STORAGE_FAILED), one that is committed when this is committed.
   */
  put(name: string): Upload;
  /** Whether a name was ever begun, as far as the medium shows: a committed file, or what is left of an upload that was cut short. */
  isTaken(name: string): Promise<boolean>;
  /** Size of a committed file in bytes; undefined when there is none. */
  size(name: string): Promise<number | undefined>;
  /** Bytes [fromByte, toByte) of a committed file; shorter when it ends before; undefined when there is none. */
  read(name: string, fromByte: number, toByte: number): Promise<Uint8Array | undefined>;
  /**
   * Opens a committed file; undefined when there is none. Rejects with PATH_OUTSIDE_ROOT where a symbolic link leads out of the root. Close it.
   */
  open(name: string): Promise<OpenedFile | undefined>;
  /** Committed names (caches too, not the journal) greater than `after` (all when undefined), ordered by code unit. None when there is no place. */
  list(after?: string): Promise<string[]>;
  /** Removes a committed file. True when there was one. Not durable: a power cut may bring it back. */
  remove(name: string): Promise<boolean>;
  /** Size of the journal in bytes; undefined when there is none. */
  journalSize(): Promise<number | undefined>;
  /** A word that is another one after each change of the journal; undefined when there is none. Nothing is read for it: for who only wants to know whether to read. */
  journalStamp(): Promise<string | undefined>;
  /** Bytes [fromByte, toByte) of the journal; shorter when it ends before; empty when there is none. */
  readJournal(fromByte: number, toByte: number): Promise<Uint8Array>;
  /**
   * Writes `text` at byte `at` and cuts off whatever stood there before, so a torn write is healed by the next.
   * Rejects with ARCHIVE_CORRUPT when the journal is shorter than `at`. After a failure any part of `text` may stand there.
   */
  appendJournal(text: string, at: number): Promise<void>;
  /**
   * Puts a new journal in the place of the old one, at once: a reader sees one or the other. Rejects with ARCHIVE_CORRUPT when the
   * old one does not hold a range. After a failure it may be the old one or the new one that stands there.
   */
  replaceJournal(parts: JournalParts): Promise<void>;
  /** Writes a small file that may be lost: atomic, not durable. */
  putCache(name: string, text: string): Promise<void>;
}

/** A committed file, open: it can be read to its end although it is removed meanwhile. */
export interface OpenedFile extends Closable {
  readonly sizeBytes: number;
  /** UTC milliseconds; undefined where the medium does not know. */
  readonly modifiedMs: number | undefined;
  /** Fills `into` from `fromByte`, and answers with how much there was. `into` is the reader's again when the promise is kept. Rejects with CLOSED after `close()`. */
  read(into: Uint8Array, fromByte: number): Promise<number>;
}

/** A file being written. Calls are carried out in order; the first failure fails all that follow. */
export interface Upload {
  /** Appends. `bytes` must not change until the promise is kept. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes the file durable under its name. */
  commit(): Promise<void>;
  /** Gives it up, also after a commit that failed; nothing remains. After a commit that was kept it does nothing. Never rejects. */
  abort(): Promise<void>;
}

/** Which keep. */
export interface KeepId {
  /** The stream that it was taken from. */
  readonly streamCode: string;
  readonly name: string;
}

/** A keep that is being made. */
export interface KeepBuilder {
  /** Where its files are put until it is there. */
  readonly place: StreamStorage;
  /** Puts a committed file of the stream into it under the same name, without copying it where that can be. False when there is no such file. */
  readonly link: (name: string) => Promise<boolean>;
}

/**
 * The keeps of a medium: places of windows that are held for good, beside the streams. Their files are those of the stream, linked where the medium
 * can link. Names are checked already.
 */
export interface KeepStorage {
  /** All there are, in no order. */
  list(): AsyncIterable<KeepId>;
  /** The place of one, to be read. */
  place(keep: KeepId): StreamStorage;
  /**
   * Makes one: what `fill` has put into it is there, under its name and durable, when the promise is kept. When it rejects nothing is left.
   * Rejects with KEEP_EXISTS where there is one of that name, and with whatever `fill` rejects with.
   */
  make<T>(keep: KeepId, fill: (builder: KeepBuilder) => Promise<T>): Promise<T>;
  /** Removes one with all its files. False when there was none. */
  remove(keep: KeepId): Promise<boolean>;
}
