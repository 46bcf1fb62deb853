/** Where the server listens: `HOST:PORT`, loopback only until there is a door (H1). */
import { createServer, isIP } from 'node:net';
import { LivetapeError } from '../base/index.js';

/** An address to listen on. */
export interface ListenAddress {
  /** `localhost` or an address, without brackets. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/**
 * Reads `HOST:PORT` (`[::1]:8080` for IPv6).
 * @throws LivetapeError LISTEN_REFUSED for what is no address, or not a loopback one
 */
export function parseListen(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text.trim());
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3] ?? NaN);
  if (match === null || !(port <= 65_535)) throw refused(text, 'it is not HOST:PORT');
  if (!isLoopback(host)) {
    throw refused(text, 'only this machine may ask for now: listen on 127.0.0.1 and put a reverse proxy before it');
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

function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost') return true;
  const kind = isIP(host);
  return kind === 4 ? host.startsWith('127.') : kind === 6 && /^(0*:)*0*1$|^::ffff:127\./i.test(host);
}

function refused(text: string, why: string): LivetapeError {
  return new LivetapeError('LISTEN_REFUSED', `cannot listen on "${text}": ${why}`, { context: { address: text } });
}
