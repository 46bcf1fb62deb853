/** Fakes that playback's routes are tested on: a read side that answers what it is told, and recorders that a test feeds live. */
import { LivetapeError, silentLogger, systemClock, type Clock } from '../base/index.js';
import { configSchema, DVR_DEFAULTS, type StreamConfig } from '../config/index.js';
import type { Playback, PlaylistAnswer, PlaylistRequest, SegmentFile } from '../playback/index.js';
import type { LiveSink, RecorderPool, StreamMetrics } from '../recorder/index.js';
import { createMemoryStorage } from '../storage/index.js';
import type { Channel, ServerContext } from './context.js';
import { EventFeed } from './events.js';
import { makeTestDoor } from './testDoor.js';
import { FakeHooks } from './testHooks.js';

/** A body in chunks of one buffer that is used again for each, as the read side's are. */
export async function* pooled(bytes: Uint8Array, chunkBytes: number, ended: () => void = () => undefined): AsyncGenerator<Uint8Array> {
  const block = new Uint8Array(chunkBytes);
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      // what was handed out is spoiled as soon as the next is asked for
      block.fill(0xee);
      const length = Math.min(chunkBytes, bytes.length - at);
      block.set(bytes.subarray(at, at + length));
      yield block.subarray(0, length);
      await Promise.resolve();
    }
  } finally {
    ended();
  }
}

/** Bytes that differ from place to place. */
export function someBytes(length: number): Uint8Array {
  return new Uint8Array(length).map((_, at) => (at * 31 + (at >> 8) * 7) & 0xff);
}

/** Entries of its timeline, and how long each is. */
const ENTRIES = 900;
const ENTRY_MS = 4000;

/** A read side of one stream, `news`, and of `uk/bbc`. */
export class FakePlayback implements Playback {
  /** What each playlist says, and its version. */
  text = '#EXTM3U\n';
  version = 'v1';
  age: PlaylistAnswer['age'] = 'live';
  reachMs = 30_000;
  segmentBytes = someBytes(1_000_000);
  /** Thrown by whatever is asked next. */
  failure: LivetapeError | undefined;
  /** Thrown in the middle of a playlist's text. */
  textFailure: LivetapeError | undefined;
  readonly asked: { code: string; request: PlaylistRequest }[] = [];
  rendered = 0;
  openFiles = 0;
  openBodies = 0;
  startMs = Date.UTC(2026, 0, 1);

  readonly timelines: Playback['timelines'] = {
    timeline: async (code) => {
      this.#check(code);
      const { startMs } = this;
      return {
        startMs,
        endSequence: ENTRIES,
        at: async (wallMs: number) => Math.floor((wallMs - startMs) / ENTRY_MS),
        entry: async (sequence: number) => ({ wallMs: startMs + sequence * ENTRY_MS, durationUs: ENTRY_MS * 1000 }),
      } as Awaited<ReturnType<Playback['timelines']['timeline']>>;
    },
    stats: { cachedBytes: 0, streams: 0 },
  };
  readonly stats = { timelineBytes: 1, segmentBytes: 2, segmentHits: 3, segmentMisses: 4 };

