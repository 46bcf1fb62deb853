/** Addresses and networks of those who ask, as a credential may name them. */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A network: an address, and how many of its bits count. */
export interface Network {
  readonly address: ipaddr.IPv4 | ipaddr.IPv6;
  readonly bits: number;
}

/** An IPv4 address that is written as an IPv6 one (`::ffff:192.0.2.1`) has so many bits in front. */
const MAPPED_BITS = 96;

/** `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`; undefined when it is neither an address nor a network, written in full. */
export function parseNetwork(text: string): Network | undefined {
  const [host = '', given, ...rest] = text.split('/');
  // isIP takes no short forms (`10.1`), no octal ones, and no scope
  if (rest.length > 0 || isIP(host) === 0 || host.includes('%')) return undefined;
  const parsed = ipaddr.parse(host);
  const length = parsed.toByteArray().length * 8;
  if (given !== undefined && !/^(0|[1-9]\d{0,2})$/.test(given)) return undefined;
  const bits = given === undefined ? length : Number(given);
  if (bits > length) return undefined;
  const address = ipaddr.process(host);
  if (address.kind() === parsed.kind()) return { address, bits };
  return bits < MAPPED_BITS ? undefined : { address, bits: bits - MAPPED_BITS };
}

/** Whether who asks is in the network. */
export function isWithin({ address, bits }: Network, asker: string): boolean {
  // a scope (`fe80::1%eth0`) says nothing of the address
  const bare = asker.split('%')[0] ?? '';
  if (isIP(bare) === 0) return false;
  const own = ipaddr.process(bare);
  return own.kind() === address.kind() && own.match(address, bits);
}
