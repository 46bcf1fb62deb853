/** A configuration that a test changes as it likes; nothing is read or written. */
import { LivetapeError } from '../base/index.js';
import {
  configSchema,
  DVR_DEFAULTS,
  type Config,
  type ConfigState,
  type ConfigStore,
  type DvrSettings,
  type HookEntry,
  type StreamEntry,
} from '../config/index.js';

/** What a test says of a stream. */
export interface TestStream {
  readonly source?: string;
  readonly title?: string;
  readonly restricted?: boolean;
  readonly dvr?: Partial<DvrSettings>;
}

/** A {@link ConfigStore} for tests: codes, sources and fields are taken as they are. */
export class TestConfig implements ConfigStore {
  readonly path = '/etc/livetape.yaml';
  error: LivetapeError | undefined;
  state: ConfigState;
  /** What was patched and put: `patch news {"dvr":{"enabled":true}}`. */
  readonly written: string[] = [];
  readonly #streams = new Map<string, TestStream>();
  readonly #hooks = new Map<string, HookEntry>();
  readonly #listeners = new Set<(state: ConfigState, before: ConfigState) => void>();
  readonly #errorListeners = new Set<(error: LivetapeError | undefined) => void>();
  #config: Config;

  constructor(streams: Readonly<Record<string, TestStream>> = {}, config: Partial<Config> = {}) {
    for (const [code, stream] of Object.entries(streams)) this.#streams.set(code, stream);
    this.#config = { ...configSchema.parse({}), ...config };
    this.state = this.#made();
  }

  /** Says something else of a stream; nothing where it is undefined. */
  set(code: string, stream: TestStream | undefined): void {
    if (stream === undefined) this.#streams.delete(code);
    else this.#streams.set(code, stream);
    this.#publish();
  }

  /** Says something else than of streams. */
  setConfig(change: Partial<Config>): void {
    this.#config = { ...this.#config, ...change };
    this.#publish();
  }

  /** The file becomes wrong, or right. */
  setError(error: LivetapeError | undefined): void {
    this.error = error;
    for (const listener of this.#errorListeners) listener(error);
  }

  async reload(): Promise<void> {
    if (this.error) throw this.error;
  }

  async put(code: string, stream: StreamEntry): Promise<void> {
    this.written.push(`put ${code} ${JSON.stringify(stream)}`);
    this.set(code, stream as TestStream);
  }

  async patch(code: string, change: { readonly [field: string]: unknown }): Promise<void> {
    const stream = this.#streams.get(code);
    if (stream === undefined) throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code}`);
    this.written.push(`patch ${code} ${JSON.stringify(change)}`);
    this.set(code, { ...stream, ...change, dvr: { ...stream.dvr, ...(change['dvr'] as Partial<DvrSettings>) } });
  }

  async remove(code: string): Promise<void> {
    this.set(code, undefined);
  }

  async putHook(id: string, hook: HookEntry): Promise<void> {
    this.#hooks.set(id, hook);
    this.#publish();
  }

  async removeHook(id: string): Promise<void> {
    if (!this.#hooks.delete(id)) throw new LivetapeError('HOOK_NOT_FOUND', `there is no webhook ${id}`);
    this.#publish();
  }

  onChange(listener: (state: ConfigState, before: ConfigState) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  onError(listener: (error: LivetapeError | undefined) => void): () => void {
    this.#errorListeners.add(listener);
    return () => void this.#errorListeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #publish(): void {
    const before = this.state;
    this.state = this.#made();
    for (const listener of this.#listeners) listener(this.state, before);
  }

  #made(): ConfigState {
    const streams = [...this.#streams].map(([code, { source = '', title = '', restricted = false, dvr }]) => ({
      code,
      source,
      title,
      restricted,
      dvr: { ...DVR_DEFAULTS, ...dvr },
    }));
    return {
      config: { ...this.#config, streams: Object.fromEntries(this.#streams), hooks: Object.fromEntries(this.#hooks) },
      streams: new Map(streams.map((stream) => [stream.code, stream])),
    };
  }
}
