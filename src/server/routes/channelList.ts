/**
 * `/playlist.m3u`: all channels, as IPTV apps read them. `catchup="default"` with the whole URL in `catchup-source` is what Kodi's pvr.iptvsimple, TiviMate and
 * OTT Navigator agree on; they put a programme's start (Unix seconds) and length (seconds) for `{utc}` and `{duration}`.
 */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { opensStream } from '../../access/index.js';
import { isLivetapeError, LivetapeError } from '../../base/index.js';
import type { Channel, ServerContext } from '../context.js';
import { credentialOf, fitsPath } from '../door/credential.js';

const DAY_MS = 86_400_000;
/** A name or address, and a port. */
const HOST = /^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?$/;

/** The channel list's route. */
export function channelListRoutes(context: ServerContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get('/playlist.m3u', { config: { access: { scope: 'playback' } }, schema: { hide: true } }, async (request, reply) => {
      const { host } = request.headers;
      if (host === undefined || !HOST.test(host)) throw new LivetapeError('REQUEST_INVALID', 'the Host header is none');
      // The address that was asked for is the one that answers. What a proxy says of another (X-Forwarded-…) anybody could say.
      const token = credentialOf(request.raw)?.text;
      // Apps take nothing but these URLs with them. A token that no path can hold goes with none.
      const prefix = token !== undefined && fitsPath(token) && context.door.isGuarded ? `/t/${token}` : '';
      const list = await channelList(context, `${request.protocol}://${host}${prefix}`, ({ code }) => opensStream(request.grant, code));
      return reply.headers({ 'content-type': 'audio/x-mpegurl; charset=utf-8', 'cache-control': 'private, no-cache' }).send(list);
    });
  };
}

async function channelList(
  { channels, clock, playback }: ServerContext,
  base: string,
  isShown: (channel: Channel) => boolean,
): Promise<string> {
  const entries: string[] = [];
  // one after another: a list is asked for rarely, and is not to slow down those who watch
  for (const channel of (await channels.list()).filter(isShown)) {
    const days = await catchupDays(channel);
    if (days !== undefined || channel.config) entries.push(...entry(base, channel, days));
  }
  return ['#EXTM3U', ...entries, ''].join('\n');

  /** How far back a channel goes; undefined where nothing is recorded. */
  async function catchupDays({ code, config }: Channel): Promise<number | undefined> {
    try {
      const { startMs } = await playback.timelines.timeline(code);
      const retentionMs = 1000 * (config?.dvr.retention_sec ?? 0);
      return Math.max(1, Math.ceil((retentionMs > 0 ? retentionMs : clock.nowMs() - startMs) / DAY_MS));
    } catch (error) {
      // a channel whose archive cannot be read does not take the others out of the list
      if (isLivetapeError(error)) return undefined;
      throw error;
    }
  }
}

function entry(base: string, { code, config }: Channel, days: number | undefined): string[] {
  const url = `${base}/${code}/index.m3u8`;
  const title = plain(config?.title ?? '') || code;
  const attributes = [`tvg-id="${code}"`, `tvg-name="${title}"`];
  if (days !== undefined)
    attributes.push('catchup="default"', `catchup-days="${days}"`, `catchup-source="${url}?from={utc}&dur={duration}"`);
  // many take what follows the last comma for the name
  return [`#EXTINF:-1 ${attributes.join(' ')},${title.replaceAll(',', ' ')}`, url];
}

/** What an attribute can hold: one line without quotation marks. */
function plain(title: string): string {
  return title
    .replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ')
    .replaceAll('"', "'")
    .trim();
}
