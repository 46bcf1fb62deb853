/**
 * One stream being recorded: a subscription to a media buffer, the scanner, the segmenter and the pipe into the
 * archive, with the clock's ticks that end a partial segment when nothing comes and write out what has.
 */
import type { ArchiveWriter, CommittedSegment } from '../archive/index.js';
import { LivetapeError, invariant, toLivetapeError, type Clock, type Logger, type Timer } from '../base/index.js';
import type { Mark, MediaBuffer, Subscription } from '../buffer/index.js';
import { ticksToMs, type GapReason } from '../model/index.js';
import { TsReader, type Program, type ScanErrors } from '../mpegts/index.js';
import { Segmenter } from '../segmenter/index.js';
import { BitrateMeter } from './bitrate.js';
import type { LiveFeed } from './liveFeed.js';
import { SegmentPipe, type PipeEvents } from './segmentPipe.js';

/** How often the session looks at the clock. */
const TICK_MS = 250;
/** What was received is with the archive after this at the latest (and a tick): less than a second in all. */
const FLUSH_AFTER_MS = 600;
/** It is handed over before, when this much has gathered: small writes cost three times as much. */
const FLUSH_BYTES = 256 * 1024;
/** With this much waiting for the medium, the buffer's queue takes over … */
const PENDING_MAX_BYTES = 8 * 1024 * 1024;
/** … until this little is left. */
const PENDING_LOW_BYTES = 2 * 1024 * 1024;

/** What a session tells its service. */
export interface SessionEvents {
  /** @param commitSec - from its end to its entry */
  written(segment: CommittedSegment, commitSec: number): void;
  /** What came could not be stored; the session goes on. */
  lost(error: LivetapeError): void;
  /** The session cannot go on and has to be made anew. */
  broken(error: LivetapeError): void;
  signalLost(fromMs: number, reason: GapReason): void;
  ended(reason: string, error: Error | undefined): void;
}

/** What a session is made of. */
export interface SessionOptions {
  readonly buffer: MediaBuffer;
  readonly archive: ArchiveWriter;
  readonly live: LiveFeed;
  readonly segmentDurationSec: number;
  readonly program: number | 'all' | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: SessionEvents;
}

/** Counters and conditions of a session at a moment. */
export interface SessionStatus {
  /** `waiting`: nothing yet; `present`: media comes; `lost`: it has stopped. */
  readonly signal: 'waiting' | 'present' | 'lost';
  readonly program: Program | undefined;
  /** Numbers of the programs that are there to choose from. */
  readonly programs: readonly number[];
  readonly errors: Readonly<ScanErrors>;
  /** Access units whose time stamp alone was wrong. */
  readonly timestampErrors: number;
  readonly receivedBytes: number;
  readonly queuedBytes: number;
  /** Bytes dropped because the queue was full. */
  readonly droppedBytes: number;
  readonly clockBehindMs: number;
}

/** A stream's session. `stop()` ends the recording, `close()` leaves it to be resumed. */
export class RecordingSession {
  readonly #options: SessionOptions;
  readonly #reader: TsReader;
  readonly #segmenter: Segmenter;
  readonly #pipe: SegmentPipe;
  readonly #silenceMs: number;
  #subscription: Subscription | undefined;
  #ticker: Timer | undefined;
  #finished: Promise<void> | undefined;
  #signal: SessionStatus['signal'] = 'waiting';
  #referencePid: number | undefined;
  #receivedBytes = 0;
  #flushedAt = 0;
  #flushedAtMs = 0;
  #onRelief: (() => void) | undefined;
  #mediaAtMs = 0;
  #lastKeyframeAtMs: number | undefined;
  readonly #bitrate = new BitrateMeter();

