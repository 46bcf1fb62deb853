/**
 * Sends a body as the client takes it (docs/design/server.md, H6). Chunks are written one at a time and the next is asked for when the system has
 * taken the last, so that a body may hand out the same buffer again and again (playback.md, P15) and a slow client costs one chunk of memory.
 */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { Clock, Logger } from '../base/index.js';

/** A client that takes nothing of a body for so long is let go; milliseconds. Paused players take what they asked for and wait. */
export const STALLED_MS = 120_000;

/** How a body is sent. */
export interface SendingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Default STALLED_MS. */
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
  if (options.headersFirst) response.flushHeaders();
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
      if (next.value.length === 0) continue;
      if (!(await write(response, next.value, options))) {
        // A write can fail before the connection is said to be closed (Node 24).
        giveUp();
        response.destroy();
        return;
      }
      sentBytes += next.value.length;
    }
    if (response.closed || response.destroyed) return;
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

/** False when the client is gone. */
function write(response: ServerResponse, chunk: Uint8Array, { clock, stalledMs = STALLED_MS }: SendingOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (taken: boolean): void => {
      timer.cancel();
      response.off('close', gone);
      resolve(taken);
    };
    const gone = (): void => settle(false);
    const timer = clock.after(stalledMs, () => response.destroy());
    response.once('close', gone);
    response.write(chunk, (error) => settle(!error));
  });
}
