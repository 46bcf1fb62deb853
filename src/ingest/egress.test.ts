/**
 * Sources with a guard (docs/design/door.md, E1 to E3): with real sockets, `127.0.0.2` standing for a public address. Nothing arrives where nothing may, however
 * it is written, whatever a name means from one moment to the next, and wherever a server redirects to.
 */
import type { lookup, LookupAddress } from 'node:dns';
import { createServer as createHttpServer } from 'node:http';
import { createServer, isIP, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../base/index.js';
import { EgressGuard } from '../egress/index.js';
import { isLocalSource, openSource } from './registry.js';
import { probeSource } from './probe/index.js';
import { freePort } from './testing/datagrams.js';
import { ProbeLog, ProbeSink, SAMPLE, until } from './testing/probes.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const PUBLIC = '127.0.0.2';
const RULES = { allow: [`${PUBLIC}/32`] };

/** A resolver that answers with these, one after another; the last for ever. */
function resolver(...answers: readonly string[]): { readonly lookup: typeof lookup; asked(): number } {
  let asked = 0;
  const lookUp = (_name: string, options: { all?: boolean }, callback: (error: null, found: LookupAddress[]) => void): void => {
    const address = answers[Math.min(asked++, answers.length - 1)] ?? '';
    expect(options.all).toBe(true);
    callback(null, [{ address, family: isIP(address) }]);
  };
  return { lookup: lookUp as unknown as typeof lookup, asked: () => asked };
}

async function listen(server: Server, host: string, port = 0): Promise<{ readonly port: number; connections(): number }> {
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    socket.on('error', () => undefined);
    cleanups.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  cleanups.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

function start(url: string, guard = new EgressGuard(RULES)): ProbeSink {
  const source = openSource(url, { clock: systemClock, log: new ProbeLog(), guard });
  const sink = new ProbeSink();
  cleanups.push(() => source.close());
  source.start(sink);
  return sink;
}

async function expectRefused(sink: ProbeSink): Promise<void> {
  const { error } = await sink.heard('ended');
  expect(error).toMatchObject({ code: 'ADDRESS_REFUSED' });
}

describe('E1: addresses', () => {
  it.each([
    ...[
      'tcp://127.0.0.1:PORT',
      'tcp://0x7f.1:PORT',
      'tcp://0x7f000001:PORT',
      'tcp://[::ffff:127.0.0.1]:PORT',
      'tcp://[::ffff:7f00:1]:PORT',
    ],
    ...[
      'tcp://0.0.0.0:PORT',
      'tcp://[::]:PORT',
      'tcp://[::1]:PORT',
      'tcp://[::1%25lo]:PORT',
      'tcp://localhost:PORT',
      'tcp://[64:ff9b::127.0.0.1]:PORT',
    ],
    ...['http://127.0.0.1:PORT/', 'http://0x7f.1:PORT/', 'http://2130706433:PORT/', 'http://0177.0.0.1:PORT/', 'http://127.1:PORT/'],
    ...['http://[::ffff:127.0.0.1]:PORT/', 'http://0:PORT/', 'http://0.0.0.0:PORT/', 'http://[::]:PORT/', 'http://[::1]:PORT/'],
    ...[
      'http://LOCALHOST:PORT/',
      'http://127.0.0.1.:PORT/',
      'http://%31%32%37.0.0.1:PORT/',
      'http://１２７.0.0.1:PORT/',
      'https://127.0.0.1:PORT/',
    ],
    ...[
      'http://user:word@127.0.0.1:PORT/',
      'http://127.0.0.2@127.0.0.1:PORT/',
      'http:\\\\127.0.0.1:PORT\\',
      'https://[::1]:PORT/',
      'https://localhost:PORT/',
    ],
  ])('%s is refused for good, and nothing arrives', async (url) => {
    const server = createServer();
    // of both families, so that whatever leads here is seen
    const { port, connections } = await listen(server, '::');
    await expectRefused(start(url.replace('PORT', String(port))));
    expect(connections()).toBe(0);
  });

  it.each([
    ...[
      'udp://127.0.0.1:PORT',
      'udp://@:PORT',
      'udp://0.0.0.0:PORT',
      'udp://[::]:PORT',
      'udp://[::1]:PORT',
      'udp://localhost:PORT',
      'rtp://127.0.0.1:PORT',
    ],
    ...[
      'udp://@224.0.0.1:PORT',
      'udp://[ff02::1%25lo]:PORT',
      'udp://@239.1.1.1:PORT?interface=127.0.0.1',
      'udp://@:PORT?interface=127.0.0.1',
    ],
    ...['udp://10.0.0.1:PORT', 'udp://0x7f.1:PORT'],
  ])('%s is refused', async (url) => {
    await expectRefused(start(url.replace('PORT', String(await freePort()))));
  });

  it('lets through what is allowed: tcp, http by name, and udp', async () => {
    const origin = await listen(
      createServer((socket) => socket.write(SAMPLE)),
      PUBLIC,
    );
    await start(`tcp://${PUBLIC}:${origin.port}`).received(SAMPLE.length);
    const named = resolver(PUBLIC);
    await start(`tcp://name.example:${origin.port}`, new EgressGuard(RULES, named.lookup)).received(SAMPLE.length);
    expect(named.asked()).toBe(1);
    const site = await listen(
      createHttpServer((_request, response) => response.end(SAMPLE)),
      PUBLIC,
    );
    await start(`http://name.example:${site.port}/`, new EgressGuard(RULES, resolver(PUBLIC).lookup)).received(SAMPLE.length);
    const group = new ProbeSink();
    const source = openSource(`udp://@239.255.77.9:${await freePort()}`, {
      clock: systemClock,
      log: new ProbeLog(),
      guard: new EgressGuard(RULES),
    });
    cleanups.push(() => source.close());
    source.start(group);
    await source.close();
    expect(group.kinds).toEqual([]);
  });
});

describe('E2: names and redirects', () => {
  it.each(['tcp', 'http'])('%s: a name that means another address at the next connection is refused then', async (scheme) => {
    const answered = createHttpServer((_request, response) => response.end('not a stream'));
    const outside = await listen(scheme === 'http' ? answered : createServer((socket) => socket.end()), PUBLIC);
    const inside = await listen(createServer(), '127.0.0.1', outside.port);
    const names = resolver(PUBLIC, '127.0.0.1');
    const sink = start(`${scheme}://name.example:${outside.port}/`, new EgressGuard(RULES, names.lookup));
    await sink.heard('lost');
    await expectRefused(sink);
    expect(outside.connections()).toBe(1);
    expect(names.asked()).toBe(2);
    expect(inside.connections()).toBe(0);
  });

  it.each(['http://127.0.0.1:PORT/', 'http://[::1]:PORT/', '//localhost:PORT/', 'https://127.0.0.1:PORT/', 'http://0x7f.1:PORT/'])(
    'a redirect to %s is refused',
    async (location) => {
      const inside = await listen(createServer(), '::');
      const outside = await listen(
        createHttpServer((_request, response) => {
          response.writeHead(302, { location: location.replace('PORT', String(inside.port)) }).end();
        }),
        PUBLIC,
      );
      await expectRefused(start(`http://${PUBLIC}:${outside.port}/`));
      expect(outside.connections()).toBe(1);
      expect(inside.connections()).toBe(0);
    },
  );

  it('a second redirect is looked at as the first, and a redirect by name is looked up', async () => {
    const inside = await listen(createServer(), '127.0.0.1');
    const names = resolver(PUBLIC, '127.0.0.1');
    const outside = await listen(
      createHttpServer((request, response) => {
        const to = request.url === '/' ? `http://name.example:${outside.port}/next` : `http://name.example:${inside.port}/`;
        response.writeHead(307, { location: to }).end();
      }),
      PUBLIC,
    );
    await expectRefused(start(`http://${PUBLIC}:${outside.port}/`, new EgressGuard(RULES, names.lookup)));
    expect(outside.connections()).toBe(2);
    expect(inside.connections()).toBe(0);
  });

  it('no proxy of the environment is asked', async () => {
    const proxy = await listen(createServer(), '127.0.0.1');
    const before = { ...process.env };
    for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY'])
      process.env[name] = `http://127.0.0.1:${proxy.port}`;
    try {
      const site = await listen(
        createHttpServer((_request, response) => response.end(SAMPLE)),
        PUBLIC,
      );
      await start(`http://${PUBLIC}:${site.port}/`).received(SAMPLE.length);
      expect(proxy.connections()).toBe(0);
    } finally {
      process.env = before;
    }
  });

  it('probing is guarded as recording is', async () => {
    const inside = await listen(createServer(), '127.0.0.1');
    const options = { clock: systemClock, log: new ProbeLog(), guard: new EgressGuard(RULES) };
    await expect(probeSource(`tcp://127.0.0.1:${inside.port}`, options)).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
    await expect(probeSource('file:/etc/passwd', options)).rejects.toMatchObject({ code: 'SOURCE_REFUSED' });
    expect(inside.connections()).toBe(0);
  });
});

describe('E3: files and standard input', () => {
  it.each(['file:/etc/passwd', 'FILE:a.ts', ' file:a.ts', 'file:///a.ts?loop=1', '-', ' - ', '-?program=3', 'file:a.ts?program=1'])(
    '%j is refused',
    (url) => {
      expect(() => openSource(url, { clock: systemClock, log: new ProbeLog(), guard: new EgressGuard(RULES) })).toThrow(
        expect.objectContaining({ code: 'SOURCE_REFUSED' }) as Error,
      );
      expect(isLocalSource(url)).toBe(true);
    },
  );

  it.each(['tcp://file:1', 'http://h/-', 'udp://@:1', '', 'nothing', '-a'])('%j is neither', (url) =>
    expect(isLocalSource(url)).toBe(false),
  );

  it('every source is bounded: nothing else is heard after the refusal', async () => {
    const sink = start('tcp://10.0.0.1:9');
    await expectRefused(sink);
    await until(() => sink.kinds.length === 1);
    expect(sink.kinds).toEqual(['ended']);
  });
});
