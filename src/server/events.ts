/**
 * The service's events as server-sent events (docs/design/server.md H4): the newest are kept, so that a client that comes back with the id of the last it
 * heard misses none; one that comes too late is told `reset`. A client that does not read is let go: it comes back with its id.
 */
import { Readable } from 'node:stream';
import type { Clock, Timer } from '../base/index.js';
import type { DvrEventName, DvrEvents, DvrService } from '../recorder/index.js';
import { EVENT_DATA, type EventData } from './eventJson.js';

/** Events that are kept for those who come back. */
export const KEPT_EVENTS = 10_000;
/** A client that is so many bytes behind is let go … */
export const MAX_BEHIND_BYTES = 8 * 1024 * 1024;
/** … and one that missed more than this is told `reset`, so that it begins well within that. */
const MAX_MISSED_BYTES = MAX_BEHIND_BYTES / 2;
/** Proxies and clients give up on connections that say nothing. */
const HEARTBEAT_MS = 15_000;
/** What clients wait before they come back. */
const RETRY_MS = 2000;

interface KeptEvent {
  readonly number: number;
  readonly streamCode: string;
  readonly text: string;
}

/** What a client asks for. */
export interface EventRequest {
  /** Of the last event that it heard. */
  readonly lastId: string | undefined;
  /** Only those of this stream. */
  readonly streamCode: string | undefined;
  /** Whether the client may hear of a stream; default: of all. */
  readonly opens?: (streamCode: string) => boolean;
}

/** An event as observers within the server hear it. */
export interface FeedEvent {
  /** As in the event stream. */
  readonly id: string;
  readonly type: DvrEventName;
  readonly streamCode: string;
  /** As in the event stream: `at`, `stream_code`, and the event's own. */
  readonly data: EventData & { readonly at: string };
}

interface Client {
  readonly request: EventRequest;
  readonly body: Readable;
}

/** Hears the service from its making to its end, and tells clients. */
export class EventFeed {
  readonly #service: Pick<DvrService, 'on' | 'off'>;
  readonly #clock: Clock;
  /** Numbers begin anew with each server: ids of an earlier one are not of this. */
  readonly #run: string;
  readonly #kept: KeptEvent[] = [];
  readonly #clients = new Set<Client>();
  readonly #unsubscribe: (() => void)[] = [];
  readonly #watchers = new Set<(event: FeedEvent) => void>();
  #number = 0;
  #heartbeat: Timer | undefined;
  #closed = false;

  /** @param heard - told of each event, too */
  constructor(service: Pick<DvrService, 'on' | 'off'>, clock: Clock, heard?: (event: FeedEvent) => void) {
    this.#service = service;
    if (heard !== undefined) this.#watchers.add(heard);
    this.#clock = clock;
    this.#run = clock.nowMs().toString(36);
    for (const name of Object.keys(EVENT_DATA) as DvrEventName[]) this.#hear(name);
  }

  /** Tells `heard` of each event from now on, until what is answered is called. */
  watch(heard: (event: FeedEvent) => void): () => void {
    this.#watchers.add(heard);
    return () => void this.#watchers.delete(heard);
  }

  /** Clients that are connected. */
  get clients(): number {
    return this.#clients.size;
  }

  /** The body of an answer: what is kept after the client's last event, then what comes. */
  open(request: EventRequest): Readable {
    const body = new Readable({ read: () => undefined });
    const client = { request, body };
    body.once('close', () => this.#left(client));
    body.push(`retry: ${RETRY_MS}\n\n`);
    if (this.#closed) {
      body.push(null);
      return body;
    }
    this.#clients.add(client);
    this.#heartbeat ??= this.#clock.every(HEARTBEAT_MS, () => {
      for (const each of this.#clients) this.#tell(each, ':\n\n');
    });
    this.#resume(client);
    return body;
  }

  /** Ends what every client hears. They come back to the next server. */
  close(): void {
    this.#closed = true;
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    for (const { body } of this.#clients) body.push(null);
    this.#clients.clear();
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
  }

  #hear<N extends DvrEventName>(name: N): void {
    const listener = (event: DvrEvents[N]): void => this.#happened(name, EVENT_DATA[name](event));
    this.#service.on(name, listener);
    this.#unsubscribe.push(() => this.#service.off(name, listener));
  }

  #happened(name: DvrEventName, facts: EventData): void {
    const number = ++this.#number;
    const data = { at: this.#now(), ...facts };
    const text = `id: ${this.#id(number)}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const heard of this.#watchers) heard({ id: this.#id(number), type: name, streamCode: data.stream_code, data });
    const event = { number, streamCode: data.stream_code, text };
    this.#kept.push(event);
    // In batches: taking one from the front of a long array moves all others.
    if (this.#kept.length >= 2 * KEPT_EVENTS) this.#kept.splice(0, this.#kept.length - KEPT_EVENTS);
    for (const client of this.#clients) if (wants(client, event)) this.#tell(client, text);
  }

  #resume(client: Client): void {
    const { lastId } = client.request;
    if (lastId === undefined) return;
    const text = this.#missed(client, this.#numberOf(lastId));
    // With an id, or the client would come back with the old one and be told again.
    this.#tell(client, text ?? `id: ${this.#id(this.#number)}\nevent: reset\ndata: ${JSON.stringify({ at: this.#now() })}\n\n`);
  }

  /** What came after the event `heard`; undefined when that is not known any more. */
  #missed(client: Client, heard: number | undefined): string | undefined {
    const oldest = Math.max(1, this.#number - KEPT_EVENTS + 1);
    if (heard === undefined || heard > this.#number || heard < oldest - 1) return undefined;
    if (heard === this.#number) return '';
    const missed = this.#kept.slice(heard - this.#number).filter((event) => wants(client, event));
    const text = missed.map((event) => event.text).join('');
    return text.length > MAX_MISSED_BYTES ? undefined : text;
  }

  #tell(client: Client, text: string): void {
    if (text !== '') client.body.push(text);
    if (client.body.readableLength > MAX_BEHIND_BYTES) client.body.destroy();
  }

  #left(client: Client): void {
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
  }

  #now(): string {
    return new Date(this.#clock.nowMs()).toISOString();
  }

  #id(number: number): string {
    return `${this.#run}-${number}`;
  }

  #numberOf(id: string): number | undefined {
    const [, run, number] = /^([0-9a-z]+)-(\d{1,15})$/.exec(id) ?? [];
    return run === this.#run ? Number(number) : undefined;
  }
}

const wants = ({ request }: Client, event: KeptEvent): boolean =>
  (request.streamCode === undefined || request.streamCode === event.streamCode) && (request.opens?.(event.streamCode) ?? true);
