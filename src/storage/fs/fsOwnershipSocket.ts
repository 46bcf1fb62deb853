/**
 * Unix sockets in a folder, for telling whether an owner lives: listening on one, asking one, and telling one from another. The
 * path of a socket is short (108 bytes on Linux, 104 elsewhere, its NUL counted): a folder that is deeper is reached by its handle.
 */
import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdtemp, open, rm, symlink, unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../errors.js';
import { TMP_SUFFIX } from '../names.js';

/** Bytes of the longest path that every system takes. */
const MAX_PATH_BYTES = 100;
/** Anybody who gets as far as the folder may ask: an owner of another user is told from a dead one by connecting, which takes the right to write. */
const MODE = 0o666;
/** What a connect says where nobody listens: a dead owner's socket, or what is no socket of this kind. */
const DEAD = new Set(['ECONNREFUSED', 'ENOTSOCK', 'EPROTOTYPE']);
/** So many owners that all die just as they are asked are one that lives and behaves oddly. */
const MAX_RESETS = 10;

/** What tells something at a path from all else that ever stood there. */
export interface Identity {
  readonly device: bigint;
  readonly inode: bigint;
  /** Inode numbers are used again, but not at the same time. */
  readonly madeNs: bigint;
  readonly isSocket: boolean;
}

/** A socket on which this process listens. */
export interface OwnSocket {
  /** Its own name, which no other ever has; more are given to it by hard links. */
  readonly path: string;
  readonly identity: Identity;
  /** Stops listening and removes its own name. Never rejects. */
  close(): Promise<void>;
}

/** What stands at `path` itself (no link is followed); undefined when nothing does. */
export async function identify(path: string): Promise<Identity | undefined> {
  try {
    const stats = await lstat(path, { bigint: true });
    return { device: stats.dev, inode: stats.ino, madeNs: stats.mtimeNs, isSocket: stats.isSocket() };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Listens on a socket in `folder` under a name of its own, which tells nobody anything yet. It does not keep the process alive. */
export async function listenIn(folder: string): Promise<OwnSocket> {
  const path = join(folder, `owner-${randomBytes(6).toString('hex')}.sock${TMP_SUFFIX}`);
  const server = createServer((connection) => {
    // That it came is the answer.
    connection.on('error', () => undefined);
    connection.destroy();
  });
  const close = async (): Promise<void> => {
    await unlink(path).catch(() => undefined);
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  await shortened(path, (short) => listen(server, short));
  server.unref();
  // The kernel answers in any case; that this process is out of descriptors for a moment is no matter here.
  server.on('error', () => undefined);
  try {
    await chmod(path, MODE);
    const identity = await identify(path);
    if (identity === undefined) throw Object.assign(new Error(`${path} is gone`), { code: 'ENOENT' });
    return { path, identity, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Whether somebody listens on the socket at `path`. An owner that is stopped does: its kernel answers. */
export async function isListening(path: string): Promise<boolean> {
  let errno = await shortened(path, ask);
  // Somebody listened, and stopped before the answer was out: what there is now has to be asked anew.
  for (let again = 0; errno === 'ECONNRESET' && again < MAX_RESETS; again++) errno = await shortened(path, ask);
  if (errno === undefined || errno === 'ECONNRESET') return true;
  // So many wait to be answered that no more fit: somebody listens.
  if (errno === 'EAGAIN') return true;
  if (DEAD.has(errno) || errno === 'ENOENT') return false;
  throw Object.assign(new Error(`${errno}: connecting to ${path}`), { code: errno });
}

/** Undefined when it was answered, else the errno. */
function ask(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const client = connect({ path });
    client.once('connect', () => {
      client.destroy();
      resolve(undefined);
    });
    client.on('error', (error) => resolve(errnoOf(error) ?? 'EIO'));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // `exclusive`: in a worker of node:cluster the socket would be the primary's.
    server.listen({ path, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Runs `use` with a path to the same place that a socket can have. It is good only until `use` is done. */
async function shortened<T>(path: string, use: (path: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return use(path);
  if (process.platform === 'linux') {
    const folder = await open(dirname(path), 'r');
    try {
      return await use(`/proc/self/fd/${folder.fd}/${basename(path)}`);
    } finally {
      await folder.close();
    }
  }
  const detour = await mkdtemp(join(tmpdir(), 'livetape-'));
  try {
    await symlink(dirname(path), join(detour, 'f'));
    return await use(join(detour, 'f', basename(path)));
  } finally {
    await rm(detour, { recursive: true, force: true });
  }
}
