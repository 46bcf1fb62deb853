/** A file in memory, held open: its bytes are never written to, so whoever holds them has them. */
import { LivetapeError } from '../../base/index.js';
import type { OpenedFile } from '../storage.js';

export class MemoryOpened implements OpenedFile {
  readonly sizeBytes: number;
  readonly modifiedMs = undefined;
  #bytes: Uint8Array | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.sizeBytes = bytes.byteLength;
  }

  async read(into: Uint8Array, fromByte: number): Promise<number> {
    // As with a disk, `into` is filled later.
    await Promise.resolve();
    if (this.#bytes === undefined) throw new LivetapeError('CLOSED', 'the file was closed');
    const part = this.#bytes.subarray(fromByte, fromByte + into.byteLength);
    into.set(part);
    return part.byteLength;
  }

  close(): Promise<void> {
    this.#bytes = undefined;
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
