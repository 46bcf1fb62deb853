/**
 * One webhook: its queue on disk, and the one request at a time that empties it (docs/design/door.md, W2). What fails is tried again, later each time, the same events with the
 * same id; what failed for a day, or had to leave a full queue, is a dead letter.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { LivetapeError, toLivetapeError, type Clock, type Logger } from '../base/index.js';
import { EgressGuard, type EgressRules } from '../egress/index.js';
import { openQueueFile, type QueueFile } from '../state/index.js';
import type { DeadLetter, HookSettings, HookStatus, HookTest } from './contract.js';
import { messageOf } from './message.js';
import { post } from './post.js';
import type { Slots } from './slots.js';

/** Events that wait, at most … */
export const MAX_QUEUED = 10_000;
/** … and bytes of them. */
export const MAX_QUEUED_BYTES = 16 * 1024 * 1024;
/** Dead letters that are kept. */
export const MAX_DEAD = 1000;
/** Events of one request together; one that is larger goes alone. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Events of one request, and how long one waits for others, unless the settings say. */
const BATCH = 100;
const BATCH_MS = 500;
/** Before the second try, … */
export const FIRST_RETRY_MS = 1000;
/** … and before any. */
export const MAX_RETRY_MS = 5 * 60_000;
/** Events that failed for so long are dead letters. */
export const GIVE_UP_MS = 24 * 60 * 60_000;
/** A request that is under way when the server is closed has so long to end. */
const CLOSING_MS = 1000;

/** What a hook is opened with. */
export interface HookOptions {
  readonly id: string;
  /** Of its own. */
  readonly folder: string;
  readonly settings: HookSettings;
  readonly egress: () => EgressRules;
  readonly slots: (isRestricted: boolean) => Slots;
  readonly clock: Clock;
  readonly log: Logger;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** See the file's head. */
export class Hook {
  readonly #options: HookOptions;
  readonly #queue: QueueFile;
  readonly #dead: QueueFile;
  readonly #closing = new AbortController();
  #settings: HookSettings;
  #sent = 0;
  #failed = 0;
  #dropped = 0;
  #lastSuccessMs: number | undefined;
  #lastError: HookStatus['lastError'];
  /** In a row. */
  #failures = 0;
  #failingSinceMs: number | undefined;
  /** When what waits is to be sent; monotonic. */
  #dueMs = Infinity;
  /** Ends a pause. */
  #wake: (() => void) | undefined;
  #wakesForEvents = false;
  #skipsPause = false;
  #isClosed = false;
  #retrying: Promise<number> | undefined;
  readonly #ended: Promise<void>;

