/** Which addresses are public, in whatever way they are written, and that what a name means now is what counts (docs/design/door.md, E1, E2). */
import type { lookup, LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EgressGuard } from './guard.js';

const NONE = new EgressGuard({ allow: [] });

function allows(guard: EgressGuard, address: string, check: 'check' | 'checkGroup' = 'check'): boolean {
  try {
    guard[check](address);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ADDRESS_REFUSED' });
    return false;
  }
}

/** A resolver that answers with these, one after another; the last for ever. */
function resolver(...answers: readonly string[][]): typeof lookup {
  let asked = 0;
  return ((_name: string, _options: unknown, callback: (error: Error | null, addresses: LookupAddress[]) => void) => {
    const addresses = answers[Math.min(asked++, answers.length - 1)] ?? [];
    callback(
      null,
      addresses.map((address) => ({ address, family: isIP(address) })),
    );
  }) as unknown as typeof lookup;
}

function lookUp(guard: EgressGuard, options: { readonly all?: boolean } = {}): Promise<string | LookupAddress[]> {
  return new Promise((resolve, reject) => guard.lookup('name', options, (error, found) => (error ? reject(error) : resolve(found))));
}

describe('E1: what is not public', () => {
  it.each([
    ...[
      '0.0.0.0',
      '0.1.2.3',
      '10.0.0.1',
      '10.255.255.255',
      '100.64.0.1',
      '100.100.100.200',
      '100.127.255.255',
      '127.0.0.1',
      '127.255.255.254',
    ],
    ...[
      '169.254.0.1',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.1',
      '192.0.0.192',
      '192.0.2.1',
      '192.88.99.1',
      '192.168.0.1',
    ],
    ...[
      '198.18.0.1',
      '198.19.255.255',
      '198.51.100.1',
      '203.0.113.1',
      '224.0.0.1',
      '239.1.2.3',
      '240.0.0.1',
      '255.255.255.255',
      '168.63.129.16',
    ],
    ...['::', '::1', '::1%lo', 'fe80::1', 'fe80::1%lo', 'febf::1', 'fec0::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1', 'ff0e::1', '100::1'],
    // IPv4 in IPv6: mapped, compatible, translated, 6to4, Teredo, NAT64 of both kinds
    ...[
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '::ffff:10.0.0.1',
      '0:0:0:0:0:ffff:a9fe:a9fe',
      '::127.0.0.1',
      '::7f00:1',
      '::ffff:0:127.0.0.1',
    ],
    ...['2002:7f00:1::', '2002:0808:0808::1', '2001::1', '2001:0:7f00:1::', '64:ff9b::7f00:1', '64:ff9b::8.8.8.8', '64:ff9b:1::1'],
    ...['2001:db8::1', '3fff::1', '2001:2::1', '2001:10::1', '2001:20::1', '5f00::1', '4000::1', '::8.8.8.8', '1::1'],
  ])('%s is refused', (address) => expect(allows(NONE, address)).toBe(false));

  it.each([
    ...[
      '1.1.1.1',
      '8.8.8.8',
      '9.255.255.255',
      '11.0.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '126.255.255.255',
      '128.0.0.0',
      '169.253.255.255',
    ],
    ...['172.15.255.255', '172.32.0.0', '192.167.255.255', '192.169.0.0', '223.255.255.255', '::ffff:8.8.8.8', '2606:4700::1111'],
    ...['2a00:1450:4001::1', '2001:4860:4860::8888', '3ffe::1', '2a00::1%eth0'],
  ])('%s is public', (address) => expect(allows(NONE, address)).toBe(true));

  it.each(['', 'name', '0x7f.1', '2130706433', '0177.0.0.1', '127.1', '8.8.8', '8.8.8.8.', ' 8.8.8.8', '[::1]', '1.1.1.1/32', '::1/128'])(
    '%j is no address: it is refused',
    (text) => expect(allows(NONE, text)).toBe(false),
  );

  it.each(['224.0.1.1', '232.1.1.1', '239.255.0.1', 'ff05::1', 'ff0e::1', 'ff15::1%eth0', 'ff3e::8000:1'])(
    'the group %s may be received',
    (group) => {
      expect(allows(NONE, group, 'checkGroup')).toBe(true);
      expect(allows(NONE, group)).toBe(false);
    },
  );

  it.each(['224.0.0.1', '224.0.0.251', 'ff02::1', 'ff01::1', 'ff12::1%eth0', '8.8.8.8', '127.0.0.1', 'fe80::1', 'name'])(
    '%s is no such group',
    (group) => expect(allows(NONE, group, 'checkGroup')).toBe(false),
  );

  it('allows what the configuration names, whole networks and addresses, mapped ones too', () => {
    const guard = new EgressGuard({ allow: ['10.1.0.0/16', '127.0.0.2', '::ffff:192.168.7.7', 'fd00:1::/32', '224.0.0.9/32'] });
    for (const address of [
      '10.1.0.0',
      '10.1.255.255',
      '127.0.0.2',
      '::ffff:127.0.0.2',
      '192.168.7.7',
      'fd00:1::9',
      'fd00:1::9%eth0',
      '8.8.8.8',
    ])
      expect(allows(guard, address)).toBe(true);
    for (const address of ['10.0.255.255', '10.2.0.0', '127.0.0.1', '127.0.0.3', '192.168.7.8', 'fd00:2::1', '64:ff9b::10.1.0.1'])
      expect(allows(guard, address)).toBe(false);
    expect(allows(guard, '224.0.0.9', 'checkGroup')).toBe(true);
    expect(allows(guard, '224.0.0.10', 'checkGroup')).toBe(false);
  });

  it.each(['', 'name', '10.0.0.0/33', '10.0.0.0/', '::/129', '1.2.3.4.5'])('%j is no network', (text) => {
    expect(() => new EgressGuard({ allow: [text] })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }) as Error);
  });

  it('allows nothing of what these networks hold, whichever address of them it is, in any way of writing it', () => {
    const closed = fc.oneof(
      fc.tuple(fc.constant(10), fc.nat(255), fc.nat(255), fc.nat(255)),
      fc.tuple(fc.constant(127), fc.nat(255), fc.nat(255), fc.nat(255)),
      fc.tuple(fc.constant(192), fc.constant(168), fc.nat(255), fc.nat(255)),
      fc.tuple(fc.constant(169), fc.constant(254), fc.nat(255), fc.nat(255)),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), fc.nat(255), fc.nat(255)),
      fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), fc.nat(255), fc.nat(255)),
    );
    fc.assert(
      fc.property(closed, ([a, b, c, d]) => {
        const dotted = [a, b, c, d].join('.');
        const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        const forms = [
          dotted,
          `::ffff:${dotted}`,
          `::FFFF:${hex}`,
          `::${dotted}`,
          `64:ff9b::${dotted}`,
          `2002:${hex}::1`,
          `::ffff:0:${dotted}`,
        ];
        expect(forms.filter((form) => isIP(form) === 0)).toEqual([]);
        expect(forms.filter((form) => allows(NONE, form))).toEqual([]);
      }),
    );
  });

  it('judges any text, and throws nothing but its own error', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.ipV4Extended()), (text) => void allows(NONE, text)));
  });
});

describe('E2: names', () => {
  it('are refused when any of their addresses is', async () => {
    const guard = new EgressGuard({ allow: [] }, resolver(['8.8.8.8', '10.0.0.1']));
    await expect(lookUp(guard, { all: true })).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
    await expect(lookUp(guard)).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
  });

  it('are looked up each time: what they meant before says nothing', async () => {
    const guard = new EgressGuard({ allow: [] }, resolver(['8.8.8.8'], ['127.0.0.1'], ['1.1.1.1', '9.9.9.9']));
    expect(await lookUp(guard)).toBe('8.8.8.8');
    await expect(lookUp(guard)).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
    expect(await lookUp(guard, { all: true })).toEqual([
      { address: '1.1.1.1', family: 4 },
      { address: '9.9.9.9', family: 4 },
    ]);
  });

  it('without an address are refused, and what the resolver fails with is said', async () => {
    await expect(lookUp(new EgressGuard({ allow: [] }, resolver([])))).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
    const failing = ((_name: string, _options: unknown, callback: (error: Error) => void) =>
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }))) as unknown as typeof lookup;
    await expect(lookUp(new EgressGuard({ allow: [] }, failing))).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });
});
