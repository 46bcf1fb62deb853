/** Every protocol through the one contract suite: the same bytes arrive by each. */
import { createSocket } from 'node:dgram';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Source } from './source.js';
import { sourceContract, type Origin } from './sourceContract.js';
import { freePort, rtpPacket, sendAll } from './testing/datagrams.js';
import { until } from './testing/probes.js';

/** An origin of datagrams. It sends once the source is listening, which a datagram that is not TS tells. */
async function datagramOrigin(scheme: string, datagrams: Uint8Array[]): Promise<Origin> {
  const port = await freePort();
  const sender = createSocket('udp4');
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    async send(source: Source) {
      await until(() => {
        sender.send('?', port, '127.0.0.1');
        return source.stats.foreignDatagrams > 0;
      });
      await sendAll(sender, datagrams, port, '127.0.0.1');
    },
    close: () => new Promise((resolve) => sender.close(resolve)),
  };
}

const pieces = (bytes: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));

sourceContract('udp', (bytes) => datagramOrigin('udp', pieces(bytes, 1316)));
// from 65,530 on, so that the sequence numbers go round
sourceContract('rtp', (bytes) =>
  datagramOrigin(
    'rtp',
    pieces(bytes, 1316).map((payload, at) => rtpPacket({ sequence: 65_530 + at, payload })),
  ),
);

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Serves once, and holds the connection open afterwards, as a live origin does. */
async function streamOrigin(scheme: string, server: Server): Promise<Origin> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  });
  const port = await listen(server);
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    connections: () => open.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

sourceContract('tcp', (bytes) =>
  streamOrigin(
    'tcp',
    createServer((socket) => void socket.write(bytes)),
  ),
);
sourceContract('http', (bytes) =>
  streamOrigin(
    'http',
    createHttpServer((_request, response) => void response.write(bytes)),
  ),
);

async function fileOrigin(bytes: Uint8Array, query: string): Promise<Origin> {
  const folder = await mkdtemp(join(tmpdir(), 'livetape-ingest-'));
  await writeFile(join(folder, 'a sample.ts'), bytes);
  return { url: `file:${folder}/a%20sample.ts${query}`, close: () => rm(folder, { recursive: true }) };
}

sourceContract('file', (bytes) => fileOrigin(bytes, '?pace=0'));
sourceContract('file in real time', (bytes) => fileOrigin(bytes, ''));

sourceContract('stdin', async (bytes) => {
  const stdin = Readable.from(pieces(new Uint8Array(bytes), 1000), { objectMode: false });
  return { url: '-', stdin, close: async () => void stdin.destroy() };
});