  constructor(options: HookOptions) {
    this.#options = options;
    this.#settings = options.settings;
    const { folder } = options;
    this.#dead = openQueueFile({
      path: join(folder, 'dead.jsonl'),
      maxRecords: MAX_DEAD,
      maxBytes: MAX_QUEUED_BYTES,
      pushedOut: (texts) => void (this.#dropped += texts.length),
      trouble: (error) => this.#trouble(error),
    });
    this.#queue = openQueueFile({
      path: join(folder, 'queue.jsonl'),
      maxRecords: MAX_QUEUED,
      maxBytes: MAX_QUEUED_BYTES,
      pushedOut: (texts) => this.#bury(texts, 'the queue was full'),
      trouble: (error) => this.#trouble(error),
    });
    this.#ended = this.#run();
  }

  get settings(): HookSettings {
    return this.#settings;
  }

  get status(): HookStatus {
    return {
      queued: this.#queue.count,
      dead: this.#dead.count,
      sent: this.#sent,
      failed: this.#failed,
      dropped: this.#dropped,
      lastSuccessMs: this.#lastSuccessMs,
      lastError: this.#lastError,
    };
  }

  /** Queues an event. */
  publish(text: string): void {
    const { batch = BATCH, batch_ms: batchMs = BATCH_MS } = this.#settings;
    const nowMs = this.#options.clock.monotonicMs();
    this.#queue.append(text);
    this.#dueMs = this.#queue.count >= batch ? nowMs : Math.min(this.#dueMs, nowMs + batchMs);
    if (this.#wakesForEvents) this.#wake?.();
  }

  /** From the next request on these hold; that is now, if one is to be tried again later. */
  change(settings: HookSettings): void {
    this.#settings = settings;
    this.#tryNow();
  }

  async deadLetters(count: number): Promise<DeadLetter[]> {
    return (await this.#dead.newest(count)).flatMap(letterOf);
  }

  async test(): Promise<HookTest> {
    const { clock } = this.#options;
    const time = new Date(clock.nowMs()).toISOString();
    const event = { id: `test-${randomUUID()}`, type: 'test', time, stream: null, data: { hook: this.#options.id } };
    return this.#inSlot(async () => {
      const startMs = clock.monotonicMs();
      const status = await this.#post([JSON.stringify(event)]);
      return { status, durationMs: Math.round(clock.monotonicMs() - startMs) };
    });
  }

  retry(): Promise<number> {
    return (this.#retrying ??= this.#retry().finally(() => {
      this.#retrying = undefined;
    }));
  }

  async #retry(): Promise<number> {
    const letters = (await this.#dead.take(MAX_DEAD, Infinity)).flatMap(letterOf);
    for (const { event } of letters) this.publish(JSON.stringify(event));
    await this.#queue.idle();
    // only now: what the process dies between is sent twice rather than not
    await this.#dead.drop();
    this.#dueMs = this.#options.clock.monotonicMs();
    this.#tryNow();
    return letters.length;
  }

  /** Within two seconds (but for a disk that does not answer). What waits is sent after the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    const timer = this.#options.clock.after(CLOSING_MS, () => this.#closing.abort());
    await this.#ended;
    timer.cancel();
    this.#closing.abort();
    await Promise.all([this.#queue.close(), this.#dead.close()]);
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    await this.#queue.idle();
    // what was there before has waited long enough
    if (this.#queue.count > 0 && this.#dueMs === Infinity) this.#dueMs = clock.monotonicMs();
    while (!this.#isClosed) {
      const waitMs = this.#queue.count === 0 || this.#dueMs === Infinity ? undefined : this.#dueMs - clock.monotonicMs();
      if (waitMs === undefined || waitMs > 0) await this.#pause(waitMs, true);
      else if (!(await this.#sendSome())) await this.#pause(this.#retryMs(), false);
    }
  }

  /** False when it failed. */
  async #sendSome(): Promise<boolean> {
    const { clock } = this.#options;
    // not an event that waits for others, while there is more than one request's worth
    this.#dueMs = Infinity;
    let batch: string[] = [];
    try {
      batch = await this.#queue.take(this.#settings.batch ?? BATCH, MAX_BODY_BYTES);
      if (batch.length === 0) return true;
      if (this.#queue.count > batch.length) this.#dueMs = clock.monotonicMs();
      await this.#inSlot(() => this.#post(batch));
      this.#succeeded(batch.length);
      await this.#queue.drop();
      return true;
    } catch (error) {
      this.#dueMs = clock.monotonicMs();
      if (this.#isClosed) return false;
      await this.#notTaken(batch, toLivetapeError(error, 'INVARIANT_BROKEN', 'a webhook failed')).catch((cause: unknown) => {
        this.#options.log.error({ hook: this.#options.id, err: cause }, 'events of a webhook could not be made dead letters');
      });
      return false;
    }
  }

  /** One request: its own events are the queue's oldest. */
  #post(events: readonly string[]): Promise<number> {
    const { url, secret, restricted } = this.#settings;
    const { clock } = this.#options;
    return post({
      url,
      message: messageOf(events, secret, clock.nowMs()),
      guard: restricted === true ? new EgressGuard(this.#options.egress()) : undefined,
      clock,
      signal: this.#closing.signal,
    });
  }

  async #inSlot<T>(work: () => Promise<T>): Promise<T> {
    return this.#options.slots(this.#settings.restricted === true).run(() => {
      if (this.#isClosed) throw new LivetapeError('CLOSED', 'the server is being closed');
      return work();
    });
  }

  #succeeded(count: number): void {
    const { id, clock, log } = this.#options;
    if (this.#failures > 0) log.info({ hook: id, failures: this.#failures }, 'a webhook is taken again');
    this.#sent += count;
    this.#lastSuccessMs = clock.nowMs();
    this.#failures = 0;
    this.#failingSinceMs = undefined;
  }

  async #notTaken(batch: readonly string[], error: LivetapeError): Promise<void> {
    const { id, clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#failed++;
    this.#failures++;
    this.#lastError = { atMs: clock.nowMs(), message: error.message };
    this.#failingSinceMs ??= nowMs;
    if (this.#failures === 1) log.warn({ hook: id, code: error.code, why: error.message }, 'a webhook was not taken; it is tried again');
    if (nowMs - this.#failingSinceMs < GIVE_UP_MS || error.code === 'STATE_UNWRITABLE') return;
    log.warn({ hook: id, events: batch.length }, 'a webhook failed for a day: its events are dead letters');
    this.#failingSinceMs = undefined;
    this.#bury(batch, error.message);
    await this.#dead.idle();
    await this.#queue.drop();
  }

  #bury(texts: readonly string[], why: string): void {
    const at = new Date(this.#options.clock.nowMs()).toISOString();
    for (const text of texts) this.#dead.append(`{"at":${JSON.stringify(at)},"why":${JSON.stringify(why)},"event":${text}}`);
  }

  /** Doubled each time, and not the same for all. */
  #retryMs(): number {
    const fullMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 30));
    return fullMs * (1 - this.#options.random() / 4);
  }

  /** What waits for its next try is tried now, or when the request that is under way has failed. */
  #tryNow(): void {
    this.#skipsPause = this.#wake === undefined;
    this.#wake?.();
  }

  /** Undefined: until something happens. */
  #pause(forMs: number | undefined, wakesForEvents: boolean): Promise<void> {
    if (this.#isClosed || this.#skipsPause) {
      this.#skipsPause = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#wakesForEvents = wakesForEvents;
      this.#wake = () => {
        timer?.cancel();
        [this.#wake, this.#wakesForEvents] = [undefined, false];
        resolve();
      };
      const timer = forMs === undefined ? undefined : this.#options.clock.after(forMs, () => this.#wake?.());
    });
  }

  #trouble(error: LivetapeError | undefined): void {
    const { id, log } = this.#options;
    if (error === undefined) log.info({ hook: id }, 'the queue of a webhook can be written again');
    else log.error({ hook: id, err: error }, 'the queue of a webhook cannot be written; its events are held in memory');
  }
}

/** What is in the file; nothing where somebody has written something else there. */
function letterOf(text: string): DeadLetter[] {
  const { at, why, event } = (JSON.parse(text) ?? {}) as Partial<DeadLetter>;
  return typeof at === 'string' && typeof why === 'string' && event !== undefined ? [{ at, why, event }] : [];
}
