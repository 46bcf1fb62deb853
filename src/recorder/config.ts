/** What a recording can be told: the schema is the reference, and the config file composes it. */
import { z } from 'zod';
import { LivetapeError } from '../base/index.js';
import type { RetentionLimits } from './retentionStream.js';

/** Whole numbers that fit into the arithmetic done with them. */
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Gigabytes; more than a number of bytes can say is no limit at all. */
const gigabytes = z.number().min(0).max(9e6);
/** Schema of what is kept free on each disk that is recorded on. */
export const minFreeGbSchema = gigabytes;
/** What is kept of a stream. */
const retention = { retentionSec: count, maxSizeGb: gigabytes };
const retentionSchema = z.strictObject(retention);

/** Schema of {@link DvrConfig}. */
export const dvrConfigSchema = z.strictObject({
  enabled: z.boolean(),
  segmentDuration: z.number().min(1).max(30),
  ...retention,
  storagePath: z.string(),
});

/** How a stream is recorded. */
export interface DvrConfig {
  /** False refuses to start, with RECORDING_DISABLED. */
  enabled: boolean;
  /** Seconds a segment should last, 1 to 30; segments are cut at keyframes. */
  segmentDuration: number;
  /** Seconds of media to keep; 0 keeps all. */
  retentionSec: number;
  /** Gigabytes (10^9 bytes) to keep; 0 keeps all. */
  maxSizeGb: number;
  /** Folder in which this stream's folder lies; empty for the root of all. */
  storagePath: string;
}

/**
 * The config, checked.
 * @throws LivetapeError CONFIG_INVALID naming the field; RECORDING_DISABLED
 */
export function checkDvrConfig(config: unknown): DvrConfig {
  const parsed = check(dvrConfigSchema, config, 'dvr');
  if (!parsed.enabled) throw new LivetapeError('RECORDING_DISABLED', 'recording is not enabled in this configuration');
  return parsed;
}

/**
 * Limits of what is kept, checked.
 * @throws LivetapeError CONFIG_INVALID naming the field
 */
export function checkRetention(limits: unknown): RetentionLimits {
  return check(retentionSchema, limits, 'retention');
}

/**
 * Gigabytes to keep free, checked.
 * @throws LivetapeError CONFIG_INVALID
 */
export function checkMinFree(minFreeGb: unknown): number {
  return check(minFreeGbSchema, minFreeGb, 'minFreeGb');
}

function check<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new LivetapeError('CONFIG_INVALID', `${name}${field === '' ? '' : `.${field}`}: ${issue?.message ?? 'invalid'}`, {
    context: { field },
  });
}
