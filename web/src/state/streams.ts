/**
 * All streams with how they do: asked for as a whole every ten seconds, and made newer by events in between. A signal for each stream, so that a wall of 500
 * draws again what changed and nothing else.
 */
import { batch, computed, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { api, ApiError, EventFeed, type ArchiveLine, type ServerEvent, type Stream } from '../api';

const STREAMS_MS = 10_000;
const ARCHIVES_MS = 30_000;
/** Events that change a stream's state ask for the list anew, once for many. */
const SOON_MS = 400;

const RELEVANT = new Set([
  'recording.started',
  'recording.stopped',
  'recording.failed',
  'gap.opened',
  'gap.closed',
  'source.ended',
  'reset',
]);

/** The streams that the server has. */
export class StreamStore {
  readonly #streams = new Map<string, Signal<Stream>>();
  readonly #archives = new Map<string, Signal<ArchiveLine | undefined>>();
  readonly #codes = signal<readonly string[]>([]);
  readonly #isLoaded = signal(false);
  readonly #isConnected = signal(true);
  readonly #problem = signal<string | undefined>(undefined);
  readonly #revision = signal(0);
  readonly #feed: EventFeed;
  #timers: ReturnType<typeof setInterval>[] = [];
  #unlisten: () => void = () => undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  /** Counts starts and ends: what was asked for before is nobody's. */
  #session = 0;

  constructor() {
    this.#feed = new EventFeed((isConnected) => (this.#isConnected.value = isConnected));
  }

  /** Codes of all streams, in order. Changes only when one comes or goes. */
  get codes(): ReadonlySignal<readonly string[]> {
    return this.#codes;
  }
  /** The first answer is there. */
  get isLoaded(): ReadonlySignal<boolean> {
    return this.#isLoaded;
  }
  /** The server answers, as far as is known. */
  get isConnected(): ReadonlySignal<boolean> {
    return this.#isConnected;
  }
  /** Why the streams could not be told, though the server answers. */
  get problem(): ReadonlySignal<string | undefined> {
    return this.#problem;
  }
  /** Counts answers: for what is made of all streams at once (sorting, totals). */
  get revision(): ReadonlySignal<number> {
    return this.#revision;
  }

  /** A stream as it is now; undefined when there is none of that code. Follow it within a computed or a component. */
  stream(code: string): Stream | undefined {
    // Whoever asks before it is there is told when it comes.
    return (this.#streams.get(code) ?? this.#missing()).value;
  }

  /** What is recorded of it; undefined while that is not known. */
  archive(code: string): ArchiveLine | undefined {
    return this.#archiveOf(code).value;
  }

  /** Hears what happens. @returns what takes the listener away */
  listen(listener: (event: ServerEvent) => void): () => void {
    return this.#feed.listen(listener);
  }

  start(): void {
    this.#unlisten = this.#feed.listen((event) => {
      if (event.type === 'segment.written') this.#grow(event);
      else if (RELEVANT.has(event.type)) this.refreshSoon();
    });
    this.#feed.start();
    void this.refresh();
    void this.#refreshArchives();
    this.#timers = [
      setInterval(() => document.hidden || void this.refresh(), STREAMS_MS),
      setInterval(() => document.hidden || void this.#refreshArchives(), ARCHIVES_MS),
    ];
  }

  /** Asks and hears no more, and forgets what it knows: who comes next may not be shown as much. */
  close(): void {
    this.#unlisten();
    this.#feed.close();
    this.#timers.forEach((timer) => clearInterval(timer));
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#session += 1;
    this.#streams.clear();
    this.#archives.clear();
    batch(() => {
      this.#codes.value = [];
      this.#isLoaded.value = false;
      this.#isConnected.value = true;
      this.#problem.value = undefined;
      this.#revision.value += 1;
    });
  }

  /** Asks anew in a moment. */
  refreshSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.refresh();
    }, SOON_MS);
  }

  /** Asks anew. Rejects never: whether the server answers is told by `isConnected`, what else is wrong by `problem`. */
  async refresh(): Promise<void> {
    const session = this.#session;
    try {
      const streams = await api.streams();
      if (session !== this.#session) return;
      batch(() => {
        this.#isConnected.value = true;
        this.#problem.value = undefined;
        this.#take(streams);
      });
    } catch (error) {
      if (session !== this.#session) return;
      if (error instanceof ApiError && error.code === 'UNREACHABLE') this.#isConnected.value = false;
      else this.#problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  async #refreshArchives(): Promise<void> {
    const session = this.#session;
    try {
      const lines = await api.archives();
      if (session !== this.#session) return;
      batch(() => {
        for (const line of lines) this.#archiveOf(line.stream_code).value = line;
        this.#revision.value += 1;
      });
    } catch {
      // what is shown stays; refresh() tells whether the server answers
    }
  }

  #take(streams: readonly Stream[]): void {
    const codes = streams.map(({ code }) => code);
    for (const stream of streams) {
      const held = this.#streams.get(stream.code);
      if (held === undefined) this.#streams.set(stream.code, signal(stream));
      else if (JSON.stringify(held.peek()) !== JSON.stringify(stream)) held.value = stream;
    }
    for (const code of [...this.#streams.keys()]) if (!codes.includes(code)) this.#streams.delete(code);
    if (codes.join() !== this.#codes.peek().join()) this.#codes.value = codes;
    this.#isLoaded.value = true;
    this.#revision.value += 1;
  }

  /** An archive grows between two answers. */
  #grow({ stream_code: code, segment }: ServerEvent): void {
    if (code === undefined || segment === undefined) return;
    const line = this.#archives.get(code);
    if (line?.value === undefined) return;
    const ended = new Date(Date.parse(segment.started_at) + segment.duration_sec * 1000);
    if (Number.isNaN(ended.getTime())) return;
    const endedAt = ended.toISOString();
    line.value = {
      ...line.value,
      dvr_range: { started_at: line.value.dvr_range?.started_at ?? segment.started_at, last_segment_at: endedAt },
      segment_count: line.value.segment_count + 1,
      total_size_bytes: line.value.total_size_bytes + segment.size_bytes,
    };
  }

  #archiveOf(code: string): Signal<ArchiveLine | undefined> {
    let line = this.#archives.get(code);
    if (line === undefined) this.#archives.set(code, (line = signal(undefined)));
    return line;
  }

  #missing(): ReadonlySignal<undefined> {
    return computed(() => {
      void this.#codes.value;
      return undefined;
    });
  }
}

/** The page's. */
export const streams = new StreamStore();
