/** Webhooks of a real server (W1 to W3): what comes, that it is signed, and that nothing of it is lost by receivers that fail or by a server that is killed. */
import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { aroundEach, expect, it } from 'vitest';
import { ffmpeg, freeUdpPort, livePictures, PROJECT, sideBySide, temporaryFolder, waitFor, whenOver } from './lab.js';
import { startServer } from './serveLab.js';

aroundEach(sideBySide);

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const CHANNEL = join(PROJECT, 'assets/demo.ts');

interface Event {
  readonly id: string;
  readonly type: string;
  readonly stream: string | null;
  readonly data: Record<string, unknown>;
}

interface Got {
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly events: Event[];
  readonly taken: boolean;
}

/** A receiver on a port of its own, that can go and come back. */
class Receiver {
  readonly got: Got[] = [];
  /** True when it takes what has come. */
  answer: (request: IncomingMessage, response: ServerResponse) => boolean = (_request, response) => (response.writeHead(204).end(), true);
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}/in`;
  }

  /** Of all that was taken, in their order. */
  get events(): Event[] {
    return this.got.flatMap(({ events, taken }) => (taken ? events : []));
  }

  async open(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('error', () => undefined);
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const { events } = JSON.parse(body) as { events: Event[] };
        const headers = request.headers as Record<string, string>;
        new Webhook(SECRET).verify(body, headers);
        this.got.push({ headers, body, events, taken: this.answer(request, response) });
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

async function receiver(): Promise<Receiver> {
  const made = new Receiver();
  await made.open();
  whenOver(() => made.close());
  return made;
}

const yaml = (url: string, source: string): string => `recorders: 1
hooks:
  desk: { url: '${url}', secret: ${SECRET}, batch_ms: 50 }
streams:
  news: { source: '${source}', dvr: { segment_duration: 1 } }
`;

it.concurrent('W1: what happens comes in order, signed; the same as in the event stream', async () => {
  const there = await receiver();
  const port = await freeUdpPort();
  const server = await startServer({ yaml: yaml(there.url, `udp://127.0.0.1:${port}`) });
  await waitFor('the recording to be told of', () => there.events.length > 0);
  // eight seconds, then nothing
  ffmpeg(...livePictures(8, 1), '-f', 'mpegts', `udp://127.0.0.1:${port}?pkt_size=1316`);
  await waitFor('a gap to be opened', () => there.events.some(({ type }) => type === 'gap.opened'));
  const types = there.events.map(({ type }) => type);
  expect(types[0]).toBe('recording.started');
  const numbers = there.events.map(({ id }) => Number(id.split('-')[1]));
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  const segments = there.events.filter(({ type }) => type === 'segment.written');
  expect(segments.length).toBeGreaterThan(3);
  const indexes = segments.map(({ data }) => (data['segment'] as { index: number }).index);
  expect(indexes).toEqual(indexes.map((_, i) => (indexes[0] ?? 0) + i));
  expect(
    there.events.every(({ stream, data }) => stream === 'news' && data['stream_code'] === 'news' && typeof data['at'] === 'string'),
  ).toBe(true);
  // by hand, as docs/guide/webhooks.md shows it
  const [first] = there.got;
  if (first === undefined) throw new Error('nothing came');
  const guide = await readFile(join(PROJECT, 'docs/guide/webhooks.md'), 'utf8');
  const script = /```sh\n([^`]*openssl[^`]*)```/.exec(guide)?.[1];
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'body'), first.body);
  const environment = {
    ...process.env,
    secret: SECRET,
    id: first.headers['webhook-id'],
    timestamp: first.headers['webhook-timestamp'],
    signature: first.headers['webhook-signature'],
  };
  const run = (env: NodeJS.ProcessEnv): Promise<string> =>
    new Promise((resolve, reject) => {
      execFile('sh', ['-c', script ?? 'exit 9'], { cwd: folder, env, timeout: 10_000 }, (error, stdout) =>
        error ? reject(new Error(error.message)) : resolve(stdout.trim()),
      );
    });
  expect(await run(environment)).toBe('it is from Livetape');
  expect(await run({ ...environment, timestamp: '1' })).not.toBe('it is from Livetape');

  // a segment may just have been written
  const told = await waitFor('nothing to wait', async () => {
    const hook = (await server.json('/api/v1/hooks/desk')) as { status: { queued: number } };
    return hook.status.queued === 0 ? hook : undefined;
  });
  expect(told).toMatchObject({ has_secret: true, status: { queued: 0, dead: 0, failed: 0, last_error: null } });
  expect(JSON.stringify(told)).not.toContain(SECRET);
  const tested = await server.json('/api/v1/hooks/desk/test', { method: 'POST' });
  expect(tested).toMatchObject({ status: 204 });
  expect(there.events.at(-1)).toMatchObject({ type: 'test', stream: null });
});

