/** Webhooks (W1 to W3) against receivers of the test's own. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ManualClock, silentLogger, systemClock, type Clock, type Timer } from '../base/index.js';
import type { EgressRules } from '../egress/index.js';
import type { HookEvent, Hooks, HookSettings } from './contract.js';
import { FIRST_RETRY_MS, GIVE_UP_MS, MAX_DEAD, MAX_QUEUED, MAX_RETRY_MS } from './hook.js';
import { openHooks } from './hooks.js';
import { TIMEOUT_MS } from './post.js';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'livetape-hooks-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Got {
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly ids: string[];
}

interface Receiver {
  readonly url: string;
  readonly got: Got[];
  /** All events, in the order in which they came. */
  readonly ids: () => string[];
  /** How it answers; default: 204. */
  answer: (request: IncomingMessage, response: ServerResponse) => void;
}

async function receiver(): Promise<Receiver> {
  const got: Got[] = [];
  const made: Receiver = {
    url: '',
    got,
    ids: () => got.flatMap(({ ids }) => ids),
    answer: (_request, response) => void response.writeHead(204).end(),
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const { events } = JSON.parse(body) as { events: { id: string }[] };
      got.push({ headers: request.headers as Record<string, string>, body, ids: events.map(({ id }) => id) });
      made.answer(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(made, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/in` });
}

interface Opened {
  readonly hooks: Hooks;
  readonly settings: Map<string, HookSettings>;
  readonly folder: string;
  publish(n: number, more?: Partial<HookEvent>): void;
}

interface Given {
  readonly folder?: string;
  readonly clock?: Clock;
  readonly egress?: EgressRules;
}

async function opened(given: Readonly<Record<string, HookSettings>>, { folder, clock = systemClock, egress }: Given = {}): Promise<Opened> {
  const stateFolder = folder ?? (await temporaryFolder());
  const settings = new Map(Object.entries(given));
  const hooks = await openHooks({
    stateFolder,
    clock,
    log: silentLogger,
    hooks: () => settings,
    egress: () => egress ?? { allow: [] },
    random: () => 0,
  });
  onTestFinished(async () => {
    const closing = hooks.close();
    if (clock instanceof ManualClock) clock.advance(2000);
    await closing;
  });
  return {
    hooks,
    settings,
    folder: join(stateFolder, 'hooks'),
    publish: (n, more = {}) =>
      hooks.publish({
        id: `e${n}`,
        type: 'gap.opened',
        time: new Date(n * 1000).toISOString(),
        stream: 'news',
        data: { n },
        ...more,
      }),
  };
}

/** Remembers how long it was asked to wait. */
class AskedClock extends ManualClock {
  readonly asked: number[] = [];
  override after(delayMs: number, run: () => void): Timer {
    this.asked.push(delayMs);
    return super.after(delayMs, run);
  }
}

const until = <T>(what: () => T | Promise<T>): Promise<T> => vi.waitFor(what, { timeout: 20_000, interval: 10 });
const counted = (n: number, from = 0): string[] => Array.from({ length: n }, (_, i) => `e${from + i}`);

describe('what comes (W1)', () => {
  it.each([
    ['a text', 'correct horse battery staple', (secret: string) => new Webhook(secret, { format: 'raw' })],
    ['whsec_ and base64', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', (secret: string) => new Webhook(secret)],
  ])('events as JSON, signed as Standard Webhooks says; the secret is %s', async (_what, secret, verifier) => {
    const there = await receiver();
    const { publish } = await opened({ a: { url: there.url, secret, batch_ms: 20 } });
    publish(1, { data: { name: 'Ä☃' } });
    publish(2);
    await until(() => expect(there.ids()).toEqual(['e1', 'e2']));
    const [{ body, headers } = { body: '', headers: {} }] = there.got;
    expect(verifier(secret).verify(body, headers)).toEqual({
      events: [
        { id: 'e1', type: 'gap.opened', time: '1970-01-01T00:00:01.000Z', stream: 'news', data: { name: 'Ä☃' } },
        { id: 'e2', type: 'gap.opened', time: '1970-01-01T00:00:02.000Z', stream: 'news', data: { n: 2 } },
      ],
    });
    expect(() => verifier(secret).verify(body.replace('e1', 'e9'), headers)).toThrow('No matching signature');
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': expect.stringMatching(/^msg_[\w-]{27}$/) as string });
  });

  it('without a secret nothing is signed; user info of the URL is Basic authentication', async () => {
    const there = await receiver();
    const { publish } = await opened({ a: { url: there.url.replace('//', '//me:p%40ss@'), batch_ms: 0 } });
    publish(1);
    const { headers } = await until(() => there.got[0] ?? Promise.reject(new Error('nothing came')));
    expect(headers['webhook-signature']).toBeUndefined();
    expect(headers['authorization']).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  });

  it('events and streams are chosen; events without a stream are for hooks of the admin that take all streams', async () => {
    const [all, some, others] = [await receiver(), await receiver(), await receiver()];
    const { publish } = await opened(
      {
        all: { url: all.url, batch_ms: 20 },
        some: { url: some.url, batch_ms: 20, events: ['gap.opened'], streams: ['sport/*', 'news'] },
        others: { url: others.url, batch_ms: 20, restricted: true, streams: ['*'] },
      },
      { egress: { allow: ['127.0.0.0/8'] } },
    );
    publish(1);
    publish(2, { type: 'gap.closed' });
    publish(3, { stream: 'sport/f1' });
    publish(4, { stream: 'weather' });
    publish(5, { stream: undefined });
    await until(() => {
      expect(all.ids()).toEqual(['e1', 'e2', 'e3', 'e4', 'e5']);
      expect(some.ids()).toEqual(['e1', 'e3']);
      expect(others.ids()).toEqual(['e1', 'e2', 'e3', 'e4']);
    });
  });

  it('events wait for each other, and no more than a batch comes at once', async () => {
    const there = await receiver();
    const clock = new ManualClock();
    const { publish } = await opened({ a: { url: there.url, batch: 3, batch_ms: 500 } }, { clock });
    publish(0);
    clock.advance(499);
    publish(1);
    expect(there.got).toEqual([]);
    clock.advance(1);
    await until(() => expect(there.got.map(({ ids }) => ids)).toEqual([['e0', 'e1']]));
    for (let n = 2; n < 9; n++) publish(n);
    await until(() => expect(there.got.map(({ ids }) => ids.length)).toEqual([2, 3, 3, 1]));
    expect(there.ids()).toEqual(counted(9));
  });
});

describe('what fails (W2)', () => {
  it.each<[string, Receiver['answer'], string]>([
    ['500', (_request, response) => void response.writeHead(500).end('no'), 'it answered 500'],
    [
      'a redirect',
      (_request, response) => void response.writeHead(302, { location: '/in' }).end(),
      'it answered 302 (redirects are not followed)',
    ],
    ['a closed connection', (request) => void request.socket.destroy(), 'it cannot be reached: '],
    ['404 with a body without an end', (_request, response) => void response.writeHead(404).write('x'.repeat(10_000)), 'it answered 404'],
  ])('%s is tried again with the same id until it is taken', async (_what, answer, why) => {
    const there = await receiver();
    const clock = new ManualClock();
    const { publish, hooks } = await opened({ a: { url: there.url, batch_ms: 0, secret: 'correct horse battery' } }, { clock });
    there.answer = answer;
    publish(1);
    await until(() => expect(hooks.status('a')?.failed).toBe(1));
    publish(2);
    expect(hooks.status('a')).toMatchObject({ queued: 2, sent: 0, lastError: { message: expect.stringContaining(why) as string } });
    clock.advance(FIRST_RETRY_MS);
    await until(() => expect(hooks.status('a')?.failed).toBe(2));
    clock.advance(2 * FIRST_RETRY_MS - 1);
    there.answer = (_request, response) => void response.writeHead(200).end('x'.repeat(100_000));
    expect(there.got).toHaveLength(2);
    clock.advance(1);
    await until(() => expect(there.ids()).toEqual(['e1', 'e1', 'e1', 'e2']));
    expect(new Set(there.got.slice(0, 3).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    await until(() => expect(hooks.status('a')).toMatchObject({ queued: 0, sent: 2, failed: 2 }));
    expect(hooks.status('a')?.lastSuccessMs).toBe(clock.nowMs());
  });

  it('an answer that does not come within ten seconds is none', async () => {
    const there = await receiver();
    const clock = new ManualClock();
    const { publish, hooks } = await opened({ a: { url: there.url, batch_ms: 0 } }, { clock });
    there.answer = () => undefined;
    publish(1);
    await until(() => expect(there.got).toHaveLength(1));
    clock.advance(TIMEOUT_MS);
    await until(() => expect(hooks.status('a')?.lastError?.message).toContain('it did not answer within 10 seconds'));
  });

  it('waits up to five minutes between tries; what failed for a day is a dead letter, and retry sends it again', async () => {
    const there = await receiver();
    const clock = new AskedClock();
    const { publish, hooks } = await opened({ a: { url: there.url, batch_ms: 0, batch: 2 } }, { clock });
    there.answer = (_request, response) => void response.writeHead(503).end();
    for (let n = 0; n < 3; n++) publish(n);
    const waits = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300].map((sec) => sec * 1000);
    for (const [i, ms] of waits.entries()) {
      await until(() => expect(hooks.status('a')?.failed).toBe(i + 1));
      clock.advance(ms - 1);
      expect(hooks.status('a')?.failed).toBe(i + 1);
      clock.advance(1);
    }
    await until(() => expect(hooks.status('a')?.failed).toBe(waits.length + 1));
    expect(hooks.status('a')?.dead).toBe(0);
    // the next try is a day after the first
    clock.advance(GIVE_UP_MS);
    await until(() => expect(hooks.status('a')).toMatchObject({ dead: 2, queued: 1 }));
    // The longest pause for the fourth time: it begins when the queue's file is without them, a little after they are counted.
    await until(() => expect(clock.asked.filter((ms) => ms === MAX_RETRY_MS)).toHaveLength(4));
    clock.advance(MAX_RETRY_MS);
    await until(() => expect(there.got.at(-1)?.ids).toEqual(['e2']));
    expect(await hooks.deadLetters('a', 10)).toMatchObject([
      { why: expect.stringContaining('503') as string, event: { id: 'e1' } },
      { why: expect.stringContaining('503') as string, event: { id: 'e0' } },
    ]);
    there.answer = (_request, response) => void response.writeHead(204).end();
    there.got.length = 0;
    await until(() => expect(hooks.status('a')?.failed).toBe(waits.length + 3));
    expect(await hooks.retry('a')).toBe(2);
    await until(() => expect(there.ids()).toEqual(['e2', 'e0', 'e1']));
    await until(() => expect(hooks.status('a')).toMatchObject({ dead: 0, queued: 0, sent: 3 }));
  });

  it('a full queue: the oldest are dead letters, and of these the newest are kept', async () => {
    const there = await receiver();
    const clock = new ManualClock();
    const { publish, hooks } = await opened({ a: { url: there.url, batch_ms: 0, batch: 1 } }, { clock });
    there.answer = () => undefined;
    publish(0);
    await until(() => expect(there.got).toHaveLength(1));
    const more = MAX_DEAD + 500;
    for (let n = 1; n < MAX_QUEUED + more; n++) publish(n);
    await until(() => expect(hooks.status('a')).toMatchObject({ queued: MAX_QUEUED, dead: MAX_DEAD, dropped: 500 }));
    const [newest] = await hooks.deadLetters('a', 1);
    // e0 is being sent
    expect(newest).toMatchObject({ why: 'the queue was full', event: { id: `e${more}` } });
  });

  it('one that hangs does not keep the others waiting', async () => {
    const [hangs, works] = [await receiver(), await receiver()];
    hangs.answer = () => undefined;
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`h${n}`, { url: hangs.url, batch_ms: 0, restricted: true }]));
    const { publish } = await opened({ ...many, works: { url: works.url, batch_ms: 0 } }, { egress: { allow: ['127.0.0.1'] } });
    publish(1);
    await until(() => expect(works.ids()).toEqual(['e1']));
    await until(() => expect(hangs.got).toHaveLength(16));
  });

  it('a restricted hook does not reach what is not public, however it is written (E1, E2)', async () => {
    const there = await receiver();
    const { port } = new URL(there.url);
    const hosts = ['127.0.0.1', 'localhost', '0x7f.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254', '10.0.0.1'];
    const given = Object.fromEntries(
      hosts.map((host, n) => [`h${n}`, { url: `http://${host}:${port}/in`, restricted: true, batch_ms: 0 }]),
    );
    const { publish, hooks } = await opened(given);
    publish(1);
    for (const id of Object.keys(given)) {
      await until(() => expect(hooks.status(id)?.failed).toBeGreaterThan(0));
      expect(hooks.status(id)?.lastError?.message).toContain('may not be reached');
      await expect(hooks.test(id)).rejects.toMatchObject({ code: 'ADDRESS_REFUSED' });
    }
    expect(there.got).toEqual([]);
  });
});

