/** A committed file of a folder, held open: unlinking takes its name away, not its bytes. */
import { constants, open, realpath, type FileHandle } from 'node:fs/promises';
import { sep } from 'node:path';
import { LivetapeError } from '../../base/index.js';
import { storageError } from '../errors.js';
import type { OpenedFile } from '../storage.js';
import { readFully } from './files.js';

/** Without it, to open a FIFO of a segment's name would wait for a writer. Windows has neither. */
const FLAGS = constants.O_RDONLY | (process.platform === 'win32' ? 0 : constants.O_NONBLOCK);

/**
 * Opens the file at `path`; undefined where something else is.
 * @throws LivetapeError PATH_OUTSIDE_ROOT when it really lies elsewhere than under `root`; what the system throws
 */
export async function openRegularFile(path: string, root: string): Promise<OpenedFile | undefined> {
  const [real, realRoot] = await Promise.all([realpath(path), realpath(root)]);
  if (!real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep)) {
    throw new LivetapeError('PATH_OUTSIDE_ROOT', `${path} leads out of ${root}`, { context: { path, real } });
  }
  const file = await open(real, FLAGS);
  try {
    const stats = await file.stat();
    if (stats.isFile()) return new FsOpened(file, path, stats.size, stats.mtimeMs);
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return undefined;
}

class FsOpened implements OpenedFile {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly #file: FileHandle;
  readonly #path: string;
  #closing: Promise<void> | undefined;

  constructor(file: FileHandle, path: string, sizeBytes: number, modifiedMs: number) {
    this.#file = file;
    this.#path = path;
    this.sizeBytes = sizeBytes;
    this.modifiedMs = modifiedMs;
  }

  async read(into: Uint8Array, fromByte: number): Promise<number> {
    if (this.#closing !== undefined) throw new LivetapeError('CLOSED', `${this.#path} was closed`);
    try {
      return await readFully(this.#file, into, fromByte);
    } catch (error) {
      throw storageError(error, `read ${this.#path}`, { path: this.#path });
    }
  }

  close(): Promise<void> {
    // Nothing was written through it, so nothing can be lost by a close that fails.
    this.#closing ??= this.#file.close().catch(() => undefined);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
