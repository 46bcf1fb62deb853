/** `/api/v1/streams`: the streams in livetape.yaml (docs/design/server.md C2 to C5), and those that only have an archive. */
import { z } from 'zod';
import { opensStream, type Grant } from '../../access/index.js';
import { delay, LivetapeError } from '../../base/index.js';
import { dvrSchema, streamSchema } from '../../config/index.js';
import { checkStreamCode } from '../../model/index.js';
import type { Channel, ServerContext } from '../context.js';
import { InputHistory } from '../inputHistory.js';
import { bodyErrors, errorResponses, json } from '../openapi.js';
import type { Routes } from '../route.js';
import { patchedStream, replacedStream } from '../streamEdits.js';
import { codeParams } from './shapes.js';
import { findChannel, streamAnswer, streamAnswerSchema, type StreamAnswer } from './streamShape.js';

/** An answer waits so long at most for a recorder to begin what was written; the stream's `status` says how far it is. */
const SETTLE_MS = 5000;

/** What GET answered is taken back by PUT: what cannot be changed may stand there. */
const readOnly = {
  code: z.string().optional().describe('As in the address.'),
  status: z.unknown().optional().describe('Read only: not looked at.'),
};

// Whether a source is `restricted` is for the server to say (E1).
const putSchema = streamSchema
  .omit({ restricted: true })
  .extend({ ...readOnly, template: z.string().nullish() })
  .meta({
    description: 'A stream. What is left out comes from the template, then from the defaults.',
    examples: [{ source: 'udp://@239.0.0.1:5000', title: 'The news', dvr: { retention_sec: 604800, max_size_gb: 100 } }],
  });

const nullable = <S extends z.ZodRawShape>(shape: S): { [K in keyof S]: z.ZodOptional<z.ZodNullable<S[K]>> } =>
  Object.fromEntries(Object.entries(shape).map(([key, field]) => [key, (field as z.ZodType).nullish()])) as never;

const patchSchema = z
  .strictObject({
    ...readOnly,
    source: z.string().nullish(),
    title: z.string().max(200).nullish(),
    template: z.string().nullish(),
    dvr: z.strictObject(nullable(dvrSchema.shape)).nullish(),
  })
  .meta({
    description: 'The fields to change; `null` takes one away, so that the template or the default holds.',
    examples: [{ dvr: { retention_sec: 86400 } }],
  });

