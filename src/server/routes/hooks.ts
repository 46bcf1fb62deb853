/** `/api/v1/hooks`: the webhooks in livetape.yaml (docs/design/door.md, W1 to W3), how they are doing, and trying one. */
import { z } from 'zod';
import { coversPattern, hasScope, type Grant } from '../../access/index.js';
import { LivetapeError } from '../../base/index.js';
import { hookSchema, type HookEntry } from '../../config/index.js';
import { redactUrl } from '../../ingest/index.js';
import type { ServerContext } from '../context.js';
import { forbidden } from '../door/door.js';
import { bodyErrors, errorResponses, json } from '../openapi.js';
import type { Routes } from '../route.js';
import { countSchema, timeSchema, timeText } from './shapes.js';

/** Dead letters that one answer tells, at most. */
const TOLD_LETTERS = 100;
/** Webhooks that the API makes, at most: each has a queue. */
const MAX_HOOKS = 256;

const { url, events, streams, batch, batch_ms } = hookSchema.shape;

const statusSchema = z
  .object({
    queued: countSchema.describe('Events that wait to be sent.'),
    dead: countSchema.describe('Dead letters: events that were given up, or had to leave a full queue.'),
    sent: countSchema.describe('Events that were taken since the server was started.'),
    failed: countSchema.describe('Requests that failed since then.'),
    dropped: countSchema.describe('Dead letters that had to go for newer ones since then.'),
    last_success_at: timeSchema.nullable().describe('Since the server was started.'),
    last_error: z.object({ at: timeSchema, message: z.string() }).nullable().describe('Since the server was started.'),
  })
  .meta({ id: 'HookStatus', description: 'How a webhook is doing. Read only.' });

const letterSchema = z
  .object({ at: timeSchema, why: z.string(), event: z.unknown().describe('As it was to be sent.') })
  .meta({ id: 'DeadLetter', description: 'An event that was given up.' });

const answerSchema = z
  .object({
    id: z.string(),
    url: z.string().describe('Without its secrets; written back as it is here it means the one that is there.'),
    events: z.array(z.string()).nullable().describe('Types of events; null for all.'),
    streams: z.array(z.string()).nullable().describe('Codes of streams, or patterns of them; null for all.'),
    has_secret: z.boolean().describe('Whether what is sent is signed. The secret itself is never told.'),
    batch: z.number().int().nullable().describe('Events in one request at most; null for 100.'),
    batch_ms: z.number().int().nullable().describe('Milliseconds that an event waits for others; null for 500.'),
    restricted: z.boolean().describe('It was set by somebody who is not an admin: it may not reach addresses that are not public.'),
    status: statusSchema,
  })
  .meta({ id: 'Hook', description: 'A webhook.' });

const oneSchema = answerSchema
  .extend({ dead_letters: z.array(letterSchema).describe('The newest 100, the newest first.') })
  .meta({ id: 'HookWithLetters', description: 'A webhook with its dead letters.' });

const putSchema = z
  .strictObject({
    url,
    events: events.nullable(),
    streams: streams.nullable(),
    secret: hookSchema.shape.secret
      .nullable()
      .describe('Signs what is sent. The one that is there stays when nothing is said; `null` takes it away.'),
    batch: batch.nullable(),
    batch_ms: batch_ms.nullable(),
    restricted: z.boolean().optional().describe('For admins to say; of others it is always.'),
    // what GET answered is taken back
    id: z.string().optional().describe('As in the address.'),
    has_secret: z.unknown().optional().describe('Read only: not looked at.'),
    status: z.unknown().optional().describe('Read only: not looked at.'),
    dead_letters: z.unknown().optional().describe('Read only: not looked at.'),
  })
  .meta({
    description: 'A webhook.',
    examples: [{ url: 'https://desk.example/livetape', events: ['recording.failed', 'gap.opened'], streams: ['sport/*'] }],
  });

const testSchema = z
  .object({ status: z.number().int().describe('Of the answer: 2xx.'), duration_ms: countSchema })
  .meta({ id: 'HookTest', description: 'What came of a test.' });

