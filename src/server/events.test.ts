/** Server-sent events (H4): what they say, what a client that comes back gets, and one that does not read. */
import { EventEmitter, once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { CommittedSegment } from '../archive/index.js';
import { LivetapeError, ManualClock } from '../base/index.js';
import type { DvrEventName, DvrEvents, DvrService } from '../recorder/index.js';
import { EVENT_DATA } from './eventJson.js';
import { EventFeed, KEPT_EVENTS, MAX_BEHIND_BYTES } from './events.js';
import { openTestApp } from './testApp.js';

const T = Date.parse('2026-01-01T12:00:00Z');

interface Heard {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Record<string, unknown> | undefined;
}

/** Reads the text as a browser does (HTML, 9.2.6), comments left out. */
function parse(text: string): Heard[] {
  return text
    .split('\n\n')
    .filter((block) => /^(id|event|data):/m.test(block))
    .map((block) => {
      const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      const data = field('data');
      return { id: field('id'), event: field('event'), data: data === undefined ? undefined : (JSON.parse(data) as Heard['data']) };
    });
}

class FakeService extends EventEmitter {
  readonly service = this as unknown as Pick<DvrService, 'on' | 'off'>;
  pruned(streamCode: string, count: number): void {
    this.emit('segment.pruned', { streamCode, count, sizeBytes: 188 });
  }
}

/** What a client has been given so far. */
function taken(body: Readable): string {
  return (body.read() as Buffer | null)?.toString() ?? '';
}

const counts = (heard: readonly Heard[]): unknown[] => heard.map(({ data }) => data?.['count']);

function open(): { feed: EventFeed; service: FakeService; clock: ManualClock } {
  const [service, clock] = [new FakeService(), new ManualClock()];
  return { feed: new EventFeed(service.service, clock), service, clock };
}

const all = { lastId: undefined, streamCode: undefined };

describe('EventFeed (H4)', () => {
  it('tells what happens from when a client came, with ids and moments', () => {
    const { feed, service, clock } = open();
    service.pruned('a', 1);
    const body = feed.open(all);
    service.pruned('a', 2);
    service.pruned('b', 3);
    const text = taken(body);
    expect(text).toMatch(/^retry: 2000\n\n/);
    const heard = parse(text);
    expect(heard.map(({ event, data }) => [event, data])).toEqual([
      ['segment.pruned', { at: new Date(clock.nowMs()).toISOString(), stream_code: 'a', count: 2, size_bytes: 188 }],
      ['segment.pruned', { at: new Date(clock.nowMs()).toISOString(), stream_code: 'b', count: 3, size_bytes: 188 }],
    ]);
    expect(new Set(heard.map(({ id }) => id)).size).toBe(2);
  });

  it('tells one who asks for a stream of that alone', () => {
    const { feed, service } = open();
    const body = feed.open({ ...all, streamCode: 'b' });
    service.pruned('a', 1);
    service.pruned('b', 2);
    expect(counts(parse(taken(body)))).toEqual([2]);
  });

  it('goes on after the last that was heard, whatever happened meanwhile', () => {
    const { feed, service } = open();
    const first = feed.open(all);
    for (let i = 1; i <= 5; i++) service.pruned(i % 2 === 0 ? 'even' : 'odd', i);
    const heard = parse(taken(first));
    for (const [i, { id }] of heard.entries()) {
      const resumed = feed.open({ lastId: id, streamCode: undefined });
      expect(counts(parse(taken(resumed)))).toEqual([1, 2, 3, 4, 5].slice(i + 1));
      resumed.destroy();
    }
    const even = feed.open({ lastId: heard[0]?.id, streamCode: 'even' });
    service.pruned('even', 6);
    expect(counts(parse(taken(even)))).toEqual([2, 4, 6]);
  });

  it('keeps the newest 10,000, and says reset to one that asks for older ones, once', () => {
    const { feed, service } = open();
    const first = feed.open(all);
    service.pruned('a', 0);
    const [oldest] = parse(taken(first));
    first.destroy();
    for (let i = 1; i <= KEPT_EVENTS; i++) service.pruned('a', i);
    const whole = parse(taken(feed.open({ lastId: oldest?.id, streamCode: undefined })));
    expect(whole).toHaveLength(KEPT_EVENTS);
    expect([whole[0]?.data?.['count'], whole.at(-1)?.data?.['count']]).toEqual([1, KEPT_EVENTS]);
    // One more, and the next after the oldest is not there.
    for (let i = 1; i <= KEPT_EVENTS + 5; i++) {
      service.pruned('a', KEPT_EVENTS + i);
      if (![1, KEPT_EVENTS - 1, KEPT_EVENTS, KEPT_EVENTS + 5].includes(i)) continue;
      const [reset, ...rest] = parse(taken(feed.open({ lastId: oldest?.id, streamCode: undefined })));
      expect([reset?.event, rest]).toEqual(['reset', []]);
      const resumed = feed.open({ lastId: reset?.id, streamCode: undefined });
      expect(parse(taken(resumed))).toEqual([]);
    }
  });

  it.each(['', 'x', '1', 'zzz-1', '-1', '0-0', `${'9'.repeat(20)}-1`])('says reset to one whose id is not of this run: %j', (lastId) => {
    const { feed, service } = open();
    service.pruned('a', 1);
    expect(parse(taken(feed.open({ lastId, streamCode: undefined }))).map(({ event }) => event)).toEqual(['reset']);
  });

  it('says reset to one whose id is still to come', () => {
    const { feed, service } = open();
    const body = feed.open(all);
    service.pruned('a', 1);
    const ahead = parse(taken(body))[0]?.id?.replace(/-1$/, '-2');
    expect(parse(taken(feed.open({ lastId: ahead, streamCode: undefined }))).map(({ event }) => event)).toEqual(['reset']);
  });

  it('sends a comment every 15 s while somebody listens', () => {
    const { feed, clock } = open();
    const body = feed.open(all);
    taken(body);
    clock.advance(14_999);
    expect(taken(body)).toBe('');
    clock.advance(1);
    expect(taken(body)).toBe(':\n\n');
  });

  it('lets a client go that does not read, and nobody else', async () => {
    const { feed, service } = open();
    const [slow, quick] = [feed.open(all), feed.open(all)];
    const gone = once(slow, 'close');
    const reason = 'x'.repeat(100_000);
    let read = 0;
    for (let i = 0; i < MAX_BEHIND_BYTES / 100_000 + 1; i++) {
      service.emit('source.ended', { streamCode: 'a', reason, error: undefined });
      read += parse(taken(quick)).length;
    }
    await gone;
    expect(slow.destroyed).toBe(true);
    expect(quick.destroyed).toBe(false);
    expect(read).toBe(Math.ceil(MAX_BEHIND_BYTES / 100_000 + 1));
    expect(feed.clients).toBe(1);
    // What it missed is more than a client is begun with: it would be let go again at once.
    const resumed = feed.open({
      lastId: parse(taken(feed.open({ ...all, lastId: 'x' })))[0]?.id?.replace(/-\d+$/, '-1'),
      streamCode: undefined,
    });
    expect(parse(taken(resumed)).map(({ event }) => event)).toEqual(['reset']);
  });

  it('ends what clients hear when it is closed, and hears no more', async () => {
    const { feed, service } = open();
    const body = feed.open(all);
    const ended = once(body, 'end');
    feed.close();
    body.resume();
    await ended;
    expect(service.eventNames()).toEqual([]);
    expect(feed.clients).toBe(0);
    const late = feed.open(all);
    const over = once(late, 'end');
    late.resume();
    await over;
  });
});

describe('what events say', () => {
  const recording = { id: 'a', streamCode: 'a', status: 'failed' as const, startedAt: new Date(T), stoppedAt: undefined, segmentDir: '/a' };
  const gap = { fromMs: T, toMs: T + 1500, reason: 'signal' as const };
  const gapText = { from: '2026-01-01T12:00:00.000Z', to: '2026-01-01T12:00:01.500Z', duration: 1.5e9, reason: 'signal' };
  const recordingText = {
    id: 'a',
    stream_code: 'a',
    status: 'failed',
    started_at: '2026-01-01T12:00:00.000Z',
    stopped_at: null,
    segment_dir: null,
  };
  const segment: CommittedSegment = {
    discontinuity: true,
    wallMs: T + 0.5,
    duration90k: 360_000,
    pts: undefined,
    keyframes: [],
    headBytes: 0,
    forced: false,
    lostBytes: 0,
    errors: { continuity: 0, transportError: 0, syncSkippedBytes: 0, scrambled: 0 },
    gap,
    index: 7,
    uri: '000007.ts',
    mediaSequence: 9,
    discontinuitySequence: 1,
    sizeBytes: 1880,
    cumulativeBytes: 1880,
    crc32: 0,
    epoch: 1,
  };
  const cases: { [N in DvrEventName]: [DvrEvents[N], object] } = {
    'recording.started': [{ recording }, { stream_code: 'a', recording: recordingText }],
    'recording.stopped': [{ recording }, { stream_code: 'a', recording: recordingText }],
    'recording.failed': [
      { recording, error: new LivetapeError('DISK_FULL', 'no space') },
      { stream_code: 'a', recording: recordingText, error: { code: 'DISK_FULL', message: 'the disk is full; the log says more' } },
    ],
    'archive.healed': [
      { streamCode: 'a', healed: [{ found: 'torn_entry', done: 'cut_off', file: 'playlist.m3u8', sizeBytes: 5, detail: 'cut' }] },
      {
        stream_code: 'a',
        healed: [{ found: 'torn_entry', done: 'cut_off', file: 'playlist.m3u8', kept_as: null, size_bytes: 5, count: null, detail: 'cut' }],
      },
    ],
    'segment.written': [
      { streamCode: 'a', segment },
      {
        stream_code: 'a',
        segment: {
          index: 7,
          uri: '000007.ts',
          media_sequence: 9,
          started_at: '2026-01-01T12:00:00.000Z',
          duration_sec: 4,
          size_bytes: 1880,
          discontinuity: true,
          gap: gapText,
        },
      },
    ],
    'segment.pruned': [
      { streamCode: 'a', count: 2, sizeBytes: 3760 },
      { stream_code: 'a', count: 2, size_bytes: 3760 },
    ],
    'gap.opened': [
      { streamCode: 'a', fromMs: T, reason: 'signal' },
      { stream_code: 'a', from: '2026-01-01T12:00:00.000Z', reason: 'signal' },
    ],
    'gap.closed': [
      { streamCode: 'a', gap },
      { stream_code: 'a', gap: gapText },
    ],
    'source.ended': [
      { streamCode: 'a', reason: 'end of file', error: new Error('EIO') },
      { stream_code: 'a', reason: 'end of file', error: 'EIO' },
    ],
  };

  it.each(Object.entries(cases))('%s', (name, [event, said]) => {
    expect(EVENT_DATA[name as DvrEventName](event as never)).toEqual(said);
  });

  it('each is there', () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(EVENT_DATA).sort());
  });
});

