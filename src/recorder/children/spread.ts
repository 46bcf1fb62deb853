/** Which recorder a stream is recorded in, and how many there are (docs/design/server.md, R1). */
import { availableParallelism } from 'node:os';

/** The recorder that a buffer belongs to, of `count`: by its id (FNV-1a), so the same for every server. */
export function recorderOf(bufferId: string, count: number): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(bufferId)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % count;
}

/** One per core but one, at least one. */
export function defaultRecorders(): number {
  return Math.max(1, availableParallelism() - 1);
}
