/**
 * {@link RecorderPool} over recorder processes (docs/design/server.md, R1 to R7): which stream is recorded in which of them, and what each of them said last. Questions
 * are answered from that; commands go to the process that is concerned; archives are read here.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ArchiveIndex, Keep, KeepRequest, ListedKeep, SegmentMeta } from '../../archive/index.js';
import { LivetapeError, isLivetapeError, type Clock, type Logger } from '../../base/index.js';
import { checkStreamCode, streamCodesConflict, type StreamCode } from '../../model/index.js';
import { checkDvrConfig, checkMinFree, checkRetention, type DvrConfig } from '../config.js';
import { DvrEmitter, type Recording } from '../events.js';
import type { LiveSink, LiveSubscription } from '../live.js';
import { LivePool } from '../liveMemory.js';
import type { StreamMetrics } from '../metrics.js';
import type { ConnectOptions, RecorderPool, RecorderStatus, SourceStatus } from '../pool.js';
import type { RetentionLimits } from '../retentionStream.js';
import type { RecordOptions } from '../service.js';
import type { RecordingStatus } from '../supervised.js';
import { HeldRecording } from './heldRecording.js';
import { LiveRelay } from './liveIn.js';
import { PoolArchives } from './poolArchives.js';
import type { Beat, EventMessage, RecordingRequest, Welcome } from './protocol.js';
import { type RecorderChild } from './recorderChild.js';
import { openRecorders, type PoolOptions, type Recorders } from './recorders.js';
import { recorderOf } from './spread.js';

/** How often a recorder is told how far back viewers reach, unless they reach further. */
const SERVED_EVERY_MS = 10_000;

interface HeldSource {
  readonly source: string;
  readonly options: ConnectOptions;
  readonly index: number;
  status: SourceStatus;
}

/** {@link RecorderPool} with its sessions in recorder processes: for the server. */
export class ChildProcessDvrService extends DvrEmitter implements RecorderPool {
  readonly #options: PoolOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #archives: PoolArchives;
  readonly #recordings = new Map<StreamCode, HeldRecording>();
  readonly #starting = new Map<StreamCode, Promise<unknown>>();
  /** Streams that were recorded, by the root they lie under: none may be the beginning of another (each recorder knows its own). */
  readonly #codes = new Map<string, Set<StreamCode>>();
  readonly #sources = new Map<string, HeldSource>();
  /** Limits of streams that are not recorded now, and who prunes them. */
  readonly #retained = new Map<StreamCode, { readonly limits: RetentionLimits; readonly index: number }>();
  readonly #relays = new Map<StreamCode, Promise<LiveRelay>>();
  readonly #memory = new LivePool();
  readonly #served = new Map<StreamCode, { readonly reachMs: number; readonly atMs: number }>();
  #recorders: Recorders = { children: [], release: async () => undefined };
  #closing: Promise<void> | undefined;

