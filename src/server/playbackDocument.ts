/**
 * Playback in the OpenAPI document, by hand: one route answers it all (routes/playback.ts), since stream codes hold slashes. docs/reference/http.md tells the same
 * at more length.
 */
import type { ErrorCode } from '../base/index.js';
import type { RouteAccess } from './door/access.js';
import { documentedErrors, securityOf, type DocumentedPaths } from './openapi.js';

/** What any request for a stream may be answered with. */
const OF_STREAMS: readonly ErrorCode[] = [
  'STREAM_CODE_INVALID',
  'STREAM_NOT_FOUND',
  'NOTHING_RECORDED',
  'ARCHIVE_CORRUPT',
  'ARCHIVE_FORMAT_NEWER',
  'STORAGE_FAILED',
  'ROUTE_NOT_FOUND',
];
/** What a request for a moment or a window may be answered with besides. */
const OF_WINDOWS: readonly ErrorCode[] = [
  'WINDOW_BEFORE_ARCHIVE',
  'WINDOW_EXPIRED',
  'WINDOW_IN_GAP',
  'WINDOW_IN_FUTURE',
  'WINDOW_TOO_LONG',
];

const header = (description: string, type = 'string'): object => ({ description, schema: { type } });
const CACHED = { ETag: header('Of this version.'), 'Cache-Control': header('`max-age` in seconds.') };
const CORS = {
  'Access-Control-Allow-Origin': header('Where `http.cors` names the origin that asks.'),
  'Access-Control-Expose-Headers': header('What scripts may see.'),
};

const binary = (type: string): object => ({ [type]: { schema: { type: 'string', contentMediaType: type } } });
const PLAYLIST = { 'application/vnd.apple.mpegurl': { schema: { type: 'string', description: 'An HLS playlist.' } } };
const TS = binary('video/mp2t');

const path = (name: string, description: string, example: string, pattern?: string): object => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string', ...(pattern === undefined ? {} : { pattern }) },
  example,
});
const query = (name: string, description: string, example: string | number, schema: object = { type: 'string' }): object => ({
  name,
  in: 'query',
  description,
  schema,
  example,
});
const seconds = { type: 'number', minimum: 0 };

const CODE = path('code', 'The stream code. It may hold slashes.', 'news');
const MOMENT = 'Unix seconds (a fraction is fine) or RFC 3339.';
const FROM = path('from', MOMENT, '1767225600');
const DUR = path('dur', 'Seconds.', '3600');
const GAPS = query('gaps', 'Gaps are a discontinuity (`skip`), or entries with EXT-X-GAP (`mark`).', 'mark', { enum: ['skip', 'mark'] });
const SKIP = query('_HLS_skip', 'A delta update (rfc8216bis, 6.2.5.1), where the playlist offers it.', 'YES');
const NOT_MODIFIED = { description: 'What the client has is still good.', headers: { ...CACHED, ...CORS } };

interface Documented {
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters: readonly object[];
  readonly answers: Readonly<Record<string, object>>;
  readonly errors: readonly ErrorCode[];
  readonly tag?: string;
  /** What the route asks for, where that is not `playback`. */
  readonly access?: RouteAccess;
}

/** A path. HEAD is answered like GET, without the body. */
function documented({ id, summary, description, parameters, answers, errors, tag = 'playback', access = 'playback' }: Documented): object {
  const get = {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    security: securityOf(access),
    responses: { ...documentedErrors(...errors, 'AUTHORIZER_FAILED'), ...answers },
  };
  return { get };
}

function playlist(
  id: string,
  summary: string,
  parameters: readonly object[],
  description?: string,
  answers: Readonly<Record<string, object>> = {},
): object {
  return documented({
    id,
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [CODE, ...parameters],
    answers: {
      200: {
        description: 'The playlist, as gzip or brotli where the client takes it.',
        headers: { ...CACHED, ...CORS, Vary: header('`accept-encoding`, and `origin` where `http.cors` names any.') },
        content: PLAYLIST,
      },
      304: NOT_MODIFIED,
      307: {
        description: 'With `?token=`: the same below `/t/{token}/`, which relative URIs inherit.',
        headers: { Location: header('Where.') },
      },
      ...answers,
    },
    errors: [...OF_STREAMS, ...OF_WINDOWS],
  });
}

