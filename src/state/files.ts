/**
 * Small files of the server: read whole, replaced at once or not at all (docs/design/server.md, C2), and watched. A file that is a symbolic link is written where
 * it leads; one that is a mount point of its own (a single file bound into a container) cannot be replaced: mount its folder.
 */
import { constants, watch, type BigIntStats, type FSWatcher } from 'node:fs';
import { lstat, open, readlink, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LivetapeError, toLivetapeError, type Clock, type ErrorCode, type Logger } from '../base/index.js';

/** How often the file is looked at where nothing tells of changes (a folder mounted from elsewhere). */
const POLL_MS = 2000;

/** What was read. */
export interface FileText {
  /** Undefined where there is no file. */
  readonly text: string | undefined;
  /** Differs whenever the file does. */
  readonly version: string;
}

/** What is special about a file. */
export interface FileKind {
  /** The most that is read. */
  readonly maxBytes: number;
  /** Of one that cannot be read. */
  readonly unreadable: ErrorCode;
  /** Of one that cannot be written. */
  readonly unwritable: ErrorCode;
}

/**
 * Reads a file whole.
 * @throws LivetapeError `kind.unreadable` when it cannot be, is no file, is too long or is not UTF-8
 */
export async function readFileText(path: string, kind: FileKind): Promise<FileText> {
  const invalid = (what: string, cause?: unknown): LivetapeError =>
    new LivetapeError(kind.unreadable, `${path}: ${what}`, { cause, context: { path } });
  let handle: FileHandle;
  try {
    // A pipe would be waited for.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isMissing(error)) return { text: undefined, version: '' };
    throw invalid(`it cannot be read: ${messageOf(error)}`, error);
  }
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) throw invalid('it is not a file');
    if (stats.size > kind.maxBytes) throw invalid(`the file is longer than ${kind.maxBytes} bytes`);
    const bytes = await handle.readFile();
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), version: versionOf(stats) };
  } catch (error) {
    if (error instanceof LivetapeError) throw error;
    throw invalid(error instanceof TypeError ? 'it is not UTF-8' : `it cannot be read: ${messageOf(error)}`, error);
  } finally {
    await handle.close();
  }
}

/**
 * Puts a new file in the place of the one that was read, durably; mode and (where that is allowed) owner stay. False when another was put
 * there meanwhile: nothing is changed then. A new one is its user's alone (0600).
 * @throws LivetapeError `kind.unwritable`
 */
export async function replaceFile(path: string, text: string, version: string, kind: FileKind): Promise<boolean> {
  try {
    const target = await targetOf(path);
    const folder = dirname(target);
    const temporary = join(folder, `.${basename(target)}.tmp`);
    const old = await statOf(target);
    await rm(temporary, { force: true });
    // It may hold passwords of sources.
    const handle = await open(temporary, 'wx', 0o600);
    try {
      try {
        if (old !== undefined) await keepAccess(handle, old);
        else await giveTo(handle, folder);
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      const now = await statOf(target);
      if ((now === undefined ? '' : versionOf(now)) !== version) {
        await rm(temporary, { force: true });
        return false;
      }
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(folder);
    return true;
  } catch (error) {
    const isMount = error instanceof Error && 'code' in error && error.code === 'EBUSY';
    const why = isMount ? ' (it is a mount of its own: mount its folder instead)' : '';
    throw toLivetapeError(error, kind.unwritable, `${path} cannot be written${why}`);
  }
}

async function keepAccess(handle: FileHandle, old: BigIntStats): Promise<void> {
  const now = await handle.stat({ bigint: true });
  if (now.uid !== old.uid || now.gid !== old.gid) {
    // Only root may give files away; whoever may write the folder may replace the file all the same.
    await handle.chown(Number(old.uid), Number(old.gid)).catch(() => handle.chown(Number(now.uid), Number(old.gid)).catch(() => undefined));
  }
  await handle.chmod(Number(old.mode & 0o7777n));
}

/** What root makes belongs to whom the folder does: the server may run as another user than who types `livetape token`. */
export async function giveTo(handle: FileHandle, folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(folder);
  await handle.chown(uid, gid);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Where a file really lies, also one that is not there yet. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const link = await lstat(path).catch(() => undefined);
  return link?.isSymbolicLink() === true ? resolve(dirname(path), await readlink(path)) : path;
}

async function statOf(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A rename changes ctime, so it is not counted: what was renamed is another inode. */
function versionOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return `${dev}-${ino}-${size}-${mtimeNs}`;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Calls `changed` whenever the file may have changed. Editors put new files in the place of old ones, so it is the folder that is watched, that of the
 * file and that where it really lies; and the file is looked at from time to time, since not every medium tells. Answers with how to stop.
 */
export function watchFile(path: string, clock: Clock, log: Logger, changed: () => void): () => void {
  const watchers: FSWatcher[] = [];
  let stopped = false;
  const watchFolder = (file: string): void => {
    if (stopped) return;
    const folder = dirname(file);
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name === null || name === basename(file)) changed();
      });
      watcher.on('error', (error) => {
        log.debug({ path: folder, err: error }, 'the folder cannot be watched any more');
        watcher.close();
      });
      watchers.push(watcher);
    } catch (error) {
      log.debug({ path: folder, err: error }, 'the folder cannot be watched; the file is looked at every two seconds');
    }
  };
  watchFolder(path);
  void targetOf(path).then(
    (target) => {
      if (target !== path) watchFolder(target);
    },
    () => undefined,
  );
  let seen: string | undefined;
  const timer = clock.every(POLL_MS, () => {
    statOf(path).then(
      (stats) => {
        const version = stats === undefined ? '' : versionOf(stats);
        if (!stopped && version !== seen) changed();
        seen = version;
      },
      () => undefined,
    );
  });
  return () => {
    stopped = true;
    timer.cancel();
    for (const watcher of watchers) watcher.close();
  };
}
