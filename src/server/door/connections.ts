/**
 * Connections (docs/design/door.md, L1, L2): how many, how many of one address, and no request on one before the last was answered. What is beyond is closed at once:
 * to say why would cost more than it tells.
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { clientOf } from './address.js';
import type { Limits } from './limits.js';

/** Counts the connections of a server, and closes those that are too many. */
export function limitConnections(server: Pick<Server, 'on'>, limits: Limits): void {
  let total = 0;
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const { connections, connections_per_address: perAddress } = limits.settings;
    const address = socket.remoteAddress;
    // it was closed before we came to it
    if (address === undefined) return void socket.destroy();
    const client = limits.trusts(address) ? undefined : clientOf(address);
    const own = client === undefined ? 0 : (counts.get(client) ?? 0);
    if (total >= connections || (client !== undefined && own >= perAddress)) {
      limits.note(total >= connections ? 'connections' : 'address_connections');
      socket.destroy();
      return;
    }
    total += 1;
    if (client !== undefined) counts.set(client, own + 1);
    socket.once('close', () => {
      total -= 1;
      if (client === undefined) return;
      const left = (counts.get(client) ?? 1) - 1;
      if (left === 0) counts.delete(client);
      else counts.set(client, left);
    });
  });
}

/**
 * The listener, for requests that come one after another. A connection whose last answer is not yet whole has no business with another request; one is whole when its last
 * bytes were handed to the connection (`writableEnded`), not when they left: a client may have read them by then. So an answer whose length is told has to be ended together
 * with its last bytes (sending.ts).
 */
export function refusePipelining(listener: RequestListener, limits: Limits): RequestListener {
  const latest = new WeakMap<Socket, ServerResponse>();
  return (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    // the parser goes on with what it has
    if (socket.destroyed) return;
    const before = latest.get(socket);
    if (before !== undefined && !before.writableEnded) {
      limits.note('pipelining');
      socket.destroy();
      return;
    }
    latest.set(socket, response);
    listener(request, response);
  };
}
