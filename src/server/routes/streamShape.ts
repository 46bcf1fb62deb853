/** A stream as the interface tells of it: its schema, and how it is made of what the server knows. */
import { z } from 'zod';
import type { Grant } from '../../access/index.js';
import { LivetapeError } from '../../base/index.js';
import { dvrSchema } from '../../config/index.js';
import { checkStreamCode, GAP_REASONS } from '../../model/index.js';
import type { RecordingStatus, SourceStatus } from '../../recorder/index.js';
import type { Channel, ServerContext } from '../context.js';
import { HISTORY_LENGTH, inputBitrate, type InputHistory } from '../inputHistory.js';
import { shownSource, withoutPaths } from '../publicText.js';
import { tellsPaths } from '../streamEdits.js';
import {
  countSchema,
  gapAnswer,
  gapSchema,
  problemAnswer,
  problemSchema,
  recordingAnswer,
  recordingSchema,
  timeSchema,
  timeText,
} from './shapes.js';

const trackSchema = z.object({
  pid: z.number().int(),
  role: z.enum(['video', 'audio', 'data']),
  stream_type: z.number().int(),
  codec: z.string(),
  language: z.string().nullable().describe('ISO 639-2.'),
});

const sourceSchema = z.object({
  url: z.string().describe('Without secrets.'),
  state: z.enum(['connecting', 'connected', 'lost', 'ended']),
  detail: z.string().describe('What the source said last.'),
  received_bytes: countSchema,
  connections: countSchema,
});

const retentionSchema = z.object({
  pruned_segments: countSchema,
  pruned_bytes: countSchema,
  grace_skipped: countSchema.describe('Files removed without their grace, because the disk was full.'),
  failures: countSchema.describe('Prunes that failed; they are tried again.'),
  clock_in_doubt: z.boolean().describe('A step of the clock is not believed (yet): age deletes little or nothing meanwhile.'),
});

const inputSchema = z.object({
  bitrate: countSchema.describe('Bits per second that come now, over the last seconds.'),
  history: z
    .array(countSchema)
    .max(HISTORY_LENGTH)
    .describe('The last two minutes: a value for each 5 s, the newest last; fewer at the beginning, and after a restart of the server.'),
});

export const streamStatusSchema = z
  .object({
    configured: z.boolean().describe('It is in livetape.yaml; else it only has an archive.'),
    recording: recordingSchema.nullable(),
    error: problemSchema.nullable().describe('Why it is not recorded as the file asks; it is tried again.'),
    source: sourceSchema.nullable(),
    signal: z.enum(['waiting', 'present', 'lost']).nullable(),
    program: z
      .object({ number: z.number().int().describe('-1 when all programs are kept.'), tracks: z.array(trackSchema) })
      .nullable()
      .describe('What is recorded.'),
    restricted: z
      .boolean()
      .describe(
        'Its source was set by somebody who is not an admin: it may not reach addresses that are not public, but for `egress.allow`.',
      ),
    programs: z.array(z.number().int()).describe('Numbers of the programs that there are to choose from.'),
    restarts: countSchema.describe('Sessions that broke and were made anew.'),
    last_gap: gapSchema.nullable().describe('The newest since the recording was started.'),
    open_gap: z
      .object({ from: timeSchema.describe('Where the media before it ends.'), reason: z.enum(GAP_REASONS) })
      .nullable()
      .describe('The one that goes on now, as `gap.opened` told it: whether anything is lost is known when media comes again.'),
    input: inputSchema.nullable().describe('What comes; null when it is not being recorded.'),
    errors: z
      .record(z.string(), countSchema)
      .nullable()
      .describe('What was wrong with what came since its recorder began with it, by kind, as in the metrics; null when that is not known.'),
    retention: retentionSchema.nullable(),
  })
  .meta({ id: 'StreamStatus', description: 'How a stream is doing. Read only.' });

