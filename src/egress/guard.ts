/**
 * Which addresses are reached for others. The guard is asked where a connection is made, with the address that is connected to: what a name meant a moment
 * ago says nothing.
 */
import { lookup as lookupName, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
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

  #isAllowed(text: string): boolean {
    // a scope (`fe80::1%eth0`) says nothing of the address
    const bare = text.split('%')[0] ?? '';
    if (isIP(bare) === 0) return false;
    const address = ipaddr.process(bare);
    return (
      address.range() === 'unicast' ||
      this.#allowed.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits))
    );
  }
}

function networkOf(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.process(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch (cause) {
    throw new LivetapeError('CONFIG_INVALID', `egress.allow: "${text}" is not a network`, { cause });
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
