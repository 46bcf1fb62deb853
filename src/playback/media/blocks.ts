/**
 * Ranges of open files, read block by block as they are asked for (P15). A reader has one block at a time, whatever it reads; blocks are used
 * again by the next (measured: 256 KiB reads cost the least, docs in design.md, The hot path).
 */
import { LivetapeError } from '../../base/index.js';
import type { OpenedFile } from '../../storage/index.js';

/** Bytes that are read at once. */
export const BLOCK_BYTES = 256 * 1024;
/** Blocks that are kept for the next reader: 16 MiB. More readers at once make their own. */
const MAX_FREE_BLOCKS = 64;
const free: Uint8Array[] = [];

/** Bytes [fromByte, toByte) of a file, in chunks that are the consumer's until it asks for the next. Rejects with STORAGE_FAILED when the file ends before. */
export async function* readBlocks(file: OpenedFile, fromByte: number, toByte: number): AsyncGenerator<Uint8Array> {
  const block = free.pop() ?? new Uint8Array(BLOCK_BYTES);
  try {
    for (let at = fromByte; at < toByte;) {
      const want = Math.min(BLOCK_BYTES, toByte - at);
      const got = await file.read(block.subarray(0, want), at);
      if (got === 0) throw new LivetapeError('STORAGE_FAILED', `the file ends at byte ${at} of ${toByte}`, { context: { at, toByte } });
      yield block.subarray(0, got);
      at += got;
    }
  } finally {
    if (free.length < MAX_FREE_BLOCKS) free.push(block);
  }
}