  constructor(options: SessionOptions) {
    this.#options = options;
    const { archive, live, clock, events } = options;
    this.#silenceMs = 2000 * options.segmentDurationSec;
    this.#reader = new TsReader({
      program: options.program,
      sink: {
        program: (program, _position, changed) => this.#onProgram(program, changed),
        unit: (unit) => {
          if (unit.role !== 'data') this.#mediaCame();
          if (unit.reference && unit.randomAccess) this.#lastKeyframeAtMs = unit.arrivalMs;
          this.#segmenter.unit(unit);
        },
      },
    });
    const pipeEvents: PipeEvents = {
      written: (segment, commitSec) => events.written(segment, commitSec),
      lost: (error) => events.lost(error),
      broken: (error) => events.broken(error),
      relieved: () => this.#relieved(),
      signalLost: (fromMs, reason) => {
        this.#signal = 'lost';
        events.signalLost(fromMs, reason);
      },
      signalBack: () => (this.#signal = 'present'),
    };
    this.#pipe = new SegmentPipe({ reader: this.#reader, archive, live, clock, events: pipeEvents });
    const last = archive.last;
    this.#segmenter = new Segmenter({
      segmentDurationSec: options.segmentDurationSec,
      sink: this.#pipe,
      clock,
      lastEndMs: last && last.wallMs + ticksToMs(last.duration90k),
      targetDurationSec: archive.life?.targetDurationSec,
    });
  }

  /** Begins to read the buffer. */
  start(): void {
    invariant(!this.#subscription, 'a session is started once');
    const { buffer, clock, events } = this.#options;
    this.#mediaAtMs = this.#flushedAtMs = clock.monotonicMs();
    this.#subscription = buffer.subscribe({
      holdsBack: true,
      onData: (chunk, arrivalMs) => this.#onData(chunk, arrivalMs),
      onMark: (mark) => this.#onMark(mark),
      onError: (error) => events.broken(toLivetapeError(error, 'INVARIANT_BROKEN', 'the session broke')),
    });
    this.#ticker = clock.every(TICK_MS, () => this.#tick());
  }

  get status(): SessionStatus {
    return {
      signal: this.#signal,
      program: this.#reader.program,
      programs: this.#reader.programs,
      errors: { ...this.#reader.errors },
      timestampErrors: this.#segmenter.timestampErrors,
      receivedBytes: this.#receivedBytes,
      queuedBytes: this.#subscription?.queuedBytes ?? 0,
      droppedBytes: this.#subscription?.droppedBytes ?? 0,
      clockBehindMs: this.#segmenter.clockBehindMs,
    };
  }

  /** Bits per second that came, over the last seconds. */
  get inputBitrate(): number {
    return this.#bitrate.bitsPerSecond;
  }

  /** When the newest random access point came; UTC milliseconds. */
  get lastKeyframeAtMs(): number | undefined {
    return this.#lastKeyframeAtMs;
  }

  /** Commits what has come and ends the life: VOD and ENDLIST. Rejects with what kept the last of it from being stored. */
  stop(): Promise<void> {
    return this.#finish(() => this.#options.archive.stop());
  }

  /** Commits what has come and leaves the life open. */
  close(): Promise<void> {
    return this.#finish(() => Promise.resolve());
  }

  /** Lets go of everything after a fault, without trusting any of it to commit. */
  abandon(): Promise<void> {
    this.#finished ??= this.#letGo(() => {
      this.#silenceInput();
      return this.#pipe.abort();
    });
    return this.#finished;
  }

  /** Nothing comes in any more. */
  #silenceInput(): void {
    this.#subscription?.close();
    this.#ticker?.cancel();
  }

  #mediaCame(): void {
    this.#mediaAtMs = this.#options.clock.monotonicMs();
    if (this.#signal === 'waiting') this.#signal = 'present';
  }

  #finish(last: () => Promise<void>): Promise<void> {
    this.#finished ??= this.#letGo(async () => {
      await this.#drain();
      this.#silenceInput();
      this.#reader.resetSync();
      this.#segmenter.finish(this.#reader.position);
      const failure = await this.#pipe.settled();
      await last();
      if (failure) throw failure;
    });
    return this.#finished;
  }

  async #letGo(commit: () => Promise<void>): Promise<void> {
    try {
      await commit();
    } finally {
      this.#silenceInput();
      await this.#options.archive.close();
    }
  }

  /** What waits in the queue was received: it belongs to the recording. */
  async #drain(): Promise<void> {
    while (this.#subscription && this.#subscription.queuedBytes > 0) {
      if (this.#pipe.pendingBytes > PENDING_LOW_BYTES) await new Promise<void>((resolve) => (this.#onRelief = resolve));
      this.#subscription.resume();
    }
  }

  #onData(chunk: Uint8Array, arrivalMs: number): void {
    this.#receivedBytes += chunk.length;
    this.#reader.push(chunk, arrivalMs);
    this.#segmenter.pushed(this.#reader.position, arrivalMs);
    if (this.#referencePid === undefined && this.#reader.program) this.#mediaCame();
    if (this.#reader.position - this.#flushedAt >= FLUSH_BYTES) this.#flush();
    if (this.#pipe.pendingBytes > PENDING_MAX_BYTES) this.#subscription?.pause();
  }

  #onMark(mark: Mark): void {
    const { log, events, buffer } = this.#options;
    switch (mark.kind) {
      case 'session':
        return this.#interrupted('signal');
      case 'overflow':
        log.warn({ buffer: buffer.id, droppedBytes: mark.droppedBytes }, 'the medium does not keep up: chunks were dropped');
        return this.#interrupted('overflow');
      case 'source_switch':
        return this.#interrupted('source_switch');
      case 'lost':
        return log.warn({ buffer: buffer.id, reason: mark.reason }, 'the source is gone');
      case 'end':
        this.#silence();
        events.ended(mark.reason, mark.error);
        // A buffer that was closed is made anew by whoever needs it: so is the session that reads it.
        if (buffer.closed) events.broken(new LivetapeError('CLOSED', `media buffer ${buffer.id} was closed`));
        return;
      default:
        return mark satisfies never;
    }
  }

  #onProgram(program: Program, changed: boolean): void {
    const { log, buffer } = this.#options;
    const reference = program.tracks.find((track) => track.pid === program.referencePid);
    log.info(
      { buffer: buffer.id, program: program.number, tracks: program.tracks.map((track) => `${track.pid}:${track.codec}`) },
      changed ? 'the program changed' : 'recording this program',
    );
    this.#segmenter.program(reference?.role === 'video', changed, changed && program.referencePid !== this.#referencePid);
    this.#referencePid = program.referencePid;
  }

  /** What follows may not join on to what came: the time stamps decide. */
  #interrupted(reason: GapReason): void {
    this.#reader.resetSync();
    this.#segmenter.mark(this.#reader.position, reason);
  }

  #silence(): void {
    this.#reader.resetSync();
    this.#segmenter.silence(this.#reader.position);
  }

  #tick(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const { receivedBytes, queuedBytes, droppedBytes } = this.status;
    this.#bitrate.look(nowMs, receivedBytes + queuedBytes + droppedBytes);
    try {
      if (this.#signal === 'present' && nowMs - this.#mediaAtMs > this.#silenceMs && !this.#subscription?.paused) this.#silence();
      if (nowMs - this.#flushedAtMs >= FLUSH_AFTER_MS) this.#flush();
      else if (this.#options.live.watched) this.#pipe.show(this.#decidedTo);
    } catch (error) {
      this.#options.events.broken(toLivetapeError(error, 'INVARIANT_BROKEN', 'the session broke'));
    }
  }

  /** No later decision names a position before it. */
  get #decidedTo(): number {
    return Math.min(this.#reader.heldFrom, this.#segmenter.heldFrom);
  }

  #flush(): void {
    this.#pipe.flush(this.#decidedTo);
    this.#flushedAt = this.#reader.position;
    this.#flushedAtMs = this.#options.clock.monotonicMs();
  }

  #relieved(): void {
    if (this.#pipe.pendingBytes > PENDING_LOW_BYTES) return;
    this.#onRelief?.();
    if (this.#subscription?.paused) this.#subscription.resume();
  }
}
