/** All webhooks of a server: each event goes to those that want it, and they come and go with the settings. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { coversPattern, matchesAny } from '../access/index.js';
import { delay, LivetapeError, type Clock, type Logger } from '../base/index.js';
import type { EgressRules } from '../egress/index.js';
import { listFolders, removeFolder } from '../state/index.js';
import type { DeadLetter, HookEvent, Hooks, HookSettings, HookStatus, HookTest } from './contract.js';
import { Hook } from './hook.js';
import { Slots } from './slots.js';

/** Requests at a time of the hooks that an admin set; and as many of all others, so that these never keep those waiting. */
const MAX_REQUESTS = 16;
/** Closing takes no longer than this, whatever the disk does. */
const MAX_CLOSE_MS = 1900;

/** What webhooks are opened with. */
export interface HooksOptions {
  /** Queues lie in `hooks/{id}` there. */
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The settings as they are now, by id. */
  readonly hooks: () => ReadonlyMap<string, HookSettings>;
  /** Where restricted hooks may connect to. */
  readonly egress: () => EgressRules;
  /** From 0 to 1: how retries are spread. */
  readonly random?: () => number;
}

/** Opens the webhooks: what was queued before is sent. Queues of hooks that there are not any more are removed. */
export async function openHooks(options: HooksOptions): Promise<Hooks> {
  const opened = new AllHooks(options);
  await opened.begin();
  return opened;
}

class AllHooks implements Hooks {
  readonly #options: HooksOptions;
  readonly #folder: string;
  readonly #hooks = new Map<string, Hook>();
  /** Hooks that are being taken away, by id. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #slots = { own: new Slots(MAX_REQUESTS), restricted: new Slots(MAX_REQUESTS) };
  #closed: Promise<void> | undefined;

  constructor(options: HooksOptions) {
    this.#options = options;
    this.#folder = join(options.stateFolder, 'hooks');
  }

  async begin(): Promise<void> {
    const settings = this.#options.hooks();
    try {
      const left = (await listFolders(this.#folder)).filter((id) => !settings.has(id));
      await Promise.all(left.map((id) => this.#remove(id)));
    } catch (error) {
      this.#options.log.error({ err: error }, 'the queues of webhooks cannot be looked at');
    }
    this.refresh();
  }

  publish(event: HookEvent): void {
    if (this.#closed) return;
    // made once for all hooks, when one wants it
    let text: string | undefined;
    for (const hook of this.#hooks.values()) if (wants(hook.settings, event)) hook.publish((text ??= textOf(event)));
  }

  refresh(): void {
    if (this.#closed) return;
    const wanted = this.#options.hooks();
    for (const [id, hook] of this.#hooks) {
      const settings = wanted.get(id);
      if (settings === undefined || isNarrowed(hook.settings, settings)) this.#takeAway(id, hook);
      else if (!isDeepStrictEqual(settings, hook.settings)) hook.change(settings);
    }
    for (const [id, settings] of wanted) if (!this.#hooks.has(id) && !this.#leaving.has(id)) this.#hooks.set(id, this.#open(id, settings));
  }

  status(id: string): HookStatus | undefined {
    return this.#hooks.get(id)?.status;
  }

  async deadLetters(id: string, count: number): Promise<DeadLetter[]> {
    return this.#hook(id).deadLetters(count);
  }

  async test(id: string): Promise<HookTest> {
    return this.#hook(id).test();
  }

  async retry(id: string): Promise<number> {
    return this.#hook(id).retry();
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const over = new AbortController();
    const all = Promise.all([...[...this.#hooks.values()].map((hook) => hook.close()), ...this.#leaving.values()]);
    await Promise.race([all, delay(this.#options.clock, MAX_CLOSE_MS, over.signal)]);
    over.abort();
  }

  #hook(id: string): Hook {
    const hook = this.#hooks.get(id);
    if (hook === undefined) throw new LivetapeError('HOOK_NOT_FOUND', `there is no webhook ${id}`, { context: { hook: id } });
    return hook;
  }

  #open(id: string, settings: HookSettings): Hook {
    const { clock, log, egress, random = Math.random } = this.#options;
    const slots = (isRestricted: boolean): Slots => (isRestricted ? this.#slots.restricted : this.#slots.own);
    return new Hook({ id, folder: join(this.#folder, id), settings, egress, slots, clock, log, random });
  }

  #takeAway(id: string, hook: Hook): void {
    this.#hooks.delete(id);
    const leaving = hook
      .close()
      .then(() => this.#remove(id))
      .finally(() => {
        this.#leaving.delete(id);
        // it may have come back meanwhile
        this.refresh();
      });
    this.#leaving.set(id, leaving);
  }

  async #remove(id: string): Promise<void> {
    const { log } = this.#options;
    try {
      await removeFolder(join(this.#folder, id));
      log.info({ hook: id }, 'a webhook was taken away, and what was queued for it');
    } catch (error) {
      log.error({ hook: id, err: error }, 'the queue of a webhook that was taken away cannot be removed');
    }
  }
}

function wants({ events, streams, restricted }: HookSettings, { type, stream }: HookEvent): boolean {
  if (events !== undefined && !events.includes(type)) return false;
  if (stream === undefined) return restricted !== true && streams === undefined;
  return matchesAny(streams ?? ['*'], stream);
}

/** Whether the hook is not to hear of all streams any more that it heard of: then it is another, and what waits for the old one is not for it (W3). */
function isNarrowed(before: HookSettings, after: HookSettings): boolean {
  if (before.restricted !== true && after.restricted === true) return true;
  return !(before.streams ?? ['*']).every((pattern) => coversPattern(after.streams ?? ['*'], pattern));
}

function textOf({ id, type, time, stream, data }: HookEvent): string {
  return JSON.stringify({ id, type, time, stream: stream ?? null, data });
}
