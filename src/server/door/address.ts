/** Who is one client, and which proxies are believed about it (docs/design/door.md, L2, L4). */
import ipaddr from 'ipaddr.js';

/** So much of an IPv6 address is one subscriber's: he may have 2^64 of them. */
const IPV6_BITS = 64;

/** What stands for a client when something is counted: its IPv4 address, or the /64 of its IPv6 one. What is no address stands for itself. */
export function clientOf(address: string): string {
  const parsed = parse(address);
  if (parsed === undefined) return address;
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const network = ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${IPV6_BITS}`);
  return `${network.toString()}/${IPV6_BITS}`;
}

/**
 * Whether an address is among networks (`10.0.0.0/8`, or an address), as they are at that moment: they are read once for as long as they are the same list.
 * @param networks - what is no network is in none
 */
export function addressMatcher(networks: () => readonly string[]): (address: string) => boolean {
  let known: readonly string[] | undefined;
  let ranges: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][] = [];
  return (address) => {
    const given = networks();
    if (given !== known) {
      known = given;
      ranges = given.flatMap(rangeOf);
    }
    if (ranges.length === 0) return false;
    const parsed = parse(address);
    return parsed !== undefined && ranges.some(([network, bits]) => parsed.kind() === network.kind() && parsed.match(network, bits));
  };
}

/** IPv4 within IPv6 is IPv4; a scope (`fe80::1%eth0`) says nothing of the address. */
function parse(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const bare = text.split('%', 1)[0] ?? '';
  // Forms such as `0x7f.1` are for people; who connects is written in one way.
  return ipaddr.IPv4.isValidFourPartDecimal(bare) || ipaddr.IPv6.isValid(bare) ? ipaddr.process(bare) : undefined;
}

function rangeOf(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number][] {
  if (ipaddr.isValidCIDR(text)) return [ipaddr.parseCIDR(text)];
  const address = parse(text);
  return address === undefined ? [] : [[address, address.kind() === 'ipv4' ? 32 : 128]];
}
