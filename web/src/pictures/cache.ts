/**
 * Gets pictures, once for all who wish the same, and gives up what nobody waits for. How one is loaded and decoded is given (load.ts); which is next is queue.ts, what
 * is held shelf.ts.
 */
import { signal } from '@preact/signals';
import type { Picture, PictureAnswer, PictureRequest, Pictures } from './contract';
import { LoadQueue, type Job } from './queue';
import { Shelf } from './shelf';

/** What a load found. */
export type Loaded =
  | { readonly kind: 'picture'; readonly bitmap: ImageBitmap }
  /** None, and asking again makes no sense for so long; milliseconds. */
  | { readonly kind: 'none'; readonly forMs: number }
  /** None of the whole stream: its pictures are not made, or not decoded. */
  | { readonly kind: 'unsupported' };

/** Loads a picture of so many dots across. Rejects when the signal says so; anything else that is thrown counts as none. */
export type Load = (code: string, atMs: number, dots: number, signal: AbortSignal) => Promise<Loaded>;

/** Widths that are decoded, in dots: few, so that a picture serves all who draw it about as wide. */
const WIDTHS = [160, 320, 640] as const;
/** After what is no answer (the connection broke, a fault); milliseconds. */
const FAILED_MS = 5000;

interface Loading {
  readonly abort: AbortController;
  readonly waiters: Set<(answer: PictureAnswer) => void>;
  readonly job: Job;
}

/** The pictures of the page. */
export class PictureCache implements Pictures {
  readonly #load: Load;
  readonly #nowMs: () => number;
  readonly #density: () => number;
  readonly #queue = new LoadQueue();
  readonly #shelf = new Shelf<Picture>();
  readonly #loading = new Map<string, Loading>();
  readonly #unsupported = signal<ReadonlySet<string>>(new Set());

  /** @param density - dots for each CSS pixel */
  constructor(load: Load, nowMs: () => number, density: () => number) {
    this.#load = load;
    this.#nowMs = nowMs;
    this.#density = density;
  }

  held(code: string, atMs: number, width: number): PictureAnswer | undefined {
    if (this.#unsupported.peek().has(code)) return 'none';
    const dots = this.#dotsOf(width);
    let none: 'none' | undefined;
    for (const wider of WIDTHS) {
      if (wider < dots) continue;
      const found = this.#shelf.find(keyOf(code, atMs, wider), this.#nowMs());
      if (found === 'none') none = found;
      else if (found !== undefined) return found;
    }
    return none;
  }

  isUnsupported(code: string): boolean {
    return this.#unsupported.value.has(code);
  }

  get({ code, atMs, width, priority, signal: wanted }: PictureRequest): Promise<PictureAnswer> {
    if (wanted.aborted) return Promise.reject(reasonOf(wanted));
    const held = this.held(code, atMs, width);
    if (held !== undefined) return Promise.resolve(held);
    const dots = this.#dotsOf(width);
    const key = keyOf(code, atMs, dots);
    return new Promise((resolve, reject) => {
      let loading = this.#loading.get(key);
      if (loading === undefined) loading = this.#begin(key, code, atMs, dots, priority);
      else this.#queue.again(loading.job, priority);
      const { waiters } = loading;
      const mine = loading;
      const onAbort = (): void => {
        waiters.delete(answered);
        if (waiters.size === 0) this.#giveUp(key, mine);
        reject(reasonOf(wanted));
      };
      const answered = (answer: PictureAnswer): void => {
        wanted.removeEventListener('abort', onAbort);
        resolve(answer);
      };
      wanted.addEventListener('abort', onAbort, { once: true });
      waiters.add(answered);
    });
  }

  #begin(key: string, code: string, atMs: number, dots: number, priority: PictureRequest['priority']): Loading {
    const abort = new AbortController();
    const waiters: Loading['waiters'] = new Set();
    const run = async (): Promise<void> => {
      const answer = this.#unsupported.peek().has(code) ? 'none' : await this.#answer(key, code, atMs, dots, abort.signal);
      if (this.#loading.get(key)?.abort === abort) this.#loading.delete(key);
      for (const waiter of waiters) waiter(answer);
    };
    // It may run at once, but answers no earlier than a turn later: it is in the map by then.
    const loading = { abort, waiters, job: this.#queue.add(() => Promise.resolve().then(run), priority) };
    this.#loading.set(key, loading);
    return loading;
  }

  async #answer(key: string, code: string, atMs: number, dots: number, wanted: AbortSignal): Promise<PictureAnswer> {
    let loaded: Loaded;
    try {
      if (wanted.aborted) return 'none';
      loaded = await this.#load(code, atMs, dots, wanted);
    } catch {
      loaded = { kind: 'none', forMs: FAILED_MS };
    }
    if (loaded.kind === 'picture') {
      const picture = { bitmap: loaded.bitmap, atMs };
      this.#shelf.put(key, picture);
      return picture;
    }
    if (loaded.kind === 'unsupported') this.#unsupported.value = new Set([...this.#unsupported.peek(), code]);
    // What was given up says nothing.
    else if (!wanted.aborted) this.#shelf.putNone(key, this.#nowMs() + loaded.forMs);
    return 'none';
  }

  #giveUp(key: string, loading: Loading): void {
    if (this.#loading.get(key) === loading) this.#loading.delete(key);
    this.#queue.forget(loading.job);
    loading.abort.abort();
  }

  #dotsOf(width: number): number {
    const dots = width * this.#density();
    return WIDTHS.find((wide) => wide >= dots) ?? 640;
  }
}

const keyOf = (code: string, atMs: number, dots: number): string => `${code} ${atMs} ${dots}`;

const reasonOf = ({ reason }: AbortSignal): Error => (reason instanceof Error ? reason : new Error(String(reason)));
