/** Sends media: segments, windows as one file, previews. By ranges where a player may want them, and held by nobody who has gone away. */
import type { PlaybackExchange } from './playbackRequest.js';
import { rangeHolds, readRange } from './byteRange.js';
import { cacheControl, isKnown, NEVER_CHANGES, PAST, strongTag } from './caching.js';
import { checkKeyframe } from './door/windows.js';
import { begun, sendBody, sendHead } from './sending.js';

/** A body of known size that can be read from anywhere. */
interface File {
  readonly type: string;
  readonly sizeBytes: number;
  readonly tag: string;
  readonly cacheControl: string;
  read(fromByte: number, toByte: number): AsyncIterable<Uint8Array>;
}

/** A segment; from nginx, where it is configured to send them. */
export async function sendSegment(exchange: PlaybackExchange, name: string): Promise<void> {
  const { context, code, reply } = exchange;
  const segment = await context.playback.segment(code, name);
  try {
    const file: File = {
      type: 'video/mp2t',
      sizeBytes: segment.sizeBytes,
      // a number is never used again, but one that was repaired may be of another size
      tag: strongTag(`${name}-${segment.sizeBytes.toString(36)}`),
      cacheControl: cacheControl(NEVER_CHANGES, exchange.isPrivate),
      read: (fromByte, toByte) => segment.read(fromByte, toByte),
    };
    const { config, streams } = context.config.state;
    const prefix = config.playback.x_accel_redirect;
    // nginx knows the folder of `data` alone
    if (prefix === '' || (streams.get(code)?.dvr.storage_path ?? '') !== '') {
      await sendFile(exchange, file);
      return;
    }
    // nginx answers ranges and conditions by itself, and says how long the body is
    void reply.headers({
      'x-accel-redirect': `${prefix}${code}/${name}`,
      'content-type': file.type,
      'cache-control': file.cacheControl,
      etag: file.tag,
    });
    sendHead(reply);
  } finally {
    await segment.close();
  }
}

/** The keyframe at or before a moment. */
export async function sendPreview(exchange: PlaybackExchange, atMs: number): Promise<void> {
  const { body, wallMs } = await exchange.context.playback.preview(exchange.code, atMs);
  if (exchange.opened) await checkKeyframe(exchange.opened.window, exchange.opened.asked, wallMs);
  await sendFile(exchange, {
    type: 'video/mp4',
    sizeBytes: body.length,
    tag: strongTag(`${Math.round(wallMs).toString(36)}-${body.length.toString(36)}`),
    cacheControl: cacheControl(PAST, exchange.isPrivate),
    async *read(fromByte, toByte) {
      yield body.subarray(fromByte, toByte);
    },
  });
}

/** A window as one transport stream, to be saved. */
export async function sendExport(exchange: PlaybackExchange, fromMs: number, durationMs: number): Promise<void> {
  const { context, viewing, code, request, reply } = exchange;
  const { clock, log } = context;
  const { limits } = viewing;
  const held = limits.holdExport(request);
  try {
    const made = await context.playback.exportTs(code, fromMs, durationMs);
    const { sizeBytes, durationMs: playsMs } = made;
    const started = request.method === 'HEAD' ? undefined : await begun(made.body());
    void reply.headers({
      'content-type': 'video/mp2t',
      'content-length': sizeBytes,
      // what was asked for, and as much more as lies between its ends and a keyframe
      'x-content-duration': (playsMs / 1000).toFixed(3),
      'content-disposition': `attachment; filename="${fileName(code, fromMs, durationMs)}"`,
      'cache-control': cacheControl(PAST, exchange.isPrivate),
      'accept-ranges': 'none',
    });
    if (started === undefined) {
      sendHead(reply);
      return;
    }
    // it may be hours of a stream
    const over = context.door.whileOpen(request, () => reply.raw.destroy(), false);
    await sendBody(reply, started, { clock, log, limits, sizeBytes }).finally(over);
  } finally {
    held.release();
  }
}

/** `news-20260101T120000Z-3600.ts`; the slashes of a code cannot be in a name. */
function fileName(code: string, fromMs: number, durationMs: number): string {
  const from = new Date(fromMs).toISOString().replace(/[-:]|\.\d+/g, '');
  return `${code.replaceAll('/', '-')}-${from}-${Math.round(durationMs / 1000)}.ts`;
}

async function sendFile({ context, viewing, request, reply }: PlaybackExchange, file: File): Promise<void> {
  const { sizeBytes, tag } = file;
  void reply.headers({ etag: tag, 'cache-control': file.cacheControl, 'accept-ranges': 'bytes' });
  if (isKnown(request.headers['if-none-match'], tag)) {
    sendHead(reply.code(304));
    return;
  }
  void reply.header('content-type', file.type);
  // a Range says something to GET alone (RFC 9110, 14.2)
  const conditional = request.method === 'GET' && rangeHolds(request.headers['if-range']?.toString(), tag);
  const range = readRange(conditional ? request.headers.range : undefined, sizeBytes);
  if (range === 'unsatisfiable') {
    void reply.code(416).headers({ 'content-range': `bytes */${sizeBytes}`, 'content-length': 0 });
    reply.removeHeader('content-type').removeHeader('cache-control');
    sendHead(reply);
    return;
  }
  const { fromByte, toByte } = range === 'whole' ? { fromByte: 0, toByte: sizeBytes } : range;
  const length = toByte - fromByte;
  if (range !== 'whole') void reply.code(206).header('content-range', `bytes ${fromByte}-${toByte - 1}/${sizeBytes}`);
  void reply.header('content-length', length);
  if (request.method === 'HEAD') sendHead(reply);
  else {
    const { clock, log } = context;
    await sendBody(reply, file.read(fromByte, toByte), { clock, log, limits: viewing.limits, sizeBytes: length });
  }
}
