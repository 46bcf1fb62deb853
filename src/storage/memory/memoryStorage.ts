/**
 * A medium that forgets when the process ends: for tests, and for recordings nobody needs to keep. It holds to
 * the same contract as the others, their refusals included.
 */
import { LivetapeError, invariant } from '../../base/index.js';
import { storageError } from '../errors.js';
import { INDEX_NAME, JOURNAL_NAME, PART_SUFFIX, checkName, isCommittedName } from '../names.js';
import { checkWord, type FileFacts, type PlaceFiles } from '../placeFiles.js';
import { Sequence } from '../sequence.js';
import { ownedByAnother, ownershipLost, type Ownership } from '../ownership.js';
import type { JournalParts, OpenedFile, Storage, StreamStorage, Upload } from '../storage.js';
import { MemoryDisks, type Holding, type MemoryStorageOptions } from './memoryDisk.js';
import { MemoryKeeps } from './memoryKeeps.js';
import { MemoryOpened } from './memoryOpened.js';

export type { MemoryStorageOptions } from './memoryDisk.js';

/** A storage in memory, empty. */
export function createMemoryStorage(options: MemoryStorageOptions = {}): Storage {
  const places = new Map<string, MemoryStream>();
  const disks: MemoryDisks = new MemoryDisks(options, (): Holding[] =>
    [...places.values(), ...keeps.places()].map((place) => place.holding),
  );
  const stream = (code: string): MemoryStream => {
    let place = places.get(code);
    if (place === undefined) places.set(code, (place = new MemoryStream(code, disks)));
    return place;
  };
  const keeps: MemoryKeeps<MemoryStream> = new MemoryKeeps<MemoryStream>((code) => new MemoryStream(code, disks), stream);
  return {
    location: 'memory:',
    stream,
    async *list() {
      for (const [code, place] of places) if (place.holdsStream) yield code;
    },
    keeps,
    disk: (code = '') => attempt(() => disks.of(code)),
  };
}

class MemoryStream implements StreamStorage {
  readonly location: string;
  readonly files: PlaceFiles = new MemoryFiles(this);
  /** Files under all names, the journal aside. */
  readonly kept = new Map<string, Uint8Array>();
  readonly uploads = new Map<string, MemoryUpload>();
  readonly disks: MemoryDisks;
  readonly #code: string;
  #created = false;
  #owner: Ownership | undefined;
  #journal: Uint8Array | undefined;
  #journalChanges = 0;

  constructor(code: string, disks: MemoryDisks) {
    this.location = `memory:${code}`;
    this.#code = code;
    this.disks = disks;
  }

