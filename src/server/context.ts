/** What the routes are given. Made once, in serve.ts. */
import type { SignedTokens, TokenStore } from '../access/index.js';
import type { Clock, Logger } from '../base/index.js';
import type { ConfigStore, StreamConfig } from '../config/index.js';
import type { EgressGuard } from '../egress/index.js';
import type { Hooks } from '../hooks/index.js';
import type { ProbeReport } from '../ingest/index.js';
import type { PlaceOf } from '../playback/index.js';
import type { Playback } from '../playback/index.js';
import type { RecorderPool, RecordingStatus, SourceStatus } from '../recorder/index.js';
import type { LivetapeError } from '../base/index.js';
import type { Storage } from '../storage/index.js';
import type { Audit } from './door/audit.js';
import type { Door } from './door/door.js';
import type { EventFeed } from './events.js';
import type { TlsFiles } from './door/tls.js';

/** A stream of the server: one that is in the file, or one whose archive lies in `data`. */
export interface Channel {
  readonly code: string;
  /** Undefined for one that only has an archive. */
  readonly config: StreamConfig | undefined;
  /** Being recorded; undefined when it is not. */
  readonly recording: RecordingStatus | undefined;
  readonly source: SourceStatus | undefined;
  /** Why what the file asks for could not be begun; it is tried again. */
  readonly error: LivetapeError | undefined;
}

/** Makes what is recorded agree with the file, and knows every stream there is. */
export interface Channels {
  /** Those in the file and those that only have an archive, by code. */
  list(): Promise<Channel[]>;
  /** One; undefined when there is neither. */
  get(code: string): Promise<Channel | undefined>;
  /** Archives are listed anew: one was deleted. */
  relist(): void;
  /** The root of `data`. */
  readonly data: Storage;
  /** Where the archive of a stream lies. */
  readonly place: PlaceOf;
  /** The storage of a stream, for its disk. */
  storage(code: string): Storage;
  /**
   * Kept when what the file asks of the stream has been begun.
   * @throws LivetapeError what kept it from being begun
   */
  settled(code: string): Promise<void>;
  /** Turns recording on in the file, and begins it. @throws LivetapeError STREAM_NOT_FOUND, ALREADY_RECORDING, and what startRecording rejects with */
  start(code: string): Promise<void>;
  /** Turns recording off in the file, and ends it: VOD. @throws LivetapeError STREAM_NOT_FOUND, NOT_RECORDING */
  stop(code: string): Promise<void>;
}

/** What every route may use. */
export interface ServerContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: ConfigStore;
  readonly channels: Channels;
  readonly pool: RecorderPool;
  readonly playback: Playback;
  /**
   * Looks at a source for some seconds.
   * @throws LivetapeError as probeSource (ingest)
   */
  probe(source: string, options: { readonly signal: AbortSignal; readonly guard?: EgressGuard | undefined }): Promise<ProbeReport>;
  /** What happens; it hears from before the first stream is begun. */
  readonly events: EventFeed;
  readonly hooks: Hooks;
  /** Who may do what. */
  readonly door: Door;
  readonly tokens: TokenStore;
  readonly signed: SignedTokens;
  readonly audit: Audit;
  /** Undefined where there is no certificate: HTTP without TLS. */
  readonly tls?: TlsFiles | undefined;
  /** The folder of the page's files. */
  readonly page: string;
  /** Of the package. */
  readonly version: string;
}
