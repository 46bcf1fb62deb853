/** A recording as the pool knows it: what it was asked for, what its recorder last said, and what is the matter while it has none. */
import type { LivetapeError, Timer } from '../../base/index.js';
import type { Recording } from '../events.js';
import type { StreamMetrics } from '../metrics.js';
import type { RecordingStatus } from '../supervised.js';
import type { RecordingRequest } from './protocol.js';

/** The pause before a recording that could not be resumed is tried again, doubled each time … */
const FIRST_PAUSE_MS = 1000;
/** … up to this. */
const LAST_PAUSE_MS = 30_000;

/** One stream of a pool, from its start to its stop, whichever process records it. */
export class HeldRecording {
  request: RecordingRequest;
  /** Of its recorder. */
  readonly index: number;
  /** Why it is not being recorded now: its recorder is gone, or it could not be resumed in the new one. */
  trouble: LivetapeError | undefined;
  /** The next try to resume it. */
  retry: Timer | undefined;
  metrics: StreamMetrics | undefined;
  readonly #startedAt: Date;
  #said: RecordingStatus;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(request: RecordingRequest, index: number, said: RecordingStatus, metrics: StreamMetrics | undefined) {
    this.request = request;
    this.index = index;
    this.#said = said;
    this.#startedAt = said.recording.startedAt;
    this.metrics = metrics;
  }

  get recording(): Recording {
    return this.status.recording;
  }

  get status(): RecordingStatus {
    const said = this.#said;
    if (this.trouble === undefined) return { ...said, recording: this.own(said.recording) };
    return { ...said, recording: { ...this.own(said.recording), status: 'failed' }, error: this.trouble, session: undefined };
  }

  /** What its recorder says of it. */
  set said(status: RecordingStatus) {
    this.#said = status;
  }

  /** The recording as its recorder tells of it, as one with those before it: it began when it was asked for. */
  own(recording: Recording): Recording {
    return { ...recording, startedAt: this.#startedAt };
  }

  resumed(status: RecordingStatus): void {
    this.#said = status;
    this.trouble = undefined;
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** How long to wait before the next try. */
  nextPauseMs(): number {
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(LAST_PAUSE_MS, pauseMs * 2);
    return pauseMs;
  }
}
