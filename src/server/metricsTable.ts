/**
 * Metrics that are read when somebody asks: what others count already is not counted again. Each is a line of a table; a snapshot of the server is taken once for
 * all of them. docs/reference/metrics.md explains each; a test compares.
 */
import type { HookStatus } from '../hooks/index.js';
import type { Histogram, RecorderStatus, RecordingStatus, SourceStatus, StreamMetrics } from '../recorder/index.js';
import type { Playback } from '../playback/index.js';
import type { LoopDelay } from './loopDelay.js';

/** A stream as the metrics see it. */
export interface StreamSnapshot {
  readonly code: string;
  /** It is to be recorded here. */
  readonly wanted: boolean;
  readonly recording: RecordingStatus | undefined;
  readonly metrics: StreamMetrics | undefined;
  readonly source: SourceStatus | undefined;
  readonly sessions: number;
}

/** A disk that is recorded on. */
export interface DiskSnapshot {
  readonly id: string;
  /** A root that lies on it. */
  readonly location: string;
  readonly freeBytes: number;
}

/** Everything at a moment. */
export interface Snapshot {
  readonly nowMs: number;
  readonly version: string;
  readonly streams: readonly StreamSnapshot[];
  readonly recorders: readonly RecorderStatus[];
  readonly disks: readonly DiskSnapshot[];
  readonly playback: Playback['stats'];
  readonly playlistBytes: number;
  /** Webhooks, by id. */
  readonly hooks: ReadonlyMap<string, HookStatus>;
  /** What was too much, by kind. */
  readonly refused: ReadonlyMap<string, number>;
  readonly server: { readonly loopDelay: LoopDelay; readonly residentBytes: number; readonly cpuSec: number };
}

/** One value of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | Histogram;
}

/** A metric. */
export interface MetricLine {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  samples(snapshot: Snapshot): Iterable<Sample>;
}

type Value = number | Histogram | undefined;

/** A value of each stream that has one. */
function ofStreams(
  type: MetricLine['type'],
  name: string,
  help: string,
  value: (stream: StreamSnapshot, nowMs: number) => Value,
): MetricLine {
  return {
    name: `livetape_${name}`,
    type,
    help,
    *samples({ streams, nowMs }) {
      for (const stream of streams) {
        const found = value(stream, nowMs);
        if (found !== undefined) yield { labels: { stream: stream.code }, value: found };
      }
    },
  };
}

/** Values of each stream by something else, under the label `by`. */
function ofStreamsBy(
  name: string,
  help: string,
  by: string,
  values: (metrics: StreamMetrics) => Iterable<readonly [string, number]>,
): MetricLine {
  return {
    name: `livetape_${name}`,
    type: 'counter',
    help,
    *samples({ streams }) {
      for (const { code, metrics } of streams) {
        if (metrics) for (const [key, value] of values(metrics)) yield { labels: { stream: code, [by]: key }, value };
      }
    },
  };
}

function ofRecorders(type: MetricLine['type'], name: string, help: string, value: (recorder: RecorderStatus) => number): MetricLine {
  return {
    name: `livetape_recorder_${name}`,
    type,
    help,
    *samples({ recorders }) {
      for (const recorder of recorders) yield { labels: { recorder: String(recorder.index) }, value: value(recorder) };
    },
  };
}

function ofHooks(type: MetricLine['type'], name: string, help: string, value: (status: HookStatus) => number): MetricLine {
  return {
    name: `livetape_hook_${name}`,
    type,
    help,
    *samples({ hooks }) {
      for (const [hook, status] of hooks) yield { labels: { hook }, value: value(status) };
    },
  };
}

function single(type: MetricLine['type'], name: string, help: string, value: (snapshot: Snapshot) => number): MetricLine {
  return { name: `livetape_${name}`, type, help, samples: (snapshot) => [{ labels: {}, value: value(snapshot) }] };
}

