/** Source URLs: what is taken out, what is refused and why, and what is not shown. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLivetapeError, silentLogger, systemClock } from '../base/index.js';
import { openSource, redactUrl, sourceOptions } from './index.js';
import { parseFileUrl } from './file/fileUrl.js';
import { bindingOf, parseUdpUrl } from './udp/udpUrl.js';

const open = (url: string): unknown => openSource(url, { clock: systemClock, log: silentLogger });
const refused = (url: string, code: string, words: RegExp): void => {
  try {
    open(url);
  } catch (error) {
    expect(isLivetapeError(error) && error.code, url).toBe(code);
    expect((error as Error).message).toMatch(words);
    return;
  }
  expect.unreachable(`${url} was not refused`);
};

describe('sourceOptions', () => {
  it.each([
    ['udp://@239.0.0.1:5000', 'udp://@239.0.0.1:5000', undefined],
    ['udp://@239.0.0.1:5000?program=3', 'udp://@239.0.0.1:5000', 3],
    ['udp://@239.0.0.1:5000?interface=10.0.0.1&program=all', 'udp://@239.0.0.1:5000?interface=10.0.0.1', 'all'],
    ['http://a/b?x=%2f&program=65535&y=1+2&&z', 'http://a/b?x=%2f&y=1+2&&z', 65_535],
    ['http://a/b?', 'http://a/b?', undefined],
    ['-?program=2', '-', 2],
    ['file:a%3Fb.ts?loop=1', 'file:a%3Fb.ts?loop=1', undefined],
  ])('%s', (given, url, program) => expect(sourceOptions(given)).toEqual({ url, program }));

  it.each(['0', '65536', '-1', 'one', '', '1.5', '1e3'])('refuses program=%s', (value) =>
    refused(`tcp://a:1?program=${value}`, 'SOURCE_INVALID', /program is neither/),
  );
  it('refuses a second one', () => refused('tcp://a:1?program=1&program=2', 'SOURCE_INVALID', /twice/));
});

describe('openSource', () => {
  it.each([
    'udp://@239.0.0.1:5000',
    'udp://@239.0.0.1:5000?interface=127.0.0.1&program=2',
    'UDP://127.0.0.1:1',
    'udp://@:5000',
    'udp://:5000',
    'udp://[::1]:5000',
    'udp://[ff02::1%25lo]:5000',
    'rtp://239.0.0.1:5004',
    'tcp://localhost:9000',
    'http://user:pw@host/path?x=1&program=all',
    'https://host',
    'file:sample.ts',
    'file:/a/b.ts?loop=1&pace=0',
    '-',
    '-?program=1',
  ])('knows %s', (url) => expect(open(url)).toMatchObject({ stats: { receivedBytes: 0 } }));

  it.each([
    ['', /has no protocol/],
    ['video.ts', /has no protocol/],
    ['udp://', /no port/],
    ['udp://127.0.0.1', /no port/],
    ['udp://127.0.0.1:', /no port/],
    ['udp://127.0.0.1:0', /not a port/],
    ['udp://127.0.0.1:65536', /not a port/],
    ['udp://127.0.0.1:http', /not a port/],
    ['udp://300.0.0.1:5000', /not an IPv4 address/],
    ['udp://[::zz]:5000', /not an IPv6 address/],
    ['udp://a b:5000', /not a host/],
    ['udp://10.0.0.1@239.0.0.1:5000', /before the @/],
    ['udp://239.0.0.1:5000?interface=eth0', /not an IP address/],
    ['udp://239.0.0.1:5000?interface=::1', /other IP version/],
    ['udp://10.0.0.1:5000?interface=10.0.0.2', /goes with a multicast group/],
    ['udp://239.0.0.1:5000?localaddr=10.0.0.1', /no option "localaddr"/],
    ['udp://239.0.0.1:5000?interface=1.1.1.1&interface=1.1.1.2', /twice/],
    ['tcp://:9000', /no host/],
    ['tcp://u@h:9000', /no user/],
    ['tcp://h:9000?listen=1', /no option "listen"/],
    ['http://', /not a URL/],
    ['file:', /no path/],
    ['file:?loop=1', /no path/],
    ['file:100%.ts', /percent-encoding/],
    ['file:a%00b', /zero byte/],
    ['file://host/a.ts', /another machine/],
    ['file:a.ts?loop=yes', /neither 0 nor 1/],
    ['file:a.ts?speed=2', /no option "speed"/],
    ['-?loop=1', /no option "loop"/],
  ])('refuses "%s" and says why', (url, words) => refused(url, 'SOURCE_INVALID', words));

  it.each(['srt://h:1', 'rtmp://h/app', 'rtsp://h/s', 'publish://x'])('says that %s is to come', (url) =>
    refused(url, 'SOURCE_UNSUPPORTED', /not supported yet/),
  );
  it('says that it does not know a protocol', () => refused('gopher://h', 'SOURCE_UNSUPPORTED', /no protocol "gopher"/));

  it('throws nothing but its own errors, whatever it is given', () => {
    const schemes = fc.constantFrom('udp://', 'tcp://', 'http://', 'file:', '-', 'rtp://@', '');
    fc.assert(
      fc.property(schemes, fc.string({ unit: 'binary' }), fc.webQueryParameters(), (scheme, rest, query) => {
        try {
          open(`${scheme}${rest}?${query}`);
        } catch (error) {
          expect(isLivetapeError(error)).toBe(true);
        }
      }),
    );
  });

  it('does not show secrets in what it throws', () => refused('tcp://user:hunter2@h', 'SOURCE_INVALID', /^(?!.*hunter2)/));
});

describe('redactUrl', () => {
  it.each([
    ['http://user:pa@ss@host/a', 'http://***@host/a'],
    ['http://user:p/q@host/a', 'http://***@host/a'],
    ['http://host:8080/a@b', 'http://host:8080/a@b'],
    ['http://h/s.ts?token=abc&quality=hd&api_key=1&Password=x', 'http://h/s.ts?token=***&quality=hd&api_key=***&Password=***'],
    ['http://h/s.ts?wms%41uth=1#frag', 'http://h/s.ts?wms%41uth=***'],
    ['http://h/t/secret/news/index.m3u8', 'http://h/t/***/news/index.m3u8'],
    ['http://h/live/bob/hunter2/1.ts', 'http://h/live/***/***/1.ts'],
    ['udp://@239.0.0.1:5000?interface=10.0.0.1', 'udp://@239.0.0.1:5000?interface=10.0.0.1'],
    ['file:/a@b/c.ts?loop=1', 'file:/a@b/c.ts?loop=1'],
    ['-', '-'],
  ])('%s', (url, shown) => expect(redactUrl(url)).toBe(shown));

  it('never shows user info', () => {
    const word = fc.stringMatching(/^[A-Z]{8,12}$/);
    fc.assert(
      fc.property(word, fc.stringMatching(/^[/?#:@%&=]{0,3}$/), word, (user, glue, password) => {
        const shown = redactUrl(`http://${user}:${glue}${password}@host/path`);
        expect(shown).not.toContain(password);
      }),
    );
  });
});

