/**
 * The streams of a server: those that the file asks for, recorded as it says (docs/design/server.md, C4 and C5), and those that only have an archive. Each stream has a
 * worker of its own, so that no stream's trouble reaches another.
 */
import { isDeepStrictEqual } from 'node:util';
import { loadIndex } from '../archive/index.js';
import { delay, LivetapeError, type Clock, type Closable, type Logger } from '../base/index.js';
import type { ConfigState, ConfigStore, StreamConfig } from '../config/index.js';
import type { EgressRules } from '../egress/index.js';
import { checkStreamCode } from '../model/index.js';
import type { RecorderPool } from '../recorder/index.js';
import { INDEX_NAME, type Storage, type StreamStorage } from '../storage/index.js';
import { Slots } from './channelsSlots.js';
import { ChannelWorker, concernsRecording } from './channelsWorker.js';
import type { Channel, Channels } from './context.js';

/** The archives of a folder are listed no more often than this. */
const LISTED_MS = 5000;
/** Closing waits so long for what is under way: a command to a recorder that does not answer fails when the pool is closed. */
const CLOSING_MS = 1000;

/** What channels are made of. */
export interface ChannelsOptions {
  readonly config: ConfigStore;
  readonly pool: RecorderPool;
  /** `data`. */
  readonly storage: Storage;
  /** Another root, for streams whose configuration names a storage path. */
  openRoot(path: string): Storage;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Begins what the file asks for, and follows it. What the pool records already and the file does not ask for ends. `close()` leaves the recordings as they are. */
export function openChannels(options: ChannelsOptions): Channels & Closable {
  return new FollowedChannels(options);
}

class FollowedChannels implements Channels, Closable {
  readonly #options: ChannelsOptions;
  readonly #slots: Slots;
  readonly #workers = new Map<string, ChannelWorker>();
  readonly #roots = new Map<string, Storage>();
  readonly #unfollow: () => void;
  #listed: { readonly atMs: number; readonly codes: Promise<ReadonlySet<string>> } | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: ChannelsOptions) {
    this.#options = options;
    const { config, pool, clock } = options;
    this.#slots = new Slots(clock);
    this.#unfollow = config.onChange((state, before) => this.#changed(state, before));
    const codes = new Set([...config.state.streams.keys(), ...pool.recordings().map(({ streamCode }) => streamCode)]);
    for (const code of codes) this.#kick(code);
  }

  async list(): Promise<Channel[]> {
    const codes = new Set([...this.#streams.keys(), ...(await this.#archives())]);
    return [...codes].sort().map((code) => this.#channel(code));
  }

  async get(code: string): Promise<Channel | undefined> {
    if (this.#streams.has(code)) return this.#channel(code);
    const place = this.place(code);
    if (place === undefined) return undefined;
    const found = (await place.size(INDEX_NAME)) ?? (await place.journalSize());
    return found !== undefined && (await holdsMedia(place)) ? this.#channel(code) : undefined;
  }

  readonly place = (code: string): StreamStorage | undefined => {
    if (!this.#streams.has(code)) {
      try {
        checkStreamCode(code);
      } catch {
        return undefined;
      }
    }
    return this.storage(code).stream(code);
  };

  get data(): Storage {
    return this.#options.storage;
  }

  storage(code: string): Storage {
    const path = this.#streams.get(code)?.dvr.storage_path ?? '';
    if (path === '') return this.#options.storage;
    let root = this.#roots.get(path);
    if (root === undefined) this.#roots.set(path, (root = this.#options.openRoot(path)));
    return root;
  }

  async settled(code: string): Promise<void> {
    await this.#workers.get(code)?.settled();
  }

  async start(code: string): Promise<void> {
    const { config, pool } = this.#options;
    const stream = this.#inFile(code);
    if (stream.dvr.enabled && pool.isRecording(code)) {
      throw new LivetapeError('ALREADY_RECORDING', `stream ${code} is being recorded already`, { context: { code } });
    }
    if (config.state.config.recorders === 0) {
      throw new LivetapeError('RECORDING_DISABLED', 'this server records nothing: its configuration says recorders: 0', {
        context: { code },
      });
    }
    await config.patch(code, { dvr: { enabled: true } });
    // Also one that was turned on already, and could not be begun.
    this.#kick(code);
    await this.settled(code);
  }

  async stop(code: string): Promise<void> {
    const { config, pool } = this.#options;
    if (!this.#inFile(code).dvr.enabled && !pool.isRecording(code)) {
      throw new LivetapeError('NOT_RECORDING', `stream ${code} is not being recorded`, { context: { code } });
    }
    await config.patch(code, { dvr: { enabled: false } });
    this.#kick(code);
    await this.settled(code);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#unfollow();
    const over = new AbortController();
    const ended = Promise.all([...this.#workers.values()].map((worker) => worker.close()));
    await Promise.race([ended.finally(() => over.abort()), delay(this.#options.clock, CLOSING_MS, over.signal)]);
  }

  get #streams(): ReadonlyMap<string, StreamConfig> {
    return this.#options.config.state.streams;
  }

  #inFile(code: string): StreamConfig {
    const stream = this.#streams.get(code);
    if (stream !== undefined) return stream;
    throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code} in the configuration`, { context: { code } });
  }

  #channel(code: string): Channel {
    const { pool } = this.#options;
    return {
      code,
      config: this.#streams.get(code),
      recording: pool.status(code),
      source: pool.source(code),
      error: this.#workers.get(code)?.error,
    };
  }

  relist(): void {
    this.#listed = undefined;
  }

  /** Codes of the archives in `data`. */
  #archives(): Promise<ReadonlySet<string>> {
    const { clock, storage } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#listed !== undefined && nowMs - this.#listed.atMs < LISTED_MS) return this.#listed.codes;
    const codes = listCodes(storage);
    const listed = { atMs: nowMs, codes };
    this.#listed = listed;
    codes.catch(() => {
      if (this.#listed === listed) this.#listed = undefined;
    });
    return codes;
  }

  #changed(state: ConfigState, before: ConfigState): void {
    const isOtherEgress = !isDeepStrictEqual(state.config.egress, before.config.egress);
    for (const code of new Set([...state.streams.keys(), ...before.streams.keys()])) {
      const stream = state.streams.get(code);
      if (concernsRecording(stream, before.streams.get(code)) || (isOtherEgress && stream?.restricted === true)) this.#kick(code);
    }
  }

  #kick(code: string): void {
    const { config, pool, clock, log } = this.#options;
    // Nothing is recorded here: it is left to those who do (schema, `recorders`).
    if (this.#closing !== undefined || config.state.config.recorders === 0) return;
    let worker = this.#workers.get(code);
    if (worker === undefined) {
      const wanted = (): StreamConfig | undefined => this.#streams.get(code);
      const idle = (): void => void this.#workers.delete(code);
      const egress = (): EgressRules => config.state.config.egress;
      worker = new ChannelWorker({ code, pool, slots: this.#slots, clock, log, wanted, egress, idle });
      this.#workers.set(code, worker);
    }
    void worker.kick();
  }
}

async function listCodes(storage: Storage): Promise<ReadonlySet<string>> {
  const codes = new Set<string>();
  for await (const code of storage.list()) if (await holdsMedia(storage.stream(code))) codes.add(code);
  return codes;
}

/** One that was deleted leaves its index, for the number that comes next; one whose playlist is lost says in it what there was. */
async function holdsMedia(place: StreamStorage): Promise<boolean> {
  if ((await place.journalSize()) !== undefined) return true;
  const index = await loadIndex(place).catch(() => undefined);
  return index?.nextIndex === undefined || index.segmentCount > 0;
}
