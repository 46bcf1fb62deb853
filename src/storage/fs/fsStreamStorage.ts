/**
 * One stream's folder. Files come by rename, the journal grows in place, and both are synced together with
 * the folder before a promise is kept. Everything is found by path at each call: no handle outlives one but that of `open`.
 */
import { lstat, mkdir, open, readdir, realpath, rename, rm, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { LivetapeError, type Clock, type Logger } from '../../base/index.js';
import { errnoOf, storageError } from '../errors.js';
import { JOURNAL_NAME, PART_SUFFIX, TMP_SUFFIX, checkName, isCommittedName } from '../names.js';
import type { Ownership } from '../ownership.js';
import type { PlaceFiles } from '../placeFiles.js';
import type { JournalParts, OpenedFile, StreamStorage, Upload } from '../storage.js';
import { copyRange, readFully, syncFolder, writeAll } from './files.js';
import { FsPlaceFiles } from './fsFiles.js';
import { openRegularFile } from './fsOpened.js';
import { ownFolder } from './fsOwnership.js';
import { FsUpload } from './fsUpload.js';

/** Enough for a file system that lets a file be made on a full disk to say at the first bytes that it is full. */
const PROBE_BYTES = 4096;

export class FsStreamStorage implements StreamStorage {
  readonly location: string;
  readonly files: PlaceFiles;
  readonly #root: string;
  readonly #code: string;
  readonly #options: { readonly clock: Clock; readonly log: Logger };
  readonly #journal: string;
  readonly #uploads = new Set<string>();

  /** @param root - an absolute path */
  constructor(root: string, code: string, options: { readonly clock: Clock; readonly log: Logger }) {
    this.#root = root;
    this.#code = code;
    this.#options = options;
    this.location = join(root, ...code.split('/'));
    this.files = new FsPlaceFiles(this.location);
    this.#journal = join(this.location, JOURNAL_NAME);
  }

  create(): Promise<void> {
    return this.#attempt('write to', this.location, async () => {
      const highest = await mkdir(this.#root, { recursive: true });
      // Every name on the way to the root that is new has to last as long as what is written under it.
      for (let made = this.#root; highest !== undefined && made.startsWith(highest); made = dirname(made)) await syncFolder(dirname(made));
      const realRoot = await realpath(this.#root);
      // Word by word, each looked at before anything is made in it: a link must not get folders made outside.
      let folder = this.#root;
      for (const word of this.#code.split('/')) {
        const parent = folder;
        folder = join(folder, word);
        if (await makeFolder(folder)) await syncFolder(parent);
        const real = await realpath(folder).catch((error: unknown) => {
          if (errnoOf(error) !== 'ENOENT') throw error;
          throw new LivetapeError('PATH_OUTSIDE_ROOT', `${folder} is a link that leads nowhere`, {
            cause: error,
            context: { path: folder },
          });
        });
        if (!real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep)) {
          throw new LivetapeError('PATH_OUTSIDE_ROOT', `${folder} leads out of ${this.#root}`, { context: { path: folder, real } });
        }
      }
      await this.#proveWritable();
    });
  }

  own(): Promise<Ownership> {
    return ownFolder(this.location, this.#options);
  }

  put(name: string): Upload {
    return new FsUpload({ ...this.#options, folder: this.location, name, open: this.#uploads });
  }

  isTaken(name: string): Promise<boolean> {
    return this.#attempt('look for', name, async () => {
      const path = join(this.location, checkName(name));
      for (const candidate of [path, path + PART_SUFFIX]) if ((await orMissing(lstat(candidate))) !== undefined) return true;
      return false;
    });
  }

  size(name: string): Promise<number | undefined> {
    return this.#attempt('look for', name, async () => (await orMissing(stat(join(this.location, checkName(name)))))?.size);
  }

  read(name: string, fromByte: number, toByte: number): Promise<Uint8Array | undefined> {
    return this.#attempt('read', name, () => readRange(join(this.location, checkName(name)), fromByte, toByte));
  }

  open(name: string): Promise<OpenedFile | undefined> {
    return this.#attempt('open', name, () => orMissing(openRegularFile(join(this.location, checkName(name)), this.#root)));
  }

  list(after?: string): Promise<string[]> {
    return this.#attempt('list', this.location, async () => {
      const names = (await orMissing(readdir(this.location, { withFileTypes: true }))) ?? [];
      return names
        .filter((entry) => entry.isFile() && isCommittedName(entry.name) && (after === undefined || entry.name > after))
        .map((entry) => entry.name)
        .sort();
    });
  }

  remove(name: string): Promise<boolean> {
    return this.#attempt('remove', name, async () => {
      const path = join(this.location, checkName(name));
      return (await orMissing(unlink(path).then(() => true))) ?? false;
    });
  }

  journalSize(): Promise<number | undefined> {
    return this.#attempt('look for', JOURNAL_NAME, async () => (await orMissing(stat(this.#journal)))?.size);
  }

  journalStamp(): Promise<string | undefined> {
    return this.#attempt('look for', JOURNAL_NAME, async () => {
      // Each replacement is another file, and most changes change the size: times alone may be coarse.
      const facts = await orMissing(stat(this.#journal, { bigint: true }));
      return facts && `${facts.dev}:${facts.ino}:${facts.size}:${facts.mtimeNs}`;
    });
  }

  readJournal(fromByte: number, toByte: number): Promise<Uint8Array> {
    return this.#attempt('read', JOURNAL_NAME, async () => (await readRange(this.#journal, fromByte, toByte)) ?? new Uint8Array(0));
  }

  appendJournal(text: string, at: number): Promise<void> {
    return this.#attempt('append to', JOURNAL_NAME, async () => {
      let file = await orMissing(open(this.#journal, 'r+'));
      const isNew = file === undefined;
      if (file === undefined) {
        if (at > 0) throw shorter(this.#journal, at, 0);
        file = await open(this.#journal, 'wx+');
      }
      await using(file, async (journal) => {
        const { size } = await journal.stat();
        if (size < at) throw shorter(this.#journal, at, size);
        // First the cut, then the text: no reader ever sees the old end behind the new.
        if (size > at) await journal.truncate(at);
        try {
          await writeAll(journal, Buffer.from(text, 'utf8'), at);
          await journal.datasync();
        } catch (error) {
          // Readers should not be shown what did not become durable. The next append cuts it off in any case.
          await journal.truncate(at).catch(() => undefined);
          throw error;
        }
      });
      if (isNew) await syncFolder(this.location);
    });
  }

  replaceJournal(parts: JournalParts): Promise<void> {
    return this.#attempt('replace', JOURNAL_NAME, async () => {
      const old = await orMissing(open(this.#journal, 'r'));
      try {
        await this.#swap(JOURNAL_NAME, async (file) => {
          let position = 0;
          for await (const part of parts) {
            if (typeof part === 'string') {
              const bytes = Buffer.from(part, 'utf8');
              await writeAll(file, bytes, position);
              position += bytes.byteLength;
              continue;
            }
            const length = part.toByte - part.fromByte;
            const copied = old === undefined ? 0 : await copyRange(old, part.fromByte, part.toByte, file, position);
            if (copied < length) throw shorter(this.#journal, part.toByte, part.fromByte + copied);
            position += length;
          }
          await file.datasync();
        });
      } finally {
        await old?.close().catch(() => undefined);
      }
      await syncFolder(this.location);
    });
  }

  putCache(name: string, text: string): Promise<void> {
    return this.#attempt('write', name, () => this.#swap(checkName(name), (file) => writeAll(file, Buffer.from(text, 'utf8'), 0)));
  }

  /** Fills a file of its own and puts it in the place of `name`. */
  async #swap(name: string, fill: (file: FileHandle) => Promise<void>): Promise<void> {
    const path = join(this.location, name);
    try {
      // What is left over under this name is the copy that a crash cut short: its original is still there.
      await using(await open(path + TMP_SUFFIX, 'w'), fill);
      await rename(path + TMP_SUFFIX, path);
    } catch (error) {
      await rm(path + TMP_SUFFIX, { force: true }).catch(() => undefined);
      throw error;
    }
  }

  /** By writing: access(2) knows nothing of a full disk, a read-only remount or a network share's own rules. */
  async #proveWritable(): Promise<void> {
    const path = join(this.location, `probe${TMP_SUFFIX}`);
    try {
      await using(await open(path, 'w'), (file) => writeAll(file, new Uint8Array(PROBE_BYTES), 0));
    } finally {
      await rm(path, { force: true }).catch(() => undefined);
    }
  }

  async #attempt<T>(doing: string, what: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw storageError(error, `${doing} ${what}`, { path: this.location });
    }
  }
}

/** Runs `run` with a file and closes it. A failed close is a failed write on some network shares, so it counts. */
async function using<T>(file: FileHandle, run: (file: FileHandle) => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await run(file);
  } catch (error) {
    await file.close().catch(() => undefined);
    throw error;
  }
  await file.close();
  return result;
}

/** True when it made the folder, false when there was something of that name. */
async function makeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** What was asked for, or undefined when there is no such file. */
async function orMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function readRange(path: string, fromByte: number, toByte: number): Promise<Uint8Array | undefined> {
  const file = await orMissing(open(path, 'r'));
  if (file === undefined) return undefined;
  return using(file, async () => {
    const { size } = await file.stat();
    const bytes = new Uint8Array(Math.max(0, Math.min(toByte, size) - fromByte));
    return bytes.subarray(0, await readFully(file, bytes, fromByte));
  });
}

function shorter(path: string, wanted: number, size: number): LivetapeError {
  return new LivetapeError('ARCHIVE_CORRUPT', `the journal has ${size} bytes where ${wanted} were written`, {
    context: { path, wanted, size },
  });
}
