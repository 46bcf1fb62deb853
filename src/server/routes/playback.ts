/**
 * Playback: one route for all streams, since their codes hold slashes. The last element of the path says what is asked of the stream.
 * Pages of other origins may play where `http.cors` names them (docs/design/door.md, L5).
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { LivetapeError } from '../../base/index.js';
import { checkStreamCode } from '../../model/index.js';
import { fixedWindow, readStreamRequest, type StreamRequest } from '../../playback/index.js';
import type { ServerContext } from '../context.js';
import { credentialOf, fitsPath, withTokenInPath } from '../door/credential.js';
import { answerPreflight } from '../door/cors.js';
import { askedWindow, checkWindow } from '../door/windows.js';
import { sendLive } from '../playbackLive.js';
import { sendExport, sendPreview, sendSegment } from '../playbackMedia.js';
import { splitPlaybackPath } from '../playbackPath.js';
import { sendPlaylist } from '../playbackPlaylist.js';
import type { PlaybackExchange } from '../playbackRequest.js';
import { sendStatus } from '../playbackStatus.js';
import type { Viewing } from '../viewing.js';

/** Playback's routes. */
export function playbackRoutes(context: ServerContext, viewing: Viewing): FastifyPluginAsyncZod {
  const { door } = context;
  return async (app) => {
    app.options('/*', { config: { access: 'open' }, schema: { hide: true } }, (request, reply) => answerPreflight(context, request, reply));
    app.route({
      method: ['GET', 'HEAD'],
      url: '/*',
      exposeHeadRoute: false,
      config: { access: 'playback' },
      schema: { hide: true },
      handler: async (request, reply) => {
        const [, query = ''] = splitOnce(request.url, '?');
        const { '*': decoded } = request.params as { readonly '*': string };
        const parts = splitPlaybackPath(decoded);
        const [parameters, nowMs] = [new URLSearchParams(query), context.clock.nowMs()];
        const asked = parts && readStreamRequest(parts.name, parameters, nowMs);
        if (!parts || !asked) throw new LivetapeError('ROUTE_NOT_FOUND', 'there is nothing at this address');
        const code = checkStreamCode(parts.code);
        viewing.http.name(request, routeName(asked));
        await door.letWatch(request, reply, code, parts.name, askedWindow(asked));
        const { window } = request.grant;
        const opened = window && { window, asked: { playback: context.playback, code, asked, nowMs } };
        if (opened) await checkWindow(opened.window, opened.asked);
        const credential = door.isGuarded ? credentialOf(request.raw) : undefined;
        if (credential?.from === 'query' && isPlaylist(asked)) {
          if (!fitsPath(credential.text))
            throw new LivetapeError('REQUEST_INVALID', 'a token with such characters is to be sent as a header');
          return reply.header('cache-control', 'no-store').redirect(withTokenInPath(request.url, credential.text), 307);
        }
        const fixed = fixedWindow(parts.name, parameters, nowMs);
        if (fixed !== undefined) return reply.header('cache-control', 'no-store').redirect(fixed, 302);
        const isPrivate = door.isGuarded && (request.grant.kind === 'authorizer' || (credential ?? { from: 'header' }).from !== 'header');
        await answer({ context, viewing, code, request, reply, isPrivate, opened }, asked);
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

function isPlaylist({ kind }: StreamRequest): boolean {
  return kind === 'live' || kind === 'delayed' || kind === 'window' || kind === 'archive';
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