  async playlist(code: string, request: PlaylistRequest): Promise<PlaylistAnswer> {
    this.#check(code);
    this.asked.push({ code, request });
    const { text, version, age, reachMs } = this;
    return { age, version, reachMs, targetDurationSec: 6, body: () => this.#text(text) };
  }

  async *#text(text: string): AsyncGenerator<Uint8Array> {
    this.rendered += 1;
    this.openBodies += 1;
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += 65_536) {
        if (this.textFailure && (at >= bytes.length / 2 || bytes.length < 65_536)) throw this.textFailure;
        yield bytes.subarray(at, at + 65_536);
      }
    } finally {
      this.openBodies -= 1;
    }
  }

  async segment(code: string, name: string): Promise<SegmentFile> {
    this.#check(code);
    if (name !== '000001.ts') throw new LivetapeError('SEGMENT_NOT_FOUND', `there is no ${name}`);
    this.openFiles += 1;
    const close = async (): Promise<void> => {
      this.openFiles -= 1;
    };
    return {
      sizeBytes: this.segmentBytes.length,
      read: (from, to) => this.#bytes(this.segmentBytes.subarray(from, to)),
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  /** As if its entries were numbered from zero. */
  async spanOf(code: string, name: string): ReturnType<Playback['spanOf']> {
    this.#check(code);
    const fromMs = this.startMs + Number.parseInt(name, 10) * ENTRY_MS;
    return { fromMs, toMs: fromMs + ENTRY_MS };
  }

  async exportTs(code: string): ReturnType<Playback['exportTs']> {
    this.#check(code);
    return { sizeBytes: this.segmentBytes.length, durationMs: 3_602_500, body: () => this.#bytes(this.segmentBytes) };
  }

  async preview(code: string, atMs: number): Promise<{ body: Uint8Array; wallMs: number }> {
    this.#check(code);
    return { body: someBytes(500), wallMs: atMs - 1500 };
  }

  async status(code: string): ReturnType<Playback['status']> {
    this.#check(code);
    const at = (seconds: number): number => this.startMs + seconds * 1000;
    return {
      status: 'recording',
      startedAtMs: at(0),
      lastSegmentAtMs: at(3600),
      segmentCount: 800,
      totalSizeBytes: 1e9,
      gaps: [{ fromMs: at(100), toMs: at(102.5), reason: 'signal' }],
      ranges: [
        { fromMs: at(0), toMs: at(100) },
        { fromMs: at(102.5), toMs: at(3600) },
      ],
    };
  }

  async marks(code: string, window: { fromMs?: number | undefined; toMs?: number | undefined }): ReturnType<Playback['marks']> {
    const { startedAtMs, lastSegmentAtMs, ranges } = await this.status(code);
    const { fromMs = startedAtMs, toMs = lastSegmentAtMs } = window;
    return { fromMs, toMs, startedAtMs, lastSegmentAtMs, spans: ranges, gaps: [], errors: [] };
  }

  async summary(code: string): ReturnType<Playback['summary']> {
    return { ...(await this.status(code)), lastDay: { gaps: 1, gapMs: 2500 } };
  }

  async close(): Promise<void> {
    return undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #bytes(bytes: Uint8Array): AsyncIterable<Uint8Array> {
    this.openBodies += 1;
    return pooled(bytes, 65_536, () => {
      this.openBodies -= 1;
    });
  }

  #check(code: string): void {
    if (this.failure) throw this.failure;
    if (code !== 'news' && code !== 'uk/bbc') throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code}`);
  }
}

/** Recorders whose live media a test feeds. */
export class FakeRecorders {
  readonly recording = new Set<string>(['news']);
  readonly sinks: LiveSink[] = [];
  /** Subscriptions that are open. */
  open = 0;
  /** How often live media was asked for. */
  asked = 0;
  readonly served: [string, number][] = [];
  metrics: StreamMetrics | undefined;
  recorders: ReturnType<RecorderPool['recorders']> = [];

  /** The newest that is being fed. */
  get sink(): LiveSink {
    const sink = this.sinks.at(-1);
    if (!sink) throw new Error('nobody watches');
    return sink;
  }

  pool(): RecorderPool {
    const pool: Partial<RecorderPool> = {
      isRecording: (code) => this.recording.has(code),
      live: async (code, sink) => {
        this.asked += 1;
        if (!this.recording.has(code)) throw new LivetapeError('NOT_RECORDING', `${code} is not being recorded`);
        this.sinks.push(sink);
        this.open += 1;
        const close = async (): Promise<void> => {
          this.open -= 1;
        };
        return { close, [Symbol.asyncDispose]: close };
      },
      served: (code, reachMs) => void this.served.push([code, reachMs]),
      metrics: (code) => (this.recording.has(code) ? this.metrics : undefined),
      recorders: () => this.recorders,
      status: () => undefined,
      recordings: () => [],
      on: () => pool as RecorderPool,
      off: () => pool as RecorderPool,
    };
    return pool as RecorderPool;
  }
}

/** A server's context over fakes, with the streams `news` (in the file) and `uk/bbc` (an archive alone). */
export function viewersContext(
  options: { playback?: FakePlayback; recorders?: FakeRecorders; clock?: Clock; xAccelRedirect?: string; title?: string } = {},
): ServerContext {
  const { playback = new FakePlayback(), recorders = new FakeRecorders(), clock = systemClock, xAccelRedirect = '' } = options;
  const storage = createMemoryStorage();
  const news: StreamConfig = {
    code: 'news',
    source: '',
    title: options.title ?? 'News',
    restricted: false,
    dvr: { ...DVR_DEFAULTS, retention_sec: 604_800 },
  };
  const channel = (code: string, config: StreamConfig | undefined): Channel => ({
    code,
    config,
    recording: undefined,
    source: undefined,
    error: undefined,
  });
  const channels: Channel[] = [channel('news', news), channel('uk/bbc', undefined)];
  const context: Partial<ServerContext> & { config: object; channels: object } = {
    clock,
    log: silentLogger,
    version: '1.2.3',
    playback,
    pool: recorders.pool(),
    events: new EventFeed(recorders.pool(), clock),
    hooks: new FakeHooks(),
    config: {
      state: { config: configSchema.parse({ playback: { x_accel_redirect: xAccelRedirect } }), streams: new Map([['news', news]]) },
    } as unknown as ServerContext['config'],
    channels: {
      list: async () => channels,
      get: async (code: string) => channels.find((one) => one.code === code),
      place: (code: string) => storage.stream(code),
      storage: () => storage,
      data: storage,
    } as unknown as ServerContext['channels'],
  };
  return { ...context, ...makeTestDoor(context.config, clock).context } as ServerContext;
}
