/**
 * How far back the playlists reached that viewers were given lately: the files that such a playlist names stay until nobody can be about to ask for them
 * (docs/design/keeping.md, K8).
 */
import type { Clock } from '../base/index.js';
import type { StreamCode } from '../model/index.js';

/** A playlist that was served longer ago than this is not being played any more. */
const REMEMBERED_MS = 3_600_000;
/** Reaches are remembered by the minute: the greatest of each. */
const SLOT_MS = 60_000;
/** Files wait no longer than this for viewers: one who rewinds over days would keep a stream's last days twice. */
const MAX_GRACE_MS = 900_000;

/** The greatest reach of each minute, by stream. */
export class ServedReaches {
  readonly #clock: Clock;
  readonly #slots = new Map<StreamCode, Map<number, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A playlist of the stream that reaches so far back from now was served. */
  served(code: StreamCode, reachMs: number): void {
    if (!(reachMs > 0)) return;
    const slot = Math.floor(this.#clock.monotonicMs() / SLOT_MS);
    if (this.#slots.get(code)?.has(slot) !== true) this.#forget();
    const slots = this.#slots.get(code) ?? new Map<number, number>();
    this.#slots.set(code, slots);
    slots.set(slot, Math.max(slots.get(slot) ?? 0, reachMs));
  }

  /** How long the files of the stream that are pruned now are to wait at least. */
  graceMs(code: StreamCode): number {
    this.#forget();
    return Math.min(MAX_GRACE_MS, Math.max(0, ...(this.#slots.get(code)?.values() ?? [])));
  }

  #forget(): void {
    const oldest = Math.floor((this.#clock.monotonicMs() - REMEMBERED_MS) / SLOT_MS);
    for (const [code, slots] of this.#slots) {
      for (const slot of slots.keys()) if (slot < oldest) slots.delete(slot);
      if (slots.size === 0) this.#slots.delete(code);
    }
  }
}