  get holding(): Holding {
    return { code: this.#code, media: () => [...this.kept.values(), ...[...this.uploads.values()].flatMap((upload) => upload.chunks)] };
  }

  /** Fails where `sizeBytes` more do not fit. */
  take(sizeBytes: number): void {
    this.disks.take(this.#code, sizeBytes);
  }

  get holdsStream(): boolean {
    return this.#journal !== undefined || this.kept.has(INDEX_NAME);
  }

  create(): Promise<void> {
    this.#created = true;
    return Promise.resolve();
  }

  own(): Promise<Ownership> {
    return attempt(() => {
      this.checkCreated();
      if (this.#owner !== undefined) throw ownedByAnother(this.location);
      const owner: Ownership = {
        check: () => attempt(() => this.checkOwner(owner)),
        release: () => Promise.resolve(this.disown(owner)),
      };
      this.#owner = owner;
      return owner;
    });
  }

  put(name: string): Upload {
    return new MemoryUpload(this, name);
  }

  isTaken(name: string): Promise<boolean> {
    return attempt(() => this.kept.has(checkName(name)) || this.kept.has(name + PART_SUFFIX) || this.uploads.has(name));
  }

  size(name: string): Promise<number | undefined> {
    return attempt(() => this.kept.get(checkName(name))?.byteLength);
  }

  read(name: string, fromByte: number, toByte: number): Promise<Uint8Array | undefined> {
    return attempt(() => this.kept.get(checkName(name))?.slice(fromByte, Math.max(fromByte, toByte)));
  }

  open(name: string): Promise<OpenedFile | undefined> {
    return attempt(() => {
      const bytes = this.kept.get(checkName(name));
      return bytes && new MemoryOpened(bytes);
    });
  }

  list(after?: string): Promise<string[]> {
    return attempt(() =>
      [...this.kept.keys()]
        .filter((name) => isCommittedName(name))
        .filter((name) => after === undefined || name > after)
        .sort(),
    );
  }

  remove(name: string): Promise<boolean> {
    return attempt(() => this.kept.delete(checkName(name)));
  }

  journalSize(): Promise<number | undefined> {
    return attempt(() => this.#journal?.byteLength);
  }

  journalStamp(): Promise<string | undefined> {
    return attempt(() => (this.#journal === undefined ? undefined : String(this.#journalChanges)));
  }

  readJournal(fromByte: number, toByte: number): Promise<Uint8Array> {
    return attempt(() => (this.#journal ?? new Uint8Array(0)).slice(fromByte, Math.max(fromByte, toByte)));
  }

  appendJournal(text: string, at: number): Promise<void> {
    return attempt(() => {
      this.checkCreated();
      const old = this.#range(0, at);
      this.journal = join([old, encode(text)]);
    });
  }

  replaceJournal(parts: JournalParts): Promise<void> {
    return attempt(async () => {
      this.checkCreated();
      const pieces: Uint8Array[] = [];
      for await (const part of parts) pieces.push(typeof part === 'string' ? encode(part) : this.#range(part.fromByte, part.toByte));
      this.journal = join(pieces);
    });
  }

  putCache(name: string, text: string): Promise<void> {
    return attempt(() => {
      this.checkCreated();
      this.kept.set(checkName(name), encode(text));
    });
  }

  get journal(): Uint8Array | undefined {
    return this.#journal;
  }

  set journal(bytes: Uint8Array | undefined) {
    this.#journal = bytes;
    this.#journalChanges += 1;
  }

  checkOwner(owner: Ownership): void {
    if (this.#owner !== owner) throw ownershipLost(this.location, 'it was released');
  }

  disown(owner: Ownership): void {
    if (this.#owner === owner) this.#owner = undefined;
  }

  checkCreated(): void {
    if (!this.#created) throw new LivetapeError('STORAGE_FAILED', `${this.location} was not created`);
  }

  #range(fromByte: number, toByte: number): Uint8Array {
    const size = this.#journal?.byteLength ?? 0;
    if (size < toByte) throw new LivetapeError('ARCHIVE_CORRUPT', `the journal has ${size} bytes where ${toByte} were written`);
    return (this.#journal ?? new Uint8Array(0)).subarray(fromByte, toByte);
  }
}

/** The journal is a file among the others here, as it is in a folder. What is being uploaded is not seen. */
class MemoryFiles implements PlaceFiles {
  readonly #place: MemoryStream;

  constructor(place: MemoryStream) {
    this.#place = place;
  }

  async *list(): AsyncGenerator<string> {
    await Promise.resolve();
    if (this.#place.journal !== undefined) yield JOURNAL_NAME;
    yield* [...this.#place.kept.keys()];
  }

  stat(name: string): Promise<FileFacts | undefined> {
    return attempt(() => {
      const bytes = this.#get(name);
      return bytes && { sizeBytes: bytes.byteLength, modifiedMs: undefined };
    });
  }

  read(name: string, fromByte: number, toByte: number): Promise<Uint8Array | undefined> {
    return attempt(() => this.#get(name)?.slice(fromByte, Math.max(fromByte, toByte)));
  }

  rename(from: string, to: string): Promise<void> {
    return attempt(() => {
      const bytes = this.#get(from);
      if (bytes === undefined) throw new LivetapeError('STORAGE_FAILED', `there is no ${from} to rename`);
      if (this.#get(to) !== undefined) throw new LivetapeError('STORAGE_FAILED', `${to} is there already`);
      this.#set(to, bytes);
      this.#set(from, undefined);
    });
  }

  trim(name: string, sizeBytes: number): Promise<void> {
    return attempt(() => {
      const bytes = this.#get(name);
      if (bytes === undefined) throw new LivetapeError('STORAGE_FAILED', `there is no ${name} to cut`);
      this.#set(name, bytes.slice(0, sizeBytes));
    });
  }

  copy(from: string, to: string): Promise<void> {
    return attempt(() => {
      const bytes = this.#get(from);
      if (bytes === undefined) throw new LivetapeError('STORAGE_FAILED', `there is no ${from} to copy`);
      if (this.#get(to) !== undefined) throw new LivetapeError('STORAGE_FAILED', `${to} is there already`);
      this.#set(to, bytes.slice());
    });
  }

  remove(name: string): Promise<boolean> {
    return attempt(() => {
      const found = this.#get(name) !== undefined;
      this.#set(name, undefined);
      return found;
    });
  }

  #get(name: string): Uint8Array | undefined {
    return checkWord(name) === JOURNAL_NAME ? this.#place.journal : this.#place.kept.get(name);
  }

  #set(name: string, bytes: Uint8Array | undefined): void {
    if (name === JOURNAL_NAME) this.#place.journal = bytes;
    else if (bytes === undefined) this.#place.kept.delete(name);
    else this.#place.kept.set(name, bytes);
  }
}

class MemoryUpload implements Upload {
  readonly #place: MemoryStream;
  readonly #name: string;
  readonly #steps = new Sequence();
  #chunks: Uint8Array[] = [];
  #owns = false;
  #state: 'open' | 'committed' | 'aborted' = 'open';

  constructor(place: MemoryStream, name: string) {
    this.#place = place;
    this.#name = name;
    void this.#step('create', () => {
      place.checkCreated();
      checkName(name);
      if (place.uploads.has(name)) throw new LivetapeError('STORAGE_FAILED', `${name} is being written already`);
      place.uploads.set(name, this);
      this.#owns = true;
    });
  }

  get chunks(): readonly Uint8Array[] {
    return this.#chunks;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#step('write', () => {
      invariant(this.#state === 'open', `the upload of ${this.#name} is over`);
      this.#place.take(bytes.byteLength);
      this.#chunks.push(bytes.slice());
    });
  }

  commit(): Promise<void> {
    return this.#step('commit', () => {
      invariant(this.#state === 'open', `the upload of ${this.#name} is over`);
      if (this.#place.kept.has(this.#name)) throw new LivetapeError('STORAGE_FAILED', `${this.#name} is there already`);
      this.#place.kept.set(this.#name, join(this.#chunks));
      this.#state = 'committed';
      this.#letGo();
    });
  }

  async abort(): Promise<void> {
    if (this.#state === 'open') this.#state = 'aborted';
    await this.#steps.settled();
    this.#letGo();
  }

  #step(doing: string, run: () => void): Promise<void> {
    return this.#steps.run(() =>
      attempt(() => {
        if (this.#state === 'aborted') throw new LivetapeError('CLOSED', `the upload of ${this.#name} was given up`);
        run();
      }, doing),
    );
  }

  #letGo(): void {
    this.#chunks = [];
    if (this.#owns) this.#place.uploads.delete(this.#name);
    this.#owns = false;
  }
}

async function attempt<T>(run: () => T | Promise<T>, doing = 'use the storage'): Promise<T> {
  await Promise.resolve();
  try {
    return await run();
  } catch (error) {
    throw storageError(error, doing, {});
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
