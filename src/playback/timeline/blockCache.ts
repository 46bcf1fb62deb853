/** The one cache of all streams' blocks: so many bytes, least lately used first (P4). */
import type { Block } from './block.js';

interface Held {
  readonly bytes: number;
  /** Lets go of it where it is found. */
  readonly drop: () => void;
}

/** Blocks that are held. Evicting one takes nothing from those who are using it. */
export class BlockCache {
  readonly #maxBytes: number;
  /** In the order of use. */
  readonly #held = new Map<Block, Held>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Holds a block, or weighs it anew after it has grown. */
  hold(block: Block, drop: () => void): void {
    this.forget(block);
    const bytes = block.sizeBytes;
    this.#held.set(block, { bytes, drop });
    this.#bytes += bytes;
    for (const [oldest, held] of this.#held) {
      if (this.#bytes <= this.#maxBytes) break;
      this.forget(oldest);
      held.drop();
    }
  }

  /** It was used. */
  touch(block: Block): void {
    const held = this.#held.get(block);
    if (held === undefined) return;
    this.#held.delete(block);
    this.#held.set(block, held);
  }

  /** Whoever held it has let go of it. */
  forget(block: Block): void {
    const held = this.#held.get(block);
    if (held === undefined) return;
    this.#held.delete(block);
    this.#bytes -= held.bytes;
  }
}
