/**
 * A file on its way: written as `NAME.part`, and renamed when all of it is on the disk. Remains of a crash
 * under that name are somebody's media: they are set aside, not overwritten. What stands at a path is renamed or removed only
 * when it is the file that was opened: a writer that was robbed of the stream finds the new owner's there.
 */
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { LivetapeError, invariant, type Clock, type Logger } from '../../base/index.js';
import { errnoOf, storageError } from '../errors.js';
import { CORRUPT_MARK, PART_SUFFIX, checkName } from '../names.js';
import { Sequence } from '../sequence.js';
import type { Upload } from '../storage.js';
import { syncFolder, writeAll } from './files.js';

/** What the place of the stream hands in. */
export interface FsUploadOptions {
  readonly folder: string;
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Names being written in this place: an upload holds its own from beginning to end. */
  readonly open: Set<string>;
}

export class FsUpload implements Upload {
  readonly #options: FsUploadOptions;
  readonly #path: string;
  readonly #part: string;
  readonly #steps = new Sequence();
  #file: FileHandle | undefined;
  #position = 0;
  #owns = false;
  /** The path at which a file of ours stands. */
  #standsAt: string | undefined;
  #state: 'open' | 'committed' | 'aborted' = 'open';

  constructor(options: FsUploadOptions) {
    this.#options = options;
    this.#path = join(options.folder, options.name);
    this.#part = this.#path + PART_SUFFIX;
    void this.#step('create', () => this.#create());
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#step('write', async () => {
      await writeAll(this.#handle(), bytes, this.#position);
      this.#position += bytes.byteLength;
    });
  }

  commit(): Promise<void> {
    return this.#step('commit', async () => {
      await this.#handle().datasync();
      // One writer owns a stream, so nobody comes between the looks and the rename.
      if (await exists(this.#path))
        throw new LivetapeError('STORAGE_FAILED', `${this.#path} is there already`, { context: { path: this.#path } });
      if (!(await this.#isOurs(this.#part)))
        throw new LivetapeError('STORAGE_FAILED', `${this.#part} is not what was written`, { context: { path: this.#part } });
      await rename(this.#part, this.#path);
      this.#standsAt = this.#path;
      await syncFolder(this.#options.folder);
      await this.#close();
      this.#state = 'committed';
      this.#letGo();
    });
  }

  async abort(): Promise<void> {
    if (this.#state === 'open') this.#state = 'aborted';
    await this.#steps.settled();
    if (this.#state === 'committed') return;
    this.#state = 'aborted';
    const ours = this.#standsAt;
    this.#standsAt = undefined;
    const stands = ours !== undefined && (await this.#isOurs(ours).catch(() => false));
    await this.#close();
    // What cannot be removed now is a crash's remains later; nothing refers to it.
    if (ours !== undefined && stands) await rm(ours, { force: true }).catch(() => undefined);
    this.#letGo();
  }

  #step(doing: string, run: () => Promise<void>): Promise<void> {
    return this.#steps.run(async () => {
      try {
        // What was queued when it was given up is not worth the disk's time.
        if (this.#state === 'aborted') throw new LivetapeError('CLOSED', `the upload of ${this.#options.name} was given up`);
        await run();
      } catch (error) {
        throw storageError(error, `${doing} ${this.#path}`, { path: this.#path });
      }
    });
  }

  async #create(): Promise<void> {
    checkName(this.#options.name);
    if (this.#options.open.has(this.#options.name)) {
      throw new LivetapeError('STORAGE_FAILED', `${this.#path} is being written already`, { context: { path: this.#path } });
    }
    this.#options.open.add(this.#options.name);
    this.#owns = true;
    if (await exists(this.#part)) await this.#setAside();
    this.#file = await open(this.#part, 'wx');
    this.#standsAt = this.#part;
  }

  async #setAside(): Promise<void> {
    const time = new Date(this.#options.clock.nowMs()).toISOString().replaceAll(/[-:]/g, '');
    let target = this.#part + CORRUPT_MARK + time;
    for (let n = 2; await exists(target); n++) target = `${this.#part}${CORRUPT_MARK}${time}-${n}`;
    await rename(this.#part, target);
    this.#options.log.warn({ path: target }, 'the remains of an interrupted write were set aside');
  }

  /** Whether what stands at `path` is the file that is open. Its inode is no other's as long as it is, also after a failure: until the abort. */
  async #isOurs(path: string): Promise<boolean> {
    const written = await this.#handle().stat({ bigint: true });
    try {
      const stands = await lstat(path, { bigint: true });
      return stands.dev === written.dev && stands.ino === written.ino;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  #handle(): FileHandle {
    invariant(this.#file, `the upload of ${this.#options.name} is over`);
    return this.#file;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    // Its data is synced or given up: there is nothing that a failure here could still lose.
    await file?.close().catch(() => undefined);
  }

  #letGo(): void {
    if (this.#owns) this.#options.open.delete(this.#options.name);
    this.#owns = false;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
