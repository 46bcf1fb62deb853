import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../base/index.js';
import type { RecordingStatus, StreamMetrics } from '../../recorder/index.js';
import { buildApp } from '../app.js';
import { readExposition, type Family } from '../testExposition.js';
import type { FakeHooks } from '../testHooks.js';
import { FakePlayback, FakeRecorders, viewersContext } from '../testViewers.js';

const NOW = new ManualClock().nowMs();

const METRICS: StreamMetrics = {
  receivedBytes: 1000,
  writtenBytes: 900,
  writtenSegments: 9,
  prunedSegments: 2,
  prunedBytes: 200,
  gaps: { signal: { count: 2, seconds: 3.5 }, restart: { count: 1, seconds: 10 } },
  errors: { continuity: 4, scrambled: 0 },
  queueDroppedBytes: 5,
  inputBitrate: 8_000_000,
  lastKeyframeAtMs: NOW - 1500,
  commitSeconds: { bounds: [0.01, 0.1], counts: [5, 3, 1], sum: 0.75 },
  restarts: 6,
};

async function lab(title?: string) {
  const clock = new ManualClock();
  const playback = new FakePlayback();
  const recorders = new FakeRecorders();
  recorders.metrics = METRICS;
  recorders.recorders = [
    {
      index: 0,
      state: 'running',
      pid: 1,
      startedAt: new Date(0),
      restarts: 3,
      streams: 1,
      eventLoopDelay: { meanSec: 0.001, p99Sec: 0.002, maxSec: 0.25 },
      residentBytes: 5e7,
      cpuSec: 12.5,
    },
    {
      index: 1,
      state: 'lost',
      pid: undefined,
      startedAt: undefined,
      restarts: 4,
      streams: 0,
      eventLoopDelay: { meanSec: 0, p99Sec: 0, maxSec: 0 },
      residentBytes: 0,
      cpuSec: 0,
    },
  ];
  const context = viewersContext({ playback, recorders, clock, ...(title === undefined ? {} : { title }) });
  context.config.state.config.hooks['desk'] = { url: 'https://desk.example/' };
  const status = { queued: 3, dead: 2, sent: 40, failed: 5, dropped: 1, lastSuccessMs: undefined, lastError: undefined };
  (context.hooks as FakeHooks).statuses.set('desk', status);
  const source = {
    url: 'udp://239.0.0.1:5000',
    state: 'connected',
    detail: '',
    receivedBytes: 1100,
    connections: 7,
    rtpLostPackets: 8,
    foreignDatagrams: 9,
    kernelDrops: 10,
  } as const;
  const recording = {
    recording: { status: 'recording' },
    session: { signal: 'present' },
    sizeBytes: 700,
    segmentCount: 7,
  } as unknown as RecordingStatus;
  const list = context.channels.list.bind(context.channels);
  context.channels.list = async () =>
    (await list()).map((channel) => (channel.code === 'news' ? { ...channel, recording, source } : channel));
  const app = await buildApp(context);
  const metrics = async (): Promise<Map<string, Family>> => {
    const answer = await app.inject('/metrics');
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    return readExposition(answer.body);
  };
  return { app, context, clock, playback, recorders, metrics, [Symbol.asyncDispose]: () => app.close() };
}

