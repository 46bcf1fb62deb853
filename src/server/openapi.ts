/**
 * The description of the HTTP interface, OpenAPI 3.1: made from the schemas of the routes, and from paths written by hand where one route answers many
 * (playback, whose stream codes hold slashes).
 */
import type { FastifyDynamicSwaggerOptions, SwaggerTransformObject } from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode } from '../base/index.js';
import type { RouteAccess } from './door/access.js';
import { HTTP_STATUS } from './errors.js';

/** Paths of an OpenAPI document, as they stand in it. */
export type DocumentedPaths = Readonly<Record<string, object>>;

/** The body of every answer that is an error. */
export const errorSchema = z
  .object({
    error: z.object({
      code: z.enum(ERROR_CODES).describe('Stable, for programs: docs/reference/errors.md.'),
      message: z.string().describe('For people.'),
    }),
  })
  .meta({
    id: 'Error',
    description: 'What went wrong.',
    examples: [{ error: { code: 'STREAM_NOT_FOUND', message: 'there is no stream news' } }],
  });

/** An answer in JSON, for the schema of a route. */
export function json<S extends z.ZodType>(
  description: string,
  schema: S,
): { description: string; content: { 'application/json': { schema: S } } } {
  return { description, content: { 'application/json': { schema } } };
}

/** Codes that every request can be answered with. */
const ALWAYS: readonly ErrorCode[] = [
  'REQUEST_INVALID',
  'HOST_REFUSED',
  'UNAUTHENTICATED',
  'TOKEN_EXPIRED',
  'FORBIDDEN',
  'TOO_MANY_REQUESTS',
  'LIMIT_REACHED',
  'INVARIANT_BROKEN',
];

/** By status: which codes come with it. */
function byStatus(codes: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  const statuses = new Map<number, ErrorCode[]>();
  for (const code of new Set([...codes, ...ALWAYS])) statuses.set(HTTP_STATUS[code], [...(statuses.get(HTTP_STATUS[code]) ?? []), code]);
  return statuses;
}

/** The error answers of a route, for its schema: one for each status that `codes` have, and those that any request can get. */
export function errorResponses(...codes: ErrorCode[]): Record<number, ReturnType<typeof json<typeof errorSchema>>> {
  return Object.fromEntries(
    [...byStatus([...codes, 'ORIGIN_REFUSED'])].map(([status, names]) => [status, json(names.join(', '), errorSchema)]),
  );
}

/** The same, for a path that is written by hand. */
export function documentedErrors(...codes: ErrorCode[]): Record<string, object> {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  return Object.fromEntries([...byStatus(codes)].map(([status, names]) => [String(status), { description: names.join(', '), content }]));
}

/** What a body can be refused with before it is read. */
export const bodyErrors = {
  413: json('REQUEST_INVALID: the body is too large.', errorSchema),
  415: json('REQUEST_INVALID: the body is no JSON.', errorSchema),
} as const;

const TAGS = {
  streams: 'The streams in livetape.yaml.',
  recordings: 'What is recorded of a stream.',
  keeps: 'Windows that are kept for good.',
  sources: 'Looking at a source before it is recorded.',
  events: 'What happens, as it happens.',
  hooks: 'Telling other programs what happens.',
  playback: 'Playlists, segments and files made of them.',
  access: 'Tokens, signed links, and what was done with them.',
  health: 'How the server is doing.',
} as const;

/** What @fastify/swagger is given. `paths` are added to those of the routes. */
export function swaggerOptions(version: string, paths: readonly DocumentedPaths[]): FastifyDynamicSwaggerOptions {
  const transformObject: SwaggerTransformObject = (document) => {
    const made = jsonSchemaTransformObject(document);
    for (const some of paths) Object.assign(made.paths ?? {}, some);
    const { components } = made as { components?: { schemas?: Record<string, unknown> } };
    dropUnused(made.paths, components?.schemas ?? {});
    return made;
  };
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Livetape',
        version,
        description: 'A DVR for live video streams. Times are RFC 3339, sizes bytes, durations seconds.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'This server.' }],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'Where auth is on: `livetape token create`.' },
          token: {
            type: 'apiKey',
            in: 'query',
            name: 'token',
            description: 'The same. A playlist is answered with a redirect to `/t/{token}/…`, which what it leads to inherits.',
          },
        },
      },
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    },
    transform: (given) => {
      const { schema, url } = jsonSchemaTransform(given);
      const { access } = given.route.config ?? {};
      if (access === undefined) return { schema, url };
      const { description } = schema as { readonly description?: string };
      const told = [description, takes(access)].filter((text) => text !== undefined).join(' ');
      return { schema: { ...schema, ...(told === '' ? {} : { description: told }), security: securityOf(access) }, url };
    },
    transformObject,
  };
}

/** What a route asks for, as the document says it: scopes are the roles of a credential (OpenAPI 3.1, 4.8.30); none where auth is off. */
export function securityOf(access: RouteAccess): Readonly<Record<string, string[]>>[] {
  if (access === 'open') return [];
  const roles = access === 'playback' ? ['playback'] : access.scope === 'any' ? [] : [access.scope];
  return [{ bearer: roles }, { token: roles }, {}];
}

/** The same, for people. */
function takes(access: RouteAccess): string | undefined {
  if (typeof access === 'string' || access.scope === 'any') return undefined;
  return `Takes the scope \`${access.scope}\`${access.stream === undefined ? '' : ' for the stream'}.`;
}

/** Every schema with a name is written as what is taken and as what is answered, and most are one of both only. */
function dropUnused(paths: unknown, schemas: Record<string, unknown>): void {
  const used = new Set<string>();
  const visit = (value: unknown): void => {
    for (const [, name = ''] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      visit(schemas[name] ?? {});
    }
  };
  visit(paths);
  for (const name of Object.keys(schemas)) if (!used.has(name)) delete schemas[name];
}
