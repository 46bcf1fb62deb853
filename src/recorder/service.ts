/**
 * DvrService: starts, stops and reports recordings, many streams at once. It supervises: a session that breaks
 * is made anew after a pause, and no stream's trouble reaches another.
 */
import {
  loadIndex,
  openArchiveForWriting,
  type ArchiveIndex,
  type ArchiveWriter,
  type Keep,
  type KeepRequest,
  type ListedKeep,
  type SegmentMeta,
} from '../archive/index.js';
import { LivetapeError, toLivetapeError, type Clock, type Closable, type Logger } from '../base/index.js';
import type { MediaBuffers } from '../buffer/index.js';
import { checkStreamCode, streamCodesConflict, type StreamCode } from '../model/index.js';
import type { Storage, StreamStorage } from '../storage/index.js';
import { checkDvrConfig, checkMinFree, checkRetention, type DvrConfig } from './config.js';
import { DvrEmitter, type DvrEventName, type DvrListener, type Recording } from './events.js';
import type { PruneCandidate, SpaceLimits, SpacePruned, SpaceUser } from './freeSpace.js';
import { Retention } from './retention.js';
import type { RetentionLimits } from './retentionStream.js';
import type { LiveSink, LiveSubscription } from './live.js';
import { LivePool } from './liveMemory.js';
import type { StreamMetrics } from './metrics.js';
import { StoredArchives } from './storedArchives.js';
import { SupervisedRecording, type RecordingStatus } from './supervised.js';

/** What is special about one recording and not part of its stored configuration. */
export interface RecordOptions {
  /** Which program of a multiplex: its number, `'all'`, or undefined for what the buffer's source asks for, else the first with video. */
  readonly program?: number | 'all' | undefined;
}

/** The service that records streams. One contract, whether the sessions run in this process or in others. */
export interface DvrService extends Closable {
  /**
   * Begins to record a media buffer. An empty `mediaBufferId` means the buffer with the stream's own code, which is made if it is missing.
   * @throws LivetapeError STREAM_CODE_INVALID, STREAM_CODE_TAKEN, CONFIG_INVALID, RECORDING_DISABLED, ALREADY_RECORDING, BUFFER_NOT_FOUND,
   * PATH_OUTSIDE_ROOT, STORAGE_UNWRITABLE, DISK_FULL, STORAGE_FAILED, ARCHIVE_CORRUPT, ARCHIVE_FORMAT_NEWER, CLOSED
   */
  startRecording(streamCode: StreamCode, mediaBufferId: string, config: DvrConfig, options?: RecordOptions): Promise<Recording>;
  /**
   * Ends a recording: its playlist becomes VOD. One that is just being started is waited for.
   * @throws LivetapeError NOT_RECORDING, or what kept the last of it from being stored
   */
  stopRecording(streamCode: StreamCode): Promise<Recording>;
  /**
   * Changes what is kept of a stream; a recording is not interrupted. One that is not being recorded here is pruned from now on, as long as this
   * service lives and whenever nobody else writes it.
   * @throws LivetapeError STREAM_NOT_FOUND, STREAM_CODE_INVALID, CONFIG_INVALID, ARCHIVE_CORRUPT, ARCHIVE_FORMAT_NEWER, STORAGE_FAILED, CLOSED
   */
  setRetention(streamCode: StreamCode, limits: RetentionLimits): Promise<void>;
  /** Whether the stream is being recorded, or is tried again after a failure. */
  isRecording(streamCode: StreamCode): boolean;
  /** The recordings there are, in the order in which they were started. */
  recordings(): Recording[];
  /** A recording and the state of its session; undefined when the stream is not being recorded. */
  status(streamCode: StreamCode): RecordingStatus | undefined;
  /**
   * The index.json of a stream's folder; undefined where there is none.
   * @throws LivetapeError ARCHIVE_CORRUPT, ARCHIVE_FORMAT_NEWER
   */
  loadIndex(segmentDir: string): Promise<ArchiveIndex | undefined>;
  /**
   * Every segment in the playlist of a stream's folder.
   * @throws LivetapeError STREAM_NOT_FOUND, ARCHIVE_CORRUPT, ARCHIVE_FORMAT_NEWER
   */
  parsePlaylist(segmentDir: string): Promise<SegmentMeta[]>;
  /**
   * Keeps a window of a stream for good: its segments, from the one that holds `from` to the one that holds `to`, become a VOD of their own that
   * retention and the deletion of the stream do not touch. A segment that is listed and gone is left out (`missingCount`). Of a stream that lies under
   * another root and was not recorded by this service, keep with a service on that root.
   * @throws LivetapeError KEEP_EXISTS, ARGUMENT_INVALID, STREAM_NOT_FOUND, WINDOW_EXPIRED, WINDOW_IN_GAP, WINDOW_IN_FUTURE, ARCHIVE_CORRUPT, DISK_FULL,
   * STORAGE_UNWRITABLE, STORAGE_FAILED
   */
  keep(streamCode: StreamCode, window: KeepRequest): Promise<Keep>;
  /** The keeps of a stream, or all there are, of streams that are gone too. One that cannot be read is told with its `damage`. */
  keeps(streamCode?: StreamCode): Promise<ListedKeep[]>;
  /**
   * Removes a keep.
   * @throws LivetapeError KEEP_NOT_FOUND
   */
  removeKeep(streamCode: StreamCode, name: string): Promise<void>;
  /**
   * Gives `sink` the stream as it is recorded, from the beginning of the segment that is being received (when that begins at a keyframe; else of the next that does). Never holds the recording back:
   * the sink takes what comes. What is remembered of that segment is given before the promise is kept.
   * @throws LivetapeError NOT_RECORDING
   */
  live(streamCode: StreamCode, sink: LiveSink): Promise<LiveSubscription>;
  /**
   * A playlist that reaches so far back from now was served: files that are pruned from now on are left that long, so that its viewers miss none (within a bound, docs/design/keeping.md K8).
   */
  served(streamCode: StreamCode, reachMs: number): void;
  /** Counters of a recording; undefined when the stream is not being recorded. */
  metrics(streamCode: StreamCode): StreamMetrics | undefined;
  on<N extends DvrEventName>(name: N, listener: DvrListener<N>): this;
  off<N extends DvrEventName>(name: N, listener: DvrListener<N>): this;
}

