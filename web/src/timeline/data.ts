/**
 * What is known of a stream's archive for drawing it, and the asking for what is not (docs/design/page.md, G6): for what is seen and half as much on each side,
 * by zoom in steps of two, one request at a time. What came is held, newest used first, and shown at once; a server that is away takes nothing of it away.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import type { LoadTimeline, View } from './contract';
import { composeFacts, knownOf, readAnswer, without, type Answer, type Facts } from './facts';
import { stopsAround, type GapStop } from './gapStops';
import type { Span } from './scale';

/** Answers that are held, and gaps and errors in all of them together. */
const MAX_ANSWERS = 200;
const MAX_HELD = 200_000;
/** A wish is asked for so much later, with what is wished by then; milliseconds. */
const SETTLE_MS = 120;
/** After a request that failed, doubled up to the last; milliseconds. */
const RETRY_MS = [1000, 30_000] as const;
/** The newest stretch is shown as media without asking; errors in it are not known, so it is asked for when it is longer than this, or this share of the view. */
const TAIL_MS = 30_000;
const TAIL_SHARE = 0.02;
/** Of each kind, as the server takes it. */
const POINTS = [256, 2000] as const;
const GAP_POINTS = 1000;
/** Requests for one gap, each of what the one before told as one. */
const GAP_ROUNDS = 8;

interface Held extends Answer {
  /** What the zoom was, in steps of two; milliseconds. */
  readonly levelMs: number;
  readonly revision: number;
  readonly serial: number;
}

interface Wish {
  readonly view: View;
  readonly width: number;
  readonly edgeMs: number | undefined;
}

/** What is known of one stream. Made by who shows it, for the timeline and for the buttons that jump to gaps; `close` ends its requests. */
export class TimelineData {
  readonly #load: LoadTimeline;
  /** By use, the latest last. */
  readonly #held = new Set<Held>();
  readonly #version = signal(0);
  readonly #problem = signal<string | undefined>(undefined);
  #composed: { readonly key: string; readonly facts: Facts } | undefined;
  #revision = 0;
  #serial = 0;
  #newest: Held | undefined;
  /** The edge at the latest request: the server knew no more then. */
  #askedEdgeMs = -Infinity;
  #wish: Wish | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | undefined;
  #retryMs = 0;
  #isClosed = false;

  constructor(load: LoadTimeline) {
    this.#load = load;
  }

  /** Grows when more, or something else, is known. */
  get version(): ReadonlySignal<number> {
    return this.#version;
  }
  /** Why the last request failed, while it is tried again. */
  get problem(): ReadonlySignal<string | undefined> {
    return this.#problem;
  }
  /** There was an answer. */
  get isLoaded(): boolean {
    return this.#newest !== undefined;
  }
  /** Of the whole archive, as told last; undefined when nothing is recorded. UTC milliseconds. */
  get oldestMs(): number | undefined {
    return this.#newest?.oldestMs;
  }
  get newestMs(): number | undefined {
    return this.#newest?.newestMs;
  }