describe('what stays (W2)', () => {
  it('what was queued is sent after the next start, the same events with the same id', async () => {
    const there = await receiver();
    there.answer = (_request, response) => void response.writeHead(500).end();
    const folder = await temporaryFolder();
    const clock = new ManualClock();
    const first = await opened({ a: { url: there.url, batch_ms: 0, batch: 2 } }, { folder, clock });
    for (let n = 0; n < 5; n++) first.publish(n);
    await until(() => expect(first.hooks.status('a')?.failed).toBe(1));
    await first.hooks.close();
    there.answer = (_request, response) => void response.writeHead(204).end();
    // another batch size: what was sent once is sent as it was
    const second = await opened({ a: { url: there.url, batch_ms: 0, batch: 100 } }, { folder });
    second.publish(5);
    await until(() => expect(there.got.map(({ ids }) => ids)).toEqual([['e0', 'e1'], ['e0', 'e1'], counted(4, 2)]));
    expect(there.got[0]?.headers['webhook-id']).toBe(there.got[1]?.headers['webhook-id']);
    await until(() => expect(second.hooks.status('a')?.queued).toBe(0));
  });

  it('closes within two seconds while a receiver hangs', async () => {
    const there = await receiver();
    there.answer = () => undefined;
    const { publish, hooks } = await opened({ a: { url: there.url, batch_ms: 0 }, b: { url: 'http://192.0.2.1/', batch_ms: 0 } });
    publish(1);
    await until(() => expect(there.got).toHaveLength(1));
    const startMs = systemClock.monotonicMs();
    await hooks.close();
    expect(systemClock.monotonicMs() - startMs).toBeLessThan(2000);
    publish(2);
  });

  it('settings that change hold from the next request; a hook that is taken away loses its queue, one that comes back begins empty', async () => {
    const [before, after] = [await receiver(), await receiver()];
    before.answer = (_request, response) => void response.writeHead(500).end();
    const clock = new ManualClock();
    const { publish, hooks, settings, folder } = await opened(
      { a: { url: before.url, batch_ms: 0 }, b: { url: before.url, batch_ms: 0 } },
      { clock },
    );
    publish(1);
    await until(() => expect(hooks.status('a')?.failed).toBe(1));
    await until(() => expect(hooks.status('b')?.failed).toBe(1));
    settings.set('a', { url: after.url, batch_ms: 0 });
    settings.delete('b');
    hooks.refresh();
    // at once: it need not wait for the next try
    await until(() => expect(after.ids()).toEqual(['e1']));
    expect(hooks.status('b')).toBeUndefined();
    await expect(hooks.test('b')).rejects.toMatchObject({ code: 'HOOK_NOT_FOUND' });
    await until(async () => expect(await readdir(folder)).toEqual(['a']));
    settings.set('b', { url: after.url, batch_ms: 0 });
    hooks.refresh();
    publish(2);
    await until(() => expect(after.ids()).toEqual(['e1', 'e2', 'e2']));
  });

  it('W3: what waits for streams that a hook is not to hear of any more is not for whoever set it anew; other settings keep what waits', async () => {
    const [before, after] = [await receiver(), await receiver()];
    before.answer = (_request, response) => void response.writeHead(500).end();
    const { publish, hooks, settings } = await opened({ a: { url: before.url, batch_ms: 0, streams: ['news', 'sport/*'] } });
    publish(1);
    await until(() => expect(hooks.status('a')?.failed).toBeGreaterThan(0));
    settings.set('a', { url: before.url, batch_ms: 0, streams: ['news', 'sport/*', 'more'], secret: 'a secret of sixteen' });
    hooks.refresh();
    expect(hooks.status('a')).toMatchObject({ queued: 1 });
    settings.set('a', { url: after.url, batch_ms: 0, streams: ['sport/*'] });
    hooks.refresh();
    await until(() => expect(hooks.status('a')).toMatchObject({ queued: 0, failed: 0 }));
    settings.set('a', { url: after.url, batch_ms: 0, streams: ['*'] });
    hooks.refresh();
    publish(2);
    await until(() => expect(after.ids()).toEqual(['e2']));
  });

  it('a hook that comes back while it is being taken away begins empty, and works', async () => {
    const there = await receiver();
    there.answer = (_request, response) => void response.writeHead(500).end();
    const { publish, hooks, settings } = await opened({ a: { url: there.url, batch_ms: 0 } });
    publish(1);
    await until(() => expect(hooks.status('a')?.failed).toBe(1));
    const [[id, entry] = ['', { url: '' }]] = settings;
    settings.clear();
    hooks.refresh();
    settings.set(id, entry);
    hooks.refresh();
    await until(() => expect(hooks.status('a')).toMatchObject({ queued: 0, failed: 0 }));
    there.answer = (_request, response) => void response.writeHead(204).end();
    publish(2);
    await until(() => expect(there.got.at(-1)?.ids).toEqual(['e2']));
  });

  it('queues of hooks that there are not any more are removed at the start', async () => {
    const folder = await temporaryFolder();
    const first = await opened({ a: { url: 'http://127.0.0.1:9/' }, b: { url: 'http://127.0.0.1:9/' } }, { folder });
    first.publish(1);
    await first.hooks.close();
    expect((await readdir(join(folder, 'hooks'))).sort()).toEqual(['a', 'b']);
    expect(await readFile(join(folder, 'hooks', 'a', 'queue.jsonl'), 'utf8')).toContain('"e1"');
    await opened({ b: { url: 'http://127.0.0.1:9/' } }, { folder });
    expect(await readdir(join(folder, 'hooks'))).toEqual(['b']);
  });
});

it('a test is sent beside the queue, and says what came back', async () => {
  const there = await receiver();
  const { hooks } = await opened({ a: { url: there.url, events: [], secret: 'correct horse battery' } });
  expect(await hooks.test('a')).toEqual({ status: 204, durationMs: expect.any(Number) as number });
  expect(JSON.parse(there.got[0]?.body ?? '')).toMatchObject({ events: [{ type: 'test', stream: null }] });
  there.answer = (_request, response) => void response.writeHead(418).end();
  await expect(hooks.test('a')).rejects.toMatchObject({ code: 'HOOK_FAILED', message: expect.stringContaining('418') as string });
  expect(hooks.status('a')).toMatchObject({ queued: 0, sent: 0 });
});
