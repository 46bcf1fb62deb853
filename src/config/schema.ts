/**
 * livetape.yaml as a schema: the reference (docs/reference/config.md) is generated from it, and so are the checks. Names are as people write
 * them, in snake case, as in the HTTP API.
 */
import { z } from 'zod';
import { dvrConfigSchema, minFreeGbSchema } from '../recorder/index.js';

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
  .extend({ template: z.string().optional().describe('The template it inherits from.') })
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

/** The whole file. */
export const configSchema = z.strictObject({
  listen: z.string().default('127.0.0.1:8080').describe('HOST:PORT of the HTTP server. Only loopback addresses for now.'),
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
  playback: playbackSchema.prefault({}),
  templates: z.record(z.string(), templateSchema).default({}).describe('Named defaults that streams can inherit.'),
  streams: z.record(z.string(), streamSchema).default({}).describe('The streams, by code.'),
});

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
  readonly dvr: DvrSettings;
}