  /** What is seen: what of it is not known is asked for. @param edgeMs - the end of what is recorded, as events tell it */
  want(view: View, width: number, edgeMs: number | undefined): void {
    this.#wish = { view, width, edgeMs };
    if (this.#isClosed || this.#timer !== undefined || this.#running !== undefined || this.#missing().length === 0) return;
    this.#ask(this.#newest === undefined ? 0 : SETTLE_MS);
  }

  /** What is known is old: it is shown until what is seen was asked for again. */
  outdate(): void {
    this.#revision++;
    this.#askedEdgeMs = -Infinity;
    if (this.#wish) this.want(this.#wish.view, this.#wish.width, this.#wish.edgeMs);
  }

  /** What is known of at least what is seen. The same object while nothing changes. */
  facts(view: View): Facts {
    const levelMs = levelOf(view);
    const stretch = stretchOf(view, levelMs);
    const key = `${this.#version.peek()} ${this.#revision} ${stretch.fromMs} ${stretch.toMs}`;
    if (this.#composed?.key !== key) {
      const answers = this.#best(levelMs).filter((held) => held.fromMs < stretch.toMs && held.toMs > stretch.fromMs);
      this.#composed = { key, facts: composeFacts(answers, stretch) };
    }
    return this.#composed.facts;
  }

  /**
   * The next or previous gap, wherever it is, as the server has it now.
   * @returns undefined when there is none
   * @throws what loading throws
   */
  async findGap(which: 'previous' | 'next', ms: number, abort = new AbortController().signal): Promise<GapStop | undefined> {
    const newestMs = Math.max(this.newestMs ?? ms, this.#wish?.edgeMs ?? ms);
    let fromMs = which === 'next' ? ms : (this.oldestMs ?? ms);
    const toMs = which === 'next' ? newestMs : ms;
    for (let round = 1; fromMs < toMs; round++) {
      const answer = readAnswer(await this.#load(fromMs, toMs, GAP_POINTS, abort), fromMs, toMs, GAP_POINTS);
      const stop = stopsAround(answer.gaps, answer.oldestMs ?? fromMs, ms)[which];
      // Of several that were told as one the beginning is that of the first, which `next` leads to; `previous` is the last of them.
      const several =
        which === 'next' ? undefined : answer.gaps.findLast(({ count, toMs: end }) => count > 1 && end > (stop?.gap.fromMs ?? 0));
      if (several === undefined || round === GAP_ROUNDS || several.fromMs <= fromMs) return stop;
      fromMs = several.fromMs;
    }
    return undefined;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#running?.abort();
  }

  /** What of the wish nobody has told, or not finely enough, or it is old. */
  #missing(): Span[] {
    if (this.#wish === undefined) return [];
    const { view, edgeMs = -Infinity } = this.#wish;
    const fresh = this.#newest?.revision === this.#revision ? this.#newest : undefined;
    const levelMs = levelOf(view);
    if (fresh === undefined) return [stretchOf(view, levelMs)];
    const spanMs = view.toMs - view.fromMs;
    const toldMs = Math.max(fresh.newestMs ?? -Infinity, this.#askedEdgeMs);
    const endMs = edgeMs - toldMs > Math.max(TAIL_MS, TAIL_SHARE * spanMs) ? edgeMs : (fresh.newestMs ?? -Infinity);
    const needed = {
      fromMs: Math.max(view.fromMs - spanMs / 4, fresh.oldestMs ?? -Infinity),
      toMs: Math.min(view.toMs + spanMs / 4, endMs),
    };
    let missing: Span[] = needed.toMs > needed.fromMs ? [needed] : [];
    for (const held of this.#held) {
      if (held.revision === this.#revision && (held.isExact || held.levelMs <= levelMs)) missing = without(missing, knownOf(held));
    }
    return missing;
  }

  /** The better first: what is not old, fine enough, later. */
  #best(levelMs: number): Held[] {
    const coarseness = (held: Held): number => (held.isExact ? 0 : Math.max(0, held.levelMs - levelMs));
    return [...this.#held].sort((a, b) => b.revision - a.revision || coarseness(a) - coarseness(b) || b.serial - a.serial);
  }

  #ask(afterMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#wish && this.#missing().length > 0) void this.#request(this.#wish);
    }, afterMs);
  }

  async #request({ view, width, edgeMs }: Wish): Promise<void> {
    const levelMs = levelOf(view);
    const { fromMs, toMs } = stretchOf(view, levelMs);
    // The stretch is up to four times the view: as many as can be seen apart.
    const points = Math.min(POINTS[1], Math.max(POINTS[0], Math.ceil(width / 128) * 256));
    const running = new AbortController();
    this.#running = running;
    const revision = this.#revision;
    try {
      const answer = readAnswer(await this.#load(fromMs, toMs, points, running.signal), fromMs, toMs, points);
      this.#askedEdgeMs = edgeMs ?? -Infinity;
      this.#hold({ ...answer, levelMs, revision, serial: this.#serial++ });
      this.#retryMs = 0;
      this.#problem.value = undefined;
    } catch (error) {
      if (this.#isClosed) return;
      this.#retryMs = Math.min(RETRY_MS[1], this.#retryMs === 0 ? RETRY_MS[0] : this.#retryMs * 2);
      this.#problem.value = error instanceof Error ? error.message : String(error);
    }
    this.#running = undefined;
    if (!this.#isClosed && this.#missing().length > 0) this.#ask(this.#retryMs);
  }

  #hold(answer: Held): void {
    for (const held of this.#held) {
      if (held.levelMs >= answer.levelMs && held.fromMs >= answer.fromMs && held.toMs <= answer.toMs) this.#held.delete(held);
    }
    this.#held.add(answer);
    this.#newest = answer;
    let sum = 0;
    for (const [i, held] of [...this.#held].reverse().entries()) {
      sum += held.gaps.length + held.errors.length;
      if (i >= MAX_ANSWERS || (sum > MAX_HELD && i > 0)) this.#held.delete(held);
    }
    this.#version.value++;
  }
}

/** The zoom in steps of two: milliseconds, not less than the view. */
const levelOf = ({ fromMs, toMs }: View): number => 2 ** Math.ceil(Math.log2(Math.max(1, toMs - fromMs)));

/** What is asked for: the view and half as much on each side, on round numbers, so that a view near by asks for the same. */
function stretchOf(view: View, levelMs: number): Span {
  const [halfMs, gridMs] = [(view.toMs - view.fromMs) / 2, levelMs / 4];
  return {
    fromMs: Math.floor((view.fromMs - halfMs) / gridMs) * gridMs,
    toMs: Math.ceil((view.toMs + halfMs) / gridMs) * gridMs,
  };
}
