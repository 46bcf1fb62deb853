/** model: the nouns that three or more rooms share. Imports `base` alone. */
export { PTS_MODULUS, TICKS_PER_MS, TICKS_PER_SECOND, ptsDelta, ticksToMs } from './units.js';
export { GAP_REASONS, type Gap, type GapReason } from './gap.js';
export { checkStreamCode, streamCodesConflict, type StreamCode } from './streamCode.js';
export { parseTime } from './time.js';
