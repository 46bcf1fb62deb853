/**
 * Which addresses are reached for others. The guard is asked where a connection is made, with the address that is connected to: what a name meant a moment
 * ago says nothing.
 */
import { lookup as lookupName, type LookupAddress } from 'node:dns';
import { isIP, isIPv6, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { LivetapeError } from '../base/index.js';

/** Plain data: it crosses processes. */
export interface EgressRules {
  /** Networks (`10.0.0.0/8`), or addresses, that may be reached although they are not public. */
  readonly allow: readonly string[];
}

/** See the file's head. */
export class EgressGuard {
  readonly rules: EgressRules;
  readonly #allowed: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];
  readonly #lookup: typeof lookupName;

  /**
   * @param lookup - of names; default: the system's
   * @throws LivetapeError CONFIG_INVALID for a network that is none
   */
  constructor(rules: EgressRules, lookup: typeof lookupName = lookupName) {
    this.rules = rules;
    this.#allowed = rules.allow.map(networkOf);
    this.#lookup = lookup;
  }

  /**
   * @param address - an IP address; `host` is what it was named by
   * @throws LivetapeError ADDRESS_REFUSED
   */
  check(address: string, host = address): void {
    if (!this.#isAllowed(address)) throw refused(host);
  }

  /**
   * As {@link check}, of a group whose datagrams are to be received: those that routers hand on may be, those of the link alone (224.0.0.0/24, and scopes up to
   * link-local: RFC 5771, 4; RFC 4291, 2.7) are for the machines' own talk.
   * @throws LivetapeError ADDRESS_REFUSED
   */
  checkGroup(address: string): void {
    if (!this.#isAllowed(address, isRoutedGroup)) throw refused(address);
  }

  /** As `lookup` of `net.connect` and its like: fails with ADDRESS_REFUSED when any address of the name may not be reached. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.#lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, '', 0);
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => this.#isAllowed(address))) return callback(refused(hostname), '', 0);
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

  #isAllowed(text: string, isOpen: (address: ipaddr.IPv4 | ipaddr.IPv6) => boolean = isPublic): boolean {
    // a scope (`fe80::1%eth0`) says nothing of the address
    const bare = text.split('%')[0] ?? '';
    // as it is connected to: `ipaddr` would read more forms than that
    if (isIP(bare) === 0) return false;
    // in hexadecimal: of `::8.8.8.8` ipaddr.js would make an IPv4 address, and it is none
    const address = ipaddr.process(isIPv6(bare) ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare);
    return isOpen(address) || this.#allowed.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits));
  }
}

/** What IANA has given to somebody out of 2000::/3 alone (RFC 4291, 2.4): the rest of IPv6 is reserved, or means an IPv4 address. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
/** What `ipaddr` does not count among the special ones. */
const NOT_PUBLIC = [
  // documentation (RFC 9637)
  '3fff::/20',
  // the host of a virtual machine of Azure, with its metadata
  '168.63.129.16/32',
].map((text) => ipaddr.parseCIDR(text));

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (
    address.range() !== 'unicast' ||
    NOT_PUBLIC.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits))
  )
    return false;
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST);
}

function isRoutedGroup(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'multicast') return false;
  const bytes = address.toByteArray();
  // an IPv6 group says its scope in the low half of its second byte
  return address instanceof ipaddr.IPv4 ? bytes[0] !== 224 || bytes[1] !== 0 || bytes[2] !== 0 : ((bytes[1] ?? 0) & 0xf) > 2;
}

function networkOf(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.process(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch (cause) {
    throw new LivetapeError('CONFIG_INVALID', 'it is neither a network (10.0.0.0/8) nor an address', { cause });
  }
}

function refused(host: string): LivetapeError {
  return new LivetapeError(
    'ADDRESS_REFUSED',
    `${host} is not a public address: it may not be reached for others than an admin (egress.allow)`,
    {
      context: { host },
    },
  );
}