/** Files that can be asked for by ranges. */
function ranged(
  id: string,
  summary: string,
  parameter: object,
  content: object,
  errors: readonly ErrorCode[],
  description?: string,
): object {
  const headers = { ...CACHED, ...CORS, 'Accept-Ranges': header('`bytes`.') };
  return documented({
    id,
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [CODE, parameter],
    answers: {
      200: { description: 'All of it.', headers, content },
      206: { description: 'The range that was asked for.', headers: { ...headers, 'Content-Range': header('Which bytes.') }, content },
      304: NOT_MODIFIED,
      416: { description: 'The range lies behind the end.', headers: { ...CORS, 'Content-Range': header('How long it is.') } },
    },
    errors: [...OF_STREAMS, ...errors],
  });
}

const time = { type: 'string', format: 'date-time' };
const strict = (properties: Readonly<Record<string, object>>): object => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const list = (items: object): object => ({ type: 'array', items });
const count = { type: 'integer', minimum: 0 };

const STATUS = strict({
  data: strict({
    stream_code: { type: 'string' },
    status: { enum: ['recording', 'stopped'] },
    dvr_range: strict({ started_at: time, last_segment_at: time }),
    gaps: list(
      strict({ from: time, to: time, duration: { ...count, description: 'Nanoseconds, as in index.json.' }, reason: { type: 'string' } }),
    ),
    segment_count: count,
    total_size_bytes: count,
  }),
  ranges: { ...list(strict({ from: time, to: time })), description: 'Spans with media, oldest first.' },
});
const FLUSSONIC = {
  ...list(
    strict({
      stream: { type: 'string' },
      ranges: list(strict({ from: { ...count, description: 'Unix seconds.' }, duration: { ...count, description: 'Seconds.' } })),
    }),
  ),
  description: "With `request=ranges`: Flussonic's form.",
};

