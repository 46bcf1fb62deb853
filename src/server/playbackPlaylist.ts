/**
 * Sends playlists: not at all to who has them (H3), rendered and coded once for all who ask for the same (playlistCache.ts), and long ones piece by piece.
 */
import { isLivetapeError } from '../base/index.js';
import type { PlaylistAnswer, PlaylistRequest } from '../playback/index.js';
import { chooseCoding, type Coding } from './acceptEncoding.js';
import { cacheControl, CHANGES, isKnown, PAST, weakTag } from './caching.js';
import { codingNow, compressed } from './compress.js';
import { varyBy } from './door/cors.js';
import { checkReach } from './door/windows.js';
import { inTurn } from './inTurn.js';
import type { PlaybackExchange } from './playbackRequest.js';
import { begun, sendBody, sendHead } from './sending.js';

/** How often an answer is made anew because the archive is pruned under it. */
const MAX_TRIES = 5;

/** Answers with a playlist. */
export async function sendPlaylist(exchange: PlaybackExchange, asked: PlaylistRequest): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await tryToSend(exchange, asked);
      return;
    } catch (error) {
      // What was planned a moment ago was pruned before its text was made: what there is now begins later.
      if (!isLivetapeError(error, 'WINDOW_EXPIRED') || exchange.reply.raw.headersSent || tries >= MAX_TRIES) throw error;
    }
  }
}

async function tryToSend(exchange: PlaybackExchange, asked: PlaylistRequest): Promise<void> {
  const { context, viewing, code, request, reply } = exchange;
  const answer = await context.playback.playlist(code, asked);
  if (exchange.opened) checkReach(exchange.opened.window, exchange.opened.asked, answer);
  const { targetDurationSec } = answer;
  viewing.checkSession({ code, address: request.ip, agent: request.headers['user-agent'], targetDurationSec });
  viewing.reach.served(code, answer.reachMs);

  const tag = weakTag(answer.version);
  varyBy(reply, 'accept-encoding');
  const headers = { etag: tag, 'cache-control': cacheControl(answer.age === 'past' ? PAST : CHANGES, exchange.isPrivate) };
  if (isKnown(request.headers['if-none-match'], tag)) {
    sendHead(reply.code(304).headers(headers));
    return;
  }
  const coding = chooseCoding(request.headers['accept-encoding']);
  const typed = (by: Coding): Record<string, string> => ({
    ...headers,
    'content-type': 'application/vnd.apple.mpegurl',
    ...(by === 'identity' ? {} : { 'content-encoding': by }),
  });
  if (request.method === 'HEAD') {
    sendHead(reply.headers(typed(coding)));
    return;
  }
  await sendText(exchange, { answer, asked, coding, typed });
}

interface Text {
  readonly answer: PlaylistAnswer;
  readonly asked: PlaylistRequest;
  readonly coding: Coding;
  /** The headers of a text that is coded so. */
  readonly typed: (coding: Coding) => Record<string, string>;
}

async function sendText({ context, viewing, code, reply }: PlaybackExchange, { answer, asked, coding, typed }: Text): Promise<void> {
  const { clock, log } = context;
  const key = `${code} ${answer.version} ${JSON.stringify(asked)}`;
  const kept = await viewing.playlists.get(key, coding, () => answer.body());
  if (kept) {
    void reply.headers({ ...typed(coding), 'content-length': kept.length });
    await sendBody(reply, one(kept), { clock, log, limits: viewing.limits, sizeBytes: kept.length });
    return;
  }
  const body = await begun(inTurn(answer.body()));
  const now = codingNow(coding);
  void reply.headers(typed(now));
  await sendBody(reply, compressed(body, now), { clock, log, limits: viewing.limits });
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
