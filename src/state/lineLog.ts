/**
 * A log of JSON lines in files that are put aside when they are full: `audit.jsonl`, then `audit.jsonl.1` (the next newest), and so on. Lines are written in
 * the order in which they were given; what was torn by a power cut is passed over.
 */
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toLivetapeError, type Closable } from '../base/index.js';
import { giveTo } from './files.js';
import { makeFolder } from './lock.js';

/** What a log is opened with. */
export interface LineLogOptions {
  readonly path: string;
  /** A file that has grown to this is put aside. */
  readonly maxBytes: number;
  /** How many files there are, the one that is written counted. */
  readonly maxFiles: number;
}

/** A log of JSON lines. */
export interface LineLog extends Closable {
  /**
   * Kept when the line is written (not fsynced).
   * @throws LivetapeError STATE_UNWRITABLE
   */
  append(record: object): Promise<void>;
  /** The newest records, newest first, at most `count`. */
  newest(count: number): Promise<unknown[]>;
}

/** Opens a log; nothing is written before the first line. */
export function openLineLog(options: LineLogOptions): LineLog {
  return new FileLineLog(options);
}

class FileLineLog implements LineLog {
  readonly #options: LineLogOptions;
  #handle: FileHandle | undefined;
  #sizeBytes = 0;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: LineLogOptions) {
    this.#options = options;
  }

  append(record: object): Promise<void> {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    return this.#inTurn(async () => {
      try {
        await this.#write(line);
      } catch (error) {
        // the next line opens it anew: the disk may be another by then
        await this.#letGo();
        throw toLivetapeError(error, 'STATE_UNWRITABLE', `${this.#options.path} cannot be written`);
      }
    });
  }

  newest(count: number): Promise<unknown[]> {
    return this.#inTurn(async () => {
      const records: unknown[] = [];
      for (let i = 0; i < this.#options.maxFiles && records.length < count; i++) {
        const lines = (await textOf(this.#name(i))).split('\n');
        for (const line of lines.reverse()) {
          if (records.length >= count) break;
          const record = parsed(line);
          if (record !== undefined) records.push(record);
        }
      }
      return records;
    });
  }

  async close(): Promise<void> {
    await this.#inTurn(() => this.#letGo());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #write(line: Buffer): Promise<void> {
    const { path, maxBytes } = this.#options;
    if (this.#handle !== undefined && this.#sizeBytes > 0 && this.#sizeBytes + line.length > maxBytes) await this.#rotate();
    if (this.#handle === undefined) {
      await makeFolder(dirname(path));
      this.#handle = await open(path, 'a+', 0o600);
      const { size } = await this.#handle.stat();
      if (size === 0) await giveTo(this.#handle, dirname(path));
      this.#sizeBytes = size;
      // A line that was torn is ended, so that it takes no other with it.
      if (size > 0) {
        const { buffer } = await this.#handle.read(Buffer.alloc(1), 0, 1, size - 1);
        if (buffer[0] !== 0x0a) this.#sizeBytes += (await this.#handle.write('\n')).bytesWritten;
      }
      if (this.#sizeBytes > 0 && this.#sizeBytes + line.length > maxBytes) return this.#rotate().then(() => this.#write(line));
    }
    await this.#handle.appendFile(line);
    this.#sizeBytes += line.length;
  }

  async #rotate(): Promise<void> {
    await this.#letGo();
    const last = this.#options.maxFiles - 1;
    await rm(this.#name(last), { force: true });
    for (let i = last - 1; i >= 0; i--) await rename(this.#name(i), this.#name(i + 1)).catch(ignoreMissing);
  }

  async #letGo(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  #name(index: number): string {
    return index === 0 ? this.#options.path : `${this.#options.path}.${index}`;
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#work.then(step);
    this.#work = done.catch(() => undefined);
    return done;
  }
}

async function textOf(path: string): Promise<string> {
  try {
    const handle = await open(path, 'r');
    try {
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    ignoreMissing(error);
    return '';
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}

function parsed(line: string): unknown {
  if (line.trim() === '') return undefined;
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
