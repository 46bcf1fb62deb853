/**
 * Ownership of a folder: a Unix socket in it, `owner.sock`, on which the owner listens. A connect tells whether the owner lives, whatever
 * its process id and its container; the kernel answers it, so an owner that is stopped or busy still owns, and one that was
 * killed does not. fsOwnershipSlot.ts puts the socket in place.
 *
 * Where a folder cannot hold a socket (exFAT, SMB, Windows) nobody can tell life: there only the folder's own identity is watched.
 */
import { readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, LivetapeError, Logger } from '../../base/index.js';
import { errnoOf, storageError } from '../errors.js';
import { CORRUPT_MARK, OWNER_NAME, TMP_SUFFIX } from '../names.js';
import { ownedByAnother, ownershipLost, type Ownership } from '../ownership.js';
import { takeSlot } from './fsOwnershipSlot.js';
import { identify, isListening, listenIn, type Identity, type OwnSocket } from './fsOwnershipSocket.js';

/** What a file system says that knows no sockets or no hard links; it is asked in a folder that was just written to, so nothing else is meant. */
const NO_SOCKETS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** A minute: taking a place is a matter of milliseconds. */
const SWEPT_AFTER_NS = 60_000_000_000n;

/** What owning a folder is given. */
export interface FsOwnershipOptions {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Takes a folder for writing.
 * @throws LivetapeError STREAM_OWNED, or what the medium fails with
 */
export async function ownFolder(folder: string, options: FsOwnershipOptions): Promise<Ownership> {
  try {
    // Said here, since a bind has other words for it.
    const itself = `${folder}/.`;
    const place = await identify(itself);
    if (place === undefined) throw Object.assign(new Error('the folder is not there'), { code: 'ENOENT' });
    const socket = await orCannot(listenIn(folder));
    if (socket !== undefined) {
      try {
        const owned = await orCannot(take(folder, socket, options));
        if (owned !== undefined) return owned;
      } catch (error) {
        await socket.close();
        throw error;
      }
      await socket.close();
    }
    options.log.warn({ path: folder }, 'no Unix socket can be put here, so nothing keeps a second writer away');
    return new Owned(folder, itself, place, () => Promise.resolve());
  } catch (error) {
    throw storageError(error, `take ${folder} for writing`, { path: folder });
  }
}

/** Undefined where the medium cannot do it at all: Windows has no sockets that are files, and says so by EACCES. */
async function orCannot<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    const errno = errnoOf(error) ?? '';
    // What is refused later, as a rename in a folder of somebody else's, is no matter of sockets.
    const early = error instanceof Error && 'syscall' in error && ['listen', 'link', 'chmod'].includes(String(error.syscall));
    if ((early && NO_SOCKETS.has(errno)) || process.platform === 'win32') return undefined;
    throw error;
  }
}

async function take(folder: string, socket: OwnSocket, { clock, log }: FsOwnershipOptions): Promise<Ownership> {
  const path = join(folder, OWNER_NAME);
  const setAside = async (what: string): Promise<void> => {
    const name = `${what}${CORRUPT_MARK}${new Date(clock.nowMs()).toISOString().replaceAll(/[-:]/g, '')}`;
    let target = name;
    for (let n = 2; (await identify(target)) !== undefined; n++) target = `${name}-${n}`;
    await rename(what, target);
    log.warn({ path: target }, "what stood in the place of the owner's socket is none, and was set aside");
  };
  if (!(await takeSlot(socket, path, setAside))) throw ownedByAnother(folder);
  await unlink(socket.path).catch(() => undefined);
  const owned = new Owned(folder, path, socket.identity, async (isOurs) => {
    // Gone first, so that whoever finds it finds it alive.
    if (isOurs) await unlink(path).catch(() => undefined);
    await socket.close();
  });
  // The folder may have been swapped meanwhile.
  await owned.check();
  await sweep(folder, socket.identity.madeNs);
  return owned;
}

/**
 * Removes the sockets of claimants that were killed on the way: nobody else comes by them. Only old ones, by the medium's own clock: one that is
 * bound and about to listen looks dead as well.
 */
async function sweep(folder: string, newest: bigint): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith('owner-') || !name.endsWith(`.sock${TMP_SUFFIX}`)) continue;
    const path = join(folder, name);
    const found = await identify(path).catch(() => undefined);
    if (found?.isSocket !== true || newest - found.madeNs < SWEPT_AFTER_NS) continue;
    if (!(await isListening(path).catch(() => true))) await unlink(path).catch(() => undefined);
  }
}

class Owned implements Ownership {
  readonly #location: string;
  readonly #watched: string;
  readonly #identity: Identity;
  readonly #letGo: (isOurs: boolean) => Promise<void>;
  #lost: LivetapeError | undefined;
  #released: Promise<void> | undefined;

  constructor(location: string, watched: string, identity: Identity, letGo: (isOurs: boolean) => Promise<void>) {
    this.#location = location;
    this.#watched = watched;
    this.#identity = identity;
    this.#letGo = letGo;
  }

  async check(): Promise<void> {
    if (this.#released) throw ownershipLost(this.#location, 'it was released');
    if (this.#lost === undefined) {
      let stands;
      try {
        stands = await identify(this.#watched);
      } catch (error) {
        throw storageError(error, `look for ${this.#watched}`, { path: this.#watched });
      }
      if (stands === undefined) this.#lost = ownershipLost(this.#location, `${this.#watched} is gone`);
      // Ours cannot be freed while we listen on it, so nothing else has its inode.
      else if (!this.#isOurs(stands)) this.#lost = ownershipLost(this.#location, `${this.#watched} is another's`);
    }
    if (this.#lost) throw this.#lost;
  }

  release(): Promise<void> {
    this.#released ??= this.check().then(
      () => this.#letGo(true),
      // Where that cannot be told it is left alone: a dead socket is in nobody's way.
      () => this.#letGo(false),
    );
    return this.#released;
  }

  #isOurs(stands: Identity): boolean {
    return stands.device === this.#identity.device && stands.inode === this.#identity.inode;
  }
}