const STREAMS: readonly MetricLine[] = [
  ofStreams(
    'gauge',
    'stream_recording',
    '1 while the stream is being recorded and what comes can be stored, 0 while it should be and is not.',
    ({ recording, wanted }) => (recording?.recording.status === 'recording' ? 1 : wanted ? 0 : undefined),
  ),
  ofStreams(
    'gauge',
    'stream_signal',
    '1 while media comes, else 0.',
    ({ recording }) => recording && (recording.session?.signal === 'present' ? 1 : 0),
  ),
  ofStreams('counter', 'stream_received_bytes_total', 'Bytes that came.', ({ metrics }) => metrics?.receivedBytes),
  ofStreams('counter', 'stream_written_bytes_total', 'Bytes of segments that are durable.', ({ metrics }) => metrics?.writtenBytes),
  ofStreams('counter', 'stream_written_segments_total', 'Segments that are durable.', ({ metrics }) => metrics?.writtenSegments),
  ofStreams('counter', 'stream_pruned_bytes_total', 'Bytes that retention took.', ({ metrics }) => metrics?.prunedBytes),
  ofStreams('counter', 'stream_pruned_segments_total', 'Segments that retention took.', ({ metrics }) => metrics?.prunedSegments),
  ofStreams('gauge', 'stream_kept_bytes', 'Bytes of the segments that are kept.', ({ recording }) => recording?.sizeBytes),
  ofStreams('gauge', 'stream_kept_segments', 'Segments that are kept.', ({ recording }) => recording?.segmentCount),
  ofStreamsBy('stream_gaps_total', 'Gaps that are over, by reason.', 'reason', ({ gaps }) =>
    Object.entries(gaps).map(([reason, { count }]) => [reason, count]),
  ),
  ofStreamsBy('stream_gap_seconds_total', 'Seconds without media, of gaps that are over, by reason.', 'reason', ({ gaps }) =>
    Object.entries(gaps).map(([reason, { seconds }]) => [reason, seconds]),
  ),
  ofStreamsBy('stream_errors_total', 'What was wrong with what came, by kind.', 'kind', ({ errors }) => Object.entries(errors)),
  ofStreams(
    'counter',
    'stream_queue_dropped_bytes_total',
    'Bytes dropped because they came faster than they could be stored.',
    ({ metrics }) => metrics?.queueDroppedBytes,
  ),
  ofStreams(
    'gauge',
    'stream_input_bytes_per_second',
    'Bytes a second that came over the last seconds.',
    ({ metrics }) => metrics && metrics.inputBitrate / 8,
  ),
  ofStreams('gauge', 'stream_keyframe_age_seconds', 'Since the newest keyframe came.', ({ metrics }, nowMs) =>
    metrics?.lastKeyframeAtMs === undefined ? undefined : Math.max(0, nowMs - metrics.lastKeyframeAtMs) / 1000,
  ),
  ofStreams('histogram', 'stream_commit_seconds', "From a segment's end to its being durable.", ({ metrics }) => metrics?.commitSeconds),
  ofStreams('counter', 'stream_restarts_total', 'Sessions that broke and were made anew.', ({ metrics }) => metrics?.restarts),
  ofStreams(
    'gauge',
    'stream_sessions',
    'Who watches: players that asked for a playlist lately, and viewers of stream.ts.',
    ({ sessions }) => sessions,
  ),
];

const SOURCES: readonly MetricLine[] = [
  ofStreams(
    'gauge',
    'source_connected',
    '1 while the source is connected, else 0.',
    ({ source }) => source && (source.state === 'connected' ? 1 : 0),
  ),
  ofStreams('counter', 'source_connections_total', 'Times that the source was connected.', ({ source }) => source?.connections),
  ofStreams('counter', 'source_received_bytes_total', 'Bytes that the source delivered.', ({ source }) => source?.receivedBytes),
  ofStreams('counter', 'source_rtp_lost_packets_total', 'RTP packets that did not come.', ({ source }) => source?.rtpLostPackets),
  ofStreams('counter', 'source_foreign_datagrams_total', 'Datagrams that are no MPEG-TS.', ({ source }) => source?.foreignDatagrams),
  ofStreams(
    'counter',
    'source_kernel_dropped_datagrams_total',
    'Datagrams that the kernel dropped because nobody read them in time.',
    ({ source }) => source?.kernelDrops,
  ),
];