it.concurrent(
  'W2: the receiver is away, the server is killed, both come back: what was queued comes, the first batch with the id that it had',
  async () => {
    const there = await receiver();
    const root = await temporaryFolder();
    const config = yaml(there.url, `file:${CHANNEL}?loop=1`);
    there.answer = (_request, response) => (response.writeHead(500).end(), false);
    const first = await startServer({ root, yaml: config });
    const batch = await waitFor('a batch to be refused twice', () => (there.got.length > 1 ? there.got[0] : undefined));
    await there.close();
    const queue = join(root, '.livetape/hooks/desk/queue.jsonl');
    const queued = async (): Promise<string[]> =>
      [...(await readFile(queue, 'utf8')).matchAll(/^\[\d+,\{"id":"([^"]+)"/gm)].map(([, id = '']) => id);
    await waitFor('events to be queued', async () => (await queued()).length >= batch.events.length + 3);
    // its recorder lives on, and holds what it printed to
    const gone = new Promise((resolve) => first.running.child.once('exit', resolve));
    first.running.child.kill('SIGKILL');
    await gone;
    const before = await queued();
    there.got.length = 0;
    there.answer = (_request, response) => (response.writeHead(204).end(), true);
    await there.open();
    await startServer({ root, yaml: config });
    await waitFor('all that was queued to come', () => there.events.length >= before.length);
    expect(there.events.slice(0, before.length).map(({ id }) => id)).toEqual(before);
    expect(there.got[0]?.headers['webhook-id']).toBe(batch.headers['webhook-id']);
    expect(there.got[0]?.body).toBe(batch.body);
  },
);

it.concurrent.each<[string, Receiver['answer']]>([
  ['redirects', (_request, response) => (response.writeHead(307, { location: '/elsewhere' }).end(), false)],
  ['answers 500', (_request, response) => (response.writeHead(500).end(), false)],
  ['closes', (request) => (request.socket.destroy(), false)],
  ['hangs', () => false],
])('W2: one that %s is tried again, and gets all in order when it takes it; another hook does not notice', async (_what, answer) => {
  const [there, other] = [await receiver(), await receiver()];
  there.answer = answer;
  const config = yaml(there.url, `file:${CHANNEL}?loop=1`).replace(
    'streams:',
    `  other: { url: '${other.url}', secret: ${SECRET}, batch_ms: 50, events: [segment.written] }\nstreams:`,
  );
  const server = await startServer({ yaml: config });
  await waitFor('the other to be sent segments', () => other.events.length >= 2);
  await waitFor('a request to fail', async () => {
    const { status } = (await server.json('/api/v1/hooks/desk')) as { status: { failed: number } };
    return status.failed > 0;
  });
  const refused = there.got[0];
  there.answer = (_request, response) => (response.writeHead(200).end(), true);
  expect((await server.get('/api/v1/hooks/desk/retry', { method: 'POST' })).status).toBe(200);
  await waitFor('what it had refused to come', () => there.events.length >= 3);
  expect(there.got.find(({ taken }) => taken)?.headers['webhook-id']).toBe(refused?.headers['webhook-id']);
  const numbers = there.events.map(({ id }) => Number(id.split('-')[1]));
  expect(numbers).toEqual(numbers.map((_, i) => (numbers[0] ?? 0) + i));
  expect(other.got.every(({ events }) => events.every(({ type }) => type === 'segment.written'))).toBe(true);
});
