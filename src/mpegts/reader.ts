/**
 * The way into this room: bytes of any chunking go in, facts come out through the sink, and the stored bytes wait to be taken. Here packets are
 * found (ISO/IEC 13818-1, annex G.1: sync is taken from several packets, not from one byte); what they mean is scanner.ts's.
 *
 * A chunk is copied into the current block and scanned where it lies; a packet that is not complete simply waits at the block's end. The
 * outcome depends on the bytes alone, not on how they were cut into chunks.
 */
import { BLOCK_SIZE, BlockStore, type SpanConsumer } from './blocks.js';
import { PACKET_SIZE, SYNC_BYTE } from './packet.js';
import { Scanner } from './scanner.js';
import type { Program, ScanErrors, ScannerSink, Tables } from './sink.js';

/** Packet sizes: plain, M2TS (four bytes of arrival time before each), and with 16 bytes of Reed-Solomon parity behind each. */
const STRIDES = [188, 192, 204] as const;
const M2TS = 192;
/** So many packets in a row give sync. */
const GOOD_PACKETS = 5;
/** At the end of input a shorter tail is believed: so many sync bytes, more after sync was lost, since then it may be chance. */
const GOOD_TAIL_PACKETS = 2;
const GOOD_TAIL_PACKETS_AFTER_LOSS = 3;
/** Where the next packet begins when its predecessor's trailing bytes have not come yet; room for them, and a word boundary. */
const TRAILER_ROOM = 16;
/** A block that is emptier than this when it is full of received bytes goes on being used: most were not stored. */
const WORTH_KEEPING = BLOCK_SIZE * 0.75;

/** What a {@link TsReader} is made with. */
export interface TsReaderOptions {
  /** program_number to record, or all; without it the first program with video, else with audio, else the first. */
  readonly program?: number | 'all' | undefined;
  /** Who is told. It may take and drop bytes from within its calls. */
  readonly sink: ScannerSink;
}

/** Reads a transport stream. Synchronous; one per stream. */
export class TsReader {
  readonly #store = new BlockStore();
  readonly #scanner: Scanner;
  /** Offset in the current block of the next packet; may be up to 16 bytes beyond `#fill` when packets have trailers. */
  #read = 0;
  /** Offset up to which the current block holds received bytes. */
  #fill = 0;
  /** Distance between packets; 0 while there is no sync. */
  #stride = 0;
  #hadSync = false;
  /** Bytes skipped since sync was lost. */
  #skipped = 0;

  constructor(options: TsReaderOptions) {
    this.#scanner = new Scanner(this.#store, options.sink, options.program);
  }

  /** End of what is stored: whole packets of the program. */
  get position(): number {
    return this.#store.position;
  }

  /**
   * The earliest position that a later call to the sink may still name: of an access unit that is not decided, or of a PAT that may turn out to be right
   * before one. Else {@link position}.
   */
  get heldFrom(): number {
    return this.#scanner.heldFrom;
  }

  /** Live counters. */
  get errors(): ScanErrors {
    return this.#scanner.errors;
  }

  /** program_numbers of the latest PAT: what there is to choose from. */
  get programs(): readonly number[] {
    return this.#scanner.programs;
  }

  /** The program that is recorded; undefined until PAT and PMT have come. */
  get program(): Program | undefined {
    return this.#scanner.program;
  }

  /** Tables for a segment that begins at {@link position} without any; undefined as long as no program is chosen. */
  tables(): Tables | undefined {
    return this.#scanner.snapshot();
  }

