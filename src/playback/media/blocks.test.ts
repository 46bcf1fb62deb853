/** P15, and L3 of docs/design/door.md: what readers hold while their clients are slow. */
import { expect, it } from 'vitest';
import { BLOCK_BYTES, MAX_BLOCKS, readBlocks, SMALL_BLOCK_BYTES } from './blocks.js';

/** A file in which each byte tells where it is. */
function file(sizeBytes: number): Parameters<typeof readBlocks>[0] {
  const read = async (into: Uint8Array, at: number): Promise<number> => {
    const length = Math.min(into.length, sizeBytes - at);
    for (let n = 0; n < length; n++) into[n] = (at + n) % 251;
    return length;
  };
  return { sizeBytes, read } as Parameters<typeof readBlocks>[0];
}

const lengthOf = (next: IteratorResult<Uint8Array, unknown>): number | undefined => (next.done === true ? undefined : next.value.length);

it('L3: a thousand readers that stand still hold 64 MiB and 16 KiB each; all are read to the end, and blocks are used again', async () => {
  const size = 2 * BLOCK_BYTES + 1000;
  const readers = Array.from({ length: 1000 }, () => readBlocks(file(size), 0, size));
  const first = await Promise.all(readers.map(async (reader) => lengthOf(await reader.next())));
  expect(first.filter((length) => length === BLOCK_BYTES)).toHaveLength(MAX_BLOCKS);
  expect(first.filter((length) => length === SMALL_BLOCK_BYTES)).toHaveLength(1000 - MAX_BLOCKS);
  const late = readers.at(-1)!;
  // those with large blocks go away
  await Promise.all(readers.slice(0, 500).map((reader) => reader.return(undefined)));
  let at = SMALL_BLOCK_BYTES;
  for await (const chunk of late) {
    expect(chunk.length).toBe(Math.min(BLOCK_BYTES, size - at));
    expect([chunk[0], chunk.at(-1)]).toEqual([at % 251, (at + chunk.length - 1) % 251]);
    at += chunk.length;
  }
  expect(at).toBe(size);
  await Promise.all(readers.map((reader) => reader.return(undefined)));
  expect(lengthOf(await readBlocks(file(size), 0, size).next())).toBe(BLOCK_BYTES);
});
