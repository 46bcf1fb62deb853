/**
 * {@link KeepStorage} over a root folder: `.keeps/CODE/NAME`, made in `.keeps/.new-*` and renamed. Files are hard links, so they outlive
 * those of the stream and take no space while both are there; copies, where the file system cannot link.
 */
import { constants } from 'node:fs';
import { copyFile, link, lstat, mkdir, open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { LivetapeError, type Clock, type Logger } from '../../base/index.js';
import { errnoOf, storageError } from '../errors.js';
import { keepExists } from '../keeps.js';
import { INDEX_NAME, JOURNAL_NAME, checkName } from '../names.js';
import type { KeepBuilder, KeepId, KeepStorage } from '../storage.js';
import { FsStreamStorage } from './fsStreamStorage.js';
import { syncFolder } from './files.js';

/** Not a word of a stream code, so no stream's folder. */
const KEEPS = '.keeps';
const NEW = '.new-';
const GONE = '.gone-';
/** Work that nobody has touched for so long was cut short by a crash. */
const STALE_MS = 3_600_000;
/** What a file system answers that cannot link: across devices, at all, or not so often. */
const CANNOT_LINK = new Set(['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** What the root's storage hands in. */
export interface FsKeepsOptions {
  /** An absolute path. */
  readonly root: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The streams under a folder, as their codes. */
  list(root: string): AsyncIterable<string>;
}

export class FsKeeps implements KeepStorage {
  readonly #options: FsKeepsOptions;
  readonly #folder: string;
  #count = 0;

  constructor(options: FsKeepsOptions) {
    this.#options = options;
    this.#folder = join(options.root, KEEPS);
  }

  async *list(): AsyncGenerator<KeepId> {
    for await (const path of this.#options.list(this.#folder)) {
      const slash = path.lastIndexOf('/');
      if (slash > 0) yield { streamCode: path.slice(0, slash), name: path.slice(slash + 1) };
    }
  }

  place({ streamCode, name }: KeepId): FsStreamStorage {
    return new FsStreamStorage(this.#folder, `${streamCode}/${name}`, this.#options);
  }

  make<T>(keep: KeepId, fill: (builder: KeepBuilder) => Promise<T>): Promise<T> {
    return this.#attempt(keep, 'make', async () => {
      const target = this.#pathOf(keep);
      if (await isThere(target)) throw keepExists(keep);
      await this.#sweep();
      const unfinished = `${NEW}${this.#unique()}`;
      const place = new FsStreamStorage(this.#folder, unfinished, this.#options);
      try {
        await place.create();
        const stream = join(this.#options.root, ...keep.streamCode.split('/'));
        const answer = await fill({ place, link: async (name) => linkFile(join(stream, checkName(name)), join(place.location, name)) });
        await syncFolder(place.location);
        await this.#makeParents(keep);
        // A folder takes the place of an empty one only.
        await rename(place.location, target);
        await syncFolder(dirname(target));
        return answer;
      } catch (error) {
        await rm(place.location, { recursive: true, force: true }).catch(() => undefined);
        if (['ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) throw keepExists(keep);
        throw error;
      }
    });
  }

  remove(keep: KeepId): Promise<boolean> {
    return this.#attempt(keep, 'remove', async () => {
      const path = this.#pathOf(keep);
      if (!(await isKeep(path))) return false;
      // At once for whoever lists; then file by file.
      const gone = join(this.#folder, `${GONE}${this.#unique()}`);
      await rename(path, gone);
      await syncFolder(dirname(path));
      await rm(gone, { recursive: true, force: true });
      return true;
    });
  }

  #pathOf({ streamCode, name }: KeepId): string {
    return join(this.#folder, ...streamCode.split('/'), name);
  }

  #unique(): string {
    return `${process.pid}-${Math.floor(this.#options.clock.nowMs())}-${this.#count++}`;
  }

  /** Makes the folders above a keep, none of which may be a keep itself or lead out of the root. */
  async #makeParents(keep: KeepId): Promise<void> {
    let folder = await realpath(this.#folder);
    const inside = folder + sep;
    for (const word of keep.streamCode.split('/')) {
      const parent = folder;
      folder = join(folder, word);
      const made = await mkdir(folder).then(
        () => true,
        (error: unknown) => {
          if (errnoOf(error) === 'EEXIST') return false;
          throw error;
        },
      );
      if (made) await syncFolder(parent);
      if (await isKeep(folder)) {
        throw new LivetapeError('KEEP_EXISTS', `${folder} is a keep of another stream`, { context: { path: folder } });
      }
      const real = await realpath(folder);
      if (!(real + sep).startsWith(inside)) {
        throw new LivetapeError('PATH_OUTSIDE_ROOT', `${folder} leads out of ${this.#options.root}`, { context: { path: folder, real } });
      }
    }
  }

  /** What a crash left of keeps that were being made or removed. */
  async #sweep(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names) {
      if (!name.startsWith(NEW) && !name.startsWith(GONE)) continue;
      const path = join(this.#folder, name);
      const stats = await lstat(path).catch(() => undefined);
      if (stats === undefined || this.#options.clock.nowMs() - stats.mtimeMs < STALE_MS) continue;
      this.#options.log.info({ path }, 'what an interrupted keep left is removed');
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
    }
  }

  async #attempt<T>({ streamCode, name }: KeepId, doing: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw storageError(error, `${doing} the keep ${name} of ${streamCode}`, { code: streamCode, name });
    }
  }
}

async function isThere(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

async function isKeep(folder: string): Promise<boolean> {
  return (await isThere(join(folder, JOURNAL_NAME))) || (await isThere(join(folder, INDEX_NAME)));
}

/** Links, or copies durably. */
async function linkFile(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    const errno = errnoOf(error) ?? '';
    if (errno === 'ENOENT') return false;
    if (!CANNOT_LINK.has(errno)) throw storageError(error, `link ${from}`, { path: from });
  }
  return copyDurably(from, to);
}

/** Copies a file and syncs it. False when there is none. */
export async function copyDurably(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw storageError(error, `copy ${from}`, { path: from });
  }
  const file = await open(to, 'r+');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  return true;
}
