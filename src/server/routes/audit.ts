/** `GET /api/v1/audit`: what was done, by whom, from where (docs/design/door.md, A1). */
import { z } from 'zod';
import { errorResponses, json } from '../openapi.js';
import type { Routes } from '../route.js';
import { timeSchema } from './shapes.js';

const actionSchema = z
  .object({
    time: timeSchema,
    who: z.object({
      kind: z.string().describe('`token`, `local` (auth is off), `file` (livetape.yaml was edited), `cli` (`livetape token`).'),
      id: z.string().describe('Of the token.'),
      name: z.string(),
    }),
    address: z.string().describe('From where.'),
    operation: z.string().describe('As this document calls it.'),
    target: z.string().describe('Of what: the code of a stream, the id of a token.'),
    status: z.number().int().describe('Of the answer; 0 where there was none.'),
    changed: z.array(z.string()).describe('Names of what was changed.'),
  })
  .meta({ id: 'Action', description: 'Something that was done, or that somebody known was refused.' });

export const auditRoutes: Routes =
  ({ audit }) =>
  async (app) => {
    app.get(
      '/api/v1/audit',
      {
        config: { access: { scope: 'admin' } },
        schema: {
          operationId: 'listActions',
          tags: ['access'],
          summary: 'What was done',
          description: 'Control actions, the newest first.',
          querystring: z.object({ limit: z.coerce.number().int().min(1).max(10_000).default(100) }),
          response: { 200: json('The actions.', z.object({ actions: z.array(actionSchema) })), ...errorResponses('STATE_UNWRITABLE') },
        },
      },
      async ({ query }) => {
        // What was written by another version, or by hand, and does not fit is passed over.
        const actions = (await audit.newest(query.limit)).map((record) => actionSchema.safeParse(record));
        return { actions: actions.flatMap(({ data }) => (data === undefined ? [] : [data])) };
      },
    );
  };
