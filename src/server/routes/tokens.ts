/** Tokens and signed links (docs/design/door.md, D3 and D7), and what one's own credential opens. */
import { z } from 'zod';
import { coversPattern, hasScope, opensStream, patternSchema, SCOPES, type Grant, type TokenRecord } from '../../access/index.js';
import { LivetapeError } from '../../base/index.js';
import { parseTime } from '../../model/index.js';
import { forbidden } from '../door/door.js';
import { linkOf } from '../door/link.js';
import { bodyErrors, errorResponses, json } from '../openapi.js';
import type { Routes } from '../route.js';
import { timeSchema } from './shapes.js';

const scopesSchema = z
  .array(z.enum(SCOPES))
  .describe('`admin` all; `api` control; `publish` pushing; `playback` watching; `metrics` metrics.');
const streamsSchema = z.array(z.string()).describe('Codes of streams, or patterns of them (`sport/*`).');

const tokenSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: scopesSchema,
    streams: streamsSchema,
    created_at: timeSchema,
    expires_at: timeSchema.nullable(),
  })
  .meta({ id: 'Token', description: 'A token, without what opens anything.' });

const moment = z.union([z.string(), z.number()]).describe('RFC 3339 or Unix seconds.');

const makeSchema = z
  .strictObject({
    name: z.string().min(1).max(100).describe('For people: whose it is.'),
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
    streams: z.array(patternSchema).min(1).max(100).default(['*']).describe('Codes of streams, or patterns of them.'),
    expires_at: moment.nullish().describe('When it ends; RFC 3339 or Unix seconds. Never unless said.'),
  })
  .meta({ description: 'A token to be made.', examples: [{ name: 'player of the lobby', scopes: ['playback'], streams: ['news'] }] });

const signSchema = z
  .strictObject({
    stream: patternSchema.describe('The code of a stream, or a pattern of them.'),
    from: moment.nullish().describe('Where the window begins. Without `from` and `to`: everything.'),
    to: moment.nullish().describe('Where it ends.'),
    expires_in: z.number().int().min(1).max(315_360_000).describe('Seconds from now that the link opens anything.'),
    address: z.string().max(64).nullish().describe('An IP address, or a network: for nobody else.'),
  })
  .meta({
    description: 'What is to be signed.',
    examples: [{ stream: 'news', from: '2026-01-01T12:00:00Z', to: '2026-01-01T13:00:00Z', expires_in: 86400 }],
  });

const signedSchema = z
  .object({
    token: z.string(),
    expires_at: timeSchema,
    path: z.string().nullable().describe('What a player is given, after the address of the server; null for a pattern.'),
  })
  .meta({ id: 'SignedToken', description: 'A signed token.' });

const grantSchema = z
  .object({
    kind: z.enum(['local', 'token', 'signed']).describe('`local`: no credentials are asked for.'),
    name: z.string(),
    scopes: scopesSchema,
    streams: streamsSchema,
    expires_at: timeSchema.nullable(),
  })
  .meta({ id: 'Grant', description: 'What a credential opens.' });

const tokenParams = z.object({ id: z.string().describe('The id of the token.') });

