/** Keeps: windows of a stream that are held for good (docs/design/keeping.md K13). */
import { z } from 'zod';
import { opensStream, type Grant } from '../../access/index.js';
import type { ListedKeep } from '../../archive/index.js';
import { LivetapeError } from '../../base/index.js';
import { checkStreamCode, parseTime } from '../../model/index.js';
import { bodyErrors, errorResponses, json } from '../openapi.js';
import { withoutPaths } from '../publicText.js';
import type { Routes } from '../route.js';
import { tellsPaths } from '../streamEdits.js';
import { codeParams, countSchema, timeSchema } from './shapes.js';

const keepSchema = z
  .object({
    stream_code: z.string(),
    name: z.string(),
    started_at: timeSchema.nullable().describe('Beginning of its first segment.'),
    last_segment_at: timeSchema.nullable().describe('End of its last.'),
    segment_count: countSchema.nullable(),
    total_size_bytes: countSchema.describe('Of its media, whether or not the stream still shares it.'),
    segment_dir: z.string().nullable().describe('The folder: plain HLS, VOD. Null to others than admins.'),
    missing_count: countSchema
      .nullable()
      .describe('Listed segments that were gone when it was made, left out as a gap. Told when it is made.'),
    damage: z.string().nullable().describe('Why it cannot be read; then what is not known is null.'),
  })
  .meta({ id: 'Keep', description: 'A window that is kept for good.' });

const moment = z.union([z.string(), z.number()]).describe('RFC 3339 or Unix seconds.');

const makeSchema = z.strictObject({ name: z.string().describe('1 to 64 letters, digits, `_` and `-`.'), from: moment, to: moment }).meta({
  description: 'The window: its segments are kept from the one that holds `from` to the one that holds `to`.',
  examples: [{ name: 'final', from: '2026-01-01T12:00:00Z', to: '2026-01-01T13:30:00Z' }],
});

const listSchema = z.object({ keeps: z.array(keepSchema) });
const keepParams = codeParams.extend({ name: z.string().describe('The name of the keep.') });

export const keepRoutes: Routes =
  ({ pool, channels }) =>
  async (app) => {
    app.get(
      '/api/v1/keeps',
      {
        config: { access: { scope: 'api' } },
        schema: {
          operationId: 'listAllKeeps',
          tags: ['keeps'],
          summary: 'All keeps',
          description: 'Of all streams, of those that are gone too.',
          response: { 200: json('The keeps.', listSchema), ...errorResponses('STORAGE_FAILED') },
        },
      },
      async ({ grant }) => ({
        keeps: (await pool.keeps()).filter(({ streamCode }) => opensStream(grant, streamCode)).map((keep) => keepAnswer(keep, grant)),
      }),
    );

    app.get(
      '/api/v1/recordings/:code/keeps',
      {
        config: { access: { scope: 'api', stream: 'code' } },
        schema: {
          operationId: 'listKeeps',
          tags: ['keeps'],
          summary: 'The keeps of a stream',
          params: codeParams,
          response: {
            200: json('The keeps.', listSchema),
            ...errorResponses('STREAM_CODE_INVALID', 'STREAM_NOT_FOUND', 'STORAGE_FAILED'),
          },
        },
      },
      async ({ params, grant }) => {
        const code = checkStreamCode(params.code);
        const keeps = (await pool.keeps(code)).map((keep) => keepAnswer(keep, grant));
        // One that was deleted may have left keeps.
        if (keeps.length === 0 && (await channels.get(code)) === undefined) {
          throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code}`, { context: { code } });
        }
        return { keeps };
      },
    );

    app.post(
      '/api/v1/recordings/:code/keeps',
      {
        config: { access: { scope: 'api', stream: 'code' } },
        schema: {
          operationId: 'makeKeep',
          tags: ['keeps'],
          summary: 'Keep a window for good',
          description: 'Retention and the deletion of the stream do not touch it.',
          params: codeParams,
          body: makeSchema,
          response: {
            201: json('It is kept.', keepSchema),
            ...errorResponses(
              'STREAM_CODE_INVALID',
              'STREAM_NOT_FOUND',
              'ARGUMENT_INVALID',
              'KEEP_EXISTS',
              'WINDOW_EXPIRED',
              'WINDOW_IN_GAP',
              'WINDOW_IN_FUTURE',
              'ARCHIVE_CORRUPT',
              'DISK_FULL',
              'STORAGE_UNWRITABLE',
              'STORAGE_FAILED',
              'RECORDER_LOST',
            ),
            ...bodyErrors,
          },
        },
      },
      async ({ params, body, grant }, reply) => {
        const code = checkStreamCode(params.code);
        const keep = await pool.keep(code, { name: body.name, from: dateOf('from', body.from), to: dateOf('to', body.to) });
        return reply.code(201).send(keepAnswer(keep, grant));
      },
    );

    app.delete(
      '/api/v1/recordings/:code/keeps/:name',
      {
        config: { access: { scope: 'api', stream: 'code' } },
        schema: {
          operationId: 'removeKeep',
          tags: ['keeps'],
          summary: 'Remove a keep',
          params: keepParams,
          response: {
            204: z.undefined().describe('It is removed.'),
            ...errorResponses('STREAM_CODE_INVALID', 'ARGUMENT_INVALID', 'KEEP_NOT_FOUND', 'STORAGE_FAILED', 'RECORDER_LOST'),
          },
        },
      },
      async ({ params }, reply) => {
        await pool.removeKeep(checkStreamCode(params.code), params.name);
        return reply.code(204).send(undefined);
      },
    );
  };

/** @throws LivetapeError REQUEST_INVALID */
function dateOf(field: string, given: string | number): Date {
  const ms = parseTime(String(given));
  if (ms === undefined) throw new LivetapeError('REQUEST_INVALID', `body.${field}: it is neither RFC 3339 nor Unix seconds`);
  return new Date(ms);
}

/** Names as in index.json. */
function keepAnswer(keep: ListedKeep, grant: Grant): z.output<typeof keepSchema> {
  const read = keep.damage === undefined ? keep : undefined;
  return {
    stream_code: keep.streamCode,
    name: keep.name,
    started_at: read?.from.toISOString() ?? null,
    last_segment_at: read?.to.toISOString() ?? null,
    segment_count: read?.segmentCount ?? null,
    total_size_bytes: keep.sizeBytes,
    segment_dir: tellsPaths(grant) ? keep.location : null,
    missing_count: read?.missingCount ?? null,
    damage: keep.damage === undefined ? null : withoutPaths(keep.damage, [keep.location]),
  };
}
