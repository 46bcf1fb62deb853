/** The public library. What is not named here is not promised. */
export {
  createLivetape,
  type ArchiveCheckOptions,
  type ArchiveRepairOptions,
  type Connection,
  type Livetape,
  type LivetapeOptions,
} from './livetape.js';
export { ERROR_CODES, LivetapeError, isLivetapeError, type Clock, type ErrorCode, type ErrorContext, type Logger } from './base/index.js';
export { checkStreamCode, type Gap, type GapReason, type StreamCode } from './model/index.js';
export type { ProbeReport } from './ingest/index.js';
export type { GopFacts, ProgramReport, StreamReport, TrackReport } from './mpegts/index.js';
export type { Mark, MediaBuffer, MediaBuffers, SubscribeOptions, Subscription } from './buffer/index.js';
export type {
  ArchiveIndex,
  CheckProgress,
  CheckReport,
  CommittedSegment,
  DamagedKeep,
  Finding,
  FindingKind,
  Healed,
  Keep,
  KeepRequest,
  ListedKeep,
  RepairAction,
  RepairActionKind,
  RepairReport,
  SegmentMeta,
  WallTimeSource,
} from './archive/index.js';
export type { EgressRules } from './egress/index.js';
export type {
  ConnectOptions,
  DvrConfig,
  DvrEventName,
  DvrEvents,
  DvrListener,
  DvrService,
  Histogram,
  LiveSink,
  LiveSubscription,
  Recording,
  OpenGap,
  RecordingStatus,
  RecordOptions,
  RetentionLimits,
  RetentionStatus,
  SessionStatus,
  StreamMetrics,
} from './recorder/index.js';