export const tokenRoutes: Routes = (context) => async (app) => {
  const { tokens, signed, clock } = context;

  app.get(
    '/api/v1/whoami',
    {
      config: { access: { scope: 'any' } },
      schema: {
        operationId: 'whoAmI',
        tags: ['access'],
        summary: 'What the credential of this request opens',
        response: { 200: json('What it opens.', grantSchema), ...errorResponses() },
      },
    },
    async ({ grant }) => grantAnswer(grant),
  );

  app.get(
    '/api/v1/tokens',
    {
      config: { access: { scope: 'admin' } },
      schema: {
        operationId: 'listTokens',
        tags: ['access'],
        summary: 'All tokens',
        response: { 200: json('The tokens, by date.', z.object({ tokens: z.array(tokenSchema) })), ...errorResponses() },
      },
    },
    async () => ({ tokens: tokens.list().map(tokenAnswer) }),
  );

  app.post(
    '/api/v1/tokens',
    {
      config: { access: { scope: 'admin' } },
      schema: {
        operationId: 'makeToken',
        tags: ['access'],
        summary: 'Make a token',
        description: 'It is shown in this answer, and never again.',
        body: makeSchema,
        response: {
          201: json('It is made.', z.object({ token: z.string().describe('Shown this once.'), ...tokenSchema.shape })),
          ...errorResponses('STATE_UNWRITABLE'),
          ...bodyErrors,
        },
      },
    },
    async (request, reply) => {
      const { body } = request;
      const expiresMs = momentOf('expires_at', body.expires_at);
      if (expiresMs !== undefined && expiresMs <= clock.nowMs()) throw new LivetapeError('REQUEST_INVALID', 'body.expires_at: it is over');
      const { token, record } = await tokens.create({
        name: body.name,
        scopes: body.scopes,
        streams: body.streams,
        expiresAt: expiresMs === undefined ? undefined : new Date(expiresMs),
      });
      request.target = record.id;
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ token, ...tokenAnswer(record) });
    },
  );

  app.delete(
    '/api/v1/tokens/:id',
    {
      config: { access: { scope: 'admin' } },
      schema: {
        operationId: 'revokeToken',
        tags: ['access'],
        summary: 'Revoke a token',
        description: 'It opens nothing from the next request on; what it opened and goes on ends within 5 seconds.',
        params: tokenParams,
        response: { 204: z.undefined().describe('It is revoked.'), ...errorResponses('TOKEN_NOT_FOUND', 'STATE_UNWRITABLE') },
      },
    },
    async ({ params }, reply) => {
      await tokens.revoke(params.id);
      return reply.code(204).send(undefined);
    },
  );

  app.post(
    '/api/v1/sign',
    {
      config: { access: { scope: 'api' } },
      schema: {
        operationId: 'signLink',
        tags: ['access'],
        summary: 'Sign a link to a stream, or to a window of it',
        description:
          'For what the asker may watch: it takes the scopes `api` and `playback` for the stream. Whoever has the link can watch until it expires; signed links cannot be revoked one by one.',
        body: signSchema,
        response: { 200: json('It is signed.', signedSchema), ...errorResponses(), ...bodyErrors },
      },
    },
    async (request, reply) => {
      const { body, grant } = request;
      const { stream, address, expires_in: expiresIn } = body;
      request.target = stream;
      if (!hasScope(grant, 'playback') || !coversAll(grant, stream)) throw forbidden(`the credential is not for watching ${stream}`);
      const [fromMs, toMs] = [momentOf('from', body.from), momentOf('to', body.to)];
      if (fromMs !== undefined && toMs !== undefined && toMs <= fromMs)
        throw new LivetapeError('REQUEST_INVALID', 'body.to: it is not after from');
      const expiresMs = Math.min(clock.nowMs() + expiresIn * 1000, grant.expiresMs);
      const window = { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) };
      const token = await signed.sign({ stream, expiresMs, window, address: address ?? undefined });
      const path = linkOf(token, stream, fromMs, toMs) ?? null;
      return reply.header('cache-control', 'no-store').send({ token, expires_at: new Date(expiresMs).toISOString(), path });
    },
  );
};

function coversAll(grant: Grant, stream: string): boolean {
  return hasScope(grant, 'admin') || (stream.includes('*') ? coversPattern(grant.streams, stream) : opensStream(grant, stream));
}

/** @throws LivetapeError REQUEST_INVALID */
function momentOf(field: string, given: string | number | null | undefined): number | undefined {
  if (given === undefined || given === null) return undefined;
  const ms = parseTime(String(given));
  if (ms === undefined) throw new LivetapeError('REQUEST_INVALID', `body.${field}: it is neither RFC 3339 nor Unix seconds`);
  return ms;
}

function tokenAnswer({ id, name, scopes, streams, createdAt, expiresAt }: TokenRecord): z.output<typeof tokenSchema> {
  return {
    id,
    name,
    scopes: [...scopes],
    streams: [...streams],
    created_at: createdAt.toISOString(),
    expires_at: expiresAt?.toISOString() ?? null,
  };
}

function grantAnswer({ kind, name, scopes, streams, expiresMs }: Grant): z.output<typeof grantSchema> {
  if (kind === 'anonymous' || kind === 'authorizer') throw new LivetapeError('INVARIANT_BROKEN', `${kind} was let in to the API`);
  return {
    kind,
    name,
    scopes: [...scopes],
    streams: [...streams],
    expires_at: Number.isFinite(expiresMs) ? new Date(expiresMs).toISOString() : null,
  };
}