/** What the in-process service is made of. */
export interface DvrServiceOptions {
  readonly storage: Storage;
  readonly buffers: MediaBuffers;
  readonly clock: Clock;
  readonly log: Logger;
  /** Gigabytes (10^9 bytes) to keep free on each disk that is recorded on; the oldest segments go for it. Default 0: no such care. */
  readonly minFreeGb?: number | undefined;
  /**
   * Whoever made this service keeps the disks free, over several recorders, and asks for it by `candidates` and `pruneFor` (server.md, R6). Then `minFreeGb` says here only that
   * segments may go: a batch of the oldest of this service when a segment could not be stored.
   */
  readonly freeSpaceElsewhere?: boolean | undefined;
  /** Another root, for streams whose configuration names a `storagePath`. */
  openRoot(path: string): Storage;
  /** Which program the source of a buffer asks for (`program=` in its URL). */
  programOf?(bufferId: string): number | 'all' | undefined;
  /** The place of one stream, by its folder. */
  openFolder(segmentDir: string): StreamStorage;
}

/** {@link DvrService} with its sessions in this process: for the library and `livetape record`. */
export class InProcessDvrService extends DvrEmitter implements DvrService {
  readonly #options: DvrServiceOptions;
  readonly #recordings = new Map<StreamCode, SupervisedRecording | 'starting'>();
  readonly #starting = new Map<StreamCode, Promise<unknown>>();
  readonly #roots = new Map<string, { storage: Storage; codes: Promise<Set<string>> }>();
  /** Of the streams that were recorded. */
  readonly #storages = new Map<StreamCode, Storage>();
  readonly #stored: StoredArchives;
  readonly #retention: Retention;
  readonly #livePool = new LivePool();
  #closing: Promise<void> | undefined;

