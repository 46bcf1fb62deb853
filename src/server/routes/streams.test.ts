/** The streams of livetape.yaml over HTTP (C2 to C5), with a real file and no recorder. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LivetapeError } from '../../base/index.js';
import { openTestApp, type TestApp } from '../testApp.js';
import { recordingStatus, sourceStatus } from '../testStatus.js';

const YAML = `# kept
templates:
  sat: { dvr: { retention_sec: 3600 } }
streams:
  news:
    source: udp://@239.0.0.1:5000 # the studio
    template: sat
`;

interface Stream {
  code: string;
  source: string;
  title: string;
  template: string | null;
  dvr: Record<string, unknown> | null;
  status: Record<string, unknown>;
}

const fileOf = ({ folder }: TestApp): Promise<string> => readFile(join(folder, 'livetape.yaml'), 'utf8');
const codeOf = (body: string): string => (JSON.parse(body) as { error: { code: string } }).error.code;

describe('GET /api/v1/streams', () => {
  it('lists what is in the file and what only has an archive, by code', async () => {
    await using test = await openTestApp({ yaml: YAML });
    test.channels.archives.set('old', {} as never);
    const { streams } = (await test.inject('/api/v1/streams')).json<{ streams: Stream[] }>();
    expect(streams.map(({ code, dvr, status }) => [code, dvr !== null, status['configured']])).toEqual([
      ['news', true, true],
      ['old', false, false],
    ]);
  });
});

describe('GET /api/v1/streams/{code}', () => {
  it('fills in the template and the defaults, and says how the stream is doing', async () => {
    await using test = await openTestApp({ yaml: YAML });
    const stream = (await test.inject('/api/v1/streams/news')).json<Stream>();
    expect(stream).toMatchObject({
      code: 'news',
      source: 'udp://@239.0.0.1:5000',
      title: '',
      template: 'sat',
      dvr: { enabled: true, segment_duration: 4, retention_sec: 3600, max_size_gb: 0, storage_path: '' },
      status: {
        configured: true,
        recording: null,
        error: null,
        source: null,
        signal: null,
        program: null,
        last_gap: null,
        open_gap: null,
        input: null,
        errors: null,
        retention: null,
      },
    });
  });

  it('says what is recorded, and why something is not', async () => {
    await using test = await openTestApp({ yaml: YAML });
    test.pool.statuses.set('news', recordingStatus('news', test.clock.nowMs()));
    test.pool.sources.set('news', sourceStatus());
    const { status } = (await test.inject('/api/v1/streams/news')).json<Stream>();
    expect(status).toMatchObject({
      recording: { stream_code: 'news', status: 'recording', stopped_at: null },
      source: { state: 'connected', received_bytes: 1880 },
      signal: 'present',
      program: { number: 1, tracks: [{ pid: 256, role: 'video', codec: 'h264', language: null }, { language: 'eng' }] },
      last_gap: { duration: 2_500_000_000, reason: 'signal' },
      retention: { pruned_segments: 1, clock_in_doubt: false },
    });
    test.channels.errors.set('news', new LivetapeError('STREAM_OWNED', 'another writes it'));
    const { status: failed } = (await test.inject('/api/v1/streams/news')).json<Stream>();
    expect(failed['error']).toEqual({ code: 'STREAM_OWNED', message: 'another writes it' });
  });

  it('G10: says which gap goes on, what comes and came, and what was wrong with it', async () => {
    await using test = await openTestApp({ yaml: YAML });
    const told = async (): Promise<Stream['status']> => (await test.inject('/api/v1/streams/news')).json<Stream>().status;
    const status = recordingStatus('news', test.clock.nowMs());
    const fromMs = test.clock.nowMs() - 3000;
    test.pool.statuses.set('news', { ...status, openGap: { fromMs, reason: 'signal' } });
    expect(await told()).toMatchObject({
      open_gap: { from: new Date(fromMs).toISOString(), reason: 'signal' },
      // begun a moment ago: its recorder has not told of it yet
      input: { bitrate: 0, history: [] },
      errors: null,
    });
    const errors = { continuity: 3, transport_error: 0, sync_bytes: 0, scrambled: 0, timestamp: 1, not_stored: 0 };
    test.pool.metrics.set('news', { inputBitrate: 5_123_456.7, errors } as never);
    test.clock.advance(10_000);
    expect(await told()).toMatchObject({ input: { bitrate: 5_123_457, history: [5_123_457, 5_123_457] }, errors });
    // of a session that broke nothing comes
    test.pool.statuses.set('news', { ...status, session: undefined });
    test.clock.advance(5000);
    expect(await told()).toMatchObject({ open_gap: null, input: { bitrate: 0, history: [5_123_457, 5_123_457, 0] } });
    test.pool.statuses.delete('news');
    expect(await told()).toMatchObject({ open_gap: null, input: null, errors: null });
  });

  it('takes a code with slashes as %2F, and only as that', async () => {
    await using test = await openTestApp({ yaml: 'streams: { a/b-1/C_2: {} }' });
    expect((await test.inject('/api/v1/streams/a%2Fb-1%2fC_2')).json<Stream>().code).toBe('a/b-1/C_2');
    expect((await test.inject('/api/v1/streams/a/b-1/C_2')).statusCode).toBe(404);
    // Encoded twice it is another name, and none.
    expect(codeOf((await test.inject('/api/v1/streams/a%252Fb-1')).body)).toBe('STREAM_CODE_INVALID');
  });

  it.each([
    ['no stream', 'nothing', 404, 'STREAM_NOT_FOUND'],
    ['a name that is none', 'a%20b', 400, 'STREAM_CODE_INVALID'],
    ['dots', 'a%2F%2E%2E%2Fb', 400, 'STREAM_CODE_INVALID'],
    ['a name of the server', 'docs', 400, 'STREAM_CODE_INVALID'],
    ['a name that is too long', 'x'.repeat(5000), 400, 'STREAM_CODE_INVALID'],
    ['a name of objects', 'constructor', 404, 'STREAM_NOT_FOUND'],
  ])('%s is said as such', async (_what, code, status, error) => {
    await using test = await openTestApp({ yaml: YAML });
    const response = await test.inject(`/api/v1/streams/${code}`);
    expect([response.statusCode, codeOf(response.body)]).toEqual([status, error]);
  });
});

describe('PUT /api/v1/streams/{code}', () => {
  it('makes one (201), replaces it (200), and leaves the rest of the file as it is', async () => {
    await using test = await openTestApp({ yaml: YAML });
    const url = '/api/v1/streams/a%2Fb';
    const made = await test.inject({
      method: 'PUT',
      url,
      payload: { source: 'tcp://127.0.0.1:9', title: 'A', dvr: { retention_sec: 60 } },
    });
    expect(made.statusCode).toBe(201);
    expect(made.json<Stream>()).toMatchObject({ code: 'a/b', title: 'A', dvr: { retention_sec: 60, segment_duration: 4 } });
    const replaced = await test.inject({ method: 'PUT', url, payload: { source: 'tcp://127.0.0.1:10' } });
    expect(replaced.statusCode).toBe(200);
    expect(replaced.json<Stream>()).toMatchObject({ source: 'tcp://127.0.0.1:10', title: '', dvr: { retention_sec: 0 } });
    const file = await fileOf(test);
    expect(file.startsWith(YAML)).toBe(true);
    expect(file).toContain('a/b:');
  });

  it('takes back what GET answered', async () => {
    await using test = await openTestApp({ yaml: YAML });
    test.pool.statuses.set('news', recordingStatus('news', test.clock.nowMs()));
    const before = (await test.inject('/api/v1/streams/news')).json<Stream>();
    const answer = await test.inject({ method: 'PUT', url: '/api/v1/streams/news', payload: before });
    expect(answer.statusCode).toBe(200);
    expect(answer.json<Stream>()).toEqual(before);
  });

  it('answers when the recorder has begun, or after 5 s', async () => {
    await using test = await openTestApp();
    let begin = (): void => undefined;
    let asked = 0;
    test.channels.settle = () => {
      asked += 1;
      return new Promise((resolve) => (begin = resolve));
    };
    let answered = 0;
    const put = async (): Promise<void> => {
      await test.inject({ method: 'PUT', url: '/api/v1/streams/a', payload: {} });
      answered += 1;
    };
    const first = put();
    await expect.poll(() => asked).toBe(1);
    expect(answered).toBe(0);
    begin();
    await first;
    const second = put();
    await expect.poll(() => asked).toBe(2);
    test.clock.advance(4999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(1);
    test.clock.advance(1);
    await second;
    expect(answered).toBe(2);
  });

  it('is carried out although what it asks for cannot be begun: the status says why', async () => {
    await using test = await openTestApp();
    const error = new LivetapeError('DISK_FULL', 'no space');
    test.channels.settle = async (code) => {
      test.channels.errors.set(code, error);
      throw error;
    };
    const response = await test.inject({ method: 'PUT', url: '/api/v1/streams/a', payload: { source: 'tcp://127.0.0.1:9' } });
    expect(response.statusCode).toBe(201);
    expect(response.json<Stream>().status['error']).toEqual({ code: 'DISK_FULL', message: 'the disk is full; the log says more' });
  });

  it.each([
    ['an unknown field', { sorce: 'tcp://127.0.0.1:9' }, 400, 'REQUEST_INVALID', 'sorce'],
    ['an unknown field in dvr', { dvr: { retention: 1 } }, 400, 'REQUEST_INVALID', 'body.dvr: '],
    ['a value out of its range', { dvr: { segment_duration: 99 } }, 400, 'REQUEST_INVALID', 'body.dvr.segment_duration: '],
    ['another code', { code: 'b' }, 400, 'REQUEST_INVALID', 'body.code: '],
    ['a list', [], 400, 'REQUEST_INVALID', 'body: '],
    ['a source that is none', { source: 'nonsense' }, 400, 'SOURCE_INVALID', 'protocol'],
    ['a protocol that is not there', { source: 'xyz://a' }, 400, 'SOURCE_UNSUPPORTED', 'xyz'],
    ['a template that is not there', { template: 'none' }, 409, 'CONFIG_INVALID', 'none'],
  ])('%s is refused, and nothing is written', async (_what, payload, status, code, says) => {
    await using test = await openTestApp({ yaml: YAML });
    const response = await test.inject({ method: 'PUT', url: '/api/v1/streams/a', payload });
    expect([response.statusCode, codeOf(response.body)]).toEqual([status, code]);
    expect(response.body).toContain(says);
    expect(await fileOf(test)).toBe(YAML);
  });

  it.each([
    ['a/b/c', 'x/a', 201],
    ['news/hd', '', 409],
    ['NEWS', '', 409],
  ])('a code that excludes another is refused: %s', async (code, _other, status) => {
    await using test = await openTestApp({ yaml: YAML });
    const response = await test.inject({ method: 'PUT', url: `/api/v1/streams/${encodeURIComponent(code)}`, payload: {} });
    expect(response.statusCode).toBe(status);
    if (status === 409) expect(codeOf(response.body)).toBe('STREAM_CODE_TAKEN');
  });

  it('refuses bodies that are no JSON, of another type, or too large', async () => {
    await using test = await openTestApp({ yaml: YAML });
    const put = async (payload: string, type: string): Promise<[number, string]> => {
      const response = await test.inject({ method: 'PUT', url: '/api/v1/streams/a', payload, headers: { 'content-type': type } });
      return [response.statusCode, codeOf(response.body)];
    };
    expect(await put('{', 'application/json')).toEqual([400, 'REQUEST_INVALID']);
    expect(await put('', 'application/json')).toEqual([400, 'REQUEST_INVALID']);
    expect(await put('{}', 'text/plain')).toEqual([415, 'REQUEST_INVALID']);
    expect(await put('a=b', 'application/x-www-form-urlencoded')).toEqual([415, 'REQUEST_INVALID']);
    expect(await put(JSON.stringify({ title: 'x'.repeat(70_000) }), 'application/json')).toEqual([413, 'REQUEST_INVALID']);
    expect(await put('{"__proto__": {"source": "tcp://a:1"}}', 'application/json')).toEqual([400, 'REQUEST_INVALID']);
    expect(await fileOf(test)).toBe(YAML);
  });

  it('never writes over a file that is wrong (C2)', async () => {
    await using test = await openTestApp({ yaml: YAML });
    const wrong = `${YAML}  bad: { source: 5 }\n`;
    await writeFile(join(test.folder, 'livetape.yaml'), wrong);
    let over = false;
    const answer = test.inject({ method: 'PUT', url: '/api/v1/streams/a', payload: {} }).finally(() => (over = true));
    // The store looks twice at a file that changed.
    await expect.poll(() => (test.clock.advance(100), over)).toBe(true);
    const response = await answer;
    expect([response.statusCode, codeOf(response.body)]).toEqual([409, 'CONFIG_INVALID']);
    expect(await fileOf(test)).toBe(wrong);
  });
});

describe('PATCH /api/v1/streams/{code}', () => {
  it('changes what it names, comments stay, and null takes a field away', async () => {
    await using test = await openTestApp({ yaml: YAML });
    const patch = async (payload: object): Promise<Stream> => {
      const response = await test.inject({ method: 'PATCH', url: '/api/v1/streams/news', payload });
      expect(response.statusCode).toBe(200);
      return response.json<Stream>();
    };
    expect((await patch({ dvr: { retention_sec: 60 } })).dvr).toMatchObject({ retention_sec: 60 });
    expect((await patch({ title: 'News' })).title).toBe('News');
    expect(await fileOf(test)).toContain('# the studio');
    expect((await patch({ dvr: { retention_sec: null } })).dvr).toMatchObject({ retention_sec: 3600 });
    expect(await patch({ template: null })).toMatchObject({ template: null, dvr: { retention_sec: 0 } });
  });

  it('of a stream that is not in the file there is nothing to change', async () => {
    await using test = await openTestApp({ yaml: YAML });
    test.channels.archives.set('old', {} as never);
    const response = await test.inject({ method: 'PATCH', url: '/api/v1/streams/old', payload: { title: 'x' } });
    expect([response.statusCode, codeOf(response.body)]).toEqual([404, 'STREAM_NOT_FOUND']);
  });
});

describe('DELETE /api/v1/streams/{code}', () => {
  it('takes it out of the file, once', async () => {
    await using test = await openTestApp({ yaml: YAML });
    const gone = await test.inject({ method: 'DELETE', url: '/api/v1/streams/news' });
    expect([gone.statusCode, gone.body]).toEqual([204, '']);
    expect(await fileOf(test)).not.toContain('news');
    const again = await test.inject({ method: 'DELETE', url: '/api/v1/streams/news' });
    expect([again.statusCode, codeOf(again.body)]).toEqual([404, 'STREAM_NOT_FOUND']);
  });
});

describe('POST /api/v1/streams/{code}/start and stop (C5)', () => {
  it('answers with the stream as it is then', async () => {
    await using test = await openTestApp({ yaml: 'streams: { a/b: { dvr: { enabled: false } } }' });
    const started = await test.inject({ method: 'POST', url: '/api/v1/streams/a%2Fb/start' });
    expect(started.statusCode).toBe(200);
    expect(started.json<Stream>().dvr).toMatchObject({ enabled: true });
    expect(test.channels.started).toEqual(['a/b']);
    const idle = await test.inject({ method: 'POST', url: '/api/v1/streams/a%2Fb/stop' });
    expect([idle.statusCode, codeOf(idle.body)]).toEqual([409, 'NOT_RECORDING']);
    test.pool.statuses.set('a/b', recordingStatus('a/b', test.clock.nowMs()));
    const twice = await test.inject({ method: 'POST', url: '/api/v1/streams/a%2Fb/start' });
    expect([twice.statusCode, codeOf(twice.body)]).toEqual([409, 'ALREADY_RECORDING']);
    const stopped = await test.inject({ method: 'POST', url: '/api/v1/streams/a%2Fb/stop' });
    expect(stopped.json<Stream>().status['recording']).toBeNull();
    const nobody = await test.inject({ method: 'POST', url: '/api/v1/streams/c/stop' });
    expect([nobody.statusCode, codeOf(nobody.body)]).toEqual([404, 'STREAM_NOT_FOUND']);
  });
});

describe('sources (D10, E1, E3)', () => {
  const SECRET = 'http://me:hunter2@203.0.113.9/live?token=tok123&x=1';
  const SHOWN = 'http://***@203.0.113.9/live?token=***&x=1';
  const GUARDED = `auth: { enabled: true }
templates:
  files: { source: "file:/srv/in/a.ts?loop=1", dvr: { storage_path: /srv/fast } }
  plain: { dvr: { retention_sec: 60 } }
streams:
  web: { source: "${SECRET}", dvr: { storage_path: /srv/slow, retention_sec: 60 } }
  disk: { source: "file:/srv/in/b.ts", title: B }
  templated: { template: files }
`;

  interface Asker {
    get(code: string): Promise<Stream>;
    ask(method: 'PUT' | 'PATCH', code: string, payload: object): Promise<{ readonly status: number; readonly code: string | undefined }>;
  }

  async function opened(): Promise<{ test: TestApp; admin: Asker; other: Asker; says: (code: string) => unknown }> {
    const test = await openTestApp({ yaml: GUARDED });
    const asker = (scopes: ('admin' | 'api')[]): Asker => {
      const headers = { authorization: `Bearer ${test.door.tokens.make({ scopes })}` };
      return {
        get: async (code) => (await test.inject({ url: `/api/v1/streams/${code}`, headers })).json<Stream>(),
        ask: async (method, code, payload) => {
          const response = await test.inject({ method, url: `/api/v1/streams/${code}`, payload, headers });
          return { status: response.statusCode, code: response.statusCode < 400 ? undefined : codeOf(response.body) };
        },
      };
    };
    return { test, admin: asker(['admin']), other: asker(['api']), says: (code) => test.context.config.state.config.streams[code] };
  }

  it('are told without secrets to everybody, without folders to others than admins; so are places', async () => {
    const { test, admin, other } = await opened();
    await using _ = test;
    test.pool.statuses.set('web', recordingStatus('web', test.clock.nowMs()));
    test.pool.sources.set('disk', { ...sourceStatus(), url: 'file:/srv/in/b.ts', detail: '/srv/in/b.ts, looped' });
    expect((await admin.get('web')).source).toBe(SHOWN);
    expect((await admin.get('web')).dvr).toMatchObject({ storage_path: '/srv/slow' });
    expect((await admin.get('web')).status['recording']).toMatchObject({ segment_dir: expect.stringContaining('/') as string });
    expect((await admin.get('disk')).source).toBe('file:/srv/in/b.ts');
    for (const code of ['web', 'disk', 'templated']) expect(JSON.stringify(await other.get(code))).not.toMatch(/srv|hunter2|tok123/);
    expect((await other.get('web')).source).toBe(SHOWN);
    expect((await other.get('disk')).source).toBe('file:b.ts');
    expect((await other.get('disk')).status['source']).toMatchObject({ url: 'file:b.ts', detail: 'b.ts, looped' });
    expect((await other.get('web')).dvr).toMatchObject({ storage_path: '' });
    expect((await other.get('web')).status['recording']).toMatchObject({ segment_dir: null });
  });

  it('of a template, with its place, are for admins to give and to take', async () => {
    const { test, admin, other } = await opened();
    await using _ = test;
    expect(await other.ask('PUT', 'mine', { template: 'files' })).toEqual({ status: 403, code: 'FORBIDDEN' });
    expect(await other.ask('PATCH', 'web', { template: 'files' })).toEqual({ status: 403, code: 'FORBIDDEN' });
    expect(await other.ask('PATCH', 'templated', { template: null })).toEqual({ status: 403, code: 'FORBIDDEN' });
    expect(await other.ask('PATCH', 'templated', { template: 'files', title: 'new' })).toMatchObject({ status: 200 });
    expect(await other.ask('PATCH', 'web', { template: 'plain' })).toMatchObject({ status: 200 });
    expect(await admin.ask('PATCH', 'web', { template: 'files' })).toMatchObject({ status: 200 });
  });

  it('written back as they were answered, whole or one field, by whomever: nothing changes', async () => {
    const { test, admin, other, says } = await opened();
    await using _ = test;
    for (const asker of [other, admin]) {
      for (const code of ['web', 'disk', 'templated']) {
        const before = says(code);
        const place = test.context.config.state.streams.get(code);
        const answer = await asker.get(code);
        expect(await asker.ask('PUT', code, answer)).toMatchObject({ status: 200 });
        expect(test.context.config.state.streams.get(code)).toEqual(place);
        expect(says(code)).toMatchObject({ ...(before as object) });
        expect(await asker.ask('PATCH', code, { source: answer.source, title: 'new' })).toMatchObject({ status: 200 });
        expect(test.context.config.state.streams.get(code)).toEqual({ ...place, title: 'new' });
        expect(await asker.ask('PATCH', code, { title: place?.title ?? '' })).toMatchObject({ status: 200 });
      }
    }
  });

  it('set by others than admins are marked, by an admin they are not; other fields keep the mark, and nobody can write it', async () => {
    const { test, admin, other, says } = await opened();
    await using _ = test;
    const tcp = { source: 'tcp://192.0.2.1:9' };
    expect(await other.ask('PUT', 'mine', tcp)).toMatchObject({ status: 201 });
    expect(says('mine')).toEqual({ ...tcp, restricted: true });
    expect((await other.get('mine')).status['restricted']).toBe(true);
    expect(await admin.ask('PATCH', 'mine', { title: 'M', dvr: { retention_sec: 9 } })).toMatchObject({ status: 200 });
    expect(await admin.ask('PUT', 'mine', { ...tcp, title: 'N' })).toMatchObject({ status: 200 });
    expect(says('mine')).toEqual({ ...tcp, title: 'N', restricted: true });
    for (const restricted of [true, false, null]) {
      expect(await admin.ask('PUT', 'mine', { ...tcp, restricted })).toEqual({ status: 400, code: 'REQUEST_INVALID' });
      expect(await other.ask('PATCH', 'mine', { restricted })).toEqual({ status: 400, code: 'REQUEST_INVALID' });
    }
    expect(await admin.ask('PATCH', 'mine', { source: 'tcp://192.0.2.2:9' })).toMatchObject({ status: 200 });
    expect(says('mine')).toEqual({ source: 'tcp://192.0.2.2:9', title: 'N' });
    expect(await other.ask('PATCH', 'mine', tcp)).toMatchObject({ status: 200 });
    expect(says('mine')).toMatchObject({ ...tcp, restricted: true });
    expect(await other.ask('PATCH', 'mine', { source: null })).toMatchObject({ status: 200 });
    expect(says('mine')).toEqual({ title: 'N' });
    // its secrets, which others do not know, are an admin's to say anew
    expect(await other.ask('PATCH', 'mine', { source: SECRET })).toMatchObject({ status: 200 });
    expect(says('mine')).toMatchObject({ source: SECRET, restricted: true });
    expect(await other.ask('PATCH', 'mine', { source: SECRET })).toMatchObject({ status: 200 });
    expect(says('mine')).toMatchObject({ restricted: true });
    expect(await admin.ask('PATCH', 'mine', { source: SECRET })).toMatchObject({ status: 200 });
    expect(says('mine')).toEqual({ source: SECRET, title: 'N' });
  });

  it('another template does not set a source that was shown in the place of the one that is there', async () => {
    const { test, admin, says } = await opened();
    await using _ = test;
    const answer = await admin.get('web');
    expect(await admin.ask('PUT', 'web', { ...answer, template: 'files' })).toMatchObject({ status: 200 });
    expect(says('web')).toMatchObject({ source: SECRET, template: 'files', dvr: { storage_path: '/srv/slow' } });
    expect(says('web')).not.toHaveProperty('restricted');
  });

  it.each(['file:/etc/passwd', 'FILE:x.ts', ' file:b.ts', 'file:/srv/in/b.ts?pace=0'])(
    '%s is refused to everybody, and what is there stays',
    async (source) => {
      const { test, admin, other, says } = await opened();
      await using _ = test;
      for (const asker of [admin, other]) {
        for (const [method, code] of [
          ['PUT', 'new'],
          ['PUT', 'web'],
          ['PATCH', 'disk'],
          ['PATCH', 'web'],
        ] as const) {
          const before = says(code);
          expect(await asker.ask(method, code, { source })).toEqual({ status: 403, code: 'SOURCE_REFUSED' });
          expect(says(code)).toEqual(before);
        }
      }
    },
  );

  it('places are for admins: others do not set, move or take them away', async () => {
    const { test, admin, other, says } = await opened();
    await using _ = test;
    for (const storage_path of ['/srv/fast', 'elsewhere', ' ']) {
      expect(await other.ask('PATCH', 'web', { dvr: { storage_path } })).toEqual({ status: 403, code: 'FORBIDDEN' });
      expect(await other.ask('PUT', 'new', { dvr: { storage_path } })).toEqual({ status: 403, code: 'FORBIDDEN' });
    }
    expect(await other.ask('PATCH', 'web', { dvr: { storage_path: null } })).toEqual({ status: 403, code: 'FORBIDDEN' });
    for (const payload of [{ dvr: null }, { dvr: { storage_path: '' } }, { dvr: { storage_path: '/srv/slow', retention_sec: 5 } }]) {
      expect(await other.ask('PATCH', 'web', payload)).toMatchObject({ status: 200 });
      expect(says('web')).toMatchObject({ dvr: { storage_path: '/srv/slow' } });
    }
    expect(await other.ask('PUT', 'web', {})).toMatchObject({ status: 200 });
    expect(says('web')).toEqual({ dvr: { storage_path: '/srv/slow' } });
    expect(await admin.ask('PATCH', 'web', { dvr: { storage_path: '/srv/fast' } })).toMatchObject({ status: 200 });
    expect(says('web')).toEqual({ dvr: { storage_path: '/srv/fast' } });
    expect(await admin.ask('PUT', 'web', {})).toMatchObject({ status: 200 });
    expect(says('web')).toEqual({});
  });
});
