/**
 * A storage that fails when it is told to: the Nth operation on it, with an errno, before, in the middle of, or after what it should have
 * done. It also writes down every operation and how many bytes it moved, so that a test can count what a commit costs.
 */
import { Sequence } from '../src/storage/sequence.js';
import {
  storageError,
  type JournalPart,
  type JournalParts,
  type KeepBuilder,
  type KeepStorage,
  type OpenedFile,
  type Ownership,
  type PlaceFiles,
  type Storage,
  type StreamStorage,
  type Upload,
} from '../src/storage/index.js';

/** Which operation fails, and how. */
export interface FaultPlan {
  /** The number of the first operation that fails, from 0. */
  readonly at: number;
  /** How many in a row fail. Default 1. */
  readonly times?: number;
  /** `ENOSPC`, `EIO` … */
  readonly errno: string;
  /** Before anything was done; after half of it (writes and appends; else as `before`); or after all of it. */
  readonly how: 'before' | 'half' | 'after';
}

/** One call, in the order in which they were carried out. */
export interface Operation {
  readonly name: keyof Storage | keyof KeepStorage | keyof KeepBuilder | keyof StreamStorage | keyof Upload | keyof PlaceFiles;
  /** Bytes that were handed in or asked for. */
  readonly bytes: number;
}

/** A storage that fails to a plan. */
export interface FaultyStorage extends Storage {
  readonly operations: Operation[];
  /** May be changed at any time. */
  plan: FaultPlan | undefined;
}

/** `storage`, but failing as `plan` says. */
export function faultyStorage(storage: Storage, plan?: FaultPlan): FaultyStorage {
  const operations: Operation[] = [];
  const gate: Gate = {
    async run(name, bytes, whole, half) {
      const fault = faulty.plan;
      const number = operations.push({ name, bytes }) - 1;
      if (fault === undefined || number < fault.at || number >= fault.at + (fault.times ?? 1)) return whole();
      if (fault.how === 'half') await half?.();
      else if (fault.how === 'after') await whole();
      throw storageError(Object.assign(new Error(`${fault.errno}: played by the test`), { code: fault.errno }), name, { number });
    },
  };
  const faulty: FaultyStorage = {
    operations,
    plan,
    location: storage.location,
    stream: (code) => new FaultyStream(storage.stream(code), gate),
    list: () => storage.list(),
    keeps: {
      list: () => storage.keeps.list(),
      place: (keep) => new FaultyStream(storage.keeps.place(keep), gate),
      make: (keep, fill) =>
        gate.run('make', 0, () =>
          storage.keeps.make(keep, ({ place, link }) =>
            fill({ place: new FaultyStream(place, gate), link: (name) => gate.run('link', 0, () => link(name)) }),
          ),
        ),
      remove: (keep) => gate.run('remove', 0, () => storage.keeps.remove(keep)),
    },
    disk: (code) => gate.run('disk', 0, () => storage.disk(code)),
  };
  return faulty;
}

interface Gate {
  run<T>(name: Operation['name'], bytes: number, whole: () => Promise<T>, half?: () => Promise<unknown>): Promise<T>;
}

class FaultyStream implements StreamStorage {
  readonly location: string;
  readonly files: PlaceFiles;
  readonly #inner: StreamStorage;
  readonly #gate: Gate;

  constructor(inner: StreamStorage, gate: Gate) {
    this.#inner = inner;
    this.#gate = gate;
    this.location = inner.location;
    this.files = {
      list: () => inner.files.list(),
      stat: (name) => gate.run('stat', 0, () => inner.files.stat(name)),
      read: (name, fromByte, toByte) => gate.run('read', toByte - fromByte, () => inner.files.read(name, fromByte, toByte)),
      rename: (from, to) => gate.run('rename', 0, () => inner.files.rename(from, to)),
      trim: (name, sizeBytes) => gate.run('trim', 0, () => inner.files.trim(name, sizeBytes)),
      copy: (from, to) => gate.run('copy', 0, () => inner.files.copy(from, to)),
      remove: (name) => gate.run('remove', 0, () => inner.files.remove(name)),
    };
  }

  create(): Promise<void> {
    return this.#gate.run('create', 0, () => this.#inner.create());
  }

  async own(): Promise<Ownership> {
    let owned: Ownership | undefined;
    try {
      return await this.#gate.run('own', 0, async () => (owned = await this.#inner.own()));
    } catch (error) {
      await owned?.release();
      throw error;
    }
  }

