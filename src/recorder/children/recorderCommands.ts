/** What a recorder process does when its server asks: recordings and the sources that feed them. It remembers what it was asked, for the next server (R4). */
import { LivetapeError, type Closable } from '../../base/index.js';
import type { StreamCode } from '../../model/index.js';
import type { ConnectOptions, SourceStatus } from '../pool.js';
import type { InProcessDvrService } from '../service.js';
import type { Beat, Commands, RecordingRequest } from './protocol.js';

/** A source that writes into a buffer. */
export interface FeedingSource extends Closable {
  readonly url: string;
  readonly state: SourceStatus['state'];
  readonly detail: string;
  readonly stats: Pick<SourceStatus, 'receivedBytes' | 'connections' | 'rtpLostPackets' | 'foreignDatagrams'> & {
    readonly kernelDrops?: number | undefined;
  };
}

/** What a recorder process is made of. */
export interface RecorderParts extends Closable {
  readonly dvr: InProcessDvrService;
  /** Says what is wrong with a source's URL, before the one that it replaces is closed. */
  checkSource(source: string, options: ConnectOptions): Promise<void>;
  connect(source: string, bufferId: string, options: ConnectOptions): FeedingSource;
}

interface Feed {
  readonly source: string;
  readonly options: ConnectOptions;
  readonly connection: FeedingSource;
}

/** {@link Commands} on a recorder. */
export class RecorderCommands implements Omit<Commands, 'close'> {
  readonly #parts: RecorderParts;
  readonly #requests = new Map<StreamCode, RecordingRequest>();
  readonly #feeds = new Map<string, Feed>();
  /** What is under way with each buffer's source. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #starting = new Map<StreamCode, Promise<unknown>>();

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  get requests(): RecordingRequest[] {
    return [...this.#requests.values()];
  }

  get sources(): { bufferId: string; source: string; options: ConnectOptions }[] {
    return [...this.#feeds].map(([bufferId, { source, options }]) => ({ bufferId, source, options }));
  }

  /** How everything is doing, the process aside. */
  get state(): Omit<Beat, 'process'> {
    const { dvr } = this.#parts;
    const recordings = dvr.recordings().flatMap(({ id }) => {
      const status = dvr.status(id);
      return status === undefined ? [] : [{ status, metrics: dvr.metrics(id) }];
    });
    const sources = [...this.#feeds].map(([bufferId, { connection }]) => ({ bufferId, status: statusOf(connection) }));
    return { recordings, sources, candidates: dvr.candidates() };
  }

  async start(request: RecordingRequest): ReturnType<Commands['start']> {
    const { streamCode } = request;
    const started = this.#start(request);
    this.#starting.set(streamCode, started);
    try {
      return await started;
    } finally {
      if (this.#starting.get(streamCode) === started) this.#starting.delete(streamCode);
    }
  }

  async #start(request: RecordingRequest): ReturnType<Commands['start']> {
    const { dvr } = this.#parts;
    const { streamCode, bufferId, config, options } = request;
    // the source that was asked for before makes the buffer, and says which program is meant
    await this.#turns.get(bufferId)?.catch(() => undefined);
    await dvr.startRecording(streamCode, bufferId, config, options);
    this.#requests.set(streamCode, request);
    const status = dvr.status(streamCode);
    if (status === undefined)
      throw new LivetapeError('NOT_RECORDING', `stream ${streamCode} was stopped meanwhile`, { context: { code: streamCode } });
    return status;
  }

  async stop(streamCode: StreamCode): ReturnType<Commands['stop']> {
    await this.#starting.get(streamCode)?.catch(() => undefined);
    try {
      return await this.#parts.dvr.stopRecording(streamCode);
    } finally {
      if (!this.#parts.dvr.isRecording(streamCode)) this.#requests.delete(streamCode);
    }
  }

  async setRetention(streamCode: StreamCode, limits: Parameters<Commands['setRetention']>[1]): Promise<void> {
    await this.#parts.dvr.setRetention(streamCode, limits);
    const request = this.#requests.get(streamCode);
    if (request !== undefined) this.#requests.set(streamCode, { ...request, config: { ...request.config, ...limits } });
  }

  connect(source: string, bufferId: string, options: ConnectOptions): ReturnType<Commands['connect']> {
    return this.#inTurn(bufferId, async () => {
      await this.#parts.checkSource(source, options);
      await this.#release(bufferId);
      const connection = this.#parts.connect(source, bufferId, options);
      this.#feeds.set(bufferId, { source, options, connection });
      return statusOf(connection);
    });
  }

  disconnect(bufferId: string): Promise<void> {
    return this.#inTurn(bufferId, () => this.#release(bufferId));
  }

  async served(streamCode: StreamCode, reachMs: number): Promise<void> {
    this.#parts.dvr.served(streamCode, reachMs);
  }

  prune(streamCode: StreamCode, limits: Parameters<Commands['prune']>[1]): ReturnType<Commands['prune']> {
    return this.#parts.dvr.pruneFor(streamCode, limits);
  }

  async #release(bufferId: string): Promise<void> {
    const feed = this.#feeds.get(bufferId);
    this.#feeds.delete(bufferId);
    await feed?.connection.close();
  }

  /** Two changes of one buffer's source, one after the other. */
  #inTurn<T>(bufferId: string, step: () => Promise<T>): Promise<T> {
    const done = (this.#turns.get(bufferId) ?? Promise.resolve()).then(step, step);
    this.#turns.set(bufferId, done);
    const over = (): void => {
      if (this.#turns.get(bufferId) === done) this.#turns.delete(bufferId);
    };
    done.then(over, over);
    return done;
  }
}

function statusOf({ url, state, detail, stats }: FeedingSource): SourceStatus {
  const { receivedBytes, connections, rtpLostPackets, foreignDatagrams, kernelDrops } = stats;
  return { url, state, detail, receivedBytes, connections, rtpLostPackets, foreignDatagrams, kernelDrops };
}
