/**
 * Makes what is recorded of one stream agree with what the file asks of it (docs/design/server.md, C4). Whenever anything about it changes it is kicked: it looks at
 * what is wanted and at what the recorders have, and does what differs. What fails is tried again.
 */
import { isDeepStrictEqual } from 'node:util';
import { isLivetapeError, toLivetapeError, type Clock, type LivetapeError, type Logger, type Timer } from '../base/index.js';
import type { DvrSettings, StreamConfig } from '../config/index.js';
import type { EgressRules } from '../egress/index.js';
import { sourceOptions } from '../ingest/index.js';
import type { DvrConfig, RecorderPool } from '../recorder/index.js';
import type { Slots } from './channelsSlots.js';

/** The pause before what could not be begun is tried again, doubled each time … */
const FIRST_PAUSE_MS = 1000;
/** … up to this. */
const LAST_PAUSE_MS = 30_000;

/** What a worker is given. */
export interface WorkerOptions {
  readonly code: string;
  readonly pool: RecorderPool;
  readonly slots: Slots;
  readonly clock: Clock;
  readonly log: Logger;
  /** What the file asks for; undefined of a stream that is not in it. */
  wanted(): StreamConfig | undefined;
  /** Where the sources of others than admins may connect to (docs/design/door.md, E1). */
  egress(): EgressRules;
  /** Called when there is nothing to do any more, nor anything that could be wanted. */
  idle(): void;
}

/** The work on one stream: one step at a time. */
export class ChannelWorker {
  readonly #options: WorkerOptions;
  /** The source that the recording was begun with, by this server or one before it. */
  #source: string | undefined;
  #error: LivetapeError | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #retry: Timer | undefined;
  #run: Promise<void> | undefined;
  /** Something changed since the step that is under way began. */
  #again = false;
  #closed = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Why what is wanted could not be begun; it is tried again. */
  get error(): LivetapeError | undefined {
    return this.#error;
  }

  /** Looks at once at what is to be done. Kept when it was done, or could not be. */
  kick(): Promise<void> {
    this.#pauseMs = FIRST_PAUSE_MS;
    return this.#begin();
  }

  /**
   * Kept when what is wanted has been begun.
   * @throws LivetapeError what kept it from being begun
   */
  async settled(): Promise<void> {
    await this.#run;
    if (this.#error !== undefined) throw this.#error;
  }

  /** Begins nothing more. Kept when what is under way is over. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#run;
  }

  #begin(): Promise<void> {
    this.#retry?.cancel();
    this.#retry = undefined;
    if (this.#closed) return Promise.resolve();
    this.#again = true;
    this.#run ??= this.#work();
    return this.#run;
  }

  async #work(): Promise<void> {
    while (this.#again && !this.#closed) {
      try {
        await this.#options.slots.run(async () => {
          this.#again = false;
          if (!this.#closed) await this.#converge();
        });
        this.#error = undefined;
        this.#pauseMs = FIRST_PAUSE_MS;
      } catch (error) {
        this.#failed(toLivetapeError(error, 'INVARIANT_BROKEN', `stream ${this.#options.code}`));
      }
    }
    // At once: whatever is said after this begins anew.
    this.#run = undefined;
    if (this.#error === undefined && this.#options.wanted() === undefined) this.#options.idle();
  }

  #failed(error: LivetapeError): void {
    if (this.#closed) return;
    const { code, clock, log } = this.#options;
    if (error.message !== this.#error?.message) {
      log.warn({ stream: code, code: error.code, err: error }, 'what the configuration asks for could not be begun; it is tried again');
    }
    this.#error = error;
    if (this.#again) return;
    this.#retry = clock.after(this.#pauseMs, () => void this.#begin());
    this.#pauseMs = Math.min(LAST_PAUSE_MS, this.#pauseMs * 2);
  }

  async #converge(): Promise<void> {
    const wanted = this.#options.wanted();
    if (wanted?.dvr.enabled === true) await this.#record(wanted);
    else await this.#rest(wanted);
  }

  async #record(wanted: StreamConfig): Promise<void> {
    const { code, pool } = this.#options;
    this.#source ??= pool.sourceOf(code);
    // A source that cannot be connected is no reason not to record: another may come.
    const failure = await this.#connect(wanted);
    const config = dvrConfig(wanted.dvr);
    const now = pool.recordingConfig(code);
    if (now !== undefined && !this.#mustBeginAnew(now, config, wanted.source)) {
      const { retentionSec, maxSizeGb } = config;
      if (now.retentionSec !== retentionSec || now.maxSizeGb !== maxSizeGb) await pool.setRetention(code, { retentionSec, maxSizeGb });
    } else {
      if (now !== undefined) await this.#stop();
      await pool.startRecording(code, '', config);
    }
    if (failure === undefined) this.#source = wanted.source;
    else throw failure;
  }

  /** Another segment duration or storage path ends the recording and begins it anew (C4); so does another `program=`, which is the recording's, not the connection's. */
  #mustBeginAnew(now: DvrConfig, config: DvrConfig, source: string): boolean {
    if (now.segmentDuration !== config.segmentDuration || now.storagePath !== config.storagePath) return true;
    return this.#source !== undefined && sourceOptions(this.#source).program !== sourceOptions(source).program;
  }

  async #connect({ source, restricted }: StreamConfig): Promise<LivetapeError | undefined> {
    const { code, pool } = this.#options;
    try {
      if (source === '') await pool.disconnect(code);
      else await pool.connect(source, code, restricted ? { egress: this.#options.egress() } : {});
      return undefined;
    } catch (error) {
      return toLivetapeError(error, 'SOURCE_FAILED', `stream ${code}: its source cannot be connected`);
    }
  }

  /** It is not to be recorded. */
  async #rest(wanted: StreamConfig | undefined): Promise<void> {
    const { code, pool } = this.#options;
    await pool.disconnect(code);
    this.#source = undefined;
    if (pool.isRecording(code)) await this.#stop();
    // What was recorded is pruned all the same; of one that was taken out of the file it stays (C5).
    const { retentionSec, maxSizeGb } = wanted === undefined ? { retentionSec: 0, maxSizeGb: 0 } : dvrConfig(wanted.dvr);
    try {
      await pool.setRetention(code, { retentionSec, maxSizeGb });
    } catch (error) {
      if (!isLivetapeError(error, 'STREAM_NOT_FOUND')) throw error;
    }
  }

  async #stop(): Promise<void> {
    const { code, pool, log } = this.#options;
    try {
      await pool.stopRecording(code);
    } catch (error) {
      if (pool.isRecording(code)) throw error;
      // It is over all the same, and the next start heals what is there.
      if (!isLivetapeError(error, 'NOT_RECORDING')) log.warn({ stream: code, err: error }, 'the end of a recording could not be stored');
    }
  }
}

/** Whether a change of a stream is any of the recorders' business. */
export function concernsRecording(a: StreamConfig | undefined, b: StreamConfig | undefined): boolean {
  return a?.source !== b?.source || a?.restricted !== b?.restricted || !isDeepStrictEqual(a?.dvr, b?.dvr);
}

function dvrConfig(dvr: DvrSettings): DvrConfig {
  return {
    enabled: dvr.enabled,
    segmentDuration: dvr.segment_duration,
    retentionSec: dvr.retention_sec,
    maxSizeGb: dvr.max_size_gb,
    storagePath: dvr.storage_path,
  };
}
