/**
 * A queue of JSON texts on disk, first in, first out, for one writer (docs/design/door.md, W2). What is appended is written as a line, what was taken and what has left
 * as short marks after it; the file is written anew when more than half of it is of the past. Lines carry numbers, so that one that is read twice, or is torn, changes nothing
 * of the others. Kept in memory: where each text lies, and the texts that could not be written yet (a full disk), which are written when that is possible again.
 */
import { open, rm, type FileHandle } from 'node:fs/promises';
import { toLivetapeError, type Closable, type LivetapeError } from '../base/index.js';
import { line, mark, markOf, openToWrite, readLines, recordOf, rewrite, type Place } from './queueLines.js';

/** What has left the queue may take so much of the file before that is written anew, or as much as what is in it. */
const MAX_WASTE_BYTES = 256 * 1024;
/** After a file could not be written anew it is tried again when it has grown by so much. */
const RETRY_BYTES = 1024 * 1024;

/** What a queue is opened with. */
export interface QueueFileOptions {
  readonly path: string;
  /** Texts that it holds at most. */
  readonly maxRecords: number;
  /** Bytes of them. */
  readonly maxBytes: number;
  /** Told of the oldest, when there is no room for them any more. What is taken stays. */
  pushedOut(texts: readonly string[]): void;
  /** Told when the file cannot be written or read (STATE_UNWRITABLE), and with undefined when it can be again. */
  trouble(error: LivetapeError | undefined): void;
}

/** A queue of JSON texts on disk. */
export interface QueueFile extends Closable {
  /** Texts that are in it, those taken too. */
  readonly count: number;
  /** Bytes of them. */
  readonly sizeBytes: number;
  /** Appends a text of JSON in one line. Never waits and never fails: one that cannot be written stays in memory, within the bounds. */
  append(text: string): void;
  /**
   * The oldest texts, at most `count` and `maxBytes` of them, but one at least where there is one. The same are answered until {@link drop}, by the next process too.
   * @throws LivetapeError STATE_UNWRITABLE when they cannot be read
   */
  take(count: number, maxBytes: number): Promise<string[]>;
  /** Lets go of what was taken. */
  drop(): Promise<void>;
  /** The newest texts, the newest first. @throws LivetapeError STATE_UNWRITABLE */
  newest(count: number): Promise<string[]>;
  /** Kept when all that was asked for until now is done. */
  idle(): Promise<void>;
}

/** Opens a queue. The file is read at once, and made when there is something to write. */
export function openQueueFile(options: QueueFileOptions): QueueFile {
  return new LineQueue(options);
}

/** A text in memory; its number is given when it is first written or taken. */
interface Unwritten {
  number: number | undefined;
  readonly text: string;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

class LineQueue implements QueueFile {
  readonly #options: QueueFileOptions;
  /** Texts in the file, by number, the oldest first. */
  readonly #written = new Map<number, Place>();
  /** Younger than all of them. */
  readonly #unwritten: Unwritten[] = [];
  #writtenBytes = 0;
  #unwrittenBytes = 0;
  #next = 0;
  #taken: Range | undefined;
  #handle: FileHandle | undefined;
  /** Where the next line goes. */
  #fileBytes = 0;
  #rewriteAtBytes = 0;
  #isRead = false;
  #inTrouble = false;
  #writeWaits = false;
  #isClosed = false;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: QueueFileOptions) {
    this.#options = options;
    void this.#inTurn(() => this.#keepBounds()).catch(() => undefined);
  }

  get count(): number {
    return this.#written.size + this.#unwritten.length;
  }

  get sizeBytes(): number {
    return this.#writtenBytes + this.#unwrittenBytes;
  }