const hookParams = z.object({ id: z.string().describe('The id of the webhook: 1 to 64 letters, digits, `_` and `-`.') });
const access = { access: { scope: 'api' } } as const;
const WRITE_ERRORS = ['CONFIG_INVALID', 'CONFIG_UNWRITABLE'] as const;

export const hookRoutes: Routes = (context) => async (app) => {
  const { config, hooks } = context;

  app.get(
    '/api/v1/hooks',
    {
      config: access,
      schema: {
        operationId: 'listHooks',
        tags: ['hooks'],
        summary: 'All webhooks',
        description:
          'Those in livetape.yaml, without their secrets. Who is not an admin sees those of the streams that the credential is for.',
        response: { 200: json('The webhooks.', z.object({ hooks: z.array(answerSchema) })), ...errorResponses() },
      },
    },
    async ({ grant }) => ({
      hooks: Object.entries(config.state.config.hooks).flatMap(([id, entry]) =>
        mayChange(grant, entry) ? [answer(context, id, entry)] : [],
      ),
    }),
  );

  app.get(
    '/api/v1/hooks/:id',
    {
      config: access,
      schema: {
        operationId: 'getHook',
        tags: ['hooks'],
        summary: 'A webhook',
        description: 'With its newest dead letters.',
        params: hookParams,
        response: { 200: json('The webhook.', oneSchema), ...errorResponses('HOOK_NOT_FOUND', 'STATE_UNWRITABLE') },
      },
    },
    async ({ params, grant }) => withLetters(context, params.id, entryOf(context, params.id, grant)),
  );

  app.put(
    '/api/v1/hooks/:id',
    {
      config: access,
      schema: {
        operationId: 'putHook',
        tags: ['hooks'],
        summary: 'Make or replace a webhook',
        description:
          'Writes it to livetape.yaml; it holds from the next request on. Who is not an admin says streams that the credential is for, and is not sent to addresses that are not public.',
        params: hookParams,
        body: putSchema,
        response: {
          200: json('It was there, and is replaced.', answerSchema),
          201: json('It is made.', answerSchema),
          ...errorResponses(...WRITE_ERRORS, 'FORBIDDEN', 'LIMIT_REACHED'),
          ...bodyErrors,
        },
      },
    },
    async ({ params: { id }, body, grant }, reply) => {
      const before = ownEntry(context, id);
      await config.putHook(id, written(id, body, before, grant, Object.keys(config.state.config.hooks).length));
      return reply.code(before === undefined ? 201 : 200).send(answer(context, id, entryOf(context, id, grant)));
    },
  );

  app.delete(
    '/api/v1/hooks/:id',
    {
      config: access,
      schema: {
        operationId: 'deleteHook',
        tags: ['hooks'],
        summary: 'Take a webhook away',
        description: 'Takes it out of livetape.yaml; what was queued for it is gone.',
        params: hookParams,
        response: { 204: z.undefined().describe('It is taken away.'), ...errorResponses(...WRITE_ERRORS, 'HOOK_NOT_FOUND') },
      },
    },
    async ({ params, grant }, reply) => {
      entryOf(context, params.id, grant);
      await config.removeHook(params.id);
      return reply.code(204).send(undefined);
    },
  );

  app.post(
    '/api/v1/hooks/:id/test',
    {
      config: access,
      schema: {
        operationId: 'testHook',
        tags: ['hooks'],
        summary: 'Send one event of type `test` now',
        description: 'Beside the queue, which does not change.',
        params: hookParams,
        response: {
          200: json('It was taken.', testSchema),
          ...errorResponses('HOOK_NOT_FOUND', 'HOOK_FAILED', 'ADDRESS_REFUSED', 'CLOSED'),
        },
      },
    },
    async ({ params, grant }) => {
      entryOf(context, params.id, grant);
      const { status, durationMs } = await hooks.test(params.id);
      return { status, duration_ms: durationMs };
    },
  );

  app.post(
    '/api/v1/hooks/:id/retry',
    {
      config: access,
      schema: {
        operationId: 'retryHook',
        tags: ['hooks'],
        summary: 'Send what failed again, now',
        description: 'Dead letters are queued anew, and what waits for its next try is sent at once.',
        params: hookParams,
        response: {
          200: json('Dead letters that are queued again.', z.object({ queued: countSchema })),
          ...errorResponses('HOOK_NOT_FOUND', 'STATE_UNWRITABLE'),
        },
      },
    },
    async ({ params, grant }) => {
      entryOf(context, params.id, grant);
      return { queued: await hooks.retry(params.id) };
    },
  );
};

