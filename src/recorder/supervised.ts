/**
 * One recording under supervision: a session, and when it breaks, another after a pause. The recording is the same
 * all the while; the time in between is a gap with reason `restart`.
 */
import type { ArchiveWriter } from '../archive/index.js';
import { toLivetapeError, type Clock, type LivetapeError, type Logger, type Timer } from '../base/index.js';
import type { MediaBuffer } from '../buffer/index.js';
import type { Gap, GapReason, StreamCode } from '../model/index.js';
import type { StreamStorage } from '../storage/index.js';
import type { DvrConfig } from './config.js';
import type { DvrEventName, DvrEvents, Recording } from './events.js';
import { RecordingCounters } from './counters.js';
import type { LiveSink, LiveSubscription } from './live.js';
import { LiveFeed } from './liveFeed.js';
import type { LivePool } from './liveMemory.js';
import type { StreamMetrics } from './metrics.js';
import type { Retention, RetentionStatus } from './retention.js';
import { RecordingSession, type SessionStatus } from './session.js';

/** The pause before a broken session is made anew, doubled each time … */
const FIRST_PAUSE_MS = 1000;
/** … up to this, and back to the first once a segment was written. */
const LAST_PAUSE_MS = 30_000;

/** A recording and how it is doing. */
export interface RecordingStatus {
  readonly recording: Recording;
  /** Why it is `failed`; undefined otherwise. */
  readonly error: LivetapeError | undefined;
  /** Undefined while a broken session waits to be made anew. */
  readonly session: SessionStatus | undefined;
  readonly segmentCount: number;
  readonly sizeBytes: number;
  /** Sessions that broke and were made anew. */
  readonly restarts: number;
  /** What was found wrong with the archive when its sessions opened it, in number; the event `archive.healed` says what. */
  readonly healed: number;
  /** What retention has done. */
  readonly retention: RetentionStatus;
  /** The newest gap, when there was one since the recording was started. */
  readonly lastGap: Gap | undefined;
  /** The gap that goes on now: what the latest `gap.opened` told, until its `gap.closed` or the end of the recording. */
  readonly openGap: OpenGap | undefined;
}

/** A gap whose end is to come. Plain data: it crosses processes. */
export interface OpenGap {
  /** Where the media before it ends; UTC milliseconds. */
  readonly fromMs: number;
  readonly reason: GapReason;
}

/** What a supervised recording is made of. */
export interface SupervisedOptions {
  readonly code: StreamCode;
  /** The buffer to read: made if it is missing. */
  openBuffer(): MediaBuffer;
  readonly place: StreamStorage;
  readonly config: DvrConfig;
  readonly program: number | 'all' | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  emit<N extends DvrEventName>(name: N, event: DvrEvents[N]): void;
  /** @param numbersFrom - segments below this number were written already */
  openArchive(numbersFrom: number): Promise<ArchiveWriter>;
  readonly retention: Retention;
  readonly livePool: LivePool;
}

