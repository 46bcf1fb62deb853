/**
 * The two clocks and the units between them. Media time counts 90 kHz ticks (ISO/IEC 13818-1, 2.4.3.7);
 * wall time is UTC in milliseconds. Names carry the unit: `pts90k`, `durationMs`, `sizeBytes`.
 */

/** Ticks of the media clock in a second. */
export const TICKS_PER_SECOND = 90_000;
/** Ticks of the media clock in a millisecond. */
export const TICKS_PER_MS = 90;
/** One more than the largest value of a 33-bit time stamp; it is reached every 26.5 hours. */
export const PTS_MODULUS = 2 ** 33;

/** Ticks as milliseconds, with a fraction. */
export const ticksToMs = (ticks90k: number): number => ticks90k / TICKS_PER_MS;

/**
 * The way from one 33-bit time stamp to another, the short way round: in [-2^32, 2^32) ticks.
 * Both values are taken modulo 2^33.
 */
export function ptsDelta(from90k: number, to90k: number): number {
  const forward = (((to90k - from90k) % PTS_MODULUS) + PTS_MODULUS) % PTS_MODULUS;
  return forward >= PTS_MODULUS / 2 ? forward - PTS_MODULUS : forward;
}