/** What the file says of a webhook. */
function ownEntry({ config }: ServerContext, id: string): HookEntry | undefined {
  const { hooks } = config.state.config;
  return Object.hasOwn(hooks, id) ? hooks[id] : undefined;
}

/** @throws LivetapeError HOOK_NOT_FOUND, for those that are not the grant's own too */
function entryOf(context: ServerContext, id: string, grant: Grant): HookEntry {
  const entry = ownEntry(context, id);
  if (entry !== undefined && mayChange(grant, entry)) return entry;
  throw new LivetapeError('HOOK_NOT_FOUND', `there is no webhook ${id}`, { context: { hook: id } });
}

/** An admin all; others those that one like them has set, for streams that are theirs. */
function mayChange(grant: Grant, { restricted, streams }: HookEntry): boolean {
  return hasScope(grant, 'admin') || (restricted === true && coversAll(grant, streams));
}

function coversAll(grant: Grant, streams: readonly string[] | undefined): boolean {
  return streams !== undefined && streams.length > 0 && streams.every((pattern) => coversPattern(grant.streams, pattern));
}

/**
 * What is to be written.
 * @throws LivetapeError REQUEST_INVALID, FORBIDDEN, LIMIT_REACHED
 */
function written(id: string, body: z.output<typeof putSchema>, before: HookEntry | undefined, grant: Grant, count: number): HookEntry {
  if (body.id !== undefined && body.id !== id) throw new LivetapeError('REQUEST_INVALID', 'body.id: it is not the id in the address');
  if (before === undefined && count >= MAX_HOOKS) throw new LivetapeError('LIMIT_REACHED', `there are ${count} webhooks: that is all`);
  const isAdmin = hasScope(grant, 'admin');
  const streams = body.streams ?? undefined;
  if (!isAdmin) {
    if (before !== undefined && !mayChange(grant, before)) throw forbidden('the webhook of this id is not yours');
    if (!coversAll(grant, streams)) throw forbidden('body.streams: say streams, or patterns of them, that the credential is for');
  }
  const restricted = !isAdmin || body.restricted === true;
  const secret = body.secret === undefined ? before?.secret : (body.secret ?? undefined);
  const fields = { events: body.events, streams, secret, batch: body.batch, batch_ms: body.batch_ms, restricted: restricted || undefined };
  const said = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
  return { url: writtenUrl(body.url, before), ...said };
}

/** As it was answered it means the one that is there: its secrets were not told. */
function writtenUrl(asked: string, before: HookEntry | undefined): string {
  if (before !== undefined && asked === redactUrl(before.url)) return before.url;
  if (asked.includes('***')) throw new LivetapeError('REQUEST_INVALID', 'body.url: `***` stands for a secret: write the secret itself');
  return asked;
}

function answer({ hooks }: ServerContext, id: string, entry: HookEntry): z.output<typeof answerSchema> {
  const status = hooks.status(id);
  return {
    id,
    url: redactUrl(entry.url),
    events: entry.events ?? null,
    streams: entry.streams ?? null,
    has_secret: entry.secret !== undefined,
    batch: entry.batch ?? null,
    batch_ms: entry.batch_ms ?? null,
    restricted: entry.restricted === true,
    status: {
      queued: status?.queued ?? 0,
      dead: status?.dead ?? 0,
      sent: status?.sent ?? 0,
      failed: status?.failed ?? 0,
      dropped: status?.dropped ?? 0,
      last_success_at: status?.lastSuccessMs === undefined ? null : timeText(status.lastSuccessMs),
      last_error: status?.lastError === undefined ? null : { at: timeText(status.lastError.atMs), message: status.lastError.message },
    },
  };
}

async function withLetters(context: ServerContext, id: string, entry: HookEntry): Promise<z.output<typeof oneSchema>> {
  return { ...answer(context, id, entry), dead_letters: await context.hooks.deadLetters(id, TOLD_LETTERS) };
}
