/**
 * Memory that received bytes live in from the socket to the disk: blocks of about 256 KiB, filled one after another, handed out as views and
 * recycled when every view was released. Nothing is copied on the way out. Positions count stored bytes.
 */
import { invariant } from '../base/index.js';
import { PACKET_SIZE } from './packet.js';

/** Whole packets, near the 256 KiB at which a file write costs least. */
export const BLOCK_SIZE = PACKET_SIZE * 1394;
/** Blocks kept for later; more are left to the garbage collector. */
const MAX_FREE = 4;

/** Takes a span of stored bytes; they stay as they are until `release` is called, once. */
export type SpanConsumer = (bytes: Uint8Array, release: () => void) => void;

/** A piece of memory, and which stored bytes it holds. */
export interface Block {
  readonly bytes: Uint8Array;
  /** The same memory: a packet's header is one word of it. */
  readonly words: Uint32Array;
  /** Position of its first byte. */
  base: number;
  /** Stored bytes, from the start. */
  stored: number;
  /** Views handed out and not released. */
  views: number;
  /** Taken to its end and no longer written to. */
  done: boolean;
}

/** The blocks of one reader. The newest is written to by the reader; the others wait to be taken. */
export class BlockStore {
  readonly #waiting: Block[] = [];
  readonly #free: Block[] = [];
  #taken = 0;
  /** The block being written. */
  current: Block = makeBlock();

  /** End of what is stored. */
  get position(): number {
    return this.current.base + this.current.stored;
  }

  /** Puts another block in the place of the current one, which may be the same when nothing of it is wanted any more. */
  next(): Block {
    const full = this.current;
    const position = this.position;
    if (this.#taken === position && full.views === 0) {
      full.base = position;
      full.stored = 0;
      return full;
    }
    if (this.#taken === position) full.done = true;
    else this.#waiting.push(full);
    const block = this.#free.pop() ?? makeBlock();
    block.base = position;
    block.stored = 0;
    block.done = false;
    this.current = block;
    return block;
  }

  /** Hands out the bytes from the last position taken to `until`, or lets go of them where there is no consumer. Answers how many. */
  take(until: number, consume: SpanConsumer | undefined): number {
    invariant(until <= this.position, `bytes up to ${until} were asked for, ${this.position} are stored`);
    const from = this.#taken;
    while (this.#taken < until) {
      const block = this.#waiting[0] ?? this.current;
      const blockEnd = block.base + block.stored;
      const start = this.#taken - block.base;
      const end = Math.min(until, blockEnd) - block.base;
      this.#taken = block.base + end;
      const finished = block !== this.current && this.#taken === blockEnd;
      if (finished) {
        this.#waiting.shift();
        block.done = true;
      }
      if (consume) this.#handOut(block, start, end, consume);
      else if (finished) this.#recycle(block);
    }
    return Math.max(0, this.#taken - from);
  }

  /** Shows the stored bytes [from, until), as far as they were not taken; they are valid during the call. */
  peek(from: number, until: number, visit: (bytes: Uint8Array) => void): void {
    let at = Math.max(from, this.#taken);
    const show = (block: Block): void => {
      const end = Math.min(until, block.base + block.stored);
      if (at >= end) return;
      visit(block.bytes.subarray(at - block.base, end - block.base));
      at = end;
    };
    this.#waiting.forEach(show);
    show(this.current);
  }

  #handOut(block: Block, start: number, end: number, consume: SpanConsumer): void {
    let released = false;
    block.views += 1;
    consume(block.bytes.subarray(start, end), () => {
      if (released) return;
      released = true;
      block.views -= 1;
      this.#recycle(block);
    });
  }

  #recycle(block: Block): void {
    if (block.done && block.views === 0 && this.#free.length < MAX_FREE && !this.#free.includes(block)) this.#free.push(block);
  }
}

function makeBlock(): Block {
  const memory = new ArrayBuffer(BLOCK_SIZE);
  return { bytes: new Uint8Array(memory), words: new Uint32Array(memory), base: 0, stored: 0, views: 0, done: false };
}
