/** What a `udp://` or `rtp://` URL says: which address to bind, which group to join, on which interface. */
import { isIP, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { invalid, parseAddress, parseOptions } from '../sourceUrl.js';

/** Where datagrams are received. */
export interface UdpTarget {
  readonly family: 'udp4' | 'udp6';
  /** To bind to. A name is looked up. */
  readonly host: string;
  readonly port: number;
  /** The multicast group to join. */
  readonly group: string | undefined;
  /** IP address of the interface to join it on; with `%scope` if the URL has one. */
  readonly interfaceIp: string | undefined;
}

/**
 * Reads `udp://[@]host:port[?interface=IP]`. A host left out is every address of IPv4.
 * @throws LivetapeError SOURCE_INVALID
 */
export function parseUdpUrl(url: string): UdpTarget {
  const { user, host, port } = parseAddress(url);
  if (user !== undefined && user !== '') throw invalid(url, 'nothing goes before the @ (a source address cannot be chosen)');
  const interfaceIp = parseOptions(url, ['interface']).get('interface');
  if (interfaceIp !== undefined && isIP(interfaceIp) === 0) throw invalid(url, `interface: "${interfaceIp}" is not an IP address`);
  const family = isIP(host) === 6 || (host === '' && isIP(interfaceIp ?? '') === 6) ? 'udp6' : 'udp4';
  if (interfaceIp !== undefined && isIPv4(interfaceIp) !== (family === 'udp4')) throw invalid(url, 'interface is of the other IP version');
  if (isMulticast(host)) return { family, host, port, group: host, interfaceIp };
  const any = host === '' || host === '0.0.0.0' || host === '::';
  if (interfaceIp !== undefined && !any) throw invalid(url, 'interface goes with a multicast group, or with no host (udp://@:port)');
  const anyHost = family === 'udp6' ? '::' : '0.0.0.0';
  return { family, host: interfaceIp ?? (any ? anyHost : host), port, group: undefined, interfaceIp };
}

/** 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291). */
export function isMulticast(host: string): boolean {
  if (isIPv4(host)) {
    const first = Number(host.split('.')[0]);
    return first >= 224 && first <= 239;
  }
  return isIP(host) === 6 && /^ff/i.test(host);
}

/** The addresses of the machine's interfaces, by name: as `os.networkInterfaces()` answers. */
export type Interfaces = Readonly<Record<string, readonly { readonly address: string }[] | undefined>>;

/** What `bind` and `addMembership` want. */
export interface Binding {
  /** To bind to. */
  readonly address: string;
  /** `addMembership(group, on)`; `on` is undefined for the system's choice. */
  readonly join: { readonly group: string; readonly on: string | undefined } | undefined;
}

/**
 * The binding of a target on this machine. It binds to the group's address, or two groups on one port would mix: Linux and BSD deliver
 * to a socket bound to 0.0.0.0 what any socket of the machine has joined. Windows cannot.
 * IPv6 names an interface by its scope (`::%eth0`), not by an address of it.
 */
export function bindingOf(
  target: UdpTarget,
  platform: NodeJS.Platform = process.platform,
  interfaces: Interfaces = networkInterfaces(),
): Binding {
  const { family, group, host, interfaceIp } = target;
  if (group === undefined) return { address: host, join: undefined };
  const anyHost = family === 'udp6' ? '::' : '0.0.0.0';
  if (family === 'udp4') {
    return { address: platform === 'win32' ? anyHost : group, join: { group, on: interfaceIp } };
  }
  const [address = group, groupScope] = group.split('%');
  const scope = groupScope ?? scopeOf(interfaceIp, interfaces);
  // what has a scope of its own, link-local above all, cannot be bound without it
  const bindTo = scope === undefined ? address : `${address}%${scope}`;
  return {
    address: platform === 'win32' ? anyHost : bindTo,
    join: { group: address, on: scope === undefined ? undefined : `::%${scope}` },
  };
}

function scopeOf(interfaceIp: string | undefined, interfaces: Interfaces): string | undefined {
  if (interfaceIp === undefined) return undefined;
  const [address, scope] = interfaceIp.split('%');
  if (scope !== undefined) return scope;
  for (const [name, addresses] of Object.entries(interfaces)) {
    if (addresses?.some((entry) => entry.address === address)) return name;
  }
  throw new Error(`no interface of this machine has the address ${interfaceIp}`);
}
