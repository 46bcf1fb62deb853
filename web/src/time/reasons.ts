/** Why there is no media, in words. */
import type { GapReason } from '../api';

const WORDS: Readonly<Record<GapReason, string>> = {
  signal: 'no signal',
  restart: 'the recorder was not running',
  disk: 'it could not be stored',
  overflow: 'it came faster than it could be stored',
  clock: 'the clock was set forward',
  source_switch: 'the source was switched',
};

/** `no signal`. */
export const reasonText = (reason: string): string => WORDS[reason as GapReason] ?? reason;
