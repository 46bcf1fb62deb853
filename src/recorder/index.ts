/** recorder: DvrService supervises; one session is one stream being recorded. */
export { checkDvrConfig, checkRetention, dvrConfigSchema, minFreeGbSchema, type DvrConfig } from './config.js';
export { DVR_EVENT_NAMES } from './events.js';
export type { DvrEventName, DvrEvents, DvrListener, Recording } from './events.js';
export { InProcessDvrService, type DvrService, type DvrServiceOptions, type RecordOptions } from './service.js';
export type { SessionStatus } from './session.js';
export type { OpenGap, RecordingStatus } from './supervised.js';
export type { RetentionStatus } from './retention.js';
export type { RetentionLimits } from './retentionStream.js';
export { FreeSpace, type FreeSpaceOptions, type PruneCandidate, type SpaceLimits, type SpacePruned, type SpaceUser } from './freeSpace.js';
export { ServedReaches } from './reaches.js';
export type { LiveSink, LiveSubscription } from './live.js';
export type { Histogram, StreamMetrics } from './metrics.js';
export { ChildProcessDvrService } from './children/childProcessDvrService.js';
export { RecorderServer } from './children/recorderServer.js';
export type { PoolOptions, RecorderSettings } from './children/recorders.js';
export type { ConnectOptions, RecorderPool, RecorderStatus, SourceStatus } from './pool.js';