describe('parseFileUrl', () => {
  it.each([
    ['file:a b.ts', 'a b.ts'],
    ['file:a%20b.ts', 'a b.ts'],
    ['file:./a/../b.ts', './a/../b.ts'],
    ['file:/abs/a%3Fb%25.ts', '/abs/a?b%.ts'],
    ['file:///abs/a.ts', '/abs/a.ts'],
    ['file://localhost/abs/a.ts', '/abs/a.ts'],
    ['file:a#b.ts', 'a#b.ts'],
  ])('%s', (url, path) => expect(parseFileUrl(url)).toEqual({ path, loop: false, pace: true }));
  it('reads its options', () => expect(parseFileUrl('file:a?loop=1&pace=0')).toEqual({ path: 'a', loop: true, pace: false }));
});

describe('bindingOf', () => {
  const interfaces = { lo: [{ address: '127.0.0.1' }, { address: '::1' }], eth0: [{ address: 'fe80::1' }, { address: '10.0.0.1' }] };
  it.each([
    ['udp://@239.0.0.1:5', 'linux', '239.0.0.1', { group: '239.0.0.1', on: undefined }],
    ['udp://@239.0.0.1:5?interface=10.0.0.1', 'linux', '239.0.0.1', { group: '239.0.0.1', on: '10.0.0.1' }],
    ['udp://@239.0.0.1:5', 'win32', '0.0.0.0', { group: '239.0.0.1', on: undefined }],
    ['udp://[ff02::5]:5?interface=fe80::1', 'linux', 'ff02::5%eth0', { group: 'ff02::5', on: '::%eth0' }],
    ['udp://[ff02::5]:5?interface=fe80::1%25eth7', 'linux', 'ff02::5%eth7', { group: 'ff02::5', on: '::%eth7' }],
    ['udp://[ff02::5%25eth1]:5', 'linux', 'ff02::5%eth1', { group: 'ff02::5', on: '::%eth1' }],
    ['udp://[ff15::5]:5', 'linux', 'ff15::5', { group: 'ff15::5', on: undefined }],
    ['udp://10.0.0.1:5', 'linux', '10.0.0.1', undefined],
    ['udp://@:5', 'linux', '0.0.0.0', undefined],
    ['udp://@:5?interface=10.0.0.1', 'linux', '10.0.0.1', undefined],
    ['udp://@:5?interface=::1', 'linux', '::1', undefined],
    ['udp://[::]:5', 'linux', '::', undefined],
  ] as const)('%s on %s', (url, platform, address, join) =>
    expect(bindingOf(parseUdpUrl(url), platform, interfaces)).toEqual({ address, join }),
  );
  it('says that no interface has the address', () =>
    expect(() => bindingOf(parseUdpUrl('udp://[ff02::5]:5?interface=fe80::9'), 'linux', interfaces)).toThrow('no interface'));
});
