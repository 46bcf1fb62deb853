/** L1, L2 over real connections: pipelining, how many connections, what never comes whole; and that nobody who behaves is taken for one who does not. */
import { Agent, request } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { waitFor } from '../../../test/lab.js';
import { buildApp, type App } from '../app.js';
import { FakePlayback, someBytes, viewersContext } from '../testViewers.js';

const open: { apps: App[]; sockets: Socket[] } = { apps: [], sockets: [] };
afterEach(async () => {
  for (const socket of open.sockets.splice(0)) socket.destroy();
  for (const app of open.apps.splice(0)) await app.close();
});

async function lab() {
  const playback = new FakePlayback();
  playback.segmentBytes = someBytes(300_000);
  const context = viewersContext({ playback });
  const app = await buildApp(context);
  open.apps.push(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const { http } = context.config.state.config;
  const refused = async (kind: string): Promise<number> => {
    const { body } = await app.inject('/metrics');
    return Number(new RegExp(`livetape_http_refused_total\\{kind="${kind}"\\} (\\d+)`).exec(body)?.[1] ?? NaN);
  };
  return { app, port, http, playback, refused };
}

/** A connection, and all that came on it. */
function client(port: number, localAddress = '127.0.0.1'): { socket: Socket; text: () => string; closed: () => boolean } {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  const chunks: Buffer[] = [];
  let closed = false;
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('close', () => (closed = true));
  socket.on('error', () => undefined);
  open.sockets.push(socket);
  return { socket, text: () => Buffer.concat(chunks).toString('latin1'), closed: () => closed };
}

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

describe('L1: pipelining', () => {
  it('a request that comes before the last was answered ends the connection', async () => {
    const { port, refused } = await lab();
    for (const path of ['/healthz', '/news/000001.ts', '/news/stream.ts', '/docs/static/index.html']) {
      const { socket, closed } = client(port);
      const before = await refused('pipelining');
      socket.write(GET(path).repeat(50));
      await waitFor(`${path}: the connection is closed`, closed);
      expect(await refused('pipelining')).toBe(before + 1);
    }
  });

  it('requests one after another on a connection never are, whatever is answered, asked for as soon as the answer is whole', async () => {
    const { port, refused, http } = await lab();
    http.limits.requests_per_second = 1_000_000;
    const paths: [string, string?, Record<string, string>?][] = [
      ['/news/000001.ts'],
      ['/news/000001.ts', 'HEAD'],
      ['/news/000001.ts', 'GET', { range: 'bytes=0-99' }],
      ['/news/000001.ts', 'GET', { range: 'bytes=0-1,5-6' }],
      ['/news/index.m3u8'],
      ['/news/index.m3u8', 'GET', { 'accept-encoding': 'br' }],
      ['/news/1767225600-preview.mp4'],
      ['/news/archive-1767225600-10.ts'],
      ['/news/recording_status.json'],
      ['/docs/static/index.html'],
      ['/docs/static/swagger-ui.css'],
      ['/openapi.json'],
      ['/nothing'],
      ['/%zz'],
    ];
    let sockets = 0;
    const one = (agent: Agent, [path, method = 'GET', headers = {}]: (typeof paths)[number]): Promise<void> =>
      new Promise((resolve, reject) => {
        const asked = request({ port, host: '127.0.0.1', path, method, headers, agent }, (answer) => {
          answer.resume();
          answer.once('end', resolve);
          answer.once('error', reject);
        });
        asked.once('socket', (socket) => {
          if (socket.connecting) sockets += 1;
        });
        asked.once('error', reject);
        asked.end();
      });
    await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        for (let i = 0; i < 10 * paths.length; i++) await one(agent, paths[(i + n) % paths.length]!);
        agent.destroy();
      }),
    );
    expect(await refused('pipelining')).toBe(0);
    // each client needed one connection
    expect(sockets).toBe(8);
  });
});

describe('L2: connections', () => {
  it('an address has so many, all have so many; who closes makes room', async () => {
    const { port, http, refused } = await lab();
    http.limits.connections_per_address = 3;
    http.limits.connections = 5;
    const many = (count: number, address: string) => Array.from({ length: count }, () => client(port, address));
    const own = many(5, '127.0.0.2');
    await waitFor('two of five are closed', () => own.filter(({ closed }) => closed()).length === 2);
    const others = many(4, '127.0.0.3');
    await waitFor('two of four are closed', () => others.filter(({ closed }) => closed()).length === 2);
    expect([await refused('address_connections'), await refused('connections')]).toEqual([2, 2]);
    const stays = own.find(({ closed }) => !closed());
    stays?.socket.write(GET('/healthz'));
    await waitFor('who was let in is answered', () => stays?.text().startsWith('HTTP/1.1 200'));
    for (const { socket } of [...own, ...others]) socket.destroy();
    await waitFor('there is room', async () => {
      const { socket, closed, text } = client(port, '127.0.0.2');
      socket.write(GET('/healthz'));
      await waitFor('an answer, or the end', () => closed() || text() !== '');
      return text().startsWith('HTTP/1.1 200');
    });
  });

  it('those of a trusted proxy are not counted as an address', async () => {
    const { port, http } = await lab();
    http.limits.connections_per_address = 2;
    http.trusted_proxies = ['127.0.0.4'];
    const proxy = Array.from({ length: 10 }, () => client(port, '127.0.0.4'));
    for (const { socket } of proxy) socket.write(GET('/healthz'));
    await waitFor('all are answered', () => proxy.every(({ text }) => text().startsWith('HTTP/1.1 200')));
  });
});

describe('L1: what never comes whole', () => {
  it('nothing at all, headers byte by byte: the connection ends after 10 s; a body: after 30 s', async () => {
    const { port, app } = await lab();
    const silent = client(port);
    const headers = client(port);
    const body = client(port);
    headers.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    body.socket.write(
      'PUT /api/v1/streams/news HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    );
    const beganMs = performance.now();
    const drip = setInterval(() => {
      headers.socket.write('a');
      body.socket.write(' ');
    }, 500);
    try {
      await waitFor('the first two are closed', () => silent.closed() && headers.closed(), 20_000);
      expect(performance.now() - beganMs).toBeGreaterThan(9000);
      expect(body.closed()).toBe(false);
      expect(headers.text()).toMatch(/^HTTP\/1\.1 408 [^]*nosniff[^]*"code":"REQUEST_INVALID"/);
      await waitFor('the third is closed', body.closed, 40_000);
      expect(performance.now() - beganMs).toBeGreaterThan(29_000);
    } finally {
      clearInterval(drip);
    }
    expect((await app.inject('/healthz')).statusCode).toBe(200);
  }, 70_000);

  it('headers of more than 16 KiB are 431, with the headers that every answer has', async () => {
    const { port } = await lab();
    const { socket, text, closed } = client(port);
    socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\n${'X-A: b\r\n'.repeat(5000)}\r\n`);
    await waitFor('it is refused', closed);
    expect(text()).toMatch(/^HTTP\/1\.1 431 /);
    for (const header of ['content-security-policy', 'referrer-policy', 'x-content-type-options', 'cache-control'])
      expect(text()).toContain(`\r\n${header}: `);
  });
});