/** A stream's recording, from start to stop. */
export class SupervisedRecording {
  readonly #options: SupervisedOptions;
  readonly #startedAt: Date;
  readonly #live: LiveFeed;
  readonly #counters = new RecordingCounters();
  #stoppedAt: Date | undefined;
  #status: Recording['status'] = 'recording';
  #error: LivetapeError | undefined;
  #archive: ArchiveWriter | undefined;
  #session: RecordingSession | undefined;
  #restartTimer: Timer | undefined;
  #restarting: Promise<void> | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #restarts = 0;
  #numbersFrom = 0;
  #healed = 0;
  #lastGap: Gap | undefined;
  #openGap: OpenGap | undefined;
  #done = false;
  #stopping: Promise<void> | undefined;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    this.#startedAt = new Date(options.clock.nowMs());
    this.#live = new LiveFeed(options.code, options.log, options.livePool);
  }

  get recording(): Recording {
    const { code, place } = this.#options;
    return {
      id: code,
      streamCode: code,
      status: this.#status,
      startedAt: this.#startedAt,
      stoppedAt: this.#stoppedAt,
      segmentDir: place.location,
    };
  }

  get status(): RecordingStatus {
    return {
      recording: this.recording,
      error: this.#error,
      session: this.#session?.status,
      segmentCount: this.#archive?.totals.segmentCount ?? 0,
      sizeBytes: this.#archive?.totals.sizeBytes ?? 0,
      restarts: this.#restarts,
      retention: this.#options.retention.status(this.#options.code),
      healed: this.#healed,
      lastGap: this.#lastGap,
      openGap: this.#openGap,
    };
  }

  /** The archive of the running session. */
  get archive(): ArchiveWriter | undefined {
    return this.#archive;
  }

  get metrics(): StreamMetrics {
    return this.#counters.metrics(this.#session, this.#options.retention.status(this.#options.code), this.#restarts);
  }

  /** Gives `sink` the stream as it is recorded. @throws LivetapeError NOT_RECORDING after the end */
  live(sink: LiveSink): LiveSubscription {
    return this.#live.subscribe(sink);
  }

  /** Opens the archive and begins. Rejects when the archive cannot be opened; nothing is left behind then. */
  async start(): Promise<void> {
    const { config, program, clock, log } = this.#options;
    const archive = await this.#options.openArchive(this.#numbersFrom);
    this.#archive = archive;
    this.#tellHealed(archive);
    let buffer: MediaBuffer;
    try {
      buffer = this.#options.openBuffer();
    } catch (error) {
      await archive.close();
      throw error;
    }
    const session = new RecordingSession({
      buffer,
      archive,
      live: this.#live,
      segmentDurationSec: config.segmentDuration,
      program,
      clock,
      log,
      events: {
        written: (segment, commitSec) => {
          this.#counters.written(segment, commitSec);
          this.#numbersFrom = segment.index + 1;
          if (this.#session === session) this.#recovered();
          this.#options.emit('segment.written', { streamCode: this.#options.code, segment });
          this.#options.retention.committed(this.#options.code);
          // The partial segment before the gap is written after the gap has opened.
          const closes = this.#openGap !== undefined && segment.wallMs >= this.#openGap.fromMs - 1;
          const { gap } = segment;
          // A restart, a full disk, a clock that was set: such a gap is known only when it is over.
          if (gap && !closes) this.#options.emit('gap.opened', { streamCode: this.#options.code, fromMs: gap.fromMs, reason: gap.reason });
          if (gap || closes) this.#options.emit('gap.closed', { streamCode: this.#options.code, gap });
          if (closes) this.#openGap = undefined;
          this.#lastGap = gap ?? this.#lastGap;
        },
        lost: (error) => {
          this.#counters.lost();
          if (this.#session === session) this.#failed(error);
          if (error.code === 'DISK_FULL') this.#options.retention.full(this.#options.code);
        },
        broken: (error) => this.#broken(session, error),
        signalLost: (fromMs, reason) => {
          this.#openGap = { fromMs, reason };
          this.#options.emit('gap.opened', { streamCode: this.#options.code, fromMs, reason });
        },
        ended: (reason, error) => this.#options.emit('source.ended', { streamCode: this.#options.code, reason, error }),
      },
    });
    this.#session = session;
    session.start();
  }

  /** Ends the recording; its life ends with it. One stop answers every call. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#quiesce();
    try {
      if (!this.#session) {
        // It broke and was waiting to be made anew: the life still has to be ended.
        const archive = await this.#options.openArchive(this.#numbersFrom);
        await archive.stop().finally(() => archive.close());
      } else await this.#session.stop();
    } finally {
      this.#live.end('the recording was stopped');
      this.#openGap = undefined;
      this.#status = 'stopped';
      this.#stoppedAt = new Date(this.#options.clock.nowMs());
    }
  }

  /** Ends the session and leaves the recording to be resumed. */
  async close(): Promise<void> {
    await this.#quiesce();
    try {
      await this.#session?.close();
    } finally {
      this.#live.end('the recorder ends');
    }
  }

  async #quiesce(): Promise<void> {
    this.#done = true;
    this.#restartTimer?.cancel();
    await this.#restarting;
  }

  #tellHealed({ healed }: ArchiveWriter): void {
    this.#healed += healed.length;
    if (healed.length > 0) this.#options.emit('archive.healed', { streamCode: this.#options.code, healed });
  }

  #failed(error: LivetapeError): void {
    const first = this.#status === 'recording';
    this.#error = error;
    if (!first) return;
    this.#status = 'failed';
    this.#options.log.error({ stream: this.#options.code, code: error.code, err: error }, 'what comes cannot be stored');
    this.#options.emit('recording.failed', { recording: this.recording, error });
  }

  #recovered(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    if (this.#status !== 'failed') return;
    this.#status = 'recording';
    this.#error = undefined;
    this.#options.emit('recording.started', { recording: this.recording });
  }

  /** The session cannot go on: another one takes over after a pause. */
  #broken(session: RecordingSession, error: LivetapeError): void {
    if (this.#session !== session) return;
    this.#failed(error);
    // While it is being ended, whoever ends it hears of it.
    if (this.#done) return;
    this.#session = undefined;
    this.#restarting = session.abandon().catch((cause: unknown) => {
      this.#options.log.error({ stream: this.#options.code, err: cause }, 'a broken session did not close cleanly');
    });
    this.#counters.over(session);
    this.#live.over();
    this.#again();
  }

  #again(): void {
    if (this.#done) return;
    this.#restarts += 1;
    this.#restartTimer = this.#options.clock.after(this.#pauseMs, () => {
      this.#restarting = (this.#restarting ?? Promise.resolve())
        .then(() => this.start())
        .catch((cause: unknown) => {
          this.#failed(toLivetapeError(cause, 'STORAGE_FAILED', `stream ${this.#options.code} cannot be recorded`));
          this.#again();
        });
    });
    this.#pauseMs = Math.min(LAST_PAUSE_MS, this.#pauseMs * 2);
  }
}
