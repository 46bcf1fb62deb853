/**
 * What a server needs beyond starting and stopping: sources that are connected where the sessions run, and how the recorders are doing. Implemented over
 * child processes (recorder/children), where buffers live in the child that records the stream.
 */
import type { EgressRules } from '../egress/index.js';
import type { DvrConfig } from './config.js';
import type { DvrService } from './service.js';

/** A source that feeds a buffer. Plain data: it crosses processes. */
export interface SourceStatus {
  /** Without secrets. */
  readonly url: string;
  readonly state: 'connecting' | 'connected' | 'lost' | 'ended';
  /** What the source said last. */
  readonly detail: string;
  readonly receivedBytes: number;
  readonly connections: number;
  readonly rtpLostPackets: number;
  readonly foreignDatagrams: number;
  /** Datagrams that the kernel dropped because nobody read them in time; undefined where it does not say. */
  readonly kernelDrops: number | undefined;
}

/** How a source is connected. Plain data, too. */
export interface ConnectOptions {
  /** Where it may connect to (docs/design/door.md, E1); anywhere unless said. One that would go further ends with ADDRESS_REFUSED. */
  readonly egress?: EgressRules | undefined;
}

/** A recorder process. */
export interface RecorderStatus {
  /** 0, 1, … */
  readonly index: number;
  readonly state: 'starting' | 'running' | 'lost';
  /** Undefined while there is none. */
  readonly pid: number | undefined;
  readonly startedAt: Date | undefined;
  /** How often it died or stalled and was replaced. */
  readonly restarts: number;
  readonly streams: number;
  /** Over the last heartbeats; seconds. */
  readonly eventLoopDelay: { readonly meanSec: number; readonly p99Sec: number; readonly maxSec: number };
  readonly residentBytes: number;
  readonly cpuSec: number;
}

/** Recorders with their sources. `close()` commits every tail and leaves the lives to be resumed. */
export interface RecorderPool extends DvrService {
  /**
   * Lets a source write into the buffer `bufferId`, in the recorder that the buffer belongs to. Another source that feeds it already is replaced; the very same (the same text, and it has not ended)
   * goes on undisturbed, also after an adoption (R4). Comes back by itself when its recorder is replaced, until `disconnect`.
   * @param options - under other rules than before it is another source
   * @throws LivetapeError SOURCE_INVALID, SOURCE_UNSUPPORTED, CLOSED; with rules SOURCE_REFUSED for what is on this machine
   */
  connect(source: string, bufferId: string, options?: ConnectOptions): Promise<void>;
  /** Takes the source away. Nothing happens when there is none. */
  disconnect(bufferId: string): Promise<void>;
  /** The source of a buffer; undefined when it has none. */
  source(bufferId: string): SourceStatus | undefined;
  /** Its URL as it was given to `connect`, with its secrets: not to be shown. Known of what was adopted too. */
  sourceOf(bufferId: string): string | undefined;
  /**
   * How a stream is being recorded, with the limits of the latest `setRetention`; undefined when it is not. Known of what was adopted too, so that only what differs is changed (R4).
   */
  recordingConfig(streamCode: string): DvrConfig | undefined;
  recorders(): RecorderStatus[];
  /** Lets go of recorders that go on recording, to be found again by the next server on the same root. Nothing more can be asked of this pool. */
  detach(): Promise<void>;
}
