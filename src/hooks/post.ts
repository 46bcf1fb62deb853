/**
 * One POST over a connection of its own. The socket is made here, so that the address which was checked is the one connected to (docs/design/door.md, E2), and so that it can be let
 * go of while it still connects. A redirect is an answer as any other.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Client } from 'undici';
import { isLivetapeError, LivetapeError, type Clock } from '../base/index.js';
import type { EgressGuard } from '../egress/index.js';
import type { Message } from './message.js';

/** An answer has to have come by then; milliseconds. */
export const TIMEOUT_MS = 10_000;
/** So much of an answer is read, and thrown away; the connection is broken off after it. */
const MAX_ANSWER_BYTES = 4096;
/** So much of a reason is told. */
const MAX_REASON_CHARS = 300;

/** What a POST is made of. */
export interface PostOptions {
  readonly url: string;
  readonly message: Message;
  /** Where it may connect to; undefined for everywhere. */
  readonly guard: EgressGuard | undefined;
  readonly clock: Clock;
  /** Breaks it off. */
  readonly signal: AbortSignal;
}

/**
 * Sends it. Kept with the status, which is 2xx.
 * @throws LivetapeError HOOK_FAILED, ADDRESS_REFUSED
 */
export async function post(options: PostOptions): Promise<number> {
  const { clock, signal } = options;
  const target = new URL(options.url);
  const authorization = authorizationOf(target);
  let socket: Socket | undefined;
  const client = new Client(target.origin, {
    connect: ({ hostname, port, protocol }, callback) => {
      socket = connect(hostname, Number(port), protocol === 'https:', options.guard, callback);
    },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    return await new Promise<number>((resolve, reject) => {
      let status: number | undefined;
      let readBytes = 0;
      const end = (error?: unknown): void => {
        timer.cancel();
        signal.removeEventListener('abort', aborted);
        if (status === undefined) reject(failure(error));
        else if (status >= 200 && status < 300) resolve(status);
        else reject(failed(`it answered ${status}${status >= 300 && status < 400 ? ' (redirects are not followed)' : ''}`));
      };
      const aborted = (): void => end(failed('the server is being closed'));
      const timer = clock.after(TIMEOUT_MS, () => end(failed(`it did not answer within ${TIMEOUT_MS / 1000} seconds`)));
      if (signal.aborted) return aborted();
      signal.addEventListener('abort', aborted);
      const headers = { ...options.message.headers, ...(authorization === undefined ? {} : { authorization }) };
      client.dispatch(
        { method: 'POST', path: target.pathname + target.search, headers, body: options.message.body, reset: true },
        {
          onRequestStart: () => undefined,
          onResponseStart: (_controller, code) => {
            if (code >= 200) status = code;
          },
          onResponseData: (_controller, chunk) => {
            readBytes += chunk.length;
            if (readBytes > MAX_ANSWER_BYTES) end();
          },
          onResponseEnd: () => end(),
          onResponseError: (_controller, error) => end(error),
        },
      );
    });
  } finally {
    // with an error: without one undici asks its parser to finish
    socket?.destroy(new Error('closed'));
    await client.destroy();
  }
}

function connect(
  hostname: string,
  port: number,
  secure: boolean,
  guard: EgressGuard | undefined,
  callback: (...args: [Error, null] | [null, Socket]) => void,
): Socket | undefined {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  try {
    // what is an address is not looked up
    if (isIP(host) !== 0) guard?.check(host);
  } catch (error) {
    queueMicrotask(() => callback(error as Error, null));
    return undefined;
  }
  const options = { host, port: port || (secure ? 443 : 80), ...(guard && { lookup: guard.lookup }) };
  const socket = secure
    ? connectTls({ ...options, ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 && { servername: host }) })
    : connectTcp(options);
  let isAnswered = false;
  const answer = (...args: [Error, null] | [null, Socket]): void => {
    if (isAnswered) return;
    isAnswered = true;
    callback(...args);
  };
  socket.on('error', (error: Error) => answer(error, null));
  socket.once('close', () => answer(new Error('the connection was closed'), null));
  socket.once(secure ? 'secureConnect' : 'connect', () => answer(null, socket));
  return socket;
}

/** User info is Basic authentication (RFC 7617). */
function authorizationOf({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function failure(error: unknown): LivetapeError {
  if (isLivetapeError(error)) return error;
  const said = error instanceof AggregateError ? error.errors.map(messageOf).join(', ') : messageOf(error);
  return failed(`it cannot be reached: ${said.slice(0, MAX_REASON_CHARS)}`, error);
}

function failed(why: string, cause?: unknown): LivetapeError {
  return new LivetapeError('HOOK_FAILED', `the receiver did not take it: ${why}`, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
