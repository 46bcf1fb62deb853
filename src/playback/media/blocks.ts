/**
 * Ranges of open files, read block by block as they are asked for (P15). A reader has one block at a time, whatever it reads; blocks are used
 * again by the next (measured: 256 KiB reads cost the least, docs in design.md, The hot path). A reader whose client is slow holds its block for as long as that takes, so
 * there are no more than MAX_BLOCKS: who comes while all are held reads by small ones of its own, until one is free.
 */
import { LivetapeError } from '../../base/index.js';
import type { OpenedFile } from '../../storage/index.js';

/** Bytes that are read at once. */
export const BLOCK_BYTES = 256 * 1024;
/** Blocks of that size that are held at once, by all readers: 64 MiB. */
export const MAX_BLOCKS = 256;
/** What is read at once beyond that: ten thousand slow readers hold 160 MB. */
export const SMALL_BLOCK_BYTES = 16 * 1024;
/** Blocks that are kept for the next reader: 16 MiB. */
const MAX_FREE_BLOCKS = 64;
const free: Uint8Array[] = [];
let held = 0;

/** Bytes [fromByte, toByte) of a file, in chunks that are the consumer's until it asks for the next. Rejects with STORAGE_FAILED when the file ends before. */
export async function* readBlocks(file: OpenedFile, fromByte: number, toByte: number): AsyncGenerator<Uint8Array> {
  for (let at = fromByte; at < toByte;) {
    const block = take();
    try {
      const want = Math.min(block.length, toByte - at);
      const got = await file.read(block.subarray(0, want), at);
      if (got === 0) throw new LivetapeError('STORAGE_FAILED', `the file ends at byte ${at} of ${toByte}`, { context: { at, toByte } });
      yield block.subarray(0, got);
      at += got;
    } finally {
      giveBack(block);
    }
  }
}

function take(): Uint8Array {
  if (held >= MAX_BLOCKS) return new Uint8Array(SMALL_BLOCK_BYTES);
  held += 1;
  return free.pop() ?? new Uint8Array(BLOCK_BYTES);
}

function giveBack(block: Uint8Array): void {
  if (block.length < BLOCK_BYTES) return;
  held -= 1;
  if (free.length < MAX_FREE_BLOCKS) free.push(block);
}