  put(name: string): Upload {
    return new FaultyUpload(this.#inner, name, this.#gate);
  }

  isTaken(name: string): Promise<boolean> {
    return this.#gate.run('isTaken', 0, () => this.#inner.isTaken(name));
  }

  size(name: string): Promise<number | undefined> {
    return this.#gate.run('size', 0, () => this.#inner.size(name));
  }

  async read(name: string, fromByte: number, toByte: number): Promise<Uint8Array | undefined> {
    return this.#gate.run('read', toByte - fromByte, () => this.#inner.read(name, fromByte, toByte));
  }

  async open(name: string): Promise<OpenedFile | undefined> {
    let opened: OpenedFile | undefined;
    try {
      await this.#gate.run('open', 0, async () => (opened = await this.#inner.open(name)));
    } catch (error) {
      await opened?.close();
      throw error;
    }
    return opened && new FaultyOpened(opened, this.#gate);
  }

  list(after?: string): Promise<string[]> {
    return this.#gate.run('list', 0, () => this.#inner.list(after));
  }

  remove(name: string): Promise<boolean> {
    return this.#gate.run('remove', 0, () => this.#inner.remove(name));
  }

  journalSize(): Promise<number | undefined> {
    return this.#gate.run('journalSize', 0, () => this.#inner.journalSize());
  }

  journalStamp(): Promise<string | undefined> {
    return this.#gate.run('journalStamp', 0, () => this.#inner.journalStamp());
  }

  readJournal(fromByte: number, toByte: number): Promise<Uint8Array> {
    return this.#gate.run('readJournal', toByte - fromByte, () => this.#inner.readJournal(fromByte, toByte));
  }

  appendJournal(text: string, at: number): Promise<void> {
    const half = (): Promise<void> => this.#inner.appendJournal(text.slice(0, text.length / 2), at);
    return this.#gate.run('appendJournal', Buffer.byteLength(text), () => this.#inner.appendJournal(text, at), half);
  }

  replaceJournal(parts: JournalParts): Promise<void> {
    const known = Array.isArray(parts) ? (parts as JournalPart[]) : [];
    const bytes = known.reduce((sum, part) => sum + (typeof part === 'string' ? Buffer.byteLength(part) : part.toByte - part.fromByte), 0);
    return this.#gate.run('replaceJournal', bytes, () => this.#inner.replaceJournal(parts));
  }

  putCache(name: string, text: string): Promise<void> {
    return this.#gate.run('putCache', Buffer.byteLength(text), () => this.#inner.putCache(name, text));
  }
}

class FaultyOpened implements OpenedFile {
  readonly sizeBytes: number;
  readonly modifiedMs: number | undefined;
  readonly #inner: OpenedFile;
  readonly #gate: Gate;

  constructor(inner: OpenedFile, gate: Gate) {
    this.#inner = inner;
    this.#gate = gate;
    this.sizeBytes = inner.sizeBytes;
    this.modifiedMs = inner.modifiedMs;
  }

  read(into: Uint8Array, fromByte: number): Promise<number> {
    return this.#gate.run('read', into.byteLength, () => this.#inner.read(into, fromByte));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The first failure fails all that follow, as storage.ts promises. */
class FaultyUpload implements Upload {
  readonly #place: StreamStorage;
  readonly #name: string;
  readonly #inner: Upload;
  readonly #gate: Gate;
  readonly #steps = new Sequence();
  #failedAfterCommit = false;

  constructor(place: StreamStorage, name: string, gate: Gate) {
    this.#place = place;
    this.#name = name;
    this.#inner = place.put(name);
    this.#gate = gate;
    void this.#steps.run(() => gate.run('put', 0, () => Promise.resolve()));
  }

  write(bytes: Uint8Array): Promise<void> {
    const half = (): Promise<void> => this.#inner.write(bytes.subarray(0, bytes.byteLength / 2));
    return this.#steps.run(() => this.#gate.run('write', bytes.byteLength, () => this.#inner.write(bytes), half));
  }

  commit(): Promise<void> {
    return this.#steps.run(async () => {
      let done = false;
      try {
        await this.#gate.run('commit', 0, async () => {
          await this.#inner.commit();
          done = true;
        });
      } catch (error) {
        this.#failedAfterCommit = done;
        throw error;
      }
    });
  }

  async abort(): Promise<void> {
    await this.#steps.settled();
    if (this.#failedAfterCommit) await this.#place.remove(this.#name);
    else await this.#inner.abort();
  }
}
