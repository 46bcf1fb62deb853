/**
 * Playback: one route for all streams, since their codes hold slashes. The last element of the path says what is asked of the stream.
 * Any origin may play (CORS), as players on other sites need (docs/design/server.md, H3).
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { LivetapeError } from '../../base/index.js';
import { checkStreamCode } from '../../model/index.js';
import { fixedWindow, readStreamRequest, type StreamRequest } from '../../playback/index.js';
import type { ServerContext } from '../context.js';
import { sendLive } from '../playbackLive.js';
import { sendExport, sendPreview, sendSegment } from '../playbackMedia.js';
import { splitPlaybackPath } from '../playbackPath.js';
import { sendPlaylist } from '../playbackPlaylist.js';
import type { PlaybackExchange } from '../playbackRequest.js';
import { sendStatus } from '../playbackStatus.js';
import type { Viewing } from '../viewing.js';

/** What scripts of other sites may see of an answer. */
const CORS = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Content-Length, Content-Range, ETag, Date' };
/** What they may ask, for a day. */
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, HEAD, OPTIONS',
  'access-control-allow-headers': 'Authorization, If-None-Match, If-Range, Range',
  'access-control-max-age': '86400',
};

/** Playback's routes. */
export function playbackRoutes(context: ServerContext, viewing: Viewing): FastifyPluginAsyncZod {
  return async (app) => {
    app.addHook('onRequest', async (_request, reply) => {
      void reply.headers(CORS);
    });
    app.options('/*', { schema: { hide: true } }, (_request, reply) => reply.code(204).headers(PREFLIGHT).send());
    app.route({
      method: ['GET', 'HEAD'],
      url: '/*',
      exposeHeadRoute: false,
      schema: { hide: true },
      handler: async (request, reply) => {
        const [path = '', query = ''] = splitOnce(request.url, '?');
        const { '*': decoded } = request.params as { readonly '*': string };
        const parts = splitPlaybackPath(decoded);
        const [parameters, nowMs] = [new URLSearchParams(query), context.clock.nowMs()];
        const asked = parts && readStreamRequest(parts.name, parameters, nowMs);
        if (!parts || !asked) throw new LivetapeError('ROUTE_NOT_FOUND', `there is nothing at ${path.slice(0, 200)}`);
        const code = checkStreamCode(parts.code);
        viewing.http.name(request, routeName(asked));
        const fixed = fixedWindow(parts.name, parameters, nowMs);
        if (fixed !== undefined) return reply.header('cache-control', 'no-store').redirect(fixed, 302);
        await answer({ context, viewing, code, request, reply }, asked);
        return reply;
      },
    });
  };
}

async function answer(exchange: PlaybackExchange, asked: StreamRequest): Promise<void> {
  switch (asked.kind) {
    case 'live':
    case 'delayed':
    case 'window':
    case 'archive':
      return sendPlaylist(exchange, asked);
    case 'segment':
      return sendSegment(exchange, asked.name);
    case 'export':
      return sendExport(exchange, asked.fromMs, asked.durationMs);
    case 'preview':
      return sendPreview(exchange, asked.atMs);
    case 'status':
      return sendStatus(exchange, asked);
    case 'stream':
      return sendLive(exchange);
  }
}

/** As metrics and logs name it. */
function routeName(asked: StreamRequest): string {
  switch (asked.kind) {
    case 'live':
    case 'delayed':
    case 'window':
    case 'archive':
      return `playlist_${asked.kind}`;
    case 'segment':
    case 'export':
    case 'preview':
    case 'status':
    case 'stream':
      return asked.kind;
  }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