  /**
   * Takes received bytes, any number; they are copied. What precedes the first PAT is not stored, nor is what comes between it and the
   * chosen program's PMT, apart from PSI/SI and null packets: no segment could begin there.
   * @param arrivalMs - when they came; UTC milliseconds
   */
  push(chunk: Uint8Array, arrivalMs: number): void {
    const scanner = this.#scanner;
    scanner.units.arrivalMs = arrivalMs;
    const length = chunk.length;
    for (let from = 0; from < length;) {
      if (this.#fill === BLOCK_SIZE) this.#makeRoom();
      const take = Math.min(BLOCK_SIZE - this.#fill, length - from);
      this.#store.current.bytes.set(take === length ? chunk : chunk.subarray(from, from + take), this.#fill);
      this.#fill += take;
      from += take;
      this.#scan();
    }
    if (this.#fill <= this.#read) scanner.units.carriedAt = -1;
    else if (scanner.units.carriedAt !== this.#read) {
      scanner.units.carriedAt = this.#read;
      scanner.units.carriedMs = arrivalMs;
    }
  }

  /**
   * What came before and what follows do not join: a reconnect, dropped chunks, silence, the end of input. A tail too short for sync is
   * scanned if it consists of packets; an incomplete packet is dropped and counted, an undecided unit of the reference track told as not
   * random access, counters and half-assembled PSI and PES forgotten. Program, tables and positions stay.
   */
  resetSync(): void {
    if (this.#stride === 0) this.#findTail();
    this.#skip(Math.max(0, this.#fill - this.#read));
    this.#scanner.reset();
    this.#scanner.units.carriedAt = -1;
    this.#read = this.#fill = this.#store.current.stored;
    this.#stride = this.#skipped = 0;
    this.#hadSync = false;
  }

  /**
   * Hands out the stored bytes from the last position taken to `until`, in order, as views. A view's bytes stay until its `release` is called; then
   * their memory is used again.
   * @throws LivetapeError INVARIANT_BROKEN when `until` is beyond {@link position}
   */
  take(until: number, consume: SpanConsumer): void {
    this.#store.take(until, consume);
  }

  /** The same without handing out. Answers how many bytes that were. */
  drop(until: number): number {
    return this.#store.take(until, undefined);
  }

  /** Shows the stored bytes [from, until) that were neither taken nor dropped; valid during the call. Those before {@link heldFrom} stay as they are. */
  peek(from: number, until: number, visit: (bytes: Uint8Array) => void): void {
    this.#store.peek(from, until, visit);
  }

  #scan(): void {
    for (;;) {
      if (this.#stride === 0 && !this.#findSync()) return;
      this.#read = this.#scanner.scan(this.#read, this.#fill, this.#stride);
      if (this.#read + PACKET_SIZE > this.#fill) return;
      // the sync byte is wrong: one such packet is left out, with the second sync is lost
      const next = this.#read + this.#stride;
      if (next >= this.#fill) return;
      if (this.#store.current.bytes[next] === SYNC_BYTE) {
        this.#skip(this.#stride);
      } else {
        this.#stride = 0;
      }
    }
  }

  #skip(count: number): void {
    this.#read += count;
    this.#skipped += count;
    this.#scanner.errors.syncSkippedBytes += count;
  }

  /** Looks for {@link GOOD_PACKETS} sync bytes at one of the distances; false when more bytes have to come. */
  #findSync(): boolean {
    const { bytes } = this.#store.current;
    let at = this.#read;
    for (; at < this.#fill; at++) {
      if (bytes[at] !== SYNC_BYTE) continue;
      const stride = this.#fit(at);
      if (stride === undefined) continue;
      this.#skip(at - this.#read);
      if (stride !== 0) this.#gain(stride);
      return stride !== 0;
    }
    this.#skip(at - this.#read);
    return false;
  }

  /** The distance at which packets follow from `at`; 0 when that cannot be said yet, undefined when there is none. */
  #fit(at: number): number | undefined {
    const { bytes } = this.#store.current;
    for (const stride of STRIDES) {
      let good = 1;
      while (good < GOOD_PACKETS && bytes[at + good * stride] === SYNC_BYTE && at + good * stride < this.#fill) good++;
      if (good === GOOD_PACKETS) return stride;
      if (at + good * stride >= this.#fill) return 0;
    }
    return undefined;
  }

  /** Packets begin at `#read`. They are moved to where they are to be stored, which also puts their headers at word boundaries. */
  #gain(stride: number): void {
    const block = this.#store.current;
    // the four bytes in front are the first packet's own
    if (stride === M2TS) {
      const own = Math.min(4, this.#skipped);
      this.#scanner.errors.syncSkippedBytes -= own;
    }
    this.#stride = stride;
    this.#hadSync = true;
    this.#skipped = 0;
    const to = block.stored + this.#scanner.heldBytes;
    const carried = this.#scanner.units.carriedAt >= 0;
    block.bytes.copyWithin(to, this.#read, this.#fill);
    this.#fill -= this.#read - to;
    this.#read = to;
    if (carried) this.#scanner.units.carriedAt = to;
  }

  /** At the end of input: packets up to the very end, fewer than give sync otherwise. */
  #findTail(): void {
    const { bytes } = this.#store.current;
    for (let at = this.#read; at + PACKET_SIZE <= this.#fill; at++) {
      for (const stride of STRIDES) {
        let good = 0;
        while (at + good * stride < this.#fill && bytes[at + good * stride] === SYNC_BYTE) good++;
        const toTheEnd = at + good * stride >= this.#fill;
        const lonePacket = good === 1 && this.#skipped === 0 && at === this.#read && at + PACKET_SIZE === this.#fill;
        if (!toTheEnd || (good < (this.#hadSync ? GOOD_TAIL_PACKETS_AFTER_LOSS : GOOD_TAIL_PACKETS) && !lonePacket)) continue;
        this.#skip(at - this.#read);
        this.#gain(stride);
        this.#scan();
        return;
      }
    }
  }

  /** The block is full of received bytes: what is not stored yet moves to its front part when there is room, else to the next block. */
  #makeRoom(): void {
    const { bytes, stored } = this.#store.current;
    const held = this.#scanner.heldBytes;
    const read = this.#read;
    const fill = this.#fill;
    const start = stored + held <= WORTH_KEEPING ? stored : 0;
    const block = start === stored ? this.#store.current : this.#store.next();
    if (block.bytes !== bytes || start !== stored) block.bytes.set(bytes.subarray(stored, stored + held), start);
    const to = start + held;
    if (read > fill) {
      this.#read = to + TRAILER_ROOM;
      this.#fill = this.#read - (read - fill);
    } else {
      block.bytes.set(bytes.subarray(read, fill), to);
      this.#read = to;
      this.#fill = to + fill - read;
    }
    if (this.#scanner.units.carriedAt >= 0) this.#scanner.units.carriedAt = this.#read;
  }
}
