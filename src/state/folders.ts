/** Folders among the server's own files: what is there, and taking one away. */
import { readdir, rm } from 'node:fs/promises';
import { toLivetapeError } from '../base/index.js';

/**
 * The names of the folders in one; none where it is not there.
 * @throws LivetapeError STATE_UNWRITABLE
 */
export async function listFolders(path: string): Promise<string[]> {
  try {
    return (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw toLivetapeError(error, 'STATE_UNWRITABLE', `${path} cannot be read`);
  }
}

/**
 * Takes a folder away with all that is in it. One that is not there is no error.
 * @throws LivetapeError STATE_UNWRITABLE
 */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
    throw toLivetapeError(error, 'STATE_UNWRITABLE', `${path} cannot be removed`);
  });
}