/** The values of a metric, by their labels in short. */
function values(family: Family | undefined): Record<string, number> {
  return Object.fromEntries((family?.samples ?? []).map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}

describe('/metrics', () => {
  it('says of each stream, source and recorder what they count, in base units', async () => {
    await using at = await lab();
    const metrics = await at.metrics();
    const of = (name: string): Record<string, number> => values(metrics.get(`livetape_${name}`));
    expect(of('stream_received_bytes_total')).toEqual({ news: 1000 });
    expect(of('stream_gap_seconds_total')).toEqual({ 'news signal': 3.5, 'news restart': 10 });
    expect(of('stream_gaps_total')).toEqual({ 'news signal': 2, 'news restart': 1 });
    expect(of('stream_errors_total')).toEqual({ 'news continuity': 4, 'news scrambled': 0 });
    expect(of('stream_input_bytes_per_second')).toEqual({ news: 1_000_000 });
    expect(of('stream_keyframe_age_seconds')).toEqual({ news: 1.5 });
    const commits = metrics.get('livetape_stream_commit_seconds')?.samples;
    expect(commits?.map(({ name, labels, value }) => [name.replace('livetape_stream_commit_seconds_', ''), labels['le'], value])).toEqual([
      ['bucket', '0.01', 5],
      ['bucket', '0.1', 8],
      ['bucket', '+Inf', 9],
      ['sum', undefined, 0.75],
      ['count', undefined, 9],
    ]);
    // of an archive that nobody is to record there is nothing to say: a value of 0 is an alert
    expect(of('stream_recording')).toEqual({ news: 1 });
    expect(of('stream_signal')).toEqual({ news: 1 });
    expect(of('stream_kept_bytes')).toEqual({ news: 700 });
    expect(of('source_connected')).toEqual({ news: 1 });
    expect(of('source_kernel_dropped_datagrams_total')).toEqual({ news: 10 });
    expect(of('recorder_up')).toEqual({ 0: 1, 1: 0 });
    expect(of('recorder_restarts_total')).toEqual({ 0: 3, 1: 4 });
    expect(of('recorder_event_loop_delay_max_seconds')).toEqual({ 0: 0.25, 1: 0 });
    expect(
      ['sent_events_total', 'failed_requests_total', 'queued_events', 'dead_letters', 'dropped_letters_total'].map((name) =>
        of(`hook_${name}`),
      ),
    ).toEqual([40, 5, 3, 2, 1].map((value) => ({ desk: value })));
    expect(of('build_info')).toEqual({ '1.2.3': 1 });
    expect(Object.values(of('disk_free_bytes')).every((free) => free > 0)).toBe(true);
    expect(Object.keys(of('disk_free_bytes'))).toHaveLength(1);
  });

  it('counts requests by route and status, never by path, and who watches', async () => {
    await using at = await lab();
    const ask = (url: string, agent = 'VLC') => at.app.inject({ url, headers: { 'user-agent': agent } });
    await ask('/news/index.m3u8');
    await ask('/news/index.m3u8', 'hls.js');
    await ask('/uk/bbc/index.m3u8?dvr=3600');
    await ask('/uk/bbc/index.m3u8?from=1767225600');
    await ask('/news/000001.ts');
    await ask('/news/000002.ts');
    await ask('/nobody/knows/this');
    await ask('/api/v1/nothing');
    await ask('/api/v1/streams/other');
    const metrics = await at.metrics();
    const requests = values(metrics.get('livetape_http_requests_total'));
    expect(requests).toEqual({
      'playlist_live 200': 3,
      'playlist_window 200': 1,
      'segment 200': 1,
      'segment 404': 1,
      'none 404': 2,
      '/api/v1/streams/:code 404': 1,
    });
    const starts = metrics.get('livetape_http_response_start_seconds')?.samples.filter(({ name }) => name.endsWith('_count'));
    expect(Object.fromEntries(starts?.map(({ labels, value }) => [labels['route'], value]) ?? [])).toMatchObject({
      playlist_live: 3,
      segment: 2,
    });
    expect(values(metrics.get('livetape_stream_sessions'))).toEqual({ news: 2, 'uk/bbc': 1 });
    at.clock.advance(31_000);
    expect(values((await at.metrics()).get('livetape_stream_sessions'))).toEqual({ news: 0, 'uk/bbc': 0 });
  });

  it('a stream that should be recorded and is not has the value 0', async () => {
    await using at = await lab();
    const list = at.context.channels.list.bind(at.context.channels);
    at.context.channels.list = async () => (await list()).map((channel) => ({ ...channel, recording: undefined }));
    expect(values((await at.metrics()).get('livetape_stream_recording'))).toEqual({ news: 0 });
  });

  it('no rule in the guides asks for a metric that there is not', async () => {
    await using at = await lab();
    const metrics = await at.metrics();
    for (const page of ['guide/deployment.md', 'reference/metrics.md']) {
      const text = readFileSync(fileURLToPath(new URL(`../../../docs/${page}`, import.meta.url)), 'utf8');
      const named = [...text.matchAll(/\blivetape_\w+[a-z]\b/g)].map(([name]) => name);
      expect(
        named.filter((name) => !metrics.has(name)),
        page,
      ).toEqual([]);
    }
  });

  it('docs/reference/metrics.md lists every metric with its type and labels, and no other', async () => {
    await using at = await lab();
    await at.app.inject('/news/index.m3u8');
    const metrics = await at.metrics();
    const text = readFileSync(fileURLToPath(new URL('../../../docs/reference/metrics.md', import.meta.url)), 'utf8');
    const documented = [...text.matchAll(/^\| `(livetape_\w+)` \| (\w+) \| ([^|]*) \|/gm)].map(([, name, type, labels = '']) => [
      name,
      type,
      labels.replace(/[` ]/g, ''),
    ]);
    const given = [...metrics.values()].map(({ name, type, samples }) => {
      const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)).filter((label) => label !== 'le'));
      return [name, type, [...labels].join(',')];
    });
    const byName = (a: readonly (string | undefined)[], b: readonly (string | undefined)[]): number =>
      (a[0] ?? '') < (b[0] ?? '') ? -1 : 1;
    expect(documented.sort(byName)).toEqual(given.sort(byName));
  });

  it('what the checker of the format is for is caught', () => {
    const good = '# HELP a_total x\n# TYPE a_total counter\na_total{b="c"} 1\n';
    expect(readExposition(good).get('a_total')?.samples).toHaveLength(1);
    for (const bad of [
      good.trimEnd(),
      good + 'a_total{b="c"} 1\n',
      good + 'a_total{b=c} 1\n',
      good + 'a_total 1 2 3\n',
      good + 'other 1\n',
      good.replace(' 1', ' x'),
      good.replace(' 1', ' -1'),
      good.replaceAll('a_total', 'a'),
      good.replaceAll('a_total', 'a_ms_total'),
      good.replace('# HELP a_total x\n', ''),
      '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
      '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n',
    ]) {
      expect(() => readExposition(bad), bad).toThrow();
    }
  });
});
