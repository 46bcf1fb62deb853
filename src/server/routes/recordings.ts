/** `GET /api/v1/recordings/{code}`: what is recorded of a stream, of one that nobody records too. */
import { z } from 'zod';
import { removeArchive } from '../../archive/index.js';
import { isLivetapeError, LivetapeError } from '../../base/index.js';
import { checkStreamCode } from '../../model/index.js';
import type { ArchiveStatus } from '../../playback/index.js';
import { errorResponses, json } from '../openapi.js';
import type { Routes } from '../route.js';
import { tellsPaths } from '../streamEdits.js';
import { codeParams, countSchema, gapAnswer, gapSchema, recordingAnswer, recordingSchema, timeSchema, timeText } from './shapes.js';
import { findChannel } from './streamShape.js';

const archiveSchema = z
  .object({
    stream_code: z.string(),
    recording: recordingSchema.nullable().describe('The recording that runs; null when it is not being recorded by this server.'),
    status: z
      .enum(['recording', 'stopped', 'failed'])
      .describe('`recording`: its playlist is open, by whomever. `failed`: what comes cannot be stored at present.'),
    dvr_range: z
      .object({ started_at: timeSchema, last_segment_at: timeSchema })
      .nullable()
      .describe('From the beginning of the oldest segment to the end of the newest; null when there is none.'),
    gaps: z.array(gapSchema).describe('The newest 1,000, newest last.'),
    segment_count: countSchema,
    total_size_bytes: countSchema,
    ranges: z.array(z.object({ from: timeSchema, to: timeSchema })).describe('Spans with media, oldest first.'),
  })
  .meta({
    id: 'Archive',
    description: 'What is recorded of a stream.',
    examples: [
      {
        stream_code: 'news',
        recording: null,
        status: 'stopped',
        dvr_range: { started_at: '2026-01-01T12:00:00.000Z', last_segment_at: '2026-01-01T13:00:00.000Z' },
        gaps: [{ from: '2026-01-01T12:30:00.000Z', to: '2026-01-01T12:30:05.000Z', duration: 5000000000, reason: 'signal' }],
        segment_count: 899,
        total_size_bytes: 2247000000,
        ranges: [
          { from: '2026-01-01T12:00:00.000Z', to: '2026-01-01T12:30:00.000Z' },
          { from: '2026-01-01T12:30:05.000Z', to: '2026-01-01T13:00:00.000Z' },
        ],
      },
    ],
  });

const removedSchema = z
  .object({ segment_count: countSchema.describe('Files of media.'), size_bytes: countSchema })
  .meta({ id: 'RemovedArchive', description: 'What was deleted.' });

export const recordingRoutes: Routes = (context) => async (app) => {
  app.get(
    '/api/v1/recordings/:code',
    {
      config: { access: { scope: 'api', stream: 'code' } },
      schema: {
        operationId: 'getRecording',
        tags: ['recordings'],
        summary: 'What is recorded of a stream',
        params: codeParams,
        response: {
          200: json('What there is.', archiveSchema),
          ...errorResponses('STREAM_CODE_INVALID', 'STREAM_NOT_FOUND', 'ARCHIVE_CORRUPT', 'ARCHIVE_FORMAT_NEWER', 'STORAGE_FAILED'),
        },
      },
    },
    async ({ params, grant }) => {
      const { code, recording } = await findChannel(context, params.code);
      const archive = await context.playback.status(code).catch((error: unknown) => {
        // The stream is there: in the file, and nothing of it on the disk yet.
        if (isLivetapeError(error, 'NOTHING_RECORDED') || isLivetapeError(error, 'STREAM_NOT_FOUND')) return undefined;
        throw error;
      });
      const running = recording?.recording;
      return {
        stream_code: code,
        recording: running === undefined ? null : recordingAnswer(running, tellsPaths(grant)),
        status: running?.status ?? archive?.status ?? 'stopped',
        ...archiveAnswer(archive),
      };
    },
  );

  app.delete(
    '/api/v1/recordings/:code',
    {
      config: { access: { scope: 'api', stream: 'code' } },
      schema: {
        operationId: 'deleteRecording',
        tags: ['recordings'],
        summary: 'Delete what is recorded of a stream',
        description:
          'All its media, for good, but for its keeps. The stream itself stays, and has to be stopped before; recorded again it goes on with the number that comes next.',
        params: codeParams,
        response: {
          200: json('It is deleted.', removedSchema),
          ...errorResponses(
            'STREAM_CODE_INVALID',
            'STREAM_NOT_FOUND',
            'ALREADY_RECORDING',
            'STREAM_OWNED',
            'STORAGE_UNWRITABLE',
            'STORAGE_FAILED',
          ),
        },
      },
    },
    async ({ params }) => {
      const code = checkStreamCode(params.code);
      if (context.pool.isRecording(code)) {
        throw new LivetapeError('ALREADY_RECORDING', `stream ${code} is being recorded: stop it first`, { context: { code } });
      }
      const { fileCount, sizeBytes } = await removeArchive(context.channels.storage(code).stream(code), code);
      context.channels.relist();
      return { segment_count: fileCount, size_bytes: sizeBytes };
    },
  );
};

type ArchiveAnswer = Omit<z.output<typeof archiveSchema>, 'stream_code' | 'recording' | 'status'>;

function archiveAnswer(archive: ArchiveStatus | undefined): ArchiveAnswer {
  if (archive === undefined) return { dvr_range: null, gaps: [], segment_count: 0, total_size_bytes: 0, ranges: [] };
  return {
    dvr_range: { started_at: timeText(archive.startedAtMs), last_segment_at: timeText(archive.lastSegmentAtMs) },
    gaps: archive.gaps.map(gapAnswer),
    segment_count: archive.segmentCount,
    total_size_bytes: archive.totalSizeBytes,
    ranges: archive.ranges.map(({ fromMs, toMs }) => ({ from: timeText(fromMs), to: timeText(toMs) })),
  };
}