const RECORDERS: readonly MetricLine[] = [
  ofRecorders('gauge', 'up', '1 while the recorder process runs, else 0.', ({ state }) => (state === 'running' ? 1 : 0)),
  ofRecorders('counter', 'restarts_total', 'Times that the recorder died or stalled and was replaced.', ({ restarts }) => restarts),
  ofRecorders('gauge', 'streams', 'Streams that it records.', ({ streams }) => streams),
  ofRecorders('gauge', 'event_loop_delay_mean_seconds', 'Mean delay of its event loop.', ({ eventLoopDelay }) => eventLoopDelay.meanSec),
  ofRecorders('gauge', 'event_loop_delay_p99_seconds', '99th percentile of it.', ({ eventLoopDelay }) => eventLoopDelay.p99Sec),
  ofRecorders('gauge', 'event_loop_delay_max_seconds', 'The longest of it.', ({ eventLoopDelay }) => eventLoopDelay.maxSec),
  ofRecorders('gauge', 'resident_bytes', 'Memory of the recorder.', ({ residentBytes }) => residentBytes),
  ofRecorders('counter', 'cpu_seconds_total', 'CPU time of the recorder.', ({ cpuSec }) => cpuSec),
];

const HOOKS: readonly MetricLine[] = [
  ofHooks('counter', 'sent_events_total', 'Events that were taken.', ({ sent }) => sent),
  ofHooks('counter', 'failed_requests_total', 'Requests that failed; they are tried again.', ({ failed }) => failed),
  ofHooks('gauge', 'queued_events', 'Events that wait to be sent.', ({ queued }) => queued),
  ofHooks('gauge', 'dead_letters', 'Events that were given up and can be sent again.', ({ dead }) => dead),
  ofHooks('counter', 'dropped_letters_total', 'Dead letters that had to go for newer ones.', ({ dropped }) => dropped),
];

const SERVER: readonly MetricLine[] = [
  {
    name: 'livetape_build_info',
    type: 'gauge',
    help: '1; the version is a label.',
    samples: ({ version }) => [{ labels: { version }, value: 1 }],
  },
  {
    name: 'livetape_disk_free_bytes',
    type: 'gauge',
    help: 'Bytes that can still be written, of each disk that streams lie on.',
    samples: ({ disks }) => disks.map(({ id, location, freeBytes }) => ({ labels: { disk: id, location }, value: freeBytes })),
  },
  {
    name: 'livetape_http_refused_total',
    type: 'counter',
    help: 'Connections, requests and viewers that were too many, by kind.',
    samples: ({ refused }) => [...refused].map(([kind, value]) => ({ labels: { kind }, value })),
  },
  single('gauge', 'playback_timeline_bytes', 'Memory that playlists of past hours hold.', ({ playback }) => playback.timelineBytes),
  single('gauge', 'playback_playlist_bytes', 'Memory that rendered playlists hold.', ({ playlistBytes }) => playlistBytes),
  single('gauge', 'playback_segment_bytes', 'Memory that segments hold.', ({ playback }) => playback.segmentBytes),
  single('counter', 'playback_segment_hits_total', 'Segments that were read from memory.', ({ playback }) => playback.segmentHits),
  single('counter', 'playback_segment_misses_total', 'Segments that were read from the disk.', ({ playback }) => playback.segmentMisses),
  single(
    'gauge',
    'server_event_loop_delay_mean_seconds',
    "Mean delay of the server's event loop since the last time this was asked for.",
    ({ server }) => server.loopDelay.meanSec,
  ),
  single('gauge', 'server_event_loop_delay_p99_seconds', '99th percentile of it.', ({ server }) => server.loopDelay.p99Sec),
  single('gauge', 'server_event_loop_delay_max_seconds', 'The longest of it.', ({ server }) => server.loopDelay.maxSec),
  single('gauge', 'server_resident_bytes', 'Memory of the server.', ({ server }) => server.residentBytes),
  single('counter', 'server_cpu_seconds_total', 'CPU time of the server.', ({ server }) => server.cpuSec),
];

/** Every metric that is read from a snapshot. */
export const METRIC_LINES: readonly MetricLine[] = [...STREAMS, ...SOURCES, ...RECORDERS, ...HOOKS, ...SERVER];
