/**
 * Puts a listening socket into a place that one alone may have, `owner.sock`, so that of any number who try at once exactly one
 * succeeds, and none who is alive is ever displaced.
 *
 * An empty place is taken by a hard link, which fails when there is something. What a dead owner left cannot simply be removed: somebody else may
 * have done so a moment ago, and what stands there now be alive. So whoever wants to succeed X first takes a place named after X
 * (its inode and time, which nothing after it has), by the same rules; only who holds that may touch X. It looks whether X still stands there, and
 * if so puts its own socket in X's stead by one rename, which also gives the claim up. One that dies on the way has left a dead socket in the place named after X, and
 * who wants to succeed it goes through the same again.
 */
import { link, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { delay, systemClock } from '../../base/index.js';
import { errnoOf } from '../errors.js';
import { TMP_SUFFIX } from '../names.js';
import { identify, isListening, type Identity, type OwnSocket } from './fsOwnershipSocket.js';

/** How often a place is looked at that changes under our eyes, before it counts as taken … */
const MAX_LOOKS = 100;
/** … and the pause between two looks, for another process to get on: it takes milliseconds when it is not stopped. */
const PAUSE_MS = 10;

/** - `busy`: another is just about to take it */
type Outcome = 'ours' | 'taken' | 'busy';

/** How `takeSlot` gets rid of what is no socket. */
export type SetAside = (path: string) => Promise<void>;

/**
 * Puts `own` at `slot`. False when a living socket stands there.
 * @param setAside - moves what is no socket out of the way
 */
export async function takeSlot(own: OwnSocket, slot: string, setAside: SetAside): Promise<boolean> {
  for (let looks = 0; looks < MAX_LOOKS; looks++) {
    const outcome = await attempt(own, slot, setAside);
    if (outcome !== 'busy') return outcome === 'ours';
    await delay(systemClock, PAUSE_MS);
  }
  return false;
}

async function attempt(own: OwnSocket, slot: string, setAside: SetAside): Promise<Outcome> {
  if (await linked(own.path, slot)) return 'ours';
  const stands = await identify(slot);
  // It was released just now.
  if (stands === undefined) return 'busy';
  if (stands.isSocket && (await isListening(slot))) return 'taken';
  const claim = join(dirname(slot), `owner-${stands.inode}-${stands.madeNs}.sock${TMP_SUFFIX}`);
  if ((await attempt(own, claim, setAside)) !== 'ours') return 'busy';
  let claimed = true;
  try {
    if (!same(await identify(slot), stands)) return 'busy';
    if (stands.isSocket) {
      await rename(claim, slot);
      claimed = false;
      return 'ours';
    }
    await setAside(slot);
    return (await linked(own.path, slot)) ? 'ours' : 'busy';
  } finally {
    if (claimed) await unlink(claim).catch(() => undefined);
  }
}

/** Whether `slot` was free and is now another name of `path`. */
async function linked(path: string, slot: string): Promise<boolean> {
  try {
    await link(path, slot);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Whether both are the same thing. */
export function same(a: Identity | undefined, b: Identity | undefined): boolean {
  return a !== undefined && b !== undefined && a.device === b.device && a.inode === b.inode && a.madeNs === b.madeNs;
}
