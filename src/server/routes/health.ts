/** `/healthz` and `/readyz` (docs/design/server.md H5). */
import { z } from 'zod';
import { hasScope, opensStream } from '../../access/index.js';
import { ERROR_CODES } from '../../base/index.js';
import { findUnwell } from '../health.js';
import { errorResponses, json } from '../openapi.js';
import type { Routes } from '../route.js';

export const unwellSchema = z.object({
  what: z.enum(['stream', 'recorder', 'disk', 'config', 'tls']),
  name: z.string().describe('Which: the code of a stream, the number of a recorder, a folder or a file by the last part of its path.'),
  code: z.enum(ERROR_CODES).nullable().describe('Where an error says it.'),
  message: z.string(),
});

const readySchema = z.object({ status: z.enum(['ready', 'unwell']), problems: z.array(unwellSchema) }).meta({
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
      config: { access: 'open' },
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
      config: { access: 'open' },
      schema: {
        operationId: 'getReadiness',
        tags: ['health'],
        summary: 'Whether all is well, and what is not',
        response: { ...errorResponses(), 200: json('All is well.', readySchema), 503: json('Something is not.', readySchema) },
      },
    },
    async ({ grant }, reply) => {
      const found = await findUnwell(context);
      const status = found.length === 0 ? 'ready' : 'unwell';
      // What is not well is for who may see it (D6): those that ask for the status alone are told no names.
      const problems = hasScope(grant, 'metrics') ? found.filter(({ what, name }) => what !== 'stream' || opensStream(grant, name)) : [];
      return reply
        .code(status === 'ready' ? 200 : 503)
        .header('cache-control', 'no-store')
        .send({ status, problems });
    },
  );
};
