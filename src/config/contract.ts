/** What the server asks of its configuration, whatever file it is in. */
import type { Closable, LivetapeError } from '../base/index.js';
import type { Config, HookEntry, StreamConfig, StreamEntry } from './schema.js';

/** A configuration as it stands: a value that does not change. */
export interface ConfigState {
  readonly config: Config;
  /** By code, templates filled in. */
  readonly streams: ReadonlyMap<string, StreamConfig>;
}

/** The file livetape.yaml: read at start, again on SIGHUP and whenever it changes, and written by the API. */
export interface ConfigStore extends Closable {
  /** Its path. */
  readonly path: string;
  /** What holds now: the newest that could be read. */
  readonly state: ConfigState;
  /** Why the file as it is now does not hold; undefined when it does. */
  readonly error: LivetapeError | undefined;
  /**
   * Reads the file again. A wrong one changes nothing.
   * @throws LivetapeError CONFIG_INVALID naming line and field
   */
  reload(): Promise<void>;
  /**
   * Writes a stream, in the place of what the file says of it; comments elsewhere survive.
   * @throws LivetapeError CONFIG_INVALID (the file as it is, or the field), STREAM_CODE_INVALID, STREAM_CODE_TAKEN, SOURCE_INVALID, SOURCE_UNSUPPORTED, CONFIG_UNWRITABLE
   */
  put(code: string, stream: StreamEntry): Promise<void>;
  /** Writes fields of a stream, those of `dvr` one by one; comments beside them survive; `null` takes a field away. @throws LivetapeError as put; STREAM_NOT_FOUND */
  patch(code: string, change: { readonly [field: string]: unknown }): Promise<void>;
  /** Takes a stream out of the file. @throws LivetapeError STREAM_NOT_FOUND, CONFIG_UNWRITABLE */
  remove(code: string): Promise<void>;
  /**
   * Writes a webhook, in the place of what the file says of it; comments elsewhere survive.
   * @throws LivetapeError REQUEST_INVALID (the id), CONFIG_INVALID (the file as it is, or the field), CONFIG_UNWRITABLE
   */
  putHook(id: string, hook: HookEntry): Promise<void>;
  /** Takes a webhook out of the file. @throws LivetapeError HOOK_NOT_FOUND, CONFIG_INVALID, CONFIG_UNWRITABLE */
  removeHook(id: string): Promise<void>;
  /** Called after each change, with what held before; never for one that changes nothing. Answers with how to stop listening. */
  onChange(listener: (state: ConfigState, before: ConfigState) => void): () => void;
  /** Called when the file becomes wrong (with why), or right again. */
  onError(listener: (error: LivetapeError | undefined) => void): () => void;
}
