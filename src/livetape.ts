/**
 * The composition root: the one place that wires rooms together. Whatever a program, the command line or a server
 * needs of Livetape it gets from {@link createLivetape}.
 */
import {
  checkArchive,
  repairArchive,
  type CheckOptions,
  type CheckReport,
  type RepairOptions,
  type RepairReport,
} from './archive/index.js';
import { LivetapeError, silentLogger, systemClock, type Clock, type Closable, type Logger } from './base/index.js';
import { MediaBuffers, sourceSink, type MediaBuffer } from './buffer/index.js';
import { EgressGuard } from './egress/index.js';
import { openSource, probeSource, sourceOptions, type ProbeReport, type Source, type SourceStats } from './ingest/index.js';
import { checkStreamCode } from './model/index.js';
import { InProcessDvrService, type ConnectOptions, type DvrService } from './recorder/index.js';
import { openFsStorage, openFolder, type Storage } from './storage/index.js';

/** What {@link createLivetape} needs to know. */
export interface LivetapeOptions {
  /** The folder in which each stream has its folder. Default `./dvr`. */
  readonly root?: string;
  /** Gigabytes (10^9 bytes) to keep free on each disk that is recorded on: the oldest segments of all streams on it go for that. Default 0: none. */
  readonly minFreeGb?: number;
  /** Where to log to; a pino logger fits. Default: nowhere. */
  readonly log?: Logger;
  /** Default: the machine's clock. */
  readonly clock?: Clock;
}

/** A source that writes into a media buffer. */
export interface Connection extends Closable {
  /** The source's URL without secrets. */
  readonly url: string;
  readonly state: 'connecting' | 'connected' | 'lost' | 'ended';
  /** What the source said last: where it is connected to, why it is gone. */
  readonly detail: string;
  readonly stats: SourceStats;
  /** Kept when nothing more will ever come; `error` when the source failed. Also kept by `close()`. */
  readonly ended: Promise<{ readonly reason: string; readonly error: Error | undefined }>;
}

/** Livetape in a program. `close()` commits what is running; the next start resumes it. */
export interface Livetape extends Closable {
  /** The media buffers: `open(id)`, then `write(chunk)`. */
  readonly buffers: MediaBuffers;
  /** Starts, stops and reports recordings. */
  readonly dvr: DvrService;
  /** The archives' medium. */
  readonly storage: Storage;
  /**
   * Opens a source and lets it write into the buffer `bufferId`, which is made if it is missing. A `program=` in its URL holds for
   * recordings of the buffer that are started after this.
   * @param source - a URL as docs/guide/sources.md lists them, or `-` for standard input
   * @param options - `egress`: the source may reach public addresses alone, and the networks that it allows; one that would go further ends with ADDRESS_REFUSED
   * @throws LivetapeError SOURCE_INVALID, SOURCE_UNSUPPORTED; with `egress` SOURCE_REFUSED for files and standard input, CONFIG_INVALID for a network that is none
   */
  connect(source: string, bufferId: string, options?: ConnectOptions): Connection;
  /**
   * Looks at a source for two to eight seconds and says what is in it. Nothing is recorded.
   * @throws LivetapeError SOURCE_INVALID, SOURCE_UNSUPPORTED, SOURCE_NOT_FOUND, SOURCE_FAILED, SOURCE_NOT_TS; CLOSED when `signal` ends it
   */
  probe(source: string, options?: { readonly signal?: AbortSignal }): Promise<ProbeReport>;
  /**
   * Checks a stream's archive from end to end, media and all. Takes no lock and changes nothing; the stream may be recorded meanwhile.
   * @throws LivetapeError STREAM_CODE_INVALID, STREAM_NOT_FOUND; what the storage throws
   */
  check(streamCode: string, options?: ArchiveCheckOptions): Promise<CheckReport>;
  /**
   * Repairs what a check finds. Owns the stream meanwhile; media is renamed, never removed.
   * @throws LivetapeError as `check`; STREAM_OWNED while it is recorded; ARCHIVE_FORMAT_NEWER
   */
  repair(streamCode: string, options?: ArchiveRepairOptions): Promise<RepairReport>;
}

/** Who is told of what a check finds, and how it is ended early. */
export type ArchiveCheckOptions = Pick<CheckOptions, 'onFinding' | 'onProgress' | 'signal'>;

