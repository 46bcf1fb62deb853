/** Which requests are control actions, and what the audit log says of them (docs/design/door.md, A1). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { scrub } from '../../base/index.js';
import type { Audit } from './audit.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What an action is about where its path does not say it: set by its route. */
    target?: string;
  }
}

/** Names that are written of what a request was to change, and how long one may be. */
const MAX_NAMES = 20;
const MAX_NAME_CHARS = 40;
/** What can be set lies no deeper (`dvr.retention_sec`); what is only handed back (`status`) may be as deep as its sender likes. */
const MAX_DEPTH = 2;

/** Writes a line for each action before it is answered. */
export function auditActions(app: Pick<FastifyInstance, 'addHook'>, audit: Audit): void {
  app.addHook('onSend', async (request, reply) => {
    if (isAction(request, reply)) await audit.record(actionOf(request, reply));
  });
}

/** What nobody sent who is known is not written: anybody could fill the log with it. Nor is what was meant for something that is not there: nothing was done to it. */
function isAction({ method, grant, routeOptions }: FastifyRequest, { statusCode }: FastifyReply): boolean {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return false;
  const isKnown = (grant as typeof grant | null) !== null && grant.kind !== 'anonymous';
  return isKnown && statusCode !== 404 && (routeOptions.url ?? '').startsWith('/api/v1/');
}

function actionOf(request: FastifyRequest, reply: FastifyReply): Parameters<Audit['record']>[0] {
  const { grant, ip, method, params, body, routeOptions } = request;
  const { code, id, name } = params as { readonly code?: string; readonly id?: string; readonly name?: string };
  const schema = routeOptions.schema as { readonly operationId?: string } | undefined;
  return {
    who: grant,
    address: ip,
    operation: schema?.operationId ?? `${method} ${routeOptions.url ?? ''}`,
    // somebody may have written a whole token where its id belongs (D11)
    target: scrub(request.target ?? [code ?? id, name].filter((part) => part !== undefined).join('/')).slice(0, 300),
    status: reply.statusCode,
    changed: reply.statusCode < 400 ? namesOf(body) : [],
  };
}

/** Of fields, those of `dvr` and its like too; never what they were set to. */
function namesOf(body: unknown, prefix = '', depth = MAX_DEPTH): string[] {
  if (depth === 0 || typeof body !== 'object' || body === null || Array.isArray(body)) return [];
  const names = Object.entries(body).flatMap(([name, value]) => {
    const inner = namesOf(value, `${prefix}${name}.`, depth - 1);
    return inner.length > 0 ? inner : [`${prefix}${name}`.slice(0, MAX_NAME_CHARS)];
  });
  return names.slice(0, MAX_NAMES);
}
