/** {@link PlaceFiles} over a folder. */
import { lstat, open, opendir, rename, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LivetapeError } from '../../base/index.js';
import { errnoOf, storageError } from '../errors.js';
import { checkWord, type FileFacts, type PlaceFiles } from '../placeFiles.js';
import { copyRange, readFully, syncFolder } from './files.js';

/** Names read from the folder at a time. */
const NAMES_AT_ONCE = 1024;

export class FsPlaceFiles implements PlaceFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async *list(): AsyncGenerator<string> {
    let folder;
    try {
      folder = await opendir(this.#folder, { bufferSize: NAMES_AT_ONCE });
      for await (const entry of folder) if (entry.isFile()) yield entry.name;
    } catch (error) {
      if (folder === undefined && errnoOf(error) === 'ENOENT') return;
      throw this.#error(error, 'list', this.#folder);
    }
  }

  stat(name: string): Promise<FileFacts | undefined> {
    return this.#attempt('look for', name, async (path) => {
      const stats = await lstat(path);
      return stats.isFile() ? { sizeBytes: stats.size, modifiedMs: stats.mtimeMs } : undefined;
    });
  }

  read(name: string, fromByte: number, toByte: number): Promise<Uint8Array | undefined> {
    return this.#attempt('read', name, async (path) => {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        const bytes = new Uint8Array(Math.max(0, Math.min(toByte, size) - fromByte));
        return bytes.subarray(0, await readFully(file, bytes, fromByte));
      } finally {
        await file.close();
      }
    });
  }

  async rename(from: string, to: string): Promise<void> {
    if ((await this.stat(to)) !== undefined) throw new LivetapeError('STORAGE_FAILED', `${to} is there already`, { context: { from, to } });
    const target = join(this.#folder, checkWord(to));
    const done = await this.#attempt('rename', from, async (path) => {
      await rename(path, target);
      await syncFolder(this.#folder);
      return true;
    });
    if (done === undefined) throw new LivetapeError('STORAGE_FAILED', `there is no ${from} to rename`, { context: { from, to } });
  }

  async trim(name: string, sizeBytes: number): Promise<void> {
    const done = await this.#attempt('cut', name, async (path) => {
      const file = await open(path, 'r+');
      try {
        await file.truncate(sizeBytes);
        await file.datasync();
      } finally {
        await file.close();
      }
      // Its name may be that of a rename which a crash came right after.
      await syncFolder(this.#folder);
      return true;
    });
    if (done === undefined) throw new LivetapeError('STORAGE_FAILED', `there is no ${name} to cut`, { context: { name } });
  }

  async copy(from: string, to: string): Promise<void> {
    const target = join(this.#folder, checkWord(to));
    if ((await this.stat(to)) !== undefined) throw new LivetapeError('STORAGE_FAILED', `${to} is there already`, { context: { from, to } });
    const done = await this.#attempt('copy', from, async (path) => {
      const source = await open(path, 'r');
      try {
        const copy = await open(target, 'wx');
        try {
          const { size } = await source.stat();
          await copyRange(source, 0, size, copy, 0);
          await copy.datasync();
        } catch (error) {
          await rm(target, { force: true }).catch(() => undefined);
          throw error;
        } finally {
          await copy.close();
        }
      } finally {
        await source.close();
      }
      await syncFolder(this.#folder);
      return true;
    });
    if (done === undefined) throw new LivetapeError('STORAGE_FAILED', `there is no ${from} to copy`, { context: { from, to } });
  }

  async remove(name: string): Promise<boolean> {
    return (await this.#attempt('remove', name, (path) => unlink(path).then(() => true))) ?? false;
  }

  /** Undefined when there is no such file. */
  async #attempt<T>(doing: string, name: string, run: (path: string) => Promise<T>): Promise<T | undefined> {
    const path = join(this.#folder, checkWord(name));
    try {
      return await run(path);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw this.#error(error, doing, path);
    }
  }

  #error(error: unknown, doing: string, path: string): Error {
    return storageError(error, `${doing} ${path}`, { path });
  }
}
