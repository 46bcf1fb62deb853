/**
 * Sends a body as the client takes it (docs/design/server.md, H6). Chunks are written one at a time and the next is asked for when the system has
 * taken the last, so that a body may hand out the same buffer again and again (playback.md, P15) and a slow client costs one chunk of memory. One that
 * takes less than it must is let go (docs/design/door.md, L3).
 */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Clock, Logger } from '../base/index.js';
import type { Limits } from './door/limits.js';

/** In so long a client takes LEAST_BYTES of a body, or is let go; milliseconds. Paused players take what they asked for and wait. */
export const STALLED_MS = 120_000;
/** See STALLED_MS: two kilobytes a second, less than any media. */
const LEAST_BYTES = 256 * 1024;

/** How a body is sent. */
export interface SendingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Hears of who is let go. */
  readonly limits: Pick<Limits, 'note'>;
  /** For each chunk by itself, in the place of STALLED_MS for each LEAST_BYTES: media that comes slowly is not to be taken faster. */
  readonly stalledMs?: number;
  /** What the body must come to; it is broken off when it does not. */
  readonly sizeBytes?: number;
  /** The headers go out before there is anything of the body; else with the first of it. */
  readonly headersFirst?: boolean;
}

/**
 * Sends the reply's status and headers with `body`. Kept when all is sent, or when the client has gone away: the body's iterator is returned then. A body that fails
 * half way is broken off, since there is no other way to say that it is not whole. Never rejects.
 */
export async function sendBody(reply: FastifyReply, body: AsyncIterable<Uint8Array>, options: SendingOptions): Promise<void> {
  const { log, sizeBytes } = options;
  const response = begin(reply);
  // Who takes too little is known better here; a live stream may wait for media.
  response.setTimeout(0, () => undefined);
  if (options.headersFirst) response.flushHeaders();
  const taker = new Taker(response, options);
  const iterator = body[Symbol.asyncIterator]();
  let returned: Promise<unknown> | undefined;
  const giveUp = (): void => {
    returned ??= Promise.resolve(iterator.return?.());
  };
  response.once('close', giveUp);
  let sentBytes = 0;
  try {
    // the client may have gone while the body was being opened
    if (response.closed || response.destroyed) giveUp();
    for (;;) {
      const next = await iterator.next();
      if (next.done === true || returned) break;
      const { length } = next.value;
      if (length === 0) continue;
      sentBytes += length;
      if (sizeBytes !== undefined && sentBytes > sizeBytes) throw new Error(`${sentBytes} bytes came instead of ${sizeBytes}`);
      const isLast = sentBytes === sizeBytes;
      if (!(await taker.take(next.value, isLast))) {
        // A write can fail before the connection is said to be closed (Node 24).
        giveUp();
        response.destroy();
        return;
      }
      if (isLast) response.off('close', giveUp);
    }
    if (response.writableEnded || response.closed || response.destroyed) return;
    response.off('close', giveUp);
    if (sizeBytes !== undefined && sentBytes !== sizeBytes) throw new Error(`${sentBytes} bytes came instead of ${sizeBytes}`);
    response.end();
  } catch (error) {
    log.warn({ err: error }, 'an answer was broken off');
    giveUp();
    response.destroy();
  } finally {
    await returned?.catch((error: unknown) => log.warn({ err: error }, 'a body did not close cleanly'));
  }
}

/** Sends the reply's status and headers alone. */
export function sendHead(reply: FastifyReply): void {
  begin(reply).end();
}

/**
 * The body with its first chunk made: what keeps it from being made at all is known before the headers are sent, and is an
 * error with a status of its own.
 */
export async function begun(body: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = body[Symbol.asyncIterator]();
  let first: IteratorResult<Uint8Array> | undefined = await iterator.next();
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const made = first;
        first = undefined;
        return made ? Promise.resolve(made) : iterator.next();
      },
      return: () => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }),
    }),
  };
}

function begin(reply: FastifyReply): ServerResponse {
  reply.hijack();
  reply.raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  return reply.raw;
}

/** Hands chunks to a client, and has a measure of how it takes them. */
class Taker {
  readonly #response: ServerResponse;
  readonly #options: SendingOptions;
  /** Of the time in which the client must have taken enough, what is left; only what it is waited for counts. */
  #leftMs: number;
  #takenBytes = 0;

  constructor(response: ServerResponse, options: SendingOptions) {
    this.#response = response;
    this.#options = options;
    this.#leftMs = options.stalledMs ?? STALLED_MS;
  }

  /** False when the client is gone. The last chunk ends the answer with it: who has read it may ask for something else at once (connections.ts). */
  take(chunk: Uint8Array, isLast: boolean): Promise<boolean> {
    const { clock, limits } = this.#options;
    const response = this.#response;
    const beganMs = clock.monotonicMs();
    return new Promise((resolve) => {
      const settle = (taken: boolean): void => {
        timer.cancel();
        response.off('close', gone).off('finish', done);
        if (taken) this.#took(chunk.length, clock.monotonicMs() - beganMs);
        resolve(taken);
      };
      const done = (): void => settle(true);
      const gone = (): void => settle(false);
      const timer = clock.after(this.#leftMs, () => {
        limits.note('slow_readers');
        response.destroy();
      });
      response.once('close', gone);
      if (isLast) response.once('finish', done).end(chunk);
      else response.write(chunk, (error) => settle(!error));
    });
  }

  #took(bytes: number, waitedMs: number): void {
    const { stalledMs } = this.#options;
    this.#leftMs -= waitedMs;
    this.#takenBytes += bytes;
    if (stalledMs === undefined && this.#takenBytes < LEAST_BYTES) return;
    this.#leftMs = stalledMs ?? STALLED_MS;
    this.#takenBytes = 0;
  }
}
