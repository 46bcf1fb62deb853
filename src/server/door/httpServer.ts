/** The server that an application answers on: HTTP, or HTTPS where there is a certificate, within the limits of docs/design/door.md (L1, L2, L6). */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ServerContext } from '../context.js';
import { limitConnections, refusePipelining } from './connections.js';
import type { Limits } from './limits.js';

/** How long things may take; milliseconds. */
const TIMES = {
  /** Until all headers of a request are here, from when its first byte could come. */
  headersTimeout: 10_000,
  /** Until all of a request is here, its body too. */
  requestTimeout: 30_000,
  /** How often both are looked at. */
  connectionsCheckingInterval: 1000,
  /** A connection between two requests. */
  keepAliveTimeout: 72_000,
  /** The handshake of TLS. */
  handshakeTimeout: 10_000,
  /** Where nothing goes either way; bodies that are sent piece by piece have a measure of their own (sending.ts). */
  idleTimeout: 120_000,
} as const;
/** All headers of a request, with its URL. */
const MAX_HEADER_BYTES = 16 * 1024;

/** Makes the server; as `serverFactory` of Fastify. */
export function makeServer(listener: RequestListener, context: Pick<ServerContext, 'tls'>, limits: Limits): Server {
  const { headersTimeout, requestTimeout, connectionsCheckingInterval, keepAliveTimeout, handshakeTimeout, idleTimeout } = TIMES;
  const options: ServerOptions = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout,
    requestTimeout,
    connectionsCheckingInterval,
    keepAliveTimeout,
  };
  const answer = refusePipelining(listener, limits);
  const { tls } = context;
  let server: Server;
  if (tls === undefined) {
    server = createServer(options, answer);
  } else {
    const secure = createTlsServer({ ...options, handshakeTimeout, ...tls.context }, answer);
    // whoever is connected goes on
    const stop = tls.onChange((pair) => secure.setSecureContext(pair));
    secure.once('close', stop);
    server = secure;
  }
  server.setTimeout(idleTimeout);
  limitConnections(server, limits);
  return server;
}
