/** `-`: standard input, or any Readable that an embedding program hands in; ends where that ends. */
import type { Readable } from 'node:stream';
import { Gate, reasonOf } from '../gate.js';
import type { OpenOptions, Source, SourceSink, SourceStats } from '../source.js';
import { parseOptions } from '../sourceUrl.js';

/**
 * Opens standard input.
 * @throws LivetapeError SOURCE_INVALID
 */
export function openStdin(url: string, options: OpenOptions): Source {
  parseOptions(url, []);
  return new StdinSource(options.stdin);
}

class StdinSource implements Source {
  readonly url = '-';
  readonly #given: Readable | undefined;
  readonly #gate = new Gate();
  #stream: Readable | undefined;
  #closing: Promise<void> | undefined;

  constructor(given: Readable | undefined) {
    this.#given = given;
  }

  get stats(): SourceStats {
    return this.#gate.stats;
  }

  start(sink: SourceSink): void {
    if (!this.#gate.start(sink)) return;
    const stream: Readable & { readonly isTTY?: boolean } = this.#given ?? process.stdin;
    if (stream.isTTY === true) {
      this.#gate.failed('SOURCE_FAILED', 'standard input is a terminal; pipe a transport stream into it');
      return;
    }
    this.#stream = stream;
    let told = false;
    stream.on('data', (chunk: Uint8Array) => {
      if (!told) {
        told = true;
        this.#gate.connected('standard input');
      }
      this.#gate.data(chunk);
      this.#gate.holdBack(stream);
    });
    stream.on('end', () => this.#gate.ended('end of input'));
    stream.on('error', (error) => this.#gate.failed('SOURCE_FAILED', `standard input: ${reasonOf(error)}`, error));
    // destroyed by somebody else before its end
    stream.on('close', () => this.#gate.failed('SOURCE_FAILED', 'standard input was closed before its end'));
    if (stream.destroyed) this.#gate.failed('SOURCE_FAILED', 'standard input is closed');
    else if (stream.readableEnded) this.#gate.ended('end of input');
  }

  close(): Promise<void> {
    this.#gate.close();
    this.#closing ??= this.#release();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Destroyed, not paused: whoever writes into the pipe is to learn that nobody reads. */
  async #release(): Promise<void> {
    const stream = this.#stream;
    if (!stream || stream.closed) return;
    await new Promise<void>((resolve) => {
      stream.once('close', () => resolve());
      stream.destroy();
    });
  }
}
