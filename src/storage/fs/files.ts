/**
 * The few system calls that durability is made of, each complete: a short write is gone on with, a short
 * read too, and a folder is synced so that a name in it survives a power cut (fsync(2), NOTES).
 */
import { open, type FileHandle } from 'node:fs/promises';

const COPY_BLOCK_BYTES = 1024 * 1024;
/** Blocks kept for the next copy; more than this many copies at once make their own. */
const MAX_POOLED_BLOCKS = 2;
const pool: Uint8Array[] = [];

/** Writes all of `bytes` at `position`. */
export async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done);
    // Never seen on a regular file; without this it would be an endless loop.
    if (bytesWritten === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' });
    done += bytesWritten;
  }
}

/** Fills `into` from `position`; answers with how much there was. */
export async function readFully(file: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < into.byteLength) {
    const { bytesRead } = await file.read(into, done, into.byteLength - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Copies [fromByte, toByte) of `source` to `position` of `target`; answers with how much there was. */
export async function copyRange(
  source: FileHandle,
  fromByte: number,
  toByte: number,
  target: FileHandle,
  position: number,
): Promise<number> {
  const block = pool.pop() ?? new Uint8Array(COPY_BLOCK_BYTES);
  try {
    let at = fromByte;
    while (at < toByte) {
      const length = await readFully(source, block.subarray(0, Math.min(COPY_BLOCK_BYTES, toByte - at)), at);
      if (length === 0) break;
      await writeAll(target, block.subarray(0, length), position + at - fromByte);
      at += length;
    }
    return at - fromByte;
  } finally {
    if (pool.length < MAX_POOLED_BLOCKS) pool.push(block);
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder; NTFS journals the names by itself.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
