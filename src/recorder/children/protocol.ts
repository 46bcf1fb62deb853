/**
 * What a server and its recorders say to each other (docs/design/server.md, R2). A connection begins with a hello; the controlling one is answered with a
 * welcome that says all there is, and from then on carries calls one way, answers, heartbeats and events the other.
 */
import type { StreamCode } from '../../model/index.js';
import type { DvrConfig } from '../config.js';
import type { DvrEventName, DvrEvents, Recording } from '../events.js';
import type { PruneCandidate, SpaceLimits, SpacePruned } from '../freeSpace.js';
import type { StreamMetrics } from '../metrics.js';
import type { ConnectOptions, RecorderStatus, SourceStatus } from '../pool.js';
import type { RetentionLimits } from '../retentionStream.js';
import type { RecordOptions } from '../service.js';
import type { RecordingStatus } from '../supervised.js';

/** Grows with every change of what is said here. Recorders of another version of Livetape are not spoken to but for `close` (R5). */
export const PROTOCOL = 3;
/** How often a recorder says how it is doing. */
export const BEAT_MS = 500;

/** What a recording was started with. */
export interface RecordingRequest {
  readonly streamCode: StreamCode;
  readonly bufferId: string;
  readonly config: DvrConfig;
  readonly options: RecordOptions;
}

/** How a recorder process is doing. */
export type ProcessStatus = Pick<RecorderStatus, 'eventLoopDelay' | 'residentBytes' | 'cpuSec'> & {
  /** Heartbeats and events that were not sent, because the server did not read. */
  readonly unsent: number;
};

/** A heartbeat: all that changes. */
export interface Beat {
  readonly recordings: readonly { readonly status: RecordingStatus; readonly metrics: StreamMetrics | undefined }[];
  readonly sources: readonly { readonly bufferId: string; readonly status: SourceStatus }[];
  /** What can be pruned for the disks' sake (R6). */
  readonly candidates: readonly PruneCandidate[];
  readonly process: ProcessStatus;
}

/** The first message of a connection. */
export interface Hello {
  readonly hello: {
    readonly protocol: number;
    readonly version: string;
    /** Given: this connection is for its live media (R7). */
    readonly live?: StreamCode;
  };
}

/** The answer to a hello that was taken. `protocol`, `version`, `pid` and the call `close` mean the same in every protocol (R5). */
export interface Welcome {
  readonly protocol: number;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: Date;
  readonly requests: readonly RecordingRequest[];
  /** With the secrets that their URLs hold. */
  readonly sources: readonly { readonly bufferId: string; readonly source: string; readonly options: ConnectOptions }[];
  readonly beat: Beat;
}

/** What a recorder can be asked. */
export interface Commands {
  start(request: RecordingRequest): Promise<RecordingStatus>;
  stop(streamCode: StreamCode): Promise<Recording>;
  setRetention(streamCode: StreamCode, limits: RetentionLimits): Promise<void>;
  connect(source: string, bufferId: string, options: ConnectOptions): Promise<SourceStatus>;
  disconnect(bufferId: string): Promise<void>;
  served(streamCode: StreamCode, reachMs: number): Promise<void>;
  /** For the disk's sake (R6). */
  prune(streamCode: StreamCode, limits: SpaceLimits): Promise<SpacePruned>;
  /** Commits every tail, leaves the lives open, and ends the process once this is answered. */
  close(): Promise<void>;
}

/** A command's name. */
export type CommandName = keyof Commands;

/** What a command answers with. */
export type CommandResult<N extends CommandName> = Awaited<ReturnType<Commands[N]>>;

/** From the server. */
export type ToRecorder = Hello | { readonly id: number; readonly call: CommandName; readonly args: readonly unknown[] };

/** An event with what it carries. */
export type EventMessage = { [N in DvrEventName]: { readonly event: N; readonly data: DvrEvents[N] } }[DvrEventName];

/** To the server. */
export type ToServer =
  | { readonly welcome: Welcome }
  /** The hello was not taken: there is a controlling connection already, or no such live stream. */
  | { readonly refused: Error }
  /** Live media follows. */
  | { readonly live: true }
  /** No more live media comes. */
  | { readonly ended: string }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: Error }
  | { readonly beat: Beat }
  | EventMessage;
