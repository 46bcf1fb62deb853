/**
 * One segment on its way into an archive: its bytes go straight to the medium, and are counted and summed up
 * as they pass.
 */
import { crc32 } from 'node:zlib';
import { LivetapeError, invariant } from '../base/index.js';
import type { Upload } from '../storage/index.js';
import type { CommittedSegment, SegmentFacts, SegmentWriter } from './contract.js';

/** What a segment needs of its archive. */
export interface SegmentOwner {
  /** Enters it, once `stored` is kept. */
  commit(facts: SegmentFacts, stored: Promise<void>): Promise<CommittedSegment>;
  /** It was given bytes and then given up. */
  lost(): void;
  /** Nothing of it is open any more. */
  over(): void;
}

/** A segment being written. */
export class Segment implements SegmentWriter {
  readonly index: number;
  readonly #upload: Upload;
  readonly #owner: SegmentOwner;
  #sizeBytes = 0;
  #crc32 = 0;
  #state: 'open' | 'committed' | 'aborted' = 'open';

  constructor(index: number, upload: Upload, owner: SegmentOwner) {
    this.index = index;
    this.#upload = upload;
    this.#owner = owner;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get crc32(): number {
    return this.#crc32;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#state !== 'open') return this.#refuse();
    this.#sizeBytes += bytes.byteLength;
    this.#crc32 = crc32(bytes, this.#crc32);
    return this.#upload.write(bytes);
  }

  commit(facts: SegmentFacts): Promise<CommittedSegment> {
    if (this.#state !== 'open') return this.#refuse();
    this.#state = 'committed';
    // Begun now, while the segments before are still being entered.
    const stored = this.#store();
    stored.catch(() => undefined);
    return this.#owner.commit(facts, stored);
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'aborted';
    if (this.#sizeBytes > 0) this.#owner.lost();
    await this.#upload.abort();
    this.#owner.over();
  }

  async #store(): Promise<void> {
    try {
      invariant(this.#sizeBytes > 0, `segment ${this.index} has no media`);
      await this.#upload.commit();
    } catch (error) {
      await this.#upload.abort();
      throw error;
    } finally {
      this.#owner.over();
    }
  }

  #refuse(): Promise<never> {
    return Promise.reject(new LivetapeError('CLOSED', `segment ${this.index} was ${this.#state} already`));
  }
}
