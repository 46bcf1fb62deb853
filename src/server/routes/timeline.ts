/** `GET /api/v1/recordings/{code}/timeline`: what is to be drawn of an archive (docs/design/page.md, G10). */
import { z } from 'zod';
import { isLivetapeError, LivetapeError } from '../../base/index.js';
import { GAP_REASONS, parseTime } from '../../model/index.js';
import type { ArchiveMarks } from '../../playback/index.js';
import { errorResponses, json } from '../openapi.js';
import type { Routes } from '../route.js';
import { codeParams, countSchema, timeSchema, timeText } from './shapes.js';
import { findChannel } from './streamShape.js';

/** Of each kind that are told at most. */
const MAX_POINTS = 2000;
const DEFAULT_POINTS = 1000;

const many = z.number().int().min(1);

const timelineSchema = z
  .object({
    stream_code: z.string(),
    from: timeSchema.nullable().describe('As it was asked for; else of the whole archive, and null where there is none.'),
    to: timeSchema.nullable(),
    oldest: timeSchema.nullable().describe('Beginning of the oldest segment there is; null when there is none.'),
    newest: timeSchema.nullable().describe('End of the newest.'),
    spans: z
      .array(z.object({ from: timeSchema, to: timeSchema }))
      .describe('Spans with media, cut to the window: what lies between the gaps that are told. Oldest first, as the others.'),
    gaps: z
      .array(z.object({ from: timeSchema, to: timeSchema, reason: z.enum(GAP_REASONS), count: many }))
      .describe(
        'Gaps that reach into the window, not cut. `count` is more than 1 where neighbours are told as one; `reason` is that of the longest.',
      ),
    errors: z
      .array(
        z.object({
          from: timeSchema,
          to: timeSchema,
          count: many.describe('Segments with errors.'),
          kinds: z.object({
            continuity: countSchema.describe('Packets whose continuity counter does not follow on.'),
            transport_error: countSchema.describe('Packets that the source marks as damaged.'),
            sync_bytes: countSchema.describe('Bytes skipped to find a packet.'),
            scrambled: countSchema.describe('Packets that are scrambled.'),
            lost_bytes: countSchema.describe('Bytes received and not stored.'),
          }),
        }),
      )
      .describe('Segments over which errors were counted, not cut; told as one where they touch.'),
  })
  .meta({
    id: 'Timeline',
    description: 'What is to be drawn of an archive.',
    examples: [
      {
        stream_code: 'news',
        from: '2026-01-01T12:00:00.000Z',
        to: '2026-01-01T13:00:00.000Z',
        oldest: '2026-01-01T00:00:00.000Z',
        newest: '2026-01-01T13:00:00.000Z',
        spans: [
          { from: '2026-01-01T12:00:00.000Z', to: '2026-01-01T12:30:00.000Z' },
          { from: '2026-01-01T12:30:05.000Z', to: '2026-01-01T13:00:00.000Z' },
        ],
        gaps: [{ from: '2026-01-01T12:30:00.000Z', to: '2026-01-01T12:30:05.000Z', reason: 'signal', count: 1 }],
        errors: [
          {
            from: '2026-01-01T12:29:56.000Z',
            to: '2026-01-01T12:30:00.000Z',
            count: 1,
            kinds: { continuity: 3, transport_error: 0, sync_bytes: 0, scrambled: 0, lost_bytes: 0 },
          },
        ],
      },
    ],
  });

const moment = z.string().optional().describe('RFC 3339 or Unix seconds. Default: the end of the archive that it stands for.');

const querySchema = z.strictObject({
  from: moment,
  to: moment,
  points: z.coerce
    .number()
    .int()
    .min(1)
    .max(MAX_POINTS)
    .default(DEFAULT_POINTS)
    .describe(
      'So many gaps and so many spans of errors are told at most; neighbours are told as one where there are more. There may be one more span with media than gaps.',
    ),
});

export const timelineRoutes: Routes = (context) => async (app) => {
  app.get(
    '/api/v1/recordings/:code/timeline',
    {
      config: { access: { scope: 'api', stream: 'code' } },
      schema: {
        operationId: 'getTimeline',
        tags: ['recordings'],
        summary: 'Media, gaps and errors of a window',
        description: 'For drawing it, however long it is: a gap is never left out, and `spans` never cover one.',
        params: codeParams,
        querystring: querySchema,
        response: {
          200: json('What there is.', timelineSchema),
          ...errorResponses(
            'STREAM_CODE_INVALID',
            'STREAM_NOT_FOUND',
            'WINDOW_EXPIRED',
            'ARCHIVE_CORRUPT',
            'ARCHIVE_FORMAT_NEWER',
            'STORAGE_FAILED',
          ),
        },
      },
    },
    async ({ params, query }) => {
      const { code } = await findChannel(context, params.code);
      const window = { fromMs: momentOf('from', query.from), toMs: momentOf('to', query.to) };
      if (window.fromMs !== undefined && window.toMs !== undefined && window.fromMs >= window.toMs) {
        throw new LivetapeError('REQUEST_INVALID', 'query.to: it is not after query.from');
      }
      const marks = await context.playback.marks(code, window, query.points).catch((error: unknown) => {
        // The stream is there: in the file, and nothing of it on the disk yet.
        if (isLivetapeError(error, 'NOTHING_RECORDED') || isLivetapeError(error, 'STREAM_NOT_FOUND')) return undefined;
        throw error;
      });
      return { stream_code: code, ...(marks ? marksAnswer(marks) : nothing(window.fromMs, window.toMs)) };
    },
  );
};

type MarksAnswer = Omit<z.output<typeof timelineSchema>, 'stream_code'>;

/** @throws LivetapeError REQUEST_INVALID */
function momentOf(field: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const ms = parseTime(given);
  if (ms === undefined) {
    throw new LivetapeError('REQUEST_INVALID', `query.${field}: it is neither RFC 3339 nor Unix seconds`);
  }
  return ms;
}

function nothing(fromMs: number | undefined, toMs: number | undefined): MarksAnswer {
  const at = (ms: number | undefined): string | null => (ms === undefined ? null : timeText(ms));
  return { from: at(fromMs), to: at(toMs), oldest: null, newest: null, spans: [], gaps: [], errors: [] };
}

function marksAnswer(marks: ArchiveMarks): MarksAnswer {
  const span = ({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): { from: string; to: string } => ({
    from: timeText(fromMs),
    to: timeText(toMs),
  });
  return {
    ...span(marks),
    oldest: timeText(marks.startedAtMs),
    newest: timeText(marks.lastSegmentAtMs),
    spans: marks.spans.map(span),
    gaps: marks.gaps.map((gap) => ({ ...span(gap), reason: gap.reason, count: gap.count })),
    errors: marks.errors.map((errors) => ({
      ...span(errors),
      count: errors.count,
      kinds: {
        continuity: errors.kinds.continuity,
        transport_error: errors.kinds.transportError,
        sync_bytes: errors.kinds.syncSkippedBytes,
        scrambled: errors.kinds.scrambled,
        lost_bytes: errors.kinds.lostBytes,
      },
    })),
  };
}
