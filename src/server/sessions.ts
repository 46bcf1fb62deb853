/**
 * Who is watching. A player of HLS holds no connection, so a session is a client (address and user agent) that asked for a playlist of
 * the stream a short while ago.
 */
import type { Clock } from '../base/index.js';

/** A session lasts so long after a playlist was asked for, or three target durations if that is longer; milliseconds. */
const SESSION_MS = 30_000;
/** How many are remembered; beyond that the one that asked longest ago is forgotten. */
const MAX_SESSIONS = 100_000;
/** Of a user agent, so much tells it apart. */
const AGENT_LENGTH = 160;

interface Session {
  readonly code: string;
  readonly untilMs: number;
}

/** Sessions of all streams. */
export class Sessions {
  readonly #clock: Clock;
  readonly #max: number;
  /** In the order of the last request. */
  readonly #sessions = new Map<string, Session>();

  constructor(clock: Clock, max = MAX_SESSIONS) {
    this.#clock = clock;
    this.#max = max;
  }

  /** A client was given a playlist of the stream. */
  seen(code: string, address: string, agent: string | undefined, targetDurationSec: number): void {
    const key = `${code} ${address} ${(agent ?? '').slice(0, AGENT_LENGTH)}`;
    this.#sessions.delete(key);
    this.#sessions.set(key, { code, untilMs: this.#clock.monotonicMs() + Math.max(SESSION_MS, 3000 * targetDurationSec) });
    if (this.#sessions.size <= this.#max) return;
    for (const oldest of this.#sessions.keys()) {
      this.#sessions.delete(oldest);
      break;
    }
  }

  /** How many there are of each stream that has any. */
  counts(): Map<string, number> {
    const nowMs = this.#clock.monotonicMs();
    const counts = new Map<string, number>();
    for (const [key, { code, untilMs }] of this.#sessions) {
      if (untilMs <= nowMs) this.#sessions.delete(key);
      else counts.set(code, (counts.get(code) ?? 0) + 1);
    }
    return counts;
  }
}
