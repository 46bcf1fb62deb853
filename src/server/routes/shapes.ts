/** What several routes say in JSON: schemas, and how they are made of what the server knows. Names in snake case, times RFC 3339, sizes bytes. */
import { z } from 'zod';
import { ERROR_CODES, type LivetapeError } from '../../base/index.js';
import { GAP_REASONS, type Gap } from '../../model/index.js';
import type { Recording } from '../../recorder/index.js';
import { publicMessage } from '../publicText.js';

/** A moment, as it is told. */
export const timeSchema = z.iso.datetime().describe('RFC 3339, UTC.');
/** A number of bytes, segments … */
export const countSchema = z.number().int().min(0);

/** `{code}` of a route. */
export const codeParams = z.object({
  code: z
    .string()
    .describe('The stream code; a `/` in it is written `%2F`.')
    .meta({ examples: ['news'] }),
});

/** Why something does not go. */
export const problemSchema = z.object({ code: z.enum(ERROR_CODES), message: z.string() }).meta({ id: 'Problem', description: 'An error.' });

export const gapSchema = z
  .object({
    from: timeSchema.describe('Where the media before it ends.'),
    to: timeSchema.describe('Where the media after it begins.'),
    duration: z.number().int().describe('Nanoseconds, as in index.json.'),
    reason: z.enum(GAP_REASONS),
  })
  .meta({ id: 'Gap', description: 'A span of time with no media.' });

export const recordingSchema = z
  .object({
    id: z.string(),
    stream_code: z.string(),
    status: z.enum(['recording', 'stopped', 'failed']),
    started_at: timeSchema,
    stopped_at: timeSchema.nullable(),
    segment_dir: z.string().nullable().describe('The folder of the archive; null to others than admins, and in events.'),
  })
  .meta({ id: 'Recording', description: 'A recording that runs. `failed`: what comes cannot be stored at present; it is tried again.' });

/** A moment of UTC milliseconds (a fraction is cut) as text. */
export const timeText = (ms: number): string => new Date(ms).toISOString();

export function gapAnswer(gap: Gap): z.output<typeof gapSchema> {
  return {
    from: timeText(gap.fromMs),
    to: timeText(gap.toMs),
    duration: Math.round(gap.toMs - gap.fromMs) * 1e6,
    reason: gap.reason,
  };
}

/** @param tellsPaths - whether it is for an admin (docs/design/door.md, D10) */
export function recordingAnswer(recording: Recording, tellsPaths: boolean): z.output<typeof recordingSchema> {
  return {
    id: recording.id,
    stream_code: recording.streamCode,
    status: recording.status,
    started_at: recording.startedAt.toISOString(),
    stopped_at: recording.stoppedAt?.toISOString() ?? null,
    segment_dir: tellsPaths ? recording.segmentDir : null,
  };
}

export const problemAnswer = (error: LivetapeError): z.output<typeof problemSchema> => ({
  code: error.code,
  message: publicMessage(error),
});
