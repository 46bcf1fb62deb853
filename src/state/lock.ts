/**
 * One writer at a time for a file that several processes write, and the folder that such files are in. The lock is a file beside it, there for as long as a write
 * takes. Whoever died holding one is waited out; what it guards is written with `replaceFile`, which notices another writer all the same.
 */
import { chown, mkdir, open, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { delay, LivetapeError, toLivetapeError, type Clock } from '../base/index.js';

/** How often it is tried again. */
const RETRY_MS = 20;
/** A lock that has not changed hands for so long is nobody's. */
const STALE_MS = 10_000;
/** How long it is tried: longer than it takes to see that a lock is nobody's. */
const PATIENCE_MS = 15_000;

/**
 * Makes the folder, its user's alone (0700), unless it is there.
 * @throws LivetapeError STATE_UNWRITABLE
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    // those above it are not ours to keep others out of
    await mkdir(dirname(path), { recursive: true });
    await mkdir(path, { mode: 0o700 });
    if (process.getuid?.() !== 0) return;
    // as what root writes there (files.ts)
    const { uid, gid } = await stat(dirname(path));
    await chown(path, uid, gid);
  } catch (error) {
    if (hasCode(error, 'EEXIST') && (await isFolder(path))) return;
    throw toLivetapeError(error, 'STATE_UNWRITABLE', `${path} cannot be made`);
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/**
 * Runs `run` while nobody else runs anything with the lock of this file. Its folder must be there.
 * @throws LivetapeError STATE_UNWRITABLE when the lock cannot be had; what `run` throws
 */
export async function withLock<T>(path: string, clock: Clock, run: () => Promise<T>): Promise<T> {
  const lock = join(dirname(path), `.${basename(path)}.lock`);
  const own = await take(lock, clock);
  try {
    return await run();
  } finally {
    // one that was taken for nobody's is another's by now
    if ((await holder(lock)) === own) await rm(lock, { force: true });
  }
}

async function take(lock: string, clock: Clock): Promise<string> {
  const startMs = clock.monotonicMs();
  /** Who holds it, since when that is known. */
  let seen: { readonly by: string; readonly sinceMs: number } | undefined;
  for (;;) {
    const own = await create(lock);
    if (own !== undefined) return own;
    const by = await holder(lock);
    const nowMs = clock.monotonicMs();
    if (by !== undefined && by !== seen?.by) seen = { by, sinceMs: nowMs };
    if (by !== undefined && seen !== undefined && nowMs - seen.sinceMs >= STALE_MS) await rm(lock, { force: true });
    if (nowMs - startMs >= PATIENCE_MS) {
      throw new LivetapeError('STATE_UNWRITABLE', `${lock}: something else keeps writing`, { context: { path: lock } });
    }
    await delay(clock, RETRY_MS);
  }
}

/** Which file it is, when it could be made. */
async function create(lock: string): Promise<string | undefined> {
  try {
    const handle = await open(lock, 'wx', 0o600);
    try {
      const { ino, mtimeNs } = await handle.stat({ bigint: true });
      return `${ino}-${mtimeNs}`;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return undefined;
    throw toLivetapeError(error, 'STATE_UNWRITABLE', `${lock} cannot be made`);
  }
}

async function holder(lock: string): Promise<string | undefined> {
  try {
    const { ino, mtimeNs } = await stat(lock, { bigint: true });
    return `${ino}-${mtimeNs}`;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw toLivetapeError(error, 'STATE_UNWRITABLE', `${lock} cannot be looked at`);
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