  append(text: string): void {
    if (this.#isClosed) return;
    this.#unwritten.push({ number: undefined, text });
    this.#unwrittenBytes += Buffer.byteLength(text);
    // a disk that does not answer: memory is bounded all the same
    const { maxRecords, maxBytes } = this.#options;
    while (this.#unwritten.length > maxRecords || this.#unwrittenBytes > maxBytes) {
      const at = this.#unwritten.findIndex((one) => !this.#isTaken(one.number));
      const [out] = at < 0 ? [] : this.#unwritten.splice(at, 1);
      if (out === undefined) break;
      this.#unwrittenBytes -= Buffer.byteLength(out.text);
      this.#options.pushedOut([out.text]);
    }
    if (this.#writeWaits) return;
    this.#writeWaits = true;
    void this.#inTurn(() => this.#keepBounds()).catch(() => undefined);
  }

  take(count: number, maxBytes: number): Promise<string[]> {
    return this.#inTurn(async () => {
      for (;;) {
        this.#taken ??= await this.#choose(count, maxBytes);
        if (this.#taken === undefined) return [];
        const texts = await this.#texts(this.#numbersIn(this.#taken));
        if (texts.length > 0) return texts;
        // somebody else has changed the file
        await this.#leave(this.#taken);
        this.#taken = undefined;
      }
    });
  }

  drop(): Promise<void> {
    return this.#inTurn(async () => {
      const taken = this.#taken;
      if (taken === undefined) return;
      this.#taken = undefined;
      await this.#leave(taken);
    });
  }

  newest(count: number): Promise<string[]> {
    return this.#inTurn(async () => {
      const numbers = [...this.#entries()].map(([number]) => number);
      return (await this.#texts(count === 0 ? [] : numbers.slice(-count))).reverse();
    });
  }

  async idle(): Promise<void> {
    await this.#work;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#inTurn(() => this.#letGo()).catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** One thing at a time; before each, what waits is written. */
  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#work.then(async () => {
      if (!this.#isRead) await this.#read();
      this.#writeWaits = false;
      for (const one of this.#unwritten) one.number ??= this.#next++;
      await this.#writeUnwritten();
      return step();
    });
    this.#work = done.catch(() => undefined);
    return done;
  }

  async #read(): Promise<void> {
    const { path } = this.#options;
    try {
      this.#written.clear();
      this.#fileBytes = await readLines(path, this.#options.maxBytes, (lineText, at) => this.#heard(lineText, at));
      this.#writtenBytes = 0;
      for (const { length } of this.#written.values()) this.#writtenBytes += length;
      this.#isRead = true;
      // what another process could not finish
      await rm(`${path}.tmp`, { force: true });
    } catch (cause) {
      const error = toLivetapeError(cause, 'STATE_UNWRITABLE', `${path} cannot be read`);
      this.#tell(error);
      throw error;
    }
  }

  /** A line of the file. One that says nothing we know is passed over. */
  #heard(lineText: string, at: number): void {
    const record = recordOf(lineText, at);
    if (record !== undefined) {
      this.#written.set(record.number, record);
      this.#next = Math.max(this.#next, record.number + 1);
      return;
    }
    const said = markOf(lineText);
    if (said === undefined) return;
    const { what, from, to } = said;
    this.#next = Math.max(this.#next, to + 1);
    if (what === 'taken') this.#taken = { from, to };
    else {
      for (const number of this.#numbersIn(said)) this.#written.delete(number);
      if (this.#taken && from <= this.#taken.from && to >= this.#taken.to) this.#taken = undefined;
    }
  }

  async #writeUnwritten(): Promise<void> {
    if (this.#unwritten.length === 0) return;
    const lines = this.#unwritten.map(({ number = 0, text }) => ({ number, ...line(number, text) }));
    const at = this.#fileBytes;
    if (!(await this.#write(Buffer.concat(lines.map(({ bytes }) => bytes))))) return;
    // more may have come meanwhile, and the oldest gone for it: they are in the file, and in the queue no more
    const there = new Set(this.#unwritten.map(({ number }) => number));
    const gone: number[] = [];
    let offset = at;
    for (const { number, bytes, textAt, length } of lines) {
      if (there.has(number)) {
        this.#written.set(number, { at: offset + textAt, length });
        this.#writtenBytes += length;
      } else gone.push(number);
      offset += bytes.length;
    }
    const numbers = new Set(lines.map(({ number }) => number));
    for (let i = this.#unwritten.length - 1; i >= 0; i--) {
      const one = this.#unwritten[i];
      if (one?.number === undefined || !numbers.has(one.number)) continue;
      this.#unwritten.splice(i, 1);
      this.#unwrittenBytes -= Buffer.byteLength(one.text);
    }
    // they are next to each other, since the oldest go first
    const [from, to] = [gone[0], gone.at(-1)];
    if (from !== undefined && to !== undefined) await this.#write(mark('gone', from, to));
  }

  /** Appends to the file; false when that cannot be done. Where the line goes is kept, so the next one takes the place of what was torn. */
  async #write(bytes: Buffer): Promise<boolean> {
    try {
      this.#handle ??= await openToWrite(this.#options.path);
      for (let done = 0; done < bytes.length;) {
        done += (await this.#handle.write(bytes, done, bytes.length - done, this.#fileBytes + done)).bytesWritten;
      }
      this.#fileBytes += bytes.length;
      this.#tell(undefined);
      return true;
    } catch (error) {
      await this.#handle?.truncate(this.#fileBytes).catch(() => undefined);
      // the next line opens it anew: the disk may be another by then
      await this.#letGo();
      this.#tell(toLivetapeError(error, 'STATE_UNWRITABLE', `${this.#options.path} cannot be written`));
      return false;
    }
  }

  /** The oldest leave while there are too many. */
  async #keepBounds(): Promise<void> {
    const { maxRecords, maxBytes } = this.#options;
    let [count, bytes] = [this.count, this.sizeBytes];
    const out: number[] = [];
    for (const [number, size] of this.#entries()) {
      if (count <= maxRecords && bytes <= maxBytes) break;
      if (this.#isTaken(number)) continue;
      out.push(number);
      count--;
      bytes -= size;
    }
    const [from, to] = [out[0], out.at(-1)];
    if (from === undefined || to === undefined) return;
    this.#options.pushedOut(await this.#texts(out));
    await this.#leave({ from, to });
  }

  async #choose(count: number, maxBytes: number): Promise<Range | undefined> {
    let bytes = 0;
    const numbers: number[] = [];
    for (const [number, size] of this.#entries()) {
      if (numbers.length >= count || (numbers.length > 0 && bytes + size > maxBytes)) break;
      numbers.push(number);
      bytes += size;
    }
    const [from, to] = [numbers[0], numbers.at(-1)];
    if (from === undefined || to === undefined) return undefined;
    await this.#write(mark('taken', from, to));
    return { from, to };
  }

  async #leave(range: Range): Promise<void> {
    for (const number of this.#numbersIn(range)) {
      this.#writtenBytes -= this.#written.get(number)?.length ?? 0;
      this.#written.delete(number);
    }
    for (let i = this.#unwritten.length - 1; i >= 0; i--) {
      const { number, text = '' } = this.#unwritten[i] ?? {};
      if (number === undefined || number < range.from || number > range.to) continue;
      this.#unwritten.splice(i, 1);
      this.#unwrittenBytes -= Buffer.byteLength(text);
    }
    await this.#write(mark('gone', range.from, range.to));
    await this.#tidy();
  }

  /** Writes the file anew when most of it is of the past. */
  async #tidy(): Promise<void> {
    const waste = this.#fileBytes - this.#writtenBytes;
    if (this.#handle === undefined || waste <= MAX_WASTE_BYTES + this.#writtenBytes || this.#fileBytes < this.#rewriteAtBytes) return;
    try {
      const made = await rewrite(this.#options.path, this.#handle, this.#written, this.#taken);
      await this.#letGo();
      this.#handle = made.handle;
      for (const [number, place] of made.places) this.#written.set(number, place);
      this.#fileBytes = made.sizeBytes;
      this.#rewriteAtBytes = 0;
    } catch {
      // it goes on growing; where the disk is full, appending says so
      this.#rewriteAtBytes = this.#fileBytes + RETRY_BYTES;
    }
  }

  /** The texts of some numbers, in their order; one that is not in the file any more (somebody else has changed it) is left out. */
  async #texts(numbers: readonly number[]): Promise<string[]> {
    const places = numbers.flatMap((number) => this.#written.get(number) ?? []);
    const [first, last] = [places[0], places.at(-1)];
    let block: Buffer = Buffer.alloc(0);
    if (first !== undefined && last !== undefined) {
      try {
        block = await this.#readRange(first.at, last.at + last.length);
      } catch (error) {
        throw toLivetapeError(error, 'STATE_UNWRITABLE', `${this.#options.path} cannot be read`);
      }
    }
    const texts = places.map(({ at, length }) => block.toString('utf8', at - (first?.at ?? 0), at - (first?.at ?? 0) + length));
    const wanted = new Set(numbers);
    for (const { number, text } of this.#unwritten) if (number !== undefined && wanted.has(number)) texts.push(text);
    return texts.filter(isJson);
  }

  async #readRange(from: number, to: number): Promise<Buffer> {
    const handle = this.#handle ?? (await open(this.#options.path, 'r'));
    try {
      const block = Buffer.alloc(to - from);
      for (let done = 0; done < block.length;) {
        const { bytesRead } = await handle.read(block, done, block.length - done, from + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return block;
    } finally {
      if (handle !== this.#handle) await handle.close();
    }
  }

  /** Numbers and sizes of all texts that have a number, the oldest first. */
  *#entries(): Iterable<readonly [number, number]> {
    for (const [number, { length }] of this.#written) yield [number, length];
    for (const { number, text } of this.#unwritten) if (number !== undefined) yield [number, Buffer.byteLength(text)];
  }

  #numbersIn({ from, to }: Range): number[] {
    const numbers: number[] = [];
    for (const [number] of this.#entries()) {
      if (number > to) break;
      if (number >= from) numbers.push(number);
    }
    return numbers;
  }

  #isTaken(number: number | undefined): boolean {
    return number !== undefined && this.#taken !== undefined && number >= this.#taken.from && number <= this.#taken.to;
  }

  #tell(error: LivetapeError | undefined): void {
    if (error === undefined && !this.#inTrouble) return;
    if (error !== undefined && this.#inTrouble) return;
    this.#inTrouble = error !== undefined;
    this.#options.trouble(error);
  }

  async #letGo(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined);
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
