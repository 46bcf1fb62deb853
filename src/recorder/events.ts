/** What observers of recordings hear. Events are for watching; nothing in Livetape depends on one being heard. */
import { EventEmitter } from 'node:events';
import type { CommittedSegment, Healed } from '../archive/index.js';
import type { LivetapeError, Logger } from '../base/index.js';
import type { Gap, GapReason, StreamCode } from '../model/index.js';

/** A recording as the service reports it. */
export interface Recording {
  /** The stream code. */
  readonly id: string;
  readonly streamCode: StreamCode;
  /** `failed`: what comes cannot be stored at present; it is tried again until the recording is stopped. */
  readonly status: 'recording' | 'stopped' | 'failed';
  readonly startedAt: Date;
  readonly stoppedAt: Date | undefined;
  /** The folder of its archive. */
  readonly segmentDir: string;
}

/** Every event with what it carries. */
export interface DvrEvents {
  'recording.started': { readonly recording: Recording };
  'recording.stopped': { readonly recording: Recording };
  /** What came could not be stored, or the session broke. It is tried again; `recording.started` says when it works. */
  'recording.failed': { readonly recording: Recording; readonly error: LivetapeError };
  /** What was found wrong when the archive was opened, and what was done about it. Nothing of it keeps the recording from going on. */
  'archive.healed': { readonly streamCode: StreamCode; readonly healed: readonly Healed[] };
  'segment.written': { readonly streamCode: StreamCode; readonly segment: CommittedSegment };
  /** Segments left the archive by retention. */
  'segment.pruned': { readonly streamCode: StreamCode; readonly count: number; readonly sizeBytes: number };
  /** Media stopped coming. Whether anything is lost is known when it comes again. */
  'gap.opened': { readonly streamCode: StreamCode; readonly fromMs: number; readonly reason: GapReason };
  /** Media comes again and is recorded. `gap` is undefined when the time stamps simply went on: nothing was lost. */
  'gap.closed': { readonly streamCode: StreamCode; readonly gap: Gap | undefined };
  /** The buffer it reads has ended: nothing more will come. The recording stays open until it is stopped. */
  'source.ended': { readonly streamCode: StreamCode; readonly reason: string; readonly error: Error | undefined };
}

/** The name of an event. */
export type DvrEventName = keyof DvrEvents;
/** The names of all events. */
export const DVR_EVENT_NAMES = [
  'recording.started',
  'recording.stopped',
  'recording.failed',
  'archive.healed',
  'segment.written',
  'segment.pruned',
  'gap.opened',
  'gap.closed',
  'source.ended',
] as const satisfies readonly DvrEventName[];
/** Who hears one. */
export type DvrListener<N extends DvrEventName> = (event: DvrEvents[N]) => void;

/** Tells listeners of events. One that throws disturbs neither the others nor who tells; the log says so. */
export abstract class DvrEmitter {
  readonly #emitter = new EventEmitter();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
    this.#emitter.setMaxListeners(0);
  }

  on<N extends DvrEventName>(name: N, listener: DvrListener<N>): this {
    this.#emitter.on(name, listener);
    return this;
  }

  off<N extends DvrEventName>(name: N, listener: DvrListener<N>): this {
    this.#emitter.off(name, listener);
    return this;
  }

  protected emit<N extends DvrEventName>(name: N, event: DvrEvents[N]): void {
    for (const listener of this.#emitter.listeners(name)) {
      try {
        (listener as DvrListener<N>)(event);
      } catch (error) {
        this.#log.error({ err: error, event: name }, 'a listener threw');
      }
    }
  }
}
