/**
 * Who is watching. A player of HLS holds no connection, so a session is a client (address and user agent) that asked for a playlist of
 * the stream a short while ago. There are no more than may be (docs/design/door.md, L2): beyond that who is there goes on, and nobody comes.
 */
import type { Clock } from '../base/index.js';
import { clientOf } from './door/address.js';

/** A session lasts so long after a playlist was asked for, or three target durations if that is longer; milliseconds. */
const SESSION_MS = 30_000;
/** Of a user agent, so much tells it apart. */
const AGENT_LENGTH = 160;
/** Where there is no room, those that are over are looked for this often at most; milliseconds. */
const SWEEP_MS = 1000;

/** A client that asks for a playlist. */
export interface Session {
  readonly code: string;
  readonly address: string;
  readonly agent: string | undefined;
  readonly targetDurationSec: number;
}

/** How many sessions there may be. */
export interface SessionBounds {
  readonly all: number;
  /** Of one address: a user agent is quickly made up. */
  readonly perAddress: number;
}

interface Kept {
  readonly code: string;
  readonly client: string;
  readonly untilMs: number;
}

/** Sessions of all streams. */
export class Sessions {
  readonly #clock: Clock;
  readonly #bounds: () => SessionBounds;
  /** In the order of the last request. */
  readonly #sessions = new Map<string, Kept>();
  /** How many each client has. */
  readonly #clients = new Map<string, number>();
  #sweptMs = -Infinity;

  /** @param bounds - asked at each use */
  constructor(clock: Clock, bounds: () => SessionBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /** How many there are, those that are over a moment ago too. */
  get size(): number {
    return this.#sessions.size;
  }

  /** A client asks for a playlist. False when it is a new one, and one too many. */
  seen({ code, address, agent, targetDurationSec }: Session): boolean {
    const nowMs = this.#clock.monotonicMs();
    const key = `${code} ${address} ${(agent ?? '').slice(0, AGENT_LENGTH)}`;
    const client = clientOf(address);
    this.#sweepOldest(nowMs);
    if (!this.#sessions.has(key) && !this.#hasRoom(client, nowMs)) return false;
    this.#delete(key);
    this.#sessions.set(key, { code, client, untilMs: nowMs + Math.max(SESSION_MS, 3000 * targetDurationSec) });
    this.#clients.set(client, (this.#clients.get(client) ?? 0) + 1);
    return true;
  }

  /** How many there are of each stream that has any. */
  counts(): Map<string, number> {
    this.#sweep(this.#clock.monotonicMs());
    const counts = new Map<string, number>();
    for (const { code } of this.#sessions.values()) counts.set(code, (counts.get(code) ?? 0) + 1);
    return counts;
  }

  #hasRoom(client: string, nowMs: number): boolean {
    const isWithin = (): boolean => {
      const { all, perAddress } = this.#bounds();
      return this.#sessions.size < all && (this.#clients.get(client) ?? 0) < perAddress;
    };
    if (isWithin()) return true;
    if (nowMs - this.#sweptMs < SWEEP_MS) return false;
    this.#sweep(nowMs);
    return isWithin();
  }

  #sweep(nowMs: number): void {
    this.#sweptMs = nowMs;
    for (const [key, { untilMs }] of this.#sessions) if (untilMs <= nowMs) this.#delete(key);
  }

  /** So that the memory falls when nobody counts. */
  #sweepOldest(nowMs: number): void {
    for (const [key, { untilMs }] of this.#sessions) {
      if (untilMs > nowMs) return;
      this.#delete(key);
    }
  }

  #delete(key: string): void {
    const kept = this.#sessions.get(key);
    if (kept === undefined) return;
    this.#sessions.delete(key);
    const left = (this.#clients.get(kept.client) ?? 1) - 1;
    if (left === 0) this.#clients.delete(kept.client);
    else this.#clients.set(kept.client, left);
  }
}