  private constructor(options: PoolOptions) {
    super(options.log);
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#archives = new PoolArchives({
      ...options,
      minFreeBytes: checkMinFree(options.minFreeGb ?? 0) * 1e9,
      prune: (index, code, limits) => this.#child(index).call('prune', code, limits),
      healed: (event) => this.emit('archive.healed', event),
      pruned: (event) => this.emit('segment.pruned', event),
    });
  }

  /**
   * Finds the recorders that a server before this has left on the same root, and starts those that are missing.
   * @throws LivetapeError ROOT_OWNED while another server is there; RECORDER_LOST when one cannot be started; CONFIG_INVALID; STORAGE_UNWRITABLE, STORAGE_FAILED
   */
  static async open(options: PoolOptions): Promise<ChildProcessDvrService> {
    const pool = new ChildProcessDvrService(options);
    try {
      pool.#recorders = await openRecorders(
        options,
        (index) => ({
          up: (welcome) => pool.#up(index, welcome),
          down: (error) => pool.#down(index, error),
          beat: (beat) => pool.#beat(index, beat),
          event: (message) => pool.#event(message),
        }),
        (children) => (pool.#recorders = children),
      );
    } catch (error) {
      await pool.#archives.close();
      throw error;
    }
    return pool;
  }

  async startRecording(streamCode: StreamCode, mediaBufferId: string, config: DvrConfig, options: RecordOptions = {}): Promise<Recording> {
    this.#checkOpen();
    const code = checkStreamCode(streamCode);
    const checked = checkDvrConfig(config);
    for (const other of [...this.#recordings.keys(), ...this.#starting.keys(), ...(this.#codes.get(checked.storagePath) ?? [])]) {
      if (streamCodesConflict(code, other)) throw taken(code, other);
    }
    if (this.#recordings.has(code) || this.#starting.has(code))
      throw new LivetapeError('ALREADY_RECORDING', `stream ${code} is being recorded already`, { context: { code } });
    const request = { streamCode: code, bufferId: mediaBufferId === '' ? code : mediaBufferId, config: checked, options };
    const start = this.#start(request);
    this.#starting.set(code, start);
    try {
      return await start;
    } finally {
      this.#starting.delete(code);
    }
  }

  async #start(request: RecordingRequest): Promise<Recording> {
    const { streamCode, bufferId } = request;
    const index = this.#indexOf(bufferId);
    await this.#archives.starting(streamCode);
    try {
      const status = await this.#child(index).call('start', request);
      this.#checkOpen();
      return this.#hold(new HeldRecording(request, index, status, undefined)).recording;
    } catch (error) {
      this.#archives.notStarted(streamCode);
      if (this.#closing) throw closed();
      throw error;
    }
  }

  async stopRecording(streamCode: StreamCode): Promise<Recording> {
    await this.#starting.get(streamCode)?.catch(() => undefined);
    const held = this.#recordings.get(streamCode);
    if (held === undefined) throw notRecording(streamCode);
    let stopped: Recording;
    try {
      stopped = await this.#stop(held);
    } catch (error) {
      // the next recorder goes on with it: it has to be stopped there
      if (!isLivetapeError(error, 'RECORDER_LOST') && !isLivetapeError(error, 'CLOSED')) this.#forget(held);
      throw error;
    }
    this.#forget(held);
    return held.own(stopped);
  }

  async #stop({ index, request, trouble }: HeldRecording): Promise<Recording> {
    const child = this.#child(index);
    try {
      return await child.call('stop', request.streamCode);
    } catch (error) {
      if (trouble === undefined || !isLivetapeError(error, 'NOT_RECORDING')) throw error;
      // it could not be resumed since its recorder was replaced: its life has to be ended all the same
      await child.call('start', request);
      return child.call('stop', request.streamCode);
    }
  }

  async setRetention(streamCode: StreamCode, limits: RetentionLimits): Promise<void> {
    const code = checkStreamCode(streamCode);
    const checked = checkRetention(limits);
    this.#checkOpen();
    await this.#starting.get(code)?.catch(() => undefined);
    const held = this.#recordings.get(code);
    const index = held?.index ?? this.#retained.get(code)?.index ?? this.#indexOf(code);
    // one that could not be resumed yet will be with these
    if (held?.trouble === undefined) await this.#child(index).call('setRetention', code, checked);
    if (held !== undefined) held.request = { ...held.request, config: { ...held.request.config, ...checked } };
    else this.#retained.set(code, { limits: checked, index });
  }

  isRecording(streamCode: StreamCode): boolean {
    return this.#recordings.has(streamCode);
  }

  recordings(): Recording[] {
    return [...this.#recordings.values()].map(({ recording }) => recording);
  }

  status(streamCode: StreamCode): RecordingStatus | undefined {
    return this.#recordings.get(streamCode)?.status;
  }

  metrics(streamCode: StreamCode): StreamMetrics | undefined {
    return this.#recordings.get(streamCode)?.metrics;
  }

  recordingConfig(streamCode: StreamCode): DvrConfig | undefined {
    return this.#recordings.get(streamCode)?.request.config;
  }

  loadIndex(segmentDir: string): Promise<ArchiveIndex | undefined> {
    return this.#archives.stored.loadIndex(segmentDir);
  }

  parsePlaylist(segmentDir: string): Promise<SegmentMeta[]> {
    return this.#archives.stored.parsePlaylist(segmentDir);
  }

  keep(streamCode: StreamCode, window: KeepRequest): Promise<Keep> {
    return this.#archives.stored.keep(streamCode, window);
  }

  keeps(streamCode?: StreamCode): Promise<ListedKeep[]> {
    return this.#archives.stored.keeps(streamCode);
  }

  removeKeep(streamCode: StreamCode, name: string): Promise<void> {
    return this.#archives.stored.removeKeep(streamCode, name);
  }

  async live(streamCode: StreamCode, sink: LiveSink): Promise<LiveSubscription> {
    await this.#starting.get(streamCode)?.catch(() => undefined);
    const held = this.#recordings.get(streamCode);
    if (held === undefined) throw notRecording(streamCode);
    let opening = this.#relays.get(streamCode);
    if (opening === undefined) {
      const onOver = (): void => {
        if (this.#relays.get(streamCode) === opening) this.#relays.delete(streamCode);
      };
      const { version, log } = this.#options;
      const memory = this.#memory;
      opening = LiveRelay.open(this.#child(held.index).socketPath, { streamCode, version, log, memory, onOver });
      this.#relays.set(streamCode, opening);
      opening.catch(onOver);
    }
    return (await opening).add(sink);
  }

  served(streamCode: StreamCode, reachMs: number): void {
    if (this.#closing) return;
    this.#archives.served(streamCode, reachMs);
    const last = this.#served.get(streamCode);
    const nowMs = this.#clock.monotonicMs();
    if (last !== undefined && reachMs <= last.reachMs && nowMs - last.atMs < SERVED_EVERY_MS) return;
    const index = this.#recordings.get(streamCode)?.index ?? this.#retained.get(streamCode)?.index;
    if (index === undefined) return;
    this.#served.set(streamCode, { reachMs, atMs: nowMs });
    // a recorder that is being replaced hears of it at the next request
    this.#child(index)
      .call('served', streamCode, reachMs)
      .catch(() => this.#served.delete(streamCode));
  }

  async connect(source: string, bufferId: string, options: ConnectOptions = {}): Promise<void> {
    this.#checkOpen();
    const held = this.#sources.get(bufferId);
    if (held?.source === source && isDeepStrictEqual(held.options.egress, options.egress) && held.status.state !== 'ended') return;
    const index = this.#indexOf(bufferId);
    const status = await this.#child(index).call('connect', source, bufferId, options);
    this.#sources.set(bufferId, { source, options, index, status });
  }

  async disconnect(bufferId: string): Promise<void> {
    const held = this.#sources.get(bufferId);
    if (held === undefined) return;
    await this.#child(held.index).call('disconnect', bufferId);
    if (this.#sources.get(bufferId) === held) this.#sources.delete(bufferId);
  }

  source(bufferId: string): SourceStatus | undefined {
    return this.#sources.get(bufferId)?.status;
  }

  sourceOf(bufferId: string): string | undefined {
    return this.#sources.get(bufferId)?.source;
  }

  recorders(): RecorderStatus[] {
    return this.#recorders.children.map(({ status }) => {
      const streams = [...this.#recordings.values()].filter(({ index }) => index === status.index).length;
      return { ...status, streams };
    });
  }

  detach(): Promise<void> {
    this.#closing ??= this.#end((child) => child.detach());
    return this.#closing;
  }

  /** Ends every recorder within some seconds; tails are committed, the next start resumes. */
  close(): Promise<void> {
    this.#closing ??= this.#end((child) => child.close());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(end: (child: RecorderChild) => Promise<void>): Promise<void> {
    for (const { retry } of this.#recordings.values()) retry?.cancel();
    const relays = await Promise.allSettled(this.#relays.values());
    const archives = this.#archives.close();
    await Promise.all(this.#recorders.children.map(end));
    for (const relay of relays) if (relay.status === 'fulfilled') relay.value.end('the server ends');
    await Promise.allSettled([archives, ...this.#starting.values()]);
    await this.#recorders.release();
    this.#recordings.clear();
    this.#sources.clear();
  }

  /** A recorder runs: what it has already is taken over, what it should have is given to it. */
  #up(index: number, welcome: Welcome): void {
    const said = new Map(welcome.beat.recordings.map((recording) => [recording.status.recording.id, recording]));
    for (const request of welcome.requests) {
      const now = said.get(request.streamCode);
      if (now === undefined) continue;
      const held = this.#recordings.get(request.streamCode);
      if (held?.index === index) held.resumed(now.status);
      else if (held === undefined) this.#hold(new HeldRecording(request, index, now.status, now.metrics));
    }
    const fed = new Set(welcome.sources.map(({ bufferId }) => bufferId));
    for (const { bufferId, source, options } of welcome.sources) {
      const status = welcome.beat.sources.find((one) => one.bufferId === bufferId)?.status;
      if (status !== undefined) this.#sources.set(bufferId, { source, options, index, status });
    }
    this.#archives.candidates(index, welcome.beat.candidates);
    const child = this.#child(index);
    const warn = (what: string, name: string) => (error: unknown) => {
      if (!this.#closing) this.#log.warn({ recorder: index, name, err: error }, what);
    };
    for (const [bufferId, held] of this.#sources) {
      // one that has ended has nothing more to give
      if (held.index === index && !fed.has(bufferId) && held.status.state !== 'ended')
        child.call('connect', held.source, bufferId, held.options).catch(warn('a source could not be connected again', bufferId));
    }
    for (const held of this.#recordings.values()) if (held.index === index && !said.has(held.request.streamCode)) this.#resume(held);
    for (const [code, { limits, index: where }] of this.#retained) {
      if (where === index)
        child.call('setRetention', code, limits).catch(warn('what is kept of a stopped stream could not be set again', code));
    }
  }

  #down(index: number, error: LivetapeError): void {
    this.#archives.candidates(index, []);
    for (const held of this.#sources.values()) {
      if (held.index === index && held.status.state !== 'ended')
        held.status = { ...held.status, state: 'lost', detail: 'its recorder is being replaced' };
    }
    for (const held of this.#recordings.values()) {
      if (held.index !== index) continue;
      held.retry?.cancel();
      held.trouble = error;
      this.emit('recording.failed', { recording: held.recording, error });
    }
  }

  /** Lets a new recorder go on with a recording; tried until it works or is stopped. */
  #resume(held: HeldRecording): void {
    const { streamCode } = held.request;
    const here = (): boolean => this.#recordings.get(streamCode) === held && !this.#closing;
    this.#child(held.index)
      .call('start', held.request)
      .then(
        (status) => {
          if (here()) held.resumed(status);
        },
        (error: unknown) => {
          // one that is gone again is replaced again
          if (!here() || !isLivetapeError(error) || error.code === 'RECORDER_LOST') return;
          held.trouble = error;
          this.#log.error({ stream: streamCode, err: error }, 'a stream could not be resumed; it is tried again');
          held.retry = this.#clock.after(held.nextPauseMs(), () => this.#resume(held));
        },
      );
  }

  #beat(index: number, beat: Beat): void {
    for (const { status, metrics } of beat.recordings) {
      const held = this.#recordings.get(status.recording.id);
      if (held?.index !== index) continue;
      held.said = status;
      held.metrics = metrics;
    }
    for (const { bufferId, status } of beat.sources) {
      const held = this.#sources.get(bufferId);
      if (held?.index === index) held.status = status;
    }
    this.#archives.candidates(index, beat.candidates);
  }

  #event(message: EventMessage): void {
    const { event, data } = message;
    if ('recording' in data) {
      const recording = this.#recordings.get(data.recording.id)?.own(data.recording) ?? data.recording;
      this.emit(event, { ...data, recording });
    } else this.emit(event, data);
    if (event === 'segment.written') this.#archives.look(data.streamCode, false);
    if (event === 'recording.failed' && data.error.code === 'DISK_FULL') this.#archives.look(data.recording.id, true);
  }

  #hold(held: HeldRecording): HeldRecording {
    const { streamCode, config } = held.request;
    this.#recordings.set(streamCode, held);
    this.#retained.delete(streamCode);
    const codes = this.#codes.get(config.storagePath) ?? new Set();
    this.#codes.set(config.storagePath, codes.add(streamCode));
    this.#archives.started(streamCode, config.storagePath);
    return held;
  }

  #forget(held: HeldRecording): void {
    const { streamCode, config } = held.request;
    held.retry?.cancel();
    if (this.#recordings.get(streamCode) !== held) return;
    this.#recordings.delete(streamCode);
    const { retentionSec, maxSizeGb } = config;
    if (retentionSec > 0 || maxSizeGb > 0) this.#retained.set(streamCode, { limits: { retentionSec, maxSizeGb }, index: held.index });
  }

  /** Where a buffer is, or is to be: what is there already stays there. */
  #indexOf(bufferId: string): number {
    const source = this.#sources.get(bufferId);
    if (source !== undefined) return source.index;
    for (const { request, index } of this.#recordings.values()) if (request.bufferId === bufferId) return index;
    const count = this.#recorders.children.length;
    if (count === 0) throw new LivetapeError('RECORDING_DISABLED', 'this server has no recorders: it serves what others record');
    return recorderOf(bufferId, count);
  }

  #child(index: number): RecorderChild {
    const child = this.#recorders.children[index];
    if (child === undefined) throw new LivetapeError('INVARIANT_BROKEN', `there is no recorder ${index}`);
    return child;
  }

  #checkOpen(): void {
    if (this.#closing) throw closed();
  }
}

function closed(): LivetapeError {
  return new LivetapeError('CLOSED', 'the service is closed');
}

function notRecording(code: string): LivetapeError {
  return new LivetapeError('NOT_RECORDING', `stream ${code} is not being recorded`, { context: { code } });
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
