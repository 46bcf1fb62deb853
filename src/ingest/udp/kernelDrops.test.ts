/** What the kernel dropped: its tables as text, and a socket that was not read in time. */
import { createSocket } from 'node:dgram';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock, silentLogger, systemClock } from '../../base/index.js';
import { openSource } from '../registry.js';
import { freePort } from '../testing/datagrams.js';
import { ProbeSink, SAMPLE, until } from '../testing/probes.js';
import { KernelDrops, parseUdpTable, udpTableAddress } from './kernelDrops.js';

const HEADER =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops            ';
const row = (local: string, inode: number, drops: number): string =>
  ` 7807: ${local} 00000000:0000 07 00000000:00033C00 00:00000000 00000000     0        0 ${inode} 2 0000000086f6f833 ${drops}     `;

describe('the table', () => {
  it('names addresses as the machine has them in memory', () => {
    expect(udpTableAddress('127.0.0.1', 56282, true)).toBe('0100007F:DBDA');
    expect(udpTableAddress('127.0.0.1', 56282, false)).toBe('7F000001:DBDA');
    expect(udpTableAddress('::1', 41001, true)).toBe('00000000000000000000000001000000:A029');
    expect(udpTableAddress('::', 80, true)).toBe(`${'0'.repeat(32)}:0050`);
    expect(udpTableAddress('ff15::beef%eth0', 5000, true)).toBe('000015FF0000000000000000EFBE0000:1388');
    expect(udpTableAddress('2001:db8:1:2:3:4:5:6', 1, false)).toBe('20010DB8000100020003000400050006:0001');
    for (const none of ['', 'localhost', '1.2.3', '1.2.3.400', '1:2:3', 'x::y']) expect(udpTableAddress(none, 1)).toBeUndefined();
  });

  it('is read line by line, and what is no row is passed over', () => {
    const text = [HEADER, row('0100007F:DBDA', 545173, 1908), 'garbage', row('xyz', 1, 2), ''].join('\n');
    expect(parseUdpTable(text)).toEqual([{ local: '0100007F:DBDA', inode: '545173', drops: 1908 }]);
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constant(row('EF000001:1388', 7, 3)))), (lines) => {
        const good = lines.filter((line) => line === row('EF000001:1388', 7, 3)).length;
        const rows = parseUdpTable(lines.join('\n'));
        expect(rows.filter(({ local }) => local === 'EF000001:1388').length).toBeGreaterThanOrEqual(good);
        for (const { drops } of rows) expect(Number.isInteger(drops)).toBe(true);
      }),
    );
  });

  it('is looked at once a second at most, when somebody asks, and tells own sockets from others', async () => {
    const clock = new ManualClock();
    const local = udpTableAddress('239.0.0.1', 5000)!;
    let reads = 0;
    let text = [HEADER, row(local, 1, 100), row(local, 2, 7)].join('\n');
    const drops = new KernelDrops({
      read: async () => {
        reads += 1;
        if (text === '') throw new Error('no such table');
        return text;
      },
      ownInodes: () => Promise.resolve(new Set(['2'])),
    });
    const ask = (): number | undefined => drops.dropsOf(clock, '239.0.0.1', 5000);
    const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    expect(ask()).toBeUndefined();
    await settled();
    expect([ask(), ask(), drops.dropsOf(clock, '239.0.0.2', 5000)]).toEqual([7, 7, undefined]);
    expect(reads).toBe(1);
    text = row(local, 1, 120);
    clock.advance(999);
    expect(ask()).toBe(7);
    clock.advance(1);
    ask();
    await settled();
    expect([ask(), reads]).toEqual([120, 2]);
    clock.advance(60_000);
    expect(reads).toBe(2);
    text = '';
    ask();
    await settled();
    expect(ask()).toBeUndefined();
  });
});

it.runIf(process.platform === 'linux')('a source says how many datagrams were dropped while the process was busy', async () => {
  const port = await freePort();
  const source = openSource(`udp://127.0.0.1:${port}`, { clock: systemClock, log: silentLogger });
  const sink = new ProbeSink();
  source.start(sink);
  const socket = createSocket('udp4');
  try {
    await until(() => {
      socket.send('?', port, '127.0.0.1');
      return source.stats.foreignDatagrams > 0;
    });
    await until(() => source.stats.kernelDrops === 0);
    // More at once than any receive buffer holds: nothing is read before all are sent.
    const datagram = SAMPLE.subarray(0, 1316);
    let handed = 0;
    const count = 40_000;
    for (let i = 0; i < count; i++) socket.send(datagram, port, '127.0.0.1', () => (handed += 1));
    await until(() => handed === count);
    await until(() => (source.stats.kernelDrops ?? 0) > 0);
    await until(() => sink.byteCount / 1316 + (source.stats.kernelDrops ?? 0) === count);
  } finally {
    socket.close();
    await source.close();
  }
});
