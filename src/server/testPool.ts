/** Recorders that record nothing: they remember what they were told, fail or wait where a test says so, and answer as the contract has it. */
import { EventEmitter } from 'node:events';
import { LivetapeError, type ErrorCode } from '../base/index.js';
import {
  checkRetention,
  type ConnectOptions,
  type DvrConfig,
  type DvrEventName,
  type DvrEvents,
  type DvrListener,
  type LiveSink,
  type LiveSubscription,
  type RecorderPool,
  type RecorderStatus,
  type Recording,
  type RecordingStatus,
  type RetentionLimits,
  type SourceStatus,
  type StreamMetrics,
} from '../recorder/index.js';

/** What a pool is told to do of a stream. */
export type PoolCall = 'connect' | 'disconnect' | 'start' | 'stop' | 'setRetention';

/** A {@link RecorderPool} for tests. */
export class TestPool implements RecorderPool {
  /** Everything it was told, in order: `start news`, `connect news tcp://h:1`, `setRetention news 60 0`. */
  readonly calls: string[] = [];
  /** Playlists that were served: `news 30000`. */
  readonly reaches: string[] = [];
  /** Who watches, by stream. */
  readonly sinks = new Map<string, Set<LiveSink>>();
  /** What `metrics` answers. */
  readonly counters = new Map<string, StreamMetrics>();
  /** Codes that have an archive: `setRetention` finds them. */
  readonly archives = new Set<string>();
  closed: 'closed' | 'detached' | undefined;
  /** Most calls that were under way at one time. */
  mostAtOnce = 0;
  #atOnce = 0;
  readonly #recordings = new Map<string, { status: RecordingStatus; config: DvrConfig }>();
  readonly #sources = new Map<string, { source: string; said: string; status: SourceStatus }>();
  readonly #failures = new Map<string, LivetapeError>();
  readonly #gates = new Map<string, Promise<void>>();
  readonly #emitter = new EventEmitter();
  readonly #recorders: RecorderStatus[];

