/** `/healthz` and `/readyz` (docs/design/server.md H5). */
import { z } from 'zod';
import { ERROR_CODES } from '../../base/index.js';
import { findUnwell } from '../health.js';
import { errorResponses, json } from '../openapi.js';
import type { Routes } from '../route.js';

const readySchema = z
  .object({
    status: z.enum(['ready', 'unwell']),
    problems: z.array(
      z.object({
        what: z.enum(['stream', 'recorder', 'disk', 'config']),
        name: z.string().describe('Which: the code of a stream, the number of a recorder, a folder, a file.'),
        code: z.enum(ERROR_CODES).nullable().describe('Where an error says it.'),
        message: z.string(),
      }),
    ),
  })
  .meta({
    id: 'Readiness',
    description: 'How the server is doing.',
    examples: [
      {
        status: 'unwell',
        problems: [{ what: 'stream', name: 'news', code: null, message: 'no signal: its source is connecting' }],
      },
    ],
  });

export const healthRoutes: Routes = (context) => async (app) => {
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'getHealth',
        tags: ['health'],
        summary: 'Whether the process answers',
        response: { 200: json('It does.', z.object({ status: z.literal('ok'), version: z.string() })), ...errorResponses() },
      },
    },
    async (_request, reply) => reply.header('cache-control', 'no-store').send({ status: 'ok' as const, version: context.version }),
  );

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        tags: ['health'],
        summary: 'Whether all is well, and what is not',
        response: { 200: json('All is well.', readySchema), 503: json('Something is not.', readySchema), ...errorResponses() },
      },
    },
    async (_request, reply) => {
      const problems = await findUnwell(context);
      const status = problems.length === 0 ? 'ready' : 'unwell';
      return reply
        .code(status === 'ready' ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({ status, problems });
    },
  );
};