/** Who is told of what a repair finds and does, and how it is ended early. */
export type ArchiveRepairOptions = Pick<RepairOptions, 'onFinding' | 'onAction' | 'onProgress' | 'signal'>;

/**
 * Livetape on a folder.
 * @example
 * const livetape = await createLivetape({ root: './dvr' })
 */
export async function createLivetape(options: LivetapeOptions = {}): Promise<Livetape> {
  return createRecorder(options);
}

/** Livetape as a recorder process is made of it (recorderProcess.ts). */
export interface RecorderLivetape extends Livetape {
  readonly dvr: InProcessDvrService;
}

/**
 * Livetape for a recorder process.
 * @param options - `freeSpaceElsewhere`: the server keeps the disks free, over all recorders (docs/design/server.md, R6)
 */
export function createRecorder(options: LivetapeOptions & { readonly freeSpaceElsewhere?: boolean }): RecorderLivetape {
  const clock = options.clock ?? systemClock;
  const log = options.log ?? silentLogger;
  const storage = openFsStorage(options.root ?? './dvr', { clock, log });
  const buffers = new MediaBuffers({ clock, log });
  const dvr = new InProcessDvrService({
    storage,
    buffers,
    clock,
    log,
    minFreeGb: options.minFreeGb,
    freeSpaceElsewhere: options.freeSpaceElsewhere,
    openRoot: (path) => openFsStorage(path, { clock, log }),
    programOf: (bufferId) => fed.get(bufferId),
    openFolder: (segmentDir) => openFolder(segmentDir, { clock, log }),
  });
  const connections = new Set<Connection>();
  /** Which program the latest source of each buffer asks for: `program=` in its URL. */
  const fed = new Map<string, number | 'all' | undefined>();
  let closing: Promise<void> | undefined;

  const closeAll = async (): Promise<void> => {
    const closed = await Promise.allSettled([...connections].map((connection) => connection.close()));
    for (const result of closed) {
      if (result.status === 'rejected') log.error({ err: result.reason as unknown }, 'a source did not close cleanly');
    }
    await dvr.close();
    await buffers.close();
  };

  const livetape: RecorderLivetape = {
    buffers,
    dvr,
    storage,
    connect(source, bufferId, { egress } = {}) {
      if (closing) throw new LivetapeError('CLOSED', 'Livetape is closed');
      const { url, program } = sourceOptions(source);
      const opened = openSource(url, { clock, log, guard: egress && new EgressGuard(egress) });
      const buffer = buffers.open(bufferId);
      if (fed.has(bufferId)) buffer.mark({ kind: 'source_switch' });
      fed.set(bufferId, program);
      const connection = connect(opened, buffer);
      connections.add(connection);
      void connection.ended.then(() => connections.delete(connection));
      return connection;
    },
    probe: (source, given = {}) => probeSource(source, { ...given, clock, log }),
    check: async (code, given = {}) => checkArchive(storage.stream(checkStreamCode(code)), { ...given, clock }),
    repair: async (code, given = {}) => repairArchive(storage.stream(checkStreamCode(code)), { ...given, streamCode: code, clock }),
    close: () => (closing ??= closeAll()),
    [Symbol.asyncDispose]: () => livetape.close(),
  };
  return livetape;
}

/** Lets a source write into a buffer. */
function connect(source: Source, buffer: MediaBuffer): Connection {
  const sink = sourceSink(buffer);
  let state: Connection['state'] = 'connecting';
  let detail = '';
  let resolveEnded: (end: { reason: string; error: Error | undefined }) => void = () => undefined;
  const ended = new Promise<{ reason: string; error: Error | undefined }>((resolve) => (resolveEnded = resolve));
  const connection: Connection = {
    get url() {
      return source.url;
    },
    get state() {
      return state;
    },
    get detail() {
      return detail;
    },
    get stats() {
      return source.stats;
    },
    ended,
    async close() {
      await source.close();
      if (state === 'ended') return;
      [state, detail] = ['ended', 'closed'];
      resolveEnded({ reason: 'closed', error: undefined });
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
  source.start({
    data: (chunk) => sink.data(chunk),
    room: () => sink.room(),
    connected(where) {
      [state, detail] = ['connected', where];
      sink.connected(where);
    },
    lost(reason) {
      [state, detail] = ['lost', reason];
      sink.lost(reason);
    },
    ended(reason, error) {
      [state, detail] = ['ended', reason];
      sink.ended(reason, error);
      resolveEnded({ reason, error });
    },
  });
  return connection;
}
