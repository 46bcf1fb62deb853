/** What is remembered of all streams together: so many bytes, least lately used first (P4). One holds blocks, one what was searched for marks. */

/** What says how much memory it takes. */
interface Weighed {
  readonly sizeBytes: number;
}

interface Held {
  readonly bytes: number;
  /** Lets go of it where it is found. */
  readonly drop: () => void;
}

/** What is held. Evicting one takes nothing from those who are using it. */
export class BlockCache<T extends Weighed> {
  readonly #maxBytes: number;
  /** In the order of use. */
  readonly #held = new Map<T, Held>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Holds something, or weighs it anew after it has grown. */
  hold(item: T, drop: () => void): void {
    this.forget(item);
    const bytes = item.sizeBytes;
    this.#held.set(item, { bytes, drop });
    this.#bytes += bytes;
    for (const [oldest, held] of this.#held) {
      if (this.#bytes <= this.#maxBytes) break;
      this.forget(oldest);
      held.drop();
    }
  }

  /** It was used. */
  touch(item: T): void {
    const held = this.#held.get(item);
    if (held === undefined) return;
    this.#held.delete(item);
    this.#held.set(item, held);
  }

  /** Whoever held it has let go of it. */
  forget(item: T): void {
    const held = this.#held.get(item);
    if (held === undefined) return;
    this.#held.delete(item);
    this.#bytes -= held.bytes;
  }
}
