/** `GET /api/v1/probe`: what is in a source, before it is recorded. */
import { z } from 'zod';
import { hasScope } from '../../access/index.js';
import { LivetapeError } from '../../base/index.js';
import { checkSource } from '../../config/index.js';
import { EgressGuard } from '../../egress/index.js';
import { isLocalSource, probeJson } from '../../ingest/index.js';
import { errorResponses, json } from '../openapi.js';
import type { Routes } from '../route.js';
import { countSchema } from './shapes.js';

/** Sources that are looked at, at a time: each may be a stream of many megabits. */
const MAX_PROBES = 8;

const trackSchema = z.object({
  pid: z.number().int(),
  role: z.enum(['video', 'audio', 'data']),
  stream_type: z.number().int().describe('ISO/IEC 13818-1, table 2-34.'),
  codec: z.string(),
  language: z.string().nullable().describe('ISO 639-2.'),
  bitrate: z.number().nullable().describe('Bits per second.'),
  scrambled_packets: countSchema,
  width: z.number().nullable(),
  height: z.number().nullable(),
  frame_rate: z.number().nullable(),
  gop: z
    .object({ keyframes: countSchema, mean_sec: z.number().nullable(), max_sec: z.number().nullable() })
    .nullable()
    .describe('Distances of keyframes; of video.'),
});

const reportSchema = z
  .object({
    source: z.string().describe('Without secrets.'),
    detail: z.string().describe('What the source said of its connection.'),
    received_bytes: countSchema,
    first_byte_sec: z.number().describe('From opening to the first byte.'),
    duration_sec: z.number().describe('How much was seen.'),
    bitrate: z.number().nullable().describe('Bits per second.'),
    packets: countSchema,
    null_packets: countSchema,
    errors: z.object({
      continuity: countSchema,
      transport_error: countSchema,
      sync_bytes: countSchema,
      scrambled: countSchema,
      crc: countSchema,
      rtp_lost: countSchema,
    }),
    programs: z.array(
      z.object({
        number: z.number().int(),
        pmt_pid: z.number().int(),
        pcr_pid: z.number().int().nullable(),
        tracks: z.array(trackSchema),
      }),
    ),
  })
  .meta({ id: 'ProbeReport', description: 'What was found in a source; what is not known is null.' });

export const probeRoutes: Routes = (context, limits) => async (app) => {
  let running = 0;

  app.get(
    '/api/v1/probe',
    {
      config: { access: { scope: 'api' } },
      schema: {
        operationId: 'probeSource',
        tags: ['sources'],
        summary: 'Look at a source',
        description: 'Opens it as a recording would, reads for 2 to 8 seconds, and closes it. Nothing is stored.',
        querystring: z.strictObject({
          source: z
            .string()
            .min(1)
            .describe('As in a stream’s settings.')
            .meta({ examples: ['udp://@239.0.0.1:5000'] }),
        }),
        response: {
          200: json('What is in it.', reportSchema),
          ...errorResponses(
            'SOURCE_INVALID',
            'SOURCE_UNSUPPORTED',
            'SOURCE_REFUSED',
            'ADDRESS_REFUSED',
            'SOURCE_NOT_FOUND',
            'SOURCE_FAILED',
            'SOURCE_NOT_TS',
            'PROGRAM_NOT_FOUND',
            'CLOSED',
          ),
        },
      },
    },
    async ({ query, raw, grant }, reply) => {
      checkSource(query.source);
      // It would tell what files there are (E3).
      if (isLocalSource(query.source))
        throw new LivetapeError('SOURCE_REFUSED', 'files are not probed by the server: use `livetape probe`');
      if (running >= MAX_PROBES) throw limits.reached('probes', `${running} sources are being looked at: that is all at a time`);
      const guard = hasScope(grant, 'admin') ? undefined : new EgressGuard(context.config.state.config.egress);
      const gone = new AbortController();
      // The response's, not the request's: that one closes when it has been read.
      reply.raw.once('close', () => gone.abort());
      if (raw.destroyed && !raw.complete) gone.abort();
      running += 1;
      try {
        return probeJson(await context.probe(query.source, { signal: gone.signal, guard }));
      } finally {
        running -= 1;
      }
    },
  );
};
