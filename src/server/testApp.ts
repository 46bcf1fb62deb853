/**
 * The application on fakes, for the tests of this room: a real livetape.yaml in a temporary folder, and recorders, channels and archives that say what a test
 * has them say. Every answer that is got through `inject` is held to the OpenAPI document.
 */
import { EventEmitter } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InjectOptions, LightMyRequestResponse } from 'fastify';
import type { Keep, ListedKeep } from '../archive/index.js';
import { LivetapeError, ManualClock, type LogFields, type Logger } from '../base/index.js';
import { openConfig, type ConfigStore } from '../config/index.js';
import type { ProbeReport } from '../ingest/index.js';
import type { ArchiveStatus, Playback } from '../playback/index.js';
import type {
  DvrEventName,
  DvrEvents,
  RecorderPool,
  RecorderStatus,
  RecordingStatus,
  SourceStatus,
  StreamMetrics,
} from '../recorder/index.js';
import { createMemoryStorage, type Storage } from '../storage/index.js';
import { buildApp, type App } from './app.js';
import type { Channel, Channels, ServerContext } from './context.js';
import { EventFeed } from './events.js';
import { hookEvent } from './hookFeed.js';
import { makeTestDoor, type TestDoor } from './testDoor.js';
import { FakeHooks } from './testHooks.js';
import { ResponseChecker } from './testDocument.js';

/** Recorders that record nothing. */
export class FakePool {
  readonly emitter = new EventEmitter();
  readonly statuses = new Map<string, RecordingStatus>();
  readonly sources = new Map<string, SourceStatus>();
  readonly metrics = new Map<string, StreamMetrics>();
  running: RecorderStatus[] = [];
  kept: ListedKeep[] = [];

  emit<N extends DvrEventName>(name: N, event: DvrEvents[N]): void {
    this.emitter.emit(name, event);
  }

  /** As the server knows it. What a test has to have and is not here it brings itself. */
  get pool(): RecorderPool {
    const known: Partial<RecorderPool> = {
      on: (name, listener) => (this.emitter.on(name, listener), this.pool),
      off: (name, listener) => (this.emitter.off(name, listener), this.pool),
      status: (code) => this.statuses.get(code),
      source: (code) => this.sources.get(code),
      isRecording: (code) => this.statuses.has(code),
      recordings: () => [...this.statuses.values()].map(({ recording }) => recording),
      recorders: () => this.running,
      metrics: (code) => this.metrics.get(code),
      served: () => undefined,
      keeps: async (code) => this.kept.filter(({ streamCode }) => code === undefined || code === streamCode),
      keep: async (streamCode, { name, from, to }) => {
        if (this.kept.some((keep) => keep.name === name)) throw new LivetapeError('KEEP_EXISTS', `there is a keep ${name} already`);
        const keep: Keep = { streamCode, name, from, to, segmentCount: 3, sizeBytes: 5640, location: `/keeps/${streamCode}/${name}` };
        this.kept.push(keep);
        return keep;
      },
      removeKeep: async (_code, name) => {
        const left = this.kept.filter((keep) => keep.name !== name);
        if (left.length === this.kept.length) throw new LivetapeError('KEEP_NOT_FOUND', `there is no keep ${name}`);
        this.kept = left;
      },
      live: async () => {
        throw new LivetapeError('NOT_RECORDING', 'it is not being recorded');
      },
    };
    return known as RecorderPool;
  }
}

/** Streams of the file, and archives that a test says are there. */
export class FakeChannels implements Channels {
  readonly archives = new Map<string, ArchiveStatus>();
  readonly errors = new Map<string, LivetapeError>();
  readonly started: string[] = [];
  readonly stopped: string[] = [];
  relisted = 0;
  /** Called by `settled`. */
  settle: (code: string) => Promise<void> = async () => undefined;
  readonly #config: ConfigStore;
  readonly #pool: FakePool;
  data: Storage;

  constructor(config: ConfigStore, pool: FakePool, data: Storage) {
    this.#config = config;
    this.#pool = pool;
    this.data = data;
  }