export const streamAnswerSchema = z
  .object({
    code: z.string(),
    source: z
      .string()
      .describe(
        'Empty where none is said: then nothing is connected. Without its secrets; written back as it is here it means the one that is there.',
      ),
    title: z.string(),
    template: z.string().nullable(),
    dvr: dvrSchema
      .nullable()
      .describe(
        'With the values of the template and the defaults filled in; null when it is not in livetape.yaml. `storage_path` is empty to others than admins.',
      ),
    status: streamStatusSchema,
  })
  .meta({
    id: 'Stream',
    description: 'A stream.',
    examples: [
      {
        code: 'news',
        source: 'udp://@239.0.0.1:5000',
        title: 'The news',
        template: null,
        dvr: { enabled: true, segment_duration: 4, retention_sec: 604800, max_size_gb: 100, storage_path: '' },
        status: {
          configured: true,
          recording: {
            id: 'news',
            stream_code: 'news',
            status: 'recording',
            started_at: '2026-01-01T12:00:00.000Z',
            stopped_at: null,
            segment_dir: '/var/lib/livetape/news',
          },
          error: null,
          source: { url: 'udp://@239.0.0.1:5000', state: 'connected', detail: 'raw TS', received_bytes: 81234560, connections: 1 },
          signal: 'present',
          program: { number: 1, tracks: [{ pid: 256, role: 'video', stream_type: 27, codec: 'h264', language: null }] },
          restricted: false,
          programs: [1],
          restarts: 0,
          last_gap: null,
          open_gap: null,
          input: { bitrate: 5123456, history: [5098112, 5120300, 5123456] },
          errors: { continuity: 0, transport_error: 0, sync_bytes: 0, scrambled: 0, timestamp: 0, not_stored: 0 },
          retention: { pruned_segments: 0, pruned_bytes: 0, grace_skipped: 0, failures: 0, clock_in_doubt: false },
        },
      },
    ],
  });

/** A stream as the interface tells of it. */
export type StreamAnswer = z.output<typeof streamAnswerSchema>;

/** A stream with how it is doing, as it is told to somebody. */
export function streamAnswer(context: ServerContext, history: InputHistory, channel: Channel, grant: Grant): StreamAnswer {
  const paths = tellsPaths(grant);
  const { code, config, recording, source, error } = channel;
  const written = context.config.state.config.streams[code];
  const why = error ?? recording?.error;
  const metrics = recording === undefined ? undefined : context.pool.metrics(code);
  return {
    code,
    source: shownSource(config?.source ?? '', paths),
    title: config?.title ?? '',
    template: written?.template ?? null,
    dvr: config === undefined ? null : paths ? config.dvr : { ...config.dvr, storage_path: '' },
    status: {
      configured: config !== undefined,
      recording: recording === undefined ? null : recordingAnswer(recording.recording, paths),
      error: why === undefined ? null : problemAnswer(why),
      source: source === undefined ? null : sourceAnswer(source, paths),
      restricted: config?.restricted ?? false,
      ...sessionAnswer(recording),
      input: recording === undefined ? null : { bitrate: inputBitrate(recording, metrics), history: [...history.of(code)] },
      errors: metrics === undefined ? null : { ...metrics.errors },
    },
  };
}

function sourceAnswer({ url, state, detail, receivedBytes, connections }: SourceStatus, paths: boolean): z.output<typeof sourceSchema> {
  return { url: shownSource(url, paths), state, detail: withoutPaths(detail), received_bytes: receivedBytes, connections };
}

type SessionAnswer = Pick<StreamAnswer['status'], 'signal' | 'program' | 'programs' | 'restarts' | 'last_gap' | 'open_gap' | 'retention'>;

function sessionAnswer(status: RecordingStatus | undefined): SessionAnswer {
  const program = status?.session?.program;
  const retention = status?.retention;
  return {
    signal: status?.session?.signal ?? null,
    program: program === undefined ? null : { number: program.number, tracks: program.tracks.map(trackAnswer) },
    programs: [...(status?.session?.programs ?? [])],
    restarts: status?.restarts ?? 0,
    last_gap: status?.lastGap === undefined ? null : gapAnswer(status.lastGap),
    open_gap: status?.openGap === undefined ? null : { from: timeText(status.openGap.fromMs), reason: status.openGap.reason },
    retention:
      retention === undefined
        ? null
        : {
            pruned_segments: retention.prunedSegments,
            pruned_bytes: retention.prunedBytes,
            grace_skipped: retention.graceSkipped,
            failures: retention.failures,
            clock_in_doubt: retention.clockInDoubt,
          },
  };
}

type Track = NonNullable<NonNullable<RecordingStatus['session']>['program']>['tracks'][number];

function trackAnswer({ pid, role, streamType, codec, language }: Track): z.output<typeof trackSchema> {
  return { pid, role, stream_type: streamType, codec, language: language ?? null };
}

/**
 * The stream that a route is about.
 * @throws LivetapeError STREAM_CODE_INVALID, STREAM_NOT_FOUND
 */
export async function findChannel({ channels }: ServerContext, given: string): Promise<Channel> {
  const channel = await channels.get(checkStreamCode(given));
  if (channel === undefined) throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${given}`, { context: { code: given } });
  return channel;
}
