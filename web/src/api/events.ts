/**
 * What happens, as it happens: one connection for the page. A browser opens six connections to a server for all its tabs, and an event stream keeps one: it is
 * let go while the page is not seen, and whoever listens is told `reset` when it is back (EventSource cannot send a credential; this one can).
 */
import { EventSource } from 'eventsource';
import { credentialHeaders } from './client';
import { EVENT_NAMES, type ServerEvent } from './types';

const PATH = '/api/v1/events';

/** Events of the server, from `start` to `close`. */
export class EventFeed {
  readonly #listeners = new Set<(event: ServerEvent) => void>();
  readonly #onState: (isConnected: boolean) => void;
  #source: EventSource | undefined;
  #isStarted = false;

  /** @param onState - told whether the server is there, at each change and each try */
  constructor(onState: (isConnected: boolean) => void) {
    this.#onState = onState;
  }

  /** @returns what takes the listener away */
  listen(listener: (event: ServerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#isStarted = true;
    document.addEventListener('visibilitychange', this.#onVisibility);
    if (!document.hidden) this.#open();
  }

  close(): void {
    this.#isStarted = false;
    document.removeEventListener('visibilitychange', this.#onVisibility);
    this.#shut();
  }

  readonly #onVisibility = (): void => {
    if (!this.#isStarted) return;
    if (document.hidden) this.#shut();
    else if (this.#source === undefined) {
      this.#open();
      this.#tell({ type: 'reset', at: new Date().toISOString() });
    }
  };

  #open(): void {
    const source = new EventSource(PATH, {
      fetch: (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...credentialHeaders(PATH) } }),
    });
    this.#source = source;
    source.addEventListener('open', () => this.#onState(true));
    source.addEventListener('error', () => {
      this.#onState(false);
      // It was refused (401, 503), which ends it for good: what it was refused for may pass.
      if (source.readyState === source.CLOSED && this.#source === source) setTimeout(() => this.#again(source), 3000);
    });
    for (const type of EVENT_NAMES) {
      source.addEventListener(type, ({ data }) => {
        const event = readEvent(type, data as string);
        if (event !== undefined) this.#tell(event);
      });
    }
  }

  #again(source: EventSource): void {
    if (this.#source !== source || !this.#isStarted) return;
    this.#shut();
    this.#open();
    this.#tell({ type: 'reset', at: new Date().toISOString() });
  }

  #shut(): void {
    this.#source?.close();
    this.#source = undefined;
  }

  #tell(event: ServerEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

/** An event as it came; undefined for one that is not the server's. */
function readEvent(type: ServerEvent['type'], data: string): ServerEvent | undefined {
  try {
    const told: unknown = JSON.parse(data);
    const hasTime = typeof told === 'object' && told !== null && 'at' in told && !Number.isNaN(Date.parse(String(told.at)));
    return hasTime ? { ...(told as Omit<ServerEvent, 'type'>), type } : undefined;
  } catch {
    return undefined;
  }
}
