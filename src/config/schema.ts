/**
 * livetape.yaml as a schema: the reference (docs/reference/config.md) is generated from it, and so are the checks. Names are as people write
 * them, in snake case, as in the HTTP API.
 */
import { z } from 'zod';
import { patternSchema } from '../access/index.js';
import { DVR_EVENT_NAMES, dvrConfigSchema, minFreeGbSchema } from '../recorder/index.js';

/** What a recorder takes, and within which limits. */
const { enabled, segmentDuration, retentionSec, maxSizeGb, storagePath } = dvrConfigSchema.shape;

/** How a stream is recorded, as people write it. What is left out comes from the template, then from the defaults. */
export const dvrSchema = z
  .strictObject({
    enabled: enabled.describe('Whether the stream is recorded.'),
    segment_duration: segmentDuration.describe('Seconds that a segment should last; segments are cut at keyframes.'),
    retention_sec: retentionSec.describe('Seconds of media to keep; 0 keeps all.'),
    max_size_gb: maxSizeGb.describe('Gigabytes (10^9 bytes) to keep; 0 keeps all.'),
    storage_path: storagePath.describe("Folder in which the stream's folder lies; empty for `data`."),
  })
  .describe('How a stream is recorded.');

/** What a template gives to the streams that name it; each part may be left out. */
export const templateSchema = z
  .strictObject({
    source: z.string().optional().describe('Where the stream comes from; see the guide to sources.'),
    title: z.string().max(200).optional().describe('A name for people, in channel lists.'),
    dvr: dvrSchema.partial().optional().describe('How it is recorded.'),
  })
  .describe('Defaults that streams inherit.');

/** A stream, as people write it. */
export const streamSchema = templateSchema
  .extend({
    template: z.string().optional().describe('The template it inherits from.'),
    restricted: z
      .boolean()
      .optional()
      .describe(
        'The source was set by somebody who is not an admin: it may not reach private addresses (`egress.allow`). Written by the API.',
      ),
  })
  .describe('A stream.');

/** What playback is allowed and given. */
export const playbackSchema = z
  .strictObject({
    live_window: z
      .number()
      .min(5)
      .max(3600)
      .default(30)
      .describe('Seconds that a live playlist holds at least; never less than three target durations.'),
    max_window: z.number().int().min(60).default(2_678_400).describe('Seconds that one request may ask for; 31 days.'),
    cache_mb: z
      .number()
      .min(0)
      .max(1e6)
      .default(256)
      .describe('Megabytes (10^6 bytes) of newest segments and playlist text that are kept in memory, for all streams together.'),
    x_accel_redirect: z
      .string()
      .default('')
      .describe(
        'A prefix such as `/archive/`: segments are answered with `X-Accel-Redirect: PREFIX{code}/{file}`, for nginx to send. Empty: Livetape sends them.',
      ),
  })
  .describe('What playback is allowed and given.');

/** Who may do what. */
export const authSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe('Whether credentials are asked for. Needed to listen on anything but loopback; the first start makes an admin token.'),
    playback: z.enum(['required', 'open']).default('required').describe('Whether watching needs one, too.'),
    keys: z
      .array(
        z.strictObject({
          id: z
            .string()
            .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'it is not 1 to 64 letters, digits, "_", "." and "-"')
            .describe('`kid` of what it signs.'),
          secret: z.string().min(32).max(1024).describe('At least 32 characters, random.'),
        }),
      )
      .max(8)
      .default([])
      .describe('Keys of signed playback tokens: the first signs, all are valid. None: one that the server makes.'),
    http_url: z.string().default('').describe('An authoriser that is asked by POST about playback that no token opens. Empty: none.'),
    http_timeout_ms: z
      .number()
      .int()
      .min(50)
      .max(30_000)
      .default(2000)
      .describe('Milliseconds in which it has to answer; else playback is refused.'),
  })
  .describe('Who may do what.');

/** What HTTP does not do for everybody. */
export const httpSchema = z
  .strictObject({
    hosts: z
      .array(z.string())
      .default([])
      .describe('Names under which a server without auth may be asked, beside those of loopback: what a reverse proxy hands on as Host.'),
    cors: z
      .array(z.string())
      .default([])
      .describe('Origins (`https://example.org`) whose pages may play; `*` is any. None: this server alone.'),
    trusted_proxies: z
      .array(z.string())
      .default([])
      .describe('Addresses and networks (`10.0.0.0/8`) of proxies whose X-Forwarded-For is believed.'),
    limits: z
      .strictObject({
        connections: z.number().int().min(1).default(10_000).describe('Connections at a time.'),
        connections_per_address: z.number().int().min(1).default(500).describe('Connections of one address (IPv6: of one /64).'),
        requests_per_second: z
          .number()
          .int()
          .min(1)
          .default(500)
          .describe('Requests of one address per second, averaged over ten seconds.'),
        failures_per_minute: z
          .number()
          .int()
          .min(1)
          .default(60)
          .describe('Wrong credentials of one address per minute; a right one is never refused.'),
        sessions: z
          .number()
          .int()
          .min(1)
          .default(20_000)
          .describe('Viewers at a time; one address has as many as it may have connections.'),
        event_streams: z.number().int().min(1).default(100).describe('Clients of `/api/v1/events`.'),
        exports: z
          .number()
          .int()
          .min(1)
          .default(16)
          .describe('Windows that are sent as one file at a time; an address has a quarter of them at most.'),
        streams: z.number().int().min(1).default(10_000).describe('Streams that the API may make.'),
      })
      .prefault({})
      .describe('What is too much.'),
  })
  .describe('What HTTP does not do for everybody.');