  constructor(options: DvrServiceOptions) {
    super(options.log);
    this.#options = options;
    this.#stored = new StoredArchives({
      clock: options.clock,
      storages: () => [options.storage, ...[...this.#roots.values()].map(({ storage }) => storage)],
      storageOf: (code) => this.#storageOf(code),
      openFolder: (segmentDir) => options.openFolder(segmentDir),
    });
    this.#retention = new Retention({
      clock: options.clock,
      log: options.log,
      minFreeBytes: checkMinFree(options.minFreeGb ?? 0) * 1e9,
      freeSpaceElsewhere: options.freeSpaceElsewhere ?? false,
      openArchive: async (storage, code) => {
        const archive = await this.#openArchive(code, storage.stream(code), true);
        if (archive.healed.length > 0) this.emit('archive.healed', { streamCode: code, healed: archive.healed });
        return archive;
      },
      pruned: (streamCode, count, sizeBytes) => this.emit('segment.pruned', { streamCode, count, sizeBytes }),
    });
  }

  async startRecording(streamCode: StreamCode, mediaBufferId: string, config: DvrConfig, options: RecordOptions = {}): Promise<Recording> {
    if (this.#closing) throw new LivetapeError('CLOSED', 'the service is closed');
    const code = checkStreamCode(streamCode);
    const checked = checkDvrConfig(config);
    for (const other of this.#recordings.keys()) {
      if (streamCodesConflict(code, other)) throw taken(code, other);
    }
    if (this.#recordings.has(code))
      throw new LivetapeError('ALREADY_RECORDING', `stream ${code} is being recorded already`, { context: { code } });
    const bufferId = this.#bufferId(code, mediaBufferId);
    this.#recordings.set(code, 'starting');
    const start = this.#start(code, bufferId, checked, options);
    this.#starting.set(code, start);
    try {
      return await start;
    } catch (error) {
      this.#recordings.delete(code);
      this.#retention.notStarted(code);
      throw toLivetapeError(error, 'STORAGE_FAILED', `stream ${code} cannot be recorded`);
    } finally {
      this.#starting.delete(code);
    }
  }

  async #start(code: StreamCode, bufferId: string, checked: DvrConfig, options: RecordOptions): Promise<Recording> {
    const { storage, codes } = await this.#root(checked.storagePath);
    for (const other of codes) {
      if (streamCodesConflict(code, other)) throw taken(code, other);
    }
    const place = storage.stream(code);
    await place.create();
    await this.#retention.starting(code);
    const retained = { code, storage, limits: checked, archive: () => recording.archive };
    const recording: SupervisedRecording = new SupervisedRecording({
      code,
      openBuffer: () => this.#options.buffers.open(bufferId),
      place,
      config: checked,
      program: options.program ?? this.#options.programOf?.(bufferId),
      clock: this.#options.clock,
      log: this.#options.log,
      emit: (name, event) => this.emit(name, event),
      retention: this.#retention,
      livePool: this.#livePool,
      openArchive: (numbersFrom) => this.#openArchive(code, place, this.#retention.mayPrune(retained.limits), numbersFrom),
    });
    await recording.start();
    codes.add(code);
    this.#recordings.set(code, recording);
    this.#retention.started(retained);
    this.#storages.set(code, storage);
    // The service may have been closed while the archive was being opened.
    if (this.#closing) {
      await recording.close();
      throw new LivetapeError('CLOSED', 'the service is closed');
    }
    this.emit('recording.started', { recording: recording.recording });
    return recording.recording;
  }

  async stopRecording(streamCode: StreamCode): Promise<Recording> {
    const recording = await this.#started(streamCode);
    try {
      await recording.stop();
    } finally {
      // Of two stops at once, the first to come here tells of it.
      if (this.#recordings.get(streamCode) === recording) {
        this.#recordings.delete(streamCode);
        this.#retention.stopped(streamCode);
        this.emit('recording.stopped', { recording: recording.recording });
      }
    }
    return recording.recording;
  }

  async setRetention(streamCode: StreamCode, limits: RetentionLimits): Promise<void> {
    const code = checkStreamCode(streamCode);
    const checked = checkRetention(limits);
    for (;;) {
      if (this.#closing) throw new LivetapeError('CLOSED', 'the service is closed');
      await this.#starting.get(code)?.catch(() => undefined);
      if (this.#retention.setLimits(code, checked)) return;
      const storage = this.#storageOf(code);
      const index = await loadIndex(storage.stream(code));
      // Of one without segments there is nothing to prune, nor is known how old it is.
      if (index?.startedAt === undefined) throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code}`, { context: { code } });
      if (this.#closing || this.#recordings.has(code)) continue;
      if (!this.#retention.setLimits(code, checked)) {
        this.#retention.watch({ code, storage, limits: checked, archive: () => undefined }, index);
      }
      return;
    }
  }

  isRecording(streamCode: StreamCode): boolean {
    const recording = this.#recordings.get(streamCode);
    return recording !== undefined && recording !== 'starting';
  }

  recordings(): Recording[] {
    return [...this.#recordings.values()].flatMap((recording) => (recording === 'starting' ? [] : [recording.recording]));
  }

  status(streamCode: StreamCode): RecordingStatus | undefined {
    const recording = this.#recordings.get(streamCode);
    return recording === undefined || recording === 'starting' ? undefined : recording.status;
  }

  loadIndex(segmentDir: string): Promise<ArchiveIndex | undefined> {
    return this.#stored.loadIndex(segmentDir);
  }

  parsePlaylist(segmentDir: string): Promise<SegmentMeta[]> {
    return this.#stored.parsePlaylist(segmentDir);
  }

  keep(streamCode: StreamCode, window: KeepRequest): Promise<Keep> {
    return this.#stored.keep(streamCode, window);
  }

  keeps(streamCode?: StreamCode): Promise<ListedKeep[]> {
    return this.#stored.keeps(streamCode);
  }

  removeKeep(streamCode: StreamCode, name: string): Promise<void> {
    return this.#stored.removeKeep(streamCode, name);
  }

  async live(streamCode: StreamCode, sink: LiveSink): Promise<LiveSubscription> {
    return (await this.#started(streamCode)).live(sink);
  }

  served(streamCode: StreamCode, reachMs: number): void {
    this.#retention.served(streamCode, reachMs);
  }

  /** The streams of this service that can be pruned for their disks' sake, for who keeps the disks free. */
  candidates(): PruneCandidate[] {
    return this.#retention.users().map((user) => this.#candidate(user));
  }

  /** Lets the oldest segments of a stream go because its disk is short of space; nothing happens when the stream is not (any more) one of this service. Never rejects. */
  async pruneFor(streamCode: StreamCode, limits: SpaceLimits): Promise<SpacePruned> {
    const user = this.#retention.user(streamCode);
    if (user === undefined) return { bytes: 0, candidate: undefined };
    const bytes = await user.prune(limits);
    return { bytes, candidate: this.#candidate(user) };
  }

  metrics(streamCode: StreamCode): StreamMetrics | undefined {
    const recording = this.#recordings.get(streamCode);
    return recording === undefined || recording === 'starting' ? undefined : recording.metrics;
  }

  /** Commits what is running; the next start resumes it. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #closeAll(): Promise<void> {
    // A start that is under way sees that the service is closed, and ends by itself.
    await Promise.allSettled(this.#starting.values());
    await this.#retention.close();
    const open = [...this.#recordings.values()].filter((recording) => recording !== 'starting');
    const results = await Promise.allSettled(open.map((recording) => recording.close()));
    this.#recordings.clear();
    for (const result of results) {
      if (result.status === 'rejected') this.#options.log.error({ err: result.reason as unknown }, 'a recording did not close cleanly');
    }
  }

  /** The recording of a stream; one that is just being started is waited for. */
  async #started(code: StreamCode): Promise<SupervisedRecording> {
    await this.#starting.get(code)?.catch(() => undefined);
    const recording = this.#recordings.get(code);
    if (recording === undefined || recording === 'starting') {
      throw new LivetapeError('NOT_RECORDING', `stream ${code} is not being recorded`, { context: { code } });
    }
    return recording;
  }

  #candidate({ code, storage, startedAtMs, waitingBytes, idle }: SpaceUser): PruneCandidate {
    const [storagePath = ''] = [...this.#roots].find(([, root]) => root.storage === storage) ?? [];
    return { code, storagePath, startedAtMs, waitingBytes, idle };
  }

  /** The root under which a stream of this service lies. */
  #storageOf(code: StreamCode): Storage {
    return this.#storages.get(code) ?? this.#options.storage;
  }

  #bufferId(code: StreamCode, mediaBufferId: string): string {
    if (mediaBufferId === '' || mediaBufferId === code) return code;
    if (this.#options.buffers.get(mediaBufferId)) return mediaBufferId;
    throw new LivetapeError('BUFFER_NOT_FOUND', `there is no media buffer ${mediaBufferId}`, { context: { buffer: mediaBufferId } });
  }

  /** A root and the codes of the streams in it. It is listed once; what this service adds is added. */
  async #root(storagePath: string): Promise<{ storage: Storage; codes: Set<string> }> {
    let root = this.#roots.get(storagePath);
    if (!root) {
      const storage = storagePath === '' ? this.#options.storage : this.#options.openRoot(storagePath);
      root = { storage, codes: listCodes(storage) };
      this.#roots.set(storagePath, root);
    }
    try {
      return { storage: root.storage, codes: await root.codes };
    } catch (error) {
      this.#roots.delete(storagePath);
      throw error;
    }
  }

  #openArchive(code: StreamCode, place: StreamStorage, retention: boolean, numbersFrom = 0): Promise<ArchiveWriter> {
    const { clock, log } = this.#options;
    return openArchiveForWriting({ storage: place, streamCode: code, retention, clock, log, numbersFrom });
  }
}

async function listCodes(storage: Storage): Promise<Set<string>> {
  const codes = new Set<string>();
  for await (const code of storage.list()) codes.add(code);
  return codes;
}

function taken(code: string, other: string): LivetapeError {
  return new LivetapeError(
    'STREAM_CODE_TAKEN',
    `stream ${code} cannot be while there is ${other}: no code is the beginning of another, and case does not tell two apart`,
    {
      context: { code, other },
    },
  );
}
