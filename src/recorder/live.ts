/** The stream as it is recorded, for those who watch it as continuous TS. */
import type { Closable } from '../base/index.js';

/** Bytes of a stream as they are recorded. Calls are synchronous and must not throw. */
export interface LiveSink {
  /** A segment begins: what follows is PAT, PMT and (unless not `keyframe`) a random access point. */
  segment(keyframe: boolean): void;
  /** One program's packets, PAT rewritten, as they are stored. Valid during the call only. */
  data(chunk: Uint8Array): void;
  /** Nothing more comes: the recording was stopped, or its recorder is gone. */
  ended(reason: string): void;
}

/** Being given a stream as it is recorded. */
export type LiveSubscription = Closable;
