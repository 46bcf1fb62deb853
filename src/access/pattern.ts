/** Patterns of stream codes, as they are written: in livetape.yaml, on the command line, in tokens (grant.ts says what they name). */
import { z } from 'zod';

/** A stream's code, or `*` for any run of characters. */
export const patternSchema = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[A-Za-z0-9_/*-]+$/, 'it is neither a stream code nor a pattern of one (`*` stands for any run of characters)');
