/** What a recording can be told: the schema is the reference, and the config file composes it. */
import { z } from 'zod';
import { LivetapeError } from '../base/index.js';

/** Whole numbers that fit into the arithmetic done with them. */
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** Schema of {@link DvrConfig}. */
export const dvrConfigSchema = z.strictObject({
  enabled: z.boolean(),
  segmentDuration: z.number().min(1).max(30),
  retentionSec: count,
  maxSizeGb: z.number().min(0),
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
  const parsed = dvrConfigSchema.safeParse(config);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const field = issue?.path.join('.') ?? '';
    throw new LivetapeError('CONFIG_INVALID', `dvr${field === '' ? '' : `.${field}`}: ${issue?.message ?? 'invalid'}`, {
      context: { field },
    });
  }
  if (!parsed.data.enabled) throw new LivetapeError('RECORDING_DISABLED', 'recording is not enabled in this configuration');
  return parsed.data;
}
