/** Where the server listens: `HOST:PORT`; loopback alone where no credentials are asked for (H1; docs/design/door.md, D1). */
import { createServer, isIP } from 'node:net';
import { LivetapeError } from '../base/index.js';
import { isLoopback } from './door/host.js';

/** An address to listen on. */
export interface ListenAddress {
  /** `localhost` or an address, without brackets. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/**
 * Reads `HOST:PORT` (`[::1]:8080` for IPv6).
 * @param guarded - whether credentials are asked for
 * @throws LivetapeError LISTEN_REFUSED for what is no address, and for one that is not of loopback where none are
 */
export function parseListen(text: string, guarded: boolean): ListenAddress {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text.trim());
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? NaN);
  if (match === null || !(port <= 65_535)) throw refused(text, 'it is not HOST:PORT');
  if (!guarded && !isLoopback(host)) {
    throw refused(
      text,
      'without auth whoever reaches it may do everything; write "auth: { enabled: true }" into livetape.yaml (the start then makes an admin token and says where it is), ' +
        `or listen on 127.0.0.1:${port}, for this machine alone`,
    );
  }
  return { host, port };
}

/** As it stands in a URL. */
export const showAddress = ({ host, port }: ListenAddress): string => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/**
 * Sees whether the address can be had, before anything is begun that a server without an address would leave behind.
 * @throws LivetapeError LISTEN_REFUSED
 */
export async function tryListen(address: ListenAddress): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address.host, port: address.port, exclusive: true }, resolve);
    });
  } catch (cause) {
    throw notHad(address, cause);
  }
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** The error for an address that could not be listened on. */
export function notHad(address: ListenAddress, cause: unknown): LivetapeError {
  const errno = (cause as NodeJS.ErrnoException).code;
  const why = errno === 'EADDRINUSE' ? 'it is in use' : cause instanceof Error ? cause.message : String(cause);
  return new LivetapeError('LISTEN_REFUSED', `cannot listen on ${showAddress(address)}: ${why}`, {
    cause,
    context: { address: showAddress(address) },
  });
}

function refused(text: string, why: string): LivetapeError {
  return new LivetapeError('LISTEN_REFUSED', `cannot listen on "${text}": ${why}`, { context: { address: text } });
}
