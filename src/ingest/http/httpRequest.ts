/**
 * One GET over a connection of its own, with undici's dispatch handler: chunks come straight from the parser, without a stream between. The
 * socket is made here, so that it can be let go of while it still connects; so are the timers, which are the injected clock's.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Client, type Dispatcher } from 'undici';
import type { EgressGuard } from '../../egress/index.js';
import { systemCode } from '../gate.js';
import type { HttpTarget } from './httpUrl.js';

/** As much as the kernel is asked for at once. */
const READ_BYTES = 64 * 1024;

/** Who is told; `failed` or `finished` comes once, and last. */
export interface RequestEvents {
  /** The connection is made. */
  connected(): void;
  /** The answer's head. */
  responded(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void;
  body(chunk: Uint8Array): void;
  finished(): void;
  failed(error: Error): void;
}

/** A request under way. */
export class HttpRequest {
  readonly #client: Client;
  readonly #guard: EgressGuard | undefined;
  #socket: Socket | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #isPaused = false;
  #isDestroyed = false;

  /** @param guard - where it may connect to; names are looked up by it, so that what was checked is what is connected to (E2) */
  constructor(target: HttpTarget, events: RequestEvents, guard?: EgressGuard) {
    this.#guard = guard;
    this.#client = new Client(target.url.origin, {
      connect: (options, callback) =>
        this.#connect(options.hostname, Number(options.port), options.protocol === 'https:', events, callback),
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const headers: Record<string, string> = { accept: '*/*', 'user-agent': 'livetape' };
    if (target.authorization !== undefined) headers['authorization'] = target.authorization;
    this.#client.dispatch(
      { method: 'GET', path: target.url.pathname + target.url.search, headers, reset: true },
      {
        onRequestStart: (controller) => {
          this.#controller = controller;
        },
        onResponseStart: (_controller, status, headers) => {
          if (!this.#isDestroyed && status >= 200) events.responded(status, headers);
        },
        onResponseData: (_controller, chunk) => {
          // after a pause the parser may come with nothing; to pause it for that would go on for ever
          if (!this.#isDestroyed && chunk.length > 0) events.body(chunk);
        },
        onResponseEnd: () => {
          if (!this.#isDestroyed) events.finished();
        },
        onResponseError: (_controller, error) => {
          if (!this.#isDestroyed) events.failed(error);
        },
      },
    );
  }

  pause(): void {
    this.#isPaused = true;
    this.#controller?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isDestroyed) this.#controller?.resume();
  }

  /** Ends it at once; no event follows. Kept when its socket is gone. */
  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    const socket = this.#socket;
    const gone = !socket || socket.closed ? undefined : new Promise<void>((resolve) => socket.once('close', () => resolve()));
    // with an error: without one undici asks its parser to finish, see below
    socket?.destroy(new Error('closed'));
    await Promise.all([this.#client.destroy(), gone]);
  }

  #connect(
    hostname: string,
    port: number,
    secure: boolean,
    events: RequestEvents,
    callback: (...args: [Error, null] | [null, Socket]) => void,
  ): void {
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const guard = this.#guard;
    try {
      // what is an address is not looked up
      if (isIP(host) !== 0) guard?.check(host);
    } catch (error) {
      // not before whoever asks has this request in hand
      queueMicrotask(() => callback(error as Error, null));
      return;
    }
    const connectOptions = { host, port: port || (secure ? 443 : 80), highWaterMark: READ_BYTES, ...(guard && { lookup: guard.lookup }) };
    const socket = secure
      ? connectTls({ ...connectOptions, ALPNProtocols: ['http/1.1'], ...(isIP(host) === 0 && { servername: host }) })
      : connectTcp(connectOptions);
    this.#socket = socket;
    let isAnswered = false;
    socket.on('error', (error: Error) => {
      // undici takes a reset for the end of a body that ends with its connection, and has its parser finish; that asserts that it is not paused, in
      // an event handler, where it would end the process (7.30, client-h1.js, onHttpSocketError). Under another code a reset is an error as any other.
      if (this.#isPaused && systemCode(error) === 'ECONNRESET') Object.assign(error, { code: 'UND_ERR_SOCKET' });
      if (!isAnswered) callback(error, null);
      isAnswered = true;
    });
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      if (isAnswered) return;
      isAnswered = true;
      if (!this.#isDestroyed) events.connected();
      callback(null, socket);
    });
    socket.once('close', () => {
      if (!isAnswered) callback(new Error('the connection was closed'), null);
      isAnswered = true;
    });
  }
}
