/**
 * Keeps what happened to a stream (whatHappened.ts): the archive's gaps and counted errors, asked for in spans of thirty days, the newest again when it may have
 * changed; and the events that were heard since it was opened.
 */
import { computed, signal, type ReadonlySignal } from '@preact/signals';
import type { ServerEvent } from '../../api';
import type { LoadTimeline } from '../../timeline/contract';
import { lengthText } from '../../time/format';
import { eventItem, EVENTS, gapItem, isMoment, itemsOf, newestFirst, withEvent, type HappenedItem } from './whatHappened';
import { windowProblem } from './windowProblem';

const SPAN_MS = 30 * 86_400_000;
/** Of each kind, of a span; more are told together. */
const POINTS = 1000;
/** The newest span is asked for again this long after a reason to at least, this seldom at most, and this often without one. */
const SOON_MS = 1000;
const SELDOM_MS = 10_000;
const OFTEN_MS = 60_000;
/** What is new is said this seldom at most. */
const SAY_MS = 10_000;

/** What {@link HappenedLog} needs. */
export interface HappenedLogOptions {
  readonly load: LoadTimeline;
  /** UTC milliseconds. */
  readonly nowMs: () => number;
}

interface Span {
  readonly fromMs: number;
  readonly items: readonly HappenedItem[];
}

/** What happened to one stream, from `open` to `close`. */
export class HappenedLog {
  readonly #load: LoadTimeline;
  readonly #nowMs: () => number;
  readonly #newest = signal<Span | undefined>(undefined);
  readonly #older = signal<readonly Span[]>([]);
  /** Gaps that closed since the newest span was asked for. */
  readonly #closed = signal<readonly HappenedItem[]>([]);
  readonly #events = signal<readonly HappenedItem[]>([]);
  readonly #oldestMs = signal<number | undefined>(undefined);
  readonly #problem = signal<string | undefined>(undefined);
  readonly #isLoading = signal(false);
  readonly #said = signal('');
  readonly #ends = new AbortController();
  #refreshed: AbortController | undefined;
  #askedAtMs = -Infinity;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #often: ReturnType<typeof setInterval> | undefined;
  #unsaid: { readonly last: string; readonly others: number } | undefined;
  #saying: ReturnType<typeof setTimeout> | undefined;

  constructor({ load, nowMs }: HappenedLogOptions) {
    this.#load = load;
    this.#nowMs = nowMs;
  }

  /** All of it, the newest first. */
  readonly items: ReadonlySignal<readonly HappenedItem[]> = computed(() =>
    newestFirst(...this.#older.value.map(({ items }) => items), this.#closed.value, this.#newest.value?.items ?? [], this.#events.value),
  );
  /** The archive's part is there. */
  readonly isLoaded: ReadonlySignal<boolean> = computed(() => this.#newest.value !== undefined);
  /** The archive goes back further than what was asked for. */
  readonly hasOlder: ReadonlySignal<boolean> = computed(() => {
    const reached = this.#older.value.at(-1)?.fromMs ?? this.#newest.value?.fromMs;
    return reached !== undefined && this.#oldestMs.value !== undefined && this.#oldestMs.value < reached;
  });
  /** What was asked for last did not come: why. */
  get problem(): ReadonlySignal<string | undefined> {
    return this.#problem;
  }
  /** Something older is being asked for. */
  get isLoading(): ReadonlySignal<boolean> {
    return this.#isLoading;
  }
  /** What is new, in words, for those who do not see the list; not more often than every ten seconds. */
  get said(): ReadonlySignal<string> {
    return this.#said;
  }

  open(): void {
    void this.refresh();
    this.#often = setInterval(() => document.hidden || void this.refresh(), OFTEN_MS);
  }

  close(): void {
    this.#ends.abort();
    clearTimeout(this.#soon);
    clearTimeout(this.#saying);
    clearInterval(this.#often);
  }

  /** What was told may have changed: it is asked for again in a moment. */
  refreshSoon(): void {
    if (this.#soon !== undefined || this.#ends.signal.aborted) return;
    const waitMs = Math.max(SOON_MS, this.#askedAtMs + SELDOM_MS - this.#nowMs());
    this.#soon = setTimeout(() => void this.refresh(), waitMs);
  }

  /** Asks for the newest span again. Rejects never: `problem` tells. */
  async refresh(): Promise<void> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#refreshed?.abort();
    this.#refreshed = new AbortController();
    this.#askedAtMs = this.#nowMs();
    const fromMs = this.#newest.peek()?.fromMs ?? this.#askedAtMs - SPAN_MS;
    const closed = this.#closed.peek();
    await this.#ask(fromMs, this.#askedAtMs, AbortSignal.any([this.#refreshed.signal, this.#ends.signal]), (items) => {
      this.#newest.value = { fromMs, items };
      // What closed meanwhile may not be told in this answer.
      this.#closed.value = this.#closed.peek().filter((item) => !closed.includes(item));
    });
  }

  /** Asks for the thirty days before what is there. Rejects never. */
  async loadOlder(): Promise<void> {
    const toMs = this.#older.peek().at(-1)?.fromMs ?? this.#newest.peek()?.fromMs;
    if (toMs === undefined || this.#isLoading.peek()) return;
    this.#isLoading.value = true;
    const fromMs = toMs - SPAN_MS;
    await this.#ask(fromMs, toMs, this.#ends.signal, (items) => (this.#older.value = [...this.#older.peek(), { fromMs, items }]));
    this.#isLoading.value = false;
  }

  /** An event of this stream, or `reset`. */
  hear(event: ServerEvent): void {
    if (event.type === 'reset') return this.refreshSoon();
    if (event.type === 'gap.opened') return this.#say('A gap began.');
    if (event.type === 'gap.closed') {
      if (!event.gap) return;
      const item = gapItem(Date.parse(event.gap.from), Date.parse(event.gap.to), event.gap.reason);
      if (!isMoment(item.atMs) || !isMoment(item.toMs ?? item.atMs)) return;
      this.#closed.value = [item, ...this.#closed.peek()].slice(0, EVENTS);
      this.#say(`${item.words}, ${lengthText((item.toMs ?? item.atMs) - item.atMs)}.`);
      return this.refreshSoon();
    }
    const item = eventItem(event);
    if (item === undefined) return;
    const known = this.#events.peek();
    this.#events.value = withEvent(known, item);
    // What only repeats is not said again.
    if (this.#events.peek()[1] === known[0]) this.#say(`${item.words}.`);
  }

  async #ask(fromMs: number, toMs: number, ended: AbortSignal, take: (items: readonly HappenedItem[]) => void): Promise<void> {
    try {
      const answer = await this.#load(fromMs, toMs, POINTS, ended);
      if (ended.aborted) return;
      this.#oldestMs.value = answer.oldest === null ? undefined : Date.parse(answer.oldest);
      this.#problem.value = undefined;
      take(itemsOf(answer));
    } catch (error) {
      if (!ended.aborted) this.#problem.value = windowProblem(error);
    }
  }

  #say(words: string): void {
    this.#unsaid = { last: words, others: this.#unsaid === undefined ? 0 : this.#unsaid.others + 1 };
    if (this.#saying !== undefined) return;
    this.#tell();
  }

  #tell(): void {
    this.#saying = undefined;
    if (this.#unsaid === undefined) return;
    const { last, others } = this.#unsaid;
    this.#said.value = others === 0 ? last : `${last} And ${others} more.`;
    this.#unsaid = undefined;
    this.#saying = setTimeout(() => this.#tell(), SAY_MS);
  }
}