/** Every path of playback, the channel list and the metrics. */
export const PLAYBACK_PATHS: DocumentedPaths = {
  '/{code}/index.m3u8': playlist(
    'getPlaylist',
    'Live, rewind, start-over, catch-up, delayed',
    [
      query('dvr', 'Seconds to rewind.', 7200, seconds),
      query('from', `Where the window begins. ${MOMENT} Beats \`delay\`.`, '2026-01-01T00:00:00Z'),
      query('dur', 'Seconds that the window lasts, with `from`, `delay` or `ago`; without it, from there up to now.', 3600, seconds),
      query('delay', 'Seconds behind live. Beats `ago`.', 3600, seconds),
      query('ago', 'As `delay`.', 3600, seconds),
      GAPS,
      SKIP,
    ],
    'Clients have to accept a multivariant playlist here one day. `video.m3u8` and `mono.m3u8` are the same.',
    {
      302: {
        description:
          'With `dur` and `delay` or `ago`: the window that begins there, told by `from`, so that it stays the same when it is asked for again.',
        headers: { ...CORS, Location: header('Relative.') },
      },
    },
  ),
  '/{code}/playlist.m3u8': playlist('getArchivePlaylist', 'The whole archive', []),
  '/{code}/archive-{from}-{dur}.m3u8': playlist('getWindowPlaylist', "A window, in Flussonic's form", [FROM, DUR, GAPS, SKIP]),
  '/{code}/archive-{from}-now.m3u8': playlist('getStartOverPlaylist', "From a moment up to now, in Flussonic's form", [FROM, GAPS, SKIP]),
  '/{code}/timeshift_abs-{from}.m3u8': playlist('getTimeshiftPlaylist', "From a moment on, in Flussonic's form", [FROM, GAPS, SKIP]),
  '/{code}/timeshift_rel-{delay}.m3u8': playlist('getDelayedPlaylist', "Delayed live, in Flussonic's form", [
    path('delay', 'Seconds.', '3600'),
    SKIP,
  ]),
  '/{code}/rewind-{dvr}.m3u8': playlist('getRewindPlaylist', "Live with rewind, in Flussonic's form", [
    path('dvr', 'Seconds.', '7200'),
    SKIP,
  ]),
  '/{code}/playlist_dvr_range-{from}-{dur}.m3u8': playlist('getRangePlaylist', "A window, in Nimble's form", [FROM, DUR, GAPS, SKIP]),
  '/{code}/{number}.ts': ranged(
    'getSegment',
    'A segment',
    path('number', 'As the playlist has it.', '000123', '^\\d+$'),
    TS,
    ['SEGMENT_NOT_FOUND'],
    'With `playback.x_accel_redirect` the body is empty, and `X-Accel-Redirect` tells nginx what to send.',
  ),
  '/{code}/{time}-preview.mp4': ranged(
    'getPreview',
    'The keyframe at or before a moment',
    path('time', MOMENT, '1767225600'),
    binary('video/mp4'),
    [...OF_WINDOWS, 'PREVIEW_UNSUPPORTED'],
  ),
  '/{code}/archive-{from}-{dur}.ts': documented({
    id: 'exportWindow',
    summary: 'A window as one transport stream',
    description: 'From the keyframe at or before `from` up to the first at or after the end.',
    parameters: [CODE, FROM, DUR],
    answers: {
      200: {
        description: 'All of it.',
        headers: {
          ...CORS,
          'Content-Length': header('Known before a byte is read.', 'integer'),
          'X-Content-Duration': header('How long it plays, in seconds: from keyframe to keyframe, without the gaps in between.', 'number'),
          'Content-Disposition': header('With a file name.'),
        },
        content: TS,
      },
    },
    errors: [...OF_STREAMS, ...OF_WINDOWS, 'SEGMENT_NOT_FOUND'],
  }),
  '/{code}/stream.ts': documented({
    id: 'getLiveStream',
    summary: 'The live stream as continuous TS',
    description: 'From the keyframe of the current segment on, until the viewer goes or the recording is stopped.',
    parameters: [CODE],
    answers: { 200: { description: 'The stream; it does not end.', headers: CORS, content: TS } },
    errors: ['STREAM_CODE_INVALID', 'STREAM_NOT_FOUND', 'NOT_RECORDING', 'RECORDER_LOST', 'CLOSED', 'ROUTE_NOT_FOUND'],
  }),
  '/{code}/recording_status.json': documented({
    id: 'getRecordingStatus',
    summary: 'What the archive holds',
    parameters: [
      CODE,
      query('from', `Of a window. ${MOMENT}`, '1767225600'),
      query('to', `Of a window. ${MOMENT}`, '1767312000'),
      query('request', "`ranges`: Flussonic's form.", 'ranges'),
    ],
    answers: {
      200: { description: 'The status.', headers: CORS, content: { 'application/json': { schema: { oneOf: [STATUS, FLUSSONIC] } } } },
    },
    errors: [...OF_STREAMS, ...OF_WINDOWS],
  }),
  '/playlist.m3u': documented({
    id: 'getChannelList',
    summary: 'All channels, as IPTV apps read them',
    parameters: [],
    answers: { 200: { description: 'An extended M3U list.', content: { 'audio/x-mpegurl': { schema: { type: 'string' } } } } },
    errors: [],
  }),
  '/metrics': documented({
    id: 'getMetrics',
    summary: 'Metrics, for Prometheus',
    tag: 'health',
    access: { scope: 'metrics' },
    description: 'Takes the scope `metrics`. Of a credential for some streams: these alone.',
    parameters: [],
    answers: { 200: { description: 'Text, version 0.0.4 of the format.', content: { 'text/plain': { schema: { type: 'string' } } } } },
    errors: [],
  }),
};