  constructor(recorders = 1) {
    this.#recorders = Array.from({ length: recorders }, (_, index) => ({
      index,
      state: 'running',
      pid: 1000 + index,
      startedAt: new Date(Date.UTC(2026, 0, 1)),
      restarts: 0,
      streams: 0,
      eventLoopDelay: { meanSec: 0.001, p99Sec: 0.002, maxSec: 0.003 },
      residentBytes: 5e7,
      cpuSec: 1,
    }));
  }

  /** Lets a call fail until it is told again, without a code, not to. */
  fail(call: PoolCall, code: string, error?: ErrorCode): void {
    if (error === undefined) this.#failures.delete(`${call} ${code}`);
    else this.#failures.set(`${call} ${code}`, new LivetapeError(error, `${call} ${code} failed`));
  }

  /** Lets a call wait; answers with how to let it go on. */
  hold(call: PoolCall, code: string): () => void {
    let release: () => void = () => undefined;
    this.#gates.set(`${call} ${code}`, new Promise((resolve) => (release = resolve)));
    return () => {
      this.#gates.delete(`${call} ${code}`);
      release();
    };
  }

  /** Records a stream as a server before this one left it (R4). */
  adopt(code: string, config: DvrConfig, source?: string): void {
    this.#record(code, config);
    if (source !== undefined) this.#feed(code, source);
  }

  /** What is told of a recording from now on. */
  setStatus(code: string, change: Partial<RecordingStatus>): void {
    const held = this.#held(code);
    held.status = { ...held.status, ...change };
  }

  /** What is told of a source from now on. */
  setSource(code: string, change: Partial<SourceStatus>): void {
    const source = this.#sources.get(code);
    if (source === undefined) throw new Error(`${code} has no source`);
    source.status = { ...source.status, ...change };
  }

  /** What is told of a recorder from now on. */
  setRecorder(index: number, change: Partial<RecorderStatus>): void {
    const recorder = this.#recorders[index];
    if (recorder === undefined) throw new Error(`there is no recorder ${index}`);
    this.#recorders[index] = { ...recorder, ...change };
  }

  emit<N extends DvrEventName>(name: N, event: DvrEvents[N]): void {
    this.#emitter.emit(name, event);
  }

  sourceOf(code: string): string | undefined {
    return this.#sources.get(code)?.source;
  }

  async startRecording(code: string, _bufferId: string, config: DvrConfig): Promise<Recording> {
    await this.#told('start', code);
    if (this.#recordings.has(code)) throw new LivetapeError('ALREADY_RECORDING', `stream ${code} is being recorded already`);
    return this.#record(code, config);
  }

  async stopRecording(code: string): Promise<Recording> {
    await this.#told('stop', code, undefined, () => this.#recordings.delete(code));
    const { status } = this.#held(code);
    this.#recordings.delete(code);
    for (const sink of this.sinks.get(code) ?? []) sink.ended('stopped');
    return { ...status.recording, status: 'stopped', stoppedAt: new Date(Date.UTC(2026, 0, 2)) };
  }

  async setRetention(code: string, given: RetentionLimits): Promise<void> {
    // as strict as a pool is
    const limits = checkRetention(given);
    await this.#told('setRetention', code, `${limits.retentionSec} ${limits.maxSizeGb}`);
    const held = this.#recordings.get(code);
    if (held !== undefined) held.config = { ...held.config, ...limits };
    else if (!this.archives.has(code)) throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code}`);
  }

  isRecording(code: string): boolean {
    return this.#recordings.has(code);
  }

  recordings(): Recording[] {
    return [...this.#recordings.values()].map(({ status }) => status.recording);
  }

  status(code: string): RecordingStatus | undefined {
    return this.#recordings.get(code)?.status;
  }

  recordingConfig(code: string): DvrConfig | undefined {
    return this.#recordings.get(code)?.config;
  }

  async connect(source: string, code: string, { egress }: ConnectOptions = {}): Promise<void> {
    const said = egress === undefined ? [source] : [source, `egress=${egress.allow.join()}`];
    if (this.#sources.get(code)?.said === said.join(' ')) return;
    await this.#told('connect', code, said.join(' '));
    this.#feed(code, source, said.join(' '));
  }

  async disconnect(code: string): Promise<void> {
    if (!this.#sources.has(code)) return;
    await this.#told('disconnect', code);
    this.#sources.delete(code);
  }

  source(code: string): SourceStatus | undefined {
    return this.#sources.get(code)?.status;
  }

  recorders(): RecorderStatus[] {
    return [...this.#recorders];
  }

  metrics(code: string): StreamMetrics | undefined {
    return this.counters.get(code);
  }

  served(code: string, reachMs: number): void {
    this.reaches.push(`${code} ${reachMs}`);
  }

  async live(code: string, sink: LiveSink): Promise<LiveSubscription> {
    this.#held(code);
    const sinks = this.sinks.get(code) ?? new Set();
    this.sinks.set(code, sinks.add(sink));
    const close = async (): Promise<void> => void sinks.delete(sink);
    return { close, [Symbol.asyncDispose]: close };
  }

  async loadIndex(): Promise<undefined> {
    return undefined;
  }

  async parsePlaylist(folder: string): Promise<never> {
    throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream in ${folder}`);
  }

  async keep(code: string): Promise<never> {
    throw new LivetapeError('STREAM_NOT_FOUND', `there is no stream ${code}`);
  }

  async keeps(): Promise<[]> {
    return [];
  }

  async removeKeep(_code: string, name: string): Promise<never> {
    throw new LivetapeError('KEEP_NOT_FOUND', `there is no keep ${name}`);
  }

  on<N extends DvrEventName>(name: N, listener: DvrListener<N>): this {
    this.#emitter.on(name, listener);
    return this;
  }

  off<N extends DvrEventName>(name: N, listener: DvrListener<N>): this {
    this.#emitter.off(name, listener);
    return this;
  }

  async close(): Promise<void> {
    this.closed = 'closed';
  }

  async detach(): Promise<void> {
    this.closed = 'detached';
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #told(call: PoolCall, code: string, rest?: string, beforeFailing: () => void = () => undefined): Promise<void> {
    this.calls.push([call, code, ...(rest === undefined ? [] : [rest])].join(' '));
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    try {
      await (this.#gates.get(`${call} ${code}`) ?? Promise.resolve());
    } finally {
      this.#atOnce -= 1;
    }
    const failure = this.#failures.get(`${call} ${code}`);
    if (failure === undefined) return;
    // As the contract has it: a recording is over although its end could not be stored; one whose recorder was lost is not.
    if (failure.code !== 'RECORDER_LOST') beforeFailing();
    throw failure;
  }

  #held(code: string): { status: RecordingStatus; config: DvrConfig } {
    const held = this.#recordings.get(code);
    if (held === undefined) throw new LivetapeError('NOT_RECORDING', `stream ${code} is not being recorded`);
    return held;
  }

  #record(code: string, config: DvrConfig): Recording {
    const startedAt = new Date(Date.UTC(2026, 0, 1));
    const recording: Recording = {
      id: code,
      streamCode: code,
      status: 'recording',
      startedAt,
      stoppedAt: undefined,
      segmentDir: `/dvr/${code}`,
    };
    const retention = { prunedSegments: 0, prunedBytes: 0, graceSkipped: 0, failures: 0, clockInDoubt: false };
    const counts = { segmentCount: 0, sizeBytes: 0, restarts: 0, healed: 0 };
    this.#recordings.set(code, {
      status: { recording, error: undefined, session: undefined, ...counts, retention, lastGap: undefined, openGap: undefined },
      config,
    });
    this.archives.add(code);
    return recording;
  }

  #feed(code: string, source: string, said = source): void {
    const counts = { receivedBytes: 0, connections: 1, rtpLostPackets: 0, foreignDatagrams: 0, kernelDrops: undefined };
    this.#sources.set(code, { source, said, status: { url: source, state: 'connected', detail: '', ...counts } });
  }
}
