/** Pages of other origins that may play (docs/design/door.md, L5): those of `http.cors`, and playback alone. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServerContext } from '../context.js';

/** What their scripts may see of an answer. */
const EXPOSED = 'Content-Length, Content-Range, ETag, Date';
/** What they may ask, for a day. */
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers': 'Authorization, If-None-Match, If-Range, Range',
  'access-control-max-age': '86400',
};

/** Whether any origin may: then the answer is the same for all. */
const ANY = '*';

/** Says to the browser whether the page may have this answer. */
export function allowOrigin(
  { config }: Pick<ServerContext, 'config'>,
  { headers }: Pick<FastifyRequest, 'headers'>,
  reply: FastifyReply,
): void {
  const allowed = config.state.config.http.cors;
  if (allowed.length === 0) return;
  if (allowed.includes(ANY)) {
    void reply.headers({ 'access-control-allow-origin': ANY, 'access-control-expose-headers': EXPOSED });
    return;
  }
  varyBy(reply, 'origin');
  const { origin } = headers;
  if (origin === undefined || !allowed.includes(origin)) return;
  void reply.headers({ 'access-control-allow-origin': origin, 'access-control-expose-headers': EXPOSED });
}

/** Answers what a browser asks before it asks. */
export function answerPreflight(context: Pick<ServerContext, 'config'>, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  allowOrigin(context, request, reply);
  return reply
    .code(204)
    .headers(reply.hasHeader('access-control-allow-origin') ? PREFLIGHT : {})
    .send();
}

/** Adds to the headers by which an answer differs. */
export function varyBy(reply: FastifyReply, name: string): void {
  const before = reply.getHeader('vary');
  void reply.header('vary', before === undefined ? name : `${String(before)}, ${name}`);
}