  async list(): Promise<Channel[]> {
    const codes = [...new Set([...this.#config.state.streams.keys(), ...this.archives.keys()])].sort();
    return (await Promise.all(codes.map((code) => this.get(code)))).filter((channel) => channel !== undefined);
  }

  async get(code: string): Promise<Channel | undefined> {
    const config = this.#config.state.streams.get(code);
    if (config === undefined && !this.archives.has(code)) return undefined;
    const [recording, source, error] = [this.#pool.statuses.get(code), this.#pool.sources.get(code), this.errors.get(code)];
    return { code, config, recording, source, error };
  }

  relist(): void {
    this.relisted += 1;
  }

  readonly place: Channels['place'] = (code) => this.data.stream(code);

  storage: Channels['storage'] = () => this.data;

  settled(code: string): Promise<void> {
    return this.settle(code);
  }

  async start(code: string): Promise<void> {
    if (this.#pool.statuses.has(code)) throw new LivetapeError('ALREADY_RECORDING', `${code} is being recorded`);
    await this.#config.patch(code, { dvr: { enabled: true } });
    this.started.push(code);
  }

  async stop(code: string): Promise<void> {
    if (!this.#config.state.streams.has(code)) throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code}`);
    if (!this.#pool.statuses.delete(code)) throw new LivetapeError('NOT_RECORDING', `${code} is not being recorded`);
    this.stopped.push(code);
  }
}

/** A log that can be read. */
export class TestLog implements Logger {
  readonly lines: { readonly level: string; readonly fields: LogFields; readonly message: string }[] = [];
  readonly debug = this.#at('debug');
  readonly info = this.#at('info');
  readonly warn = this.#at('warn');
  readonly error = this.#at('error');

  #at(level: string): (fields: LogFields, message: string) => void {
    return (fields, message) => void this.lines.push({ level, fields, message });
  }
}

/** A request. */
export type TestRequest = Omit<InjectOptions, 'url'> & { readonly url: string };

/** The application under test. */
export interface TestApp extends AsyncDisposable {
  readonly app: App;
  readonly context: ServerContext;
  readonly clock: ManualClock;
  readonly log: TestLog;
  readonly pool: FakePool;
  readonly channels: FakeChannels;
  readonly hooks: FakeHooks;
  /** Credentials, and what was done with them. */
  readonly door: TestDoor;
  /** The temporary folder, where livetape.yaml is. */
  readonly folder: string;
  readonly checker: ResponseChecker;
  /** Listens on a free port of 127.0.0.1, and says which. */
  listen(): Promise<number>;
  /** Asks, and holds the answer to the OpenAPI document. */
  inject(options: TestRequest | string): Promise<LightMyRequestResponse>;
}

/** What a test brings itself. */
export interface TestAppOptions {
  /** livetape.yaml. */
  readonly yaml?: string;
  /** In place of the fakes. */
  readonly context?: Partial<ServerContext>;
}

/** Opens one; `await using` closes it. */
export async function openTestApp({ yaml = '', context: given = {} }: TestAppOptions = {}): Promise<TestApp> {
  const folder = await mkdtemp(join(tmpdir(), 'livetape-server-'));
  const path = join(folder, 'livetape.yaml');
  await writeFile(path, yaml);
  const page = join(folder, 'page');
  await mkdir(join(page, 'assets'), { recursive: true });
  await writeFile(join(page, 'index.html'), '<!doctype html><title>Livetape</title>');
  await writeFile(join(page, 'assets/index-1a2b.js'), 'export {};');
  const clock = new ManualClock();
  const log = new TestLog();
  const config = given.config ?? (await openConfig({ path, clock, log }));
  const pool = new FakePool();
  const door = makeTestDoor(config, clock);
  const hooks = new FakeHooks();
  const channels = new FakeChannels(config, pool, createMemoryStorage());
  const context: ServerContext = {
    clock,
    log,
    config,
    channels,
    pool: pool.pool,
    playback: fakePlayback(channels),
    events: new EventFeed(pool.pool, clock, (event) => hooks.publish(hookEvent(event))),
    hooks,
    probe: async (): Promise<ProbeReport> => {
      throw new LivetapeError('SOURCE_FAILED', 'nothing came');
    },
    page,
    version: '1.2.3',
    ...door.context,
    ...given,
  };
  const app = await buildApp(context);
  const checker = new ResponseChecker(app.swagger());
  return {
    app,
    context,
    clock,
    log,
    pool,
    channels,
    hooks,
    door,
    folder,
    checker,
    async listen() {
      return Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port);
    },
    async inject(options) {
      const request = typeof options === 'string' ? { url: options } : options;
      const response = await app.inject(request);
      const { method = 'GET', url } = request;
      checker.check({ method, url, status: response.statusCode, headers: response.headers, body: response.body });
      return response;
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      await config.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Knows the archives that the test says are there, and nothing of their media. */
function fakePlayback(channels: FakeChannels): Playback {
  const nothing = async (): Promise<never> => {
    throw new LivetapeError('NOTHING_RECORDED', 'nothing is recorded');
  };
  return {
    timelines: { timeline: nothing, stats: { cachedBytes: 0, streams: 0 } },
    playlist: nothing,
    segment: nothing,
    spanOf: nothing,
    exportTs: nothing,
    preview: nothing,
    status: async (code) => channels.archives.get(code) ?? nothing(),
    marks: nothing,
    summary: nothing,
    stats: { timelineBytes: 0, segmentBytes: 0, segmentHits: 0, segmentMisses: 0 },
    close: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}