describe('GET /api/v1/events (H4)', () => {
  /** Opens a stream of events; `text` is what has come. */
  async function listen(
    port: number,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ response: IncomingMessage; text: () => string; end: () => void }> {
    const asked = request({ host: '127.0.0.1', port, path, headers, agent: false });
    asked.end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    response.on('error', () => undefined);
    return { response, text: () => text, end: () => void asked.destroy() };
  }

  it('is answered at once, and resumed from the header before the query', async () => {
    await using test = await openTestApp();
    const port = await test.listen();
    const first = await listen(port, '/api/v1/events');
    expect(first.response.statusCode).toBe(200);
    expect(first.response.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    for (let count = 1; count <= 3; count++) test.pool.emit('segment.pruned', { streamCode: 'a/b', count, sizeBytes: 1 });
    await expect.poll(() => counts(parse(first.text()))).toEqual([1, 2, 3]);
    first.end();
    const [one, two] = parse(first.text());
    const byQuery = await listen(port, `/api/v1/events?last_event_id=${one?.id}&stream=a%2Fb`);
    await expect.poll(() => counts(parse(byQuery.text()))).toEqual([2, 3]);
    const byHeader = await listen(port, `/api/v1/events?last_event_id=${one?.id}`, { 'last-event-id': two?.id ?? '' });
    await expect.poll(() => counts(parse(byHeader.text()))).toEqual([3]);
    test.checker.check({ method: 'GET', url: '/api/v1/events', status: 200, headers: byHeader.response.headers, body: byHeader.text() });
  });

  it('refuses what it does not know', async () => {
    await using test = await openTestApp();
    for (const [query, code] of [
      ['stream=a%20b', 'STREAM_CODE_INVALID'],
      ['since=1', 'REQUEST_INVALID'],
    ]) {
      const response = await test.inject(`/api/v1/events?${query}`);
      expect([response.statusCode, response.json<{ error: { code: string } }>().error.code]).toEqual([400, code]);
    }
  });

  it('lets go of a client that has gone, and of one that takes nothing', async () => {
    await using test = await openTestApp();
    const port = await test.listen();
    const { length: before } = test.pool.emitter.listeners('segment.pruned');
    expect(before).toBe(1);
    const leaving = await listen(port, '/api/v1/events');
    leaving.end();
    const stuck = await listen(port, '/api/v1/events');
    stuck.response.pause();
    const reader = await listen(port, '/api/v1/events');
    const connections = (): Promise<number> => new Promise((resolve) => test.app.server.getConnections((_error, count) => resolve(count)));
    await expect.poll(connections).toBe(2);
    // What a socket's buffers take is the system's; behind them the bound holds.
    const reason = 'x'.repeat(1_000_000);
    let sent = 0;
    const patient = { timeout: 30_000, interval: 1 };
    await expect
      .poll(async () => {
        test.pool.emit('source.ended', { streamCode: 'a', reason, error: undefined });
        sent += 1;
        await expect.poll(() => reader.text().length, patient).toBeGreaterThan(sent * reason.length);
        return connections();
      }, patient)
      .toBe(1);
    expect(sent * reason.length).toBeGreaterThan(MAX_BEHIND_BYTES);
  });

  it('ends with the server, with a word', async () => {
    const test = await openTestApp();
    const client = await listen(await test.listen(), '/api/v1/events');
    const ended = once(client.response, 'end');
    await test[Symbol.asyncDispose]();
    await ended;
    expect(client.response.complete).toBe(true);
  });
});
