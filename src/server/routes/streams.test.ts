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
    expect(response.json<Stream>().status['error']).toEqual({ code: 'DISK_FULL', message: 'no space' });
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
