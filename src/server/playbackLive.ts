/** `stream.ts`: sends the live stream for as long as the viewer takes it (docs/design/server.md, H6). */
import { isLivetapeError, LivetapeError } from '../base/index.js';
import type { PlaybackExchange } from './playbackRequest.js';
import { sendBody, sendHead } from './sending.js';

/** A viewer that takes nothing for so long is let go; milliseconds. */
const STALLED_MS = 30_000;

/** Answers with the stream as it is recorded. */
export async function sendLive(exchange: PlaybackExchange): Promise<void> {
  const { context, viewing, code, request, reply } = exchange;
  const { clock, log, pool } = context;
  const headers = { 'content-type': 'video/mp2t', 'cache-control': 'no-store', 'accept-ranges': 'none' };
  if (request.method === 'HEAD') {
    if (!pool.isRecording(code)) throw await notRecording(exchange);
    sendHead(reply.headers(headers));
    return;
  }
  viewing.checkLive();
  const viewer = await viewing.relays.watch(code).catch(async (error: unknown) => {
    throw isLivetapeError(error, 'NOT_RECORDING') ? await notRecording(exchange) : error;
  });
  const over = context.door.whileOpen(request, () => reply.raw.destroy());
  await sendBody(reply.headers(headers), viewer, { clock, log, limits: viewing.limits, stalledMs: STALLED_MS, headersFirst: true }).finally(
    over,
  );
}

async function notRecording({ context, code }: PlaybackExchange): Promise<LivetapeError> {
  return (await context.channels.get(code))
    ? new LivetapeError('NOT_RECORDING', `stream ${code} is not being recorded`, { context: { code } })
    : new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code}`, { context: { code } });
}