/** TLS. */
export const tlsSchema = z
  .strictObject({
    cert: z.string().default('').describe('PEM file of the certificate and its chain. Relative to the file; read again when it changes.'),
    key: z.string().default('').describe('PEM file of its private key.'),
  })
  .describe('HTTPS. Both or none.');

/** What is not reached for others. */
export const egressSchema = z
  .strictObject({
    allow: z
      .array(z.string())
      .default([])
      .describe('Networks (`10.0.0.0/8`) that sources and webhooks which are `restricted` may reach although they are not public.'),
  })
  .describe('Where the server connects to for those who are not its admin.');

/** Whether a server can send there. */
export function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '';
}

/** What is base64 by its name is to be base64: else what is signed could not be verified by those who believe it. */
function isSecret(text: string): boolean {
  return (
    !text.startsWith('whsec_') || /^whsec_(?:[A-Za-z0-9+/]{4}){3,}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/.test(text)
  );
}

/** A webhook. */
export const hookSchema = z
  .strictObject({
    url: z
      .string()
      .max(4096)
      .refine(isHttpUrl, 'it is not an http:// or https:// URL')
      .describe('Where events are sent by POST: `http://` or `https://`.'),
    events: z.array(z.enum(DVR_EVENT_NAMES)).optional().describe('Types of events (`recording.failed`); all unless said.'),
    streams: z.array(patternSchema).optional().describe('Stream codes, or patterns of them (`sport/*`); all unless said.'),
    secret: z
      .string()
      .min(16)
      .max(1024)
      .refine(isSecret, 'what follows whsec_ is not base64 of 12 bytes or more')
      .optional()
      .describe('Signs what is sent, as Standard Webhooks says (`whsec_…` is base64; else the text itself).'),
    batch: z.number().int().min(1).max(1000).optional().describe('Events in one request at most; 100 unless said.'),
    batch_ms: z.number().int().min(0).max(60_000).optional().describe('Milliseconds that an event waits for others; 500 unless said.'),
    restricted: z
      .boolean()
      .optional()
      .describe('It was set by somebody who is not an admin: it may not reach private addresses. Written by the API.'),
  })
  .describe('A webhook.');

/** The whole file. */
export const configSchema = z.strictObject({
  listen: z.string().default('127.0.0.1:8080').describe('HOST:PORT of the HTTP server. Anything but loopback needs `auth.enabled`.'),
  data: z.string().default('./dvr').describe('The folder in which each stream has its folder. Relative to the file.'),
  recorders: z
    .union([z.literal('auto'), z.number().int().min(0).max(256)], { error: 'it is neither "auto" nor a whole number from 0 to 256' })
    .default('auto')
    .describe('Recorder processes; `auto` is one per core but one. 0: nothing is recorded, what others record is served.'),
  min_free_gb: minFreeGbSchema
    .default(0)
    .describe('Gigabytes (10^9 bytes) to keep free on each disk that is recorded on; the oldest segments go for it.'),
  log_level: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('What is logged, on standard error, as JSON lines.'),
  state: z
    .string()
    .default('')
    .describe("Folder of the server's own small files: tokens, keys, the audit log, queues of webhooks. Empty: `.livetape` in `data`."),
  playback: playbackSchema.prefault({}),
  auth: authSchema.prefault({}),
  http: httpSchema.prefault({}),
  tls: tlsSchema.prefault({}),
  egress: egressSchema.prefault({}),
  hooks: z.record(z.string(), hookSchema).default({}).describe('Webhooks, by id.'),
  templates: z.record(z.string(), templateSchema).default({}).describe('Named defaults that streams can inherit.'),
  streams: z.record(z.string(), streamSchema).default({}).describe('The streams, by code.'),
});

/** A webhook as it is written in the file. */
export type HookEntry = z.infer<typeof hookSchema>;
/** `dvr` of a stream with nothing left out. */
export type DvrSettings = z.infer<typeof dvrSchema>;
/** A stream as it is written in the file. */
export type StreamEntry = z.infer<typeof streamSchema>;
/** The file's content, checked, defaults filled in. */
export type Config = z.infer<typeof configSchema>;

/** What `dvr` is where neither the stream nor its template says. */
export const DVR_DEFAULTS: DvrSettings = { enabled: true, segment_duration: 4, retention_sec: 0, max_size_gb: 0, storage_path: '' };

/** A stream with its template's and the default values filled in. */
export interface StreamConfig {
  readonly code: string;
  /** Empty where none is said: then nothing is connected. */
  readonly source: string;
  readonly title: string;
  /** Its source may not reach private addresses (docs/design/door.md, E1). */
  readonly restricted: boolean;
  readonly dvr: DvrSettings;
}
