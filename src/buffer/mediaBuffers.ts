/** The media buffers of one process, by name. */
import { LivetapeError, silentLogger, type Clock, type Closable, type Logger } from '../base/index.js';
import { MediaBuffer } from './mediaBuffer.js';

/** Makes and finds buffers by their id. */
export class MediaBuffers implements Closable {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #buffers = new Map<string, MediaBuffer>();
  #closed = false;

  constructor(options: { clock: Clock; log?: Logger }) {
    this.#clock = options.clock;
    this.#log = options.log ?? silentLogger;
  }

  /**
   * The buffer of that id, made when there is none.
   * @throws LivetapeError CLOSED; ARGUMENT_INVALID for an empty id
   */
  open(id: string): MediaBuffer {
    if (this.#closed) throw new LivetapeError('CLOSED', 'the media buffers are closed');
    if (id === '') throw new LivetapeError('ARGUMENT_INVALID', 'the id of a media buffer is empty');
    const existing = this.#buffers.get(id);
    if (existing) return existing;
    const buffer = new MediaBuffer(id, { clock: this.#clock, log: this.#log, onClose: () => this.#buffers.delete(id) });
    this.#buffers.set(id, buffer);
    return buffer;
  }

  /** The buffer of that id, or undefined where none is open. */
  get(id: string): MediaBuffer | undefined {
    return this.#buffers.get(id);
  }

  /** Closes them all. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#buffers.values()].map((buffer) => buffer.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
