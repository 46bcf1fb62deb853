/**
 * The medium most people have: a root folder with one folder per stream code, any number of levels deep.
 */
import { lstat, opendir, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import type { Clock, Logger } from '../../base/index.js';
import { errnoOf, storageError } from '../errors.js';
import { INDEX_NAME, JOURNAL_NAME } from '../names.js';
import type { Disk, Storage, StreamStorage } from '../storage.js';
import { FsKeeps } from './fsKeeps.js';
import { FsStreamStorage } from './fsStreamStorage.js';

/** The longest stream code (model/streamCode); with words of one letter it also bounds the depth of the walk. */
const MAX_CODE = 255;
/** What cannot be looked into holds no stream that could be read: gone meanwhile, not a folder, not ours. */
const PASSED_OVER = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP']);

/** What the file system's storage is given. */
export interface FsStorageOptions {
  readonly clock: Clock;
  readonly log: Logger;
}

/** A storage over the folder `root`, which need not exist yet. */
export function openFsStorage(root: string, options: FsStorageOptions): Storage {
  const location = resolve(root);
  return {
    location,
    stream: (code) => new FsStreamStorage(location, code, options),
    list: () => listStreams(location),
    keeps: new FsKeeps({ ...options, root: location, list: listStreams }),
    disk: (code = '') => diskOf(join(location, ...code.split('/'))),
  };
}

/** The place of the one stream whose folder is `folder`, wherever that lies. */
export function openFolder(folder: string, options: FsStorageOptions): StreamStorage {
  const path = resolve(folder);
  return new FsStreamStorage(dirname(path), basename(path), options);
}

/** The file system of a folder, or of the nearest one above it that is there. */
async function diskOf(folder: string): Promise<Disk> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      const [{ dev }, { bavail, blocks, bsize }] = await Promise.all([stat(path), statfs(path)]);
      return { id: String(dev), freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' || path === dirname(path)) throw storageError(error, `look at the disk of ${folder}`, { path });
    }
  }
}

async function* listStreams(root: string): AsyncGenerator<string> {
  let real: string;
  try {
    real = await realpath(root);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return;
    throw storageError(error, `list ${root}`, { path: root });
  }
  yield* walk({ root: real, folder: real, code: '', above: [] });
}

interface Step {
  readonly root: string;
  /** Real path. */
  readonly folder: string;
  readonly code: string;
  /** Real paths of the folders that were passed on the way, so that links in a circle end. */
  readonly above: readonly string[];
}

async function* walk(step: Step): AsyncGenerator<string> {
  // A stream's folder may hold a million segments: it is told by two names and never read.
  if (step.code !== '' && (await holdsStream(step.folder))) {
    yield step.code;
    return;
  }
  let folder;
  try {
    folder = await opendir(step.folder);
  } catch (error) {
    if (step.code !== '' && PASSED_OVER.has(errnoOf(error) ?? '')) return;
    throw storageError(error, `list ${step.folder}`, { path: step.folder });
  }
  const above = [...step.above, step.folder];
  for await (const entry of folder) {
    const code = step.code === '' ? entry.name : `${step.code}/${entry.name}`;
    if (code.length > MAX_CODE || !/^[A-Za-z0-9_-]+$/.test(entry.name)) continue;
    let path = join(step.folder, entry.name);
    if (entry.isSymbolicLink()) {
      const target = await realpath(path).catch(() => undefined);
      if (target === undefined || !target.startsWith(step.root + sep) || above.includes(target)) continue;
      const stats = await stat(target).catch(() => undefined);
      if (stats?.isDirectory() !== true) continue;
      path = target;
    } else if (!entry.isDirectory()) continue;
    yield* walk({ root: step.root, folder: path, code, above });
  }
}

async function holdsStream(folder: string): Promise<boolean> {
  for (const name of [JOURNAL_NAME, INDEX_NAME]) {
    const stats = await lstat(join(folder, name)).catch(() => undefined);
    if (stats?.isFile() === true) return true;
  }
  return false;
}
