/** `/healthz` and `/readyz` (H5). */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LivetapeError } from '../../base/index.js';
import { createMemoryStorage } from '../../storage/index.js';
import { openTestApp, type TestApp } from '../testApp.js';
import { recorderStatus, recordingStatus, sourceStatus } from '../testStatus.js';

const YAML = 'streams: { news: {}, off: { dvr: { enabled: false } } }';

/** One in which all is well. */
async function wellApp(yaml = YAML): Promise<TestApp> {
  const test = await openTestApp({ yaml });
  test.pool.running = [recorderStatus(0)];
  test.pool.statuses.set('news', recordingStatus('news', 0));
  test.pool.sources.set('news', sourceStatus());
  return test;
}

async function problems(test: TestApp): Promise<unknown> {
  const response = await test.inject('/readyz');
  const body = response.json<{ status: string; problems: unknown[] }>();
  expect([response.statusCode, body.status]).toEqual(body.problems.length === 0 ? [200, 'ready'] : [503, 'unwell']);
  expect(response.headers['cache-control']).toBe('no-store');
  return body.problems;
}

describe('/healthz (H5)', () => {
  it('is 200 while the process answers, whatever is not well', async () => {
    await using test = await openTestApp({ yaml: YAML });
    const response = await test.inject('/healthz');
    expect([response.statusCode, response.json()]).toEqual([200, { status: 'ok', version: '1.2.3' }]);
    expect(await problems(test)).not.toEqual([]);
  });
});

describe('/readyz (H5)', () => {
  it('is 200 when all is well; streams that are not to be recorded are not asked of', async () => {
    await using test = await wellApp();
    expect(await problems(test)).toEqual([]);
  });

  it('names a stream whose recording fails, with why', async () => {
    await using test = await wellApp();
    const error = new LivetapeError('DISK_FULL', 'no space');
    test.pool.statuses.set('news', { ...recordingStatus('news', 0), error });
    expect(await problems(test)).toEqual([
      { what: 'stream', name: 'news', code: 'DISK_FULL', message: 'the disk is full; the log says more' },
    ]);
  });

  it('names a stream that could not be begun, or is not being recorded', async () => {
    await using test = await wellApp();
    test.pool.statuses.delete('news');
    expect(await problems(test)).toEqual([{ what: 'stream', name: 'news', code: null, message: 'it is not being recorded' }]);
    test.channels.errors.set('news', new LivetapeError('STREAM_OWNED', 'another'));
    expect(await problems(test)).toEqual([{ what: 'stream', name: 'news', code: 'STREAM_OWNED', message: 'another' }]);
  });

  it('names a stream whose source does not hold the program asked for', async () => {
    await using test = await wellApp();
    const status = recordingStatus('news', 0);
    if (!status.session) throw new Error('it has a session');
    const session = { ...status.session, signal: 'waiting' as const, program: undefined, programs: [1, 2] };
    test.pool.statuses.set('news', { ...status, session });
    const message = 'the program asked for is not in its source: there is 1, 2';
    expect(await problems(test)).toEqual([{ what: 'stream', name: 'news', code: 'PROGRAM_NOT_FOUND', message }]);
  });

  it('names a stream without a signal, and what its source says', async () => {
    await using test = await wellApp();
    const status = recordingStatus('news', 0);
    if (status.session === undefined) throw new Error('no session');
    test.pool.statuses.set('news', { ...status, session: { ...status.session, signal: 'lost' } });
    test.pool.sources.set('news', { ...sourceStatus(), state: 'lost', detail: 'ECONNREFUSED' });
    const message = 'no signal: its source is lost (ECONNREFUSED)';
    expect(await problems(test)).toEqual([{ what: 'stream', name: 'news', code: null, message }]);
    test.pool.sources.delete('news');
    expect(await problems(test)).toEqual([expect.objectContaining({ message: 'no signal: it has no source' })]);
    test.pool.statuses.set('news', { ...status, session: undefined });
    expect(await problems(test)).toEqual([expect.objectContaining({ message: 'its session broke, and is made anew' })]);
  });

  it('asks nothing of streams where nothing is to be recorded here', async () => {
    await using test = await openTestApp({ yaml: `recorders: 0\n${'streams: { news: {} }'}` });
    expect(await problems(test)).toEqual([]);
  });

  it('names a recorder that does not run', async () => {
    await using test = await wellApp();
    test.pool.running = [recorderStatus(0), { ...recorderStatus(1), state: 'lost', pid: undefined }];
    expect(await problems(test)).toEqual([{ what: 'recorder', name: '1', code: null, message: 'the recorder is lost' }]);
  });

  it('names a disk that is short of space, once', async () => {
    await using test = await wellApp('min_free_gb: 2\nstreams: { news: {}, more: {} }');
    test.pool.statuses.set('more', recordingStatus('more', 0));
    const storage = createMemoryStorage();
    let freeBytes = 2e9;
    test.channels.storage = () => ({ ...storage, location: '/srv/dvr', disk: async () => ({ id: 'a', freeBytes, totalBytes: 4e9 }) });
    expect(await problems(test)).toEqual([]);
    freeBytes -= 1;
    expect(await problems(test)).toEqual([{ what: 'disk', name: 'dvr', code: null, message: '2.00 GB are free' }]);
    test.channels.storage = () => ({
      ...storage,
      location: '/srv/dvr',
      disk: async () => {
        throw new LivetapeError('STORAGE_FAILED', 'EIO');
      },
    });
    expect(await problems(test)).toEqual([
      { what: 'disk', name: 'dvr', code: 'STORAGE_FAILED', message: expect.stringMatching(/^the medium .* failed;/) as string },
    ]);
  });

  it('names a file that is wrong (C1)', async () => {
    await using test = await wellApp();
    await writeFile(join(test.folder, 'livetape.yaml'), 'streams: 5');
    let over = false;
    const reload = test.context.config.reload().finally(() => (over = true));
    const refused = expect(reload).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect.poll(() => (test.clock.advance(100), over)).toBe(true);
    await refused;
    expect(await problems(test)).toEqual([
      {
        what: 'config',
        name: 'livetape.yaml',
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/^livetape\.yaml:1:10: streams/) as string,
      },
    ]);
  });
});