export const streamRoutes: Routes = (context, limits) => async (app) => {
  const { channels, clock, config, pool } = context;
  const history = new InputHistory(pool, clock);
  app.addHook('onClose', () => history.close());
  const answerTo = (channel: Channel, grant: Grant): StreamAnswer => streamAnswer(context, history, channel, grant);
  /** The stream, when what was asked of it has been begun or it is known why not: that is no error of the request, which was carried out. */
  const settled = async (code: string, grant: Grant): Promise<StreamAnswer> => {
    await waitUntilSettled(context, code);
    return answerTo(await findChannel(context, code), grant);
  };

  app.get(
    '/api/v1/streams',
    {
      config: { access: { scope: 'api' } },
      schema: {
        operationId: 'listStreams',
        tags: ['streams'],
        summary: 'All streams',
        description: 'Those in livetape.yaml and those that only have an archive, by code.',
        response: { 200: json('The streams.', z.object({ streams: z.array(streamAnswerSchema) })), ...errorResponses() },
      },
    },
    async ({ grant }) => ({
      streams: (await channels.list()).filter(({ code }) => opensStream(grant, code)).map((channel) => answerTo(channel, grant)),
    }),
  );

  app.get(
    '/api/v1/streams/:code',
    {
      config: { access: { scope: 'api', stream: 'code' } },
      schema: {
        operationId: 'getStream',
        tags: ['streams'],
        summary: 'A stream',
        params: codeParams,
        response: { 200: json('The stream.', streamAnswerSchema), ...errorResponses('STREAM_NOT_FOUND', 'STREAM_CODE_INVALID') },
      },
    },
    async ({ params, grant }) => answerTo(await findChannel(context, params.code), grant),
  );

  app.put(
    '/api/v1/streams/:code',
    {
      config: { access: { scope: 'api', stream: 'code' } },
      schema: {
        operationId: 'putStream',
        tags: ['streams'],
        summary: 'Make or replace a stream',
        description:
          'Writes it to livetape.yaml. What it asks for is begun at once; what keeps it from being begun is in `status.error`, and it is tried again.',
        params: codeParams,
        body: putSchema,
        response: {
          200: json('It was there, and is replaced.', streamAnswerSchema),
          201: json('It is made.', streamAnswerSchema),
          ...errorResponses(...WRITE_ERRORS, 'STREAM_CODE_TAKEN'),
          ...bodyErrors,
        },
      },
    },
    async ({ params, body, grant }, reply) => {
      const code = checkStreamCode(params.code);
      const asked = writable(code, body);
      const made = !config.state.streams.has(code);
      const { streams: most } = limits.settings;
      if (made && config.state.streams.size >= most) throw limits.reached('streams', `there are ${most} streams: that is all there may be`);
      await config.put(code, replacedStream(config.state, code, asked, grant));
      const answer = await settled(code, grant);
      return reply.code(made ? 201 : 200).send(answer);
    },
  );

  app.patch(
    '/api/v1/streams/:code',
    {
      config: { access: { scope: 'api', stream: 'code' } },
      schema: {
        operationId: 'patchStream',
        tags: ['streams'],
        summary: 'Change fields of a stream',
        description:
          'Writes them to livetape.yaml. A change interrupts only what it must: new limits of retention do not interrupt the recording.',
        params: codeParams,
        body: patchSchema,
        response: {
          200: json('The stream as it is now.', streamAnswerSchema),
          ...errorResponses(...WRITE_ERRORS, 'STREAM_NOT_FOUND'),
          ...bodyErrors,
        },
      },
    },
    async ({ params, body, grant }) => {
      const code = checkStreamCode(params.code);
      await config.patch(code, { ...patchedStream(config.state, code, writable(code, body), grant) });
      return settled(code, grant);
    },
  );

  app.delete(
    '/api/v1/streams/:code',
    {
      config: { access: { scope: 'api', stream: 'code' } },
      schema: {
        operationId: 'deleteStream',
        tags: ['streams'],
        summary: 'Take a stream away',
        description: 'Ends its recording and takes it out of livetape.yaml. Its archive stays, and can be played.',
        params: codeParams,
        response: { 204: z.undefined().describe('It is taken away.'), ...errorResponses(...WRITE_ERRORS, 'STREAM_NOT_FOUND') },
      },
    },
    async ({ params }, reply) => {
      const code = checkStreamCode(params.code);
      await config.remove(code);
      await waitUntilSettled(context, code);
      return reply.code(204).send(undefined);
    },
  );

  app.post(
    '/api/v1/streams/:code/start',
    {
      config: { access: { scope: 'api', stream: 'code' } },
      schema: {
        operationId: 'startStream',
        tags: ['streams'],
        summary: 'Start recording',
        description: 'Writes `dvr.enabled: true` to livetape.yaml and begins to record.',
        params: codeParams,
        response: {
          200: json('It is being recorded.', streamAnswerSchema),
          ...errorResponses(...WRITE_ERRORS, ...START_ERRORS, 'STREAM_NOT_FOUND', 'ALREADY_RECORDING'),
        },
      },
    },
    async ({ params, grant }) => {
      const code = checkStreamCode(params.code);
      await channels.start(code);
      return answerTo(await findChannel(context, code), grant);
    },
  );

  app.post(
    '/api/v1/streams/:code/stop',
    {
      config: { access: { scope: 'api', stream: 'code' } },
      schema: {
        operationId: 'stopStream',
        tags: ['streams'],
        summary: 'Stop recording',
        description: 'Writes `dvr.enabled: false` to livetape.yaml and ends the recording: its playlist becomes VOD.',
        params: codeParams,
        response: {
          200: json('It is not being recorded any more.', streamAnswerSchema),
          ...errorResponses(...WRITE_ERRORS, 'STREAM_NOT_FOUND', 'NOT_RECORDING', 'RECORDER_LOST', 'STORAGE_FAILED', 'DISK_FULL'),
        },
      },
    },
    async ({ params, grant }) => {
      const code = checkStreamCode(params.code);
      await channels.stop(code);
      return answerTo(await findChannel(context, code), grant);
    },
  );
};

const WRITE_ERRORS = [
  'STREAM_CODE_INVALID',
  'SOURCE_INVALID',
  'SOURCE_UNSUPPORTED',
  'SOURCE_REFUSED',
  'CONFIG_INVALID',
  'CONFIG_UNWRITABLE',
] as const;
const START_ERRORS = [
  'STREAM_CODE_TAKEN',
  'STREAM_OWNED',
  'PATH_OUTSIDE_ROOT',
  'STORAGE_UNWRITABLE',
  'STORAGE_FAILED',
  'DISK_FULL',
  'ARCHIVE_CORRUPT',
  'ARCHIVE_FORMAT_NEWER',
  'RECORDER_LOST',
  'CLOSED',
] as const;

/** The body without what is read only. */
function writable<B extends { readonly code?: unknown; readonly status?: unknown }>(code: string, body: B): Omit<B, 'code' | 'status'> {
  const { code: named, status: _status, ...rest } = body;
  if (named !== undefined && named !== code) {
    throw new LivetapeError('REQUEST_INVALID', 'body.code: it is not the code in the address; a stream cannot be given another');
  }
  return rest;
}

async function waitUntilSettled({ channels, clock }: ServerContext, code: string): Promise<void> {
  const over = new AbortController();
  const done = channels.settled(code).catch(() => undefined);
  await Promise.race([done, delay(clock, SETTLE_MS, over.signal)]);
  over.abort();
}
