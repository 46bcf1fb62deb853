/**
 * Where recorders' sockets lie and who may be there (docs/design/server.md, R1): `<root>/.recorders/<index>.sock`, or, where that is longer than a
 * socket's path may be, a folder of the temporary ones that is named by the root. Also how a recorder is killed that does not answer.
 */
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LivetapeError, isLivetapeError, type Clock, type Logger } from '../../base/index.js';
import { openFolder, storageError, type Ownership } from '../../storage/index.js';

/** Bytes of the longest path that every system takes for a socket. */
const MAX_PATH_BYTES = 100;
/** Nobody else may connect. */
const MODE = 0o700;

/** The sockets of one root, and this process's right to control what listens on them. */
export interface RecorderSockets {
  readonly folder: string;
  path(index: number): string;
  /** Indexes of the sockets that are there, of living recorders or dead ones. */
  indexes(): Promise<number[]>;
  /** Another server may come. Never rejects. */
  release(): Promise<void>;
}

/**
 * Makes the folder and takes it: one server at a time controls the recorders of a root.
 * @throws LivetapeError ROOT_OWNED; STORAGE_UNWRITABLE, DISK_FULL, STORAGE_FAILED
 */
export async function takeSockets(root: string, options: { clock: Clock; log: Logger }): Promise<RecorderSockets> {
  const home = join(root, '.recorders');
  try {
    // The root as anybody would make it: others may read what is recorded.
    await mkdir(root, { recursive: true });
    await mkdir(home, { recursive: true, mode: MODE });
    const folder = await shortFolder(await realpath(root), home);
    for (const made of new Set([home, folder])) await checkPrivate(made);
    const ownership = await own(home, root, options);
    return {
      folder,
      path: (index) => join(folder, `${index}.sock`),
      indexes: async () =>
        (await readdir(folder)).flatMap((name) => Number(/^(\d{1,4})\.sock$/.exec(name)?.[1] ?? NaN)).filter(Number.isInteger),
      release: async () => {
        // not empty while recorders go on in it
        if (folder !== home) await rmdir(folder).catch(() => undefined);
        await ownership.release();
      },
    };
  } catch (error) {
    throw storageError(error, `make the recorders' folder of ${root}`, { path: home });
  }
}

/** Removes what a dead recorder left. */
export async function removeSocket(path: string): Promise<void> {
  await rm(path, { force: true });
}

/** The processes that were started to listen on a socket. Linux tells; elsewhere nobody is found. */
export async function processesOn(path: string): Promise<number[]> {
  if (process.platform !== 'linux') return [];
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (line.split('\0').includes(path)) found.push(Number(name));
  }
  return found;
}

async function shortFolder(realRoot: string, home: string): Promise<string> {
  if (Buffer.byteLength(join(home, '9999.sock')) <= MAX_PATH_BYTES) return home;
  const name = createHash('sha256').update(realRoot).digest('hex').slice(0, 16);
  const folder = join(tmpdir(), `livetape-${name}`);
  await mkdir(folder, { recursive: true, mode: MODE });
  return folder;
}

/** The temporary folder is everybody's: what stands there may be another's. */
async function checkPrivate(folder: string): Promise<void> {
  const stats = await lstat(folder);
  const isOurs = stats.isDirectory() && (process.getuid === undefined || stats.uid === process.getuid());
  if (!isOurs) throw new LivetapeError('STORAGE_UNWRITABLE', `${folder} is not a folder of this user`, { context: { path: folder } });
  if ((stats.mode & 0o777) !== MODE) await chmod(folder, MODE);
}

async function own(folder: string, root: string, options: { clock: Clock; log: Logger }): Promise<Ownership> {
  try {
    return await openFolder(folder, options).own();
  } catch (error) {
    if (!isLivetapeError(error, 'STREAM_OWNED')) throw error;
    throw new LivetapeError('ROOT_OWNED', `another server runs on ${root}`, { cause: error, context: { path: root } });
  }
}
