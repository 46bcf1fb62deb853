/** H1, D1: loopback only without auth, and an address that is taken is said so. */
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isLivetapeError } from '../base/index.js';
import { parseListen, showAddress, tryListen } from './listen.js';

const refused = (error: unknown): boolean => isLivetapeError(error, 'LISTEN_REFUSED');

describe('H1', () => {
  it.each([
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    ['127.1.2.3:0', { host: '127.1.2.3', port: 0 }],
    ['localhost:80', { host: 'localhost', port: 80 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
  ])('%s', (text, address) => {
    for (const guarded of [false, true]) expect(parseListen(text, guarded)).toEqual(address);
    expect(showAddress(address)).toBe(text);
  });

  it.each(['0.0.0.0:8080', '[::]:8080', '192.168.1.2:80', 'example.com:80', '[::2]:80', '128.0.0.1:80', '[::ffff:10.0.0.1]:80'])(
    'D1: %s takes auth, and it is said what to write',
    (text) => {
      expect(() => parseListen(text, false)).toThrow(expect.toSatisfy(refused) as Error);
      expect(() => parseListen(text, false)).toThrow('auth: { enabled: true }');
      expect(showAddress(parseListen(text, true))).toBe(text);
    },
  );

  it.each(['8080', ':8080', '127.0.0.1', '127.0.0.1:99999', '127.0.0.1:x', '::1:80'])('refuses %s', (text) => {
    for (const guarded of [false, true]) expect(() => parseListen(text, guarded)).toThrow(expect.toSatisfy(refused) as Error);
  });

  it('says that an address is in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(tryListen({ host: '127.0.0.1', port })).rejects.toThrow(/in use/);
    await new Promise((resolve) => other.close(resolve));
    await expect(tryListen({ host: '127.0.0.1', port })).resolves.toBeUndefined();
  });
});
