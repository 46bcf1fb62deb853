/** archive: the durable truth of one stream. Imports `base`, `model`, `storage` and `hls`. */
export type {
  ArchiveTotals,
  ArchiveWriter,
  CommittedSegment,
  Keyframe,
  Pruned,
  PruneLimits,
  SegmentFacts,
  SegmentWriter,
} from './contract.js';
export type { Healed } from './healed.js';
export { openArchiveForWriting, type ArchiveOptions } from './writer.js';
export { loadIndex, type ArchiveIndex, type IndexGap } from './archiveIndex.js';
export { firstSequenceOf, startOf } from './scan.js';
export { parsePlaylist, summarize, type ArchiveSummary, type SegmentMeta } from './reader.js';
export { checkArchive, type CheckOptions, type CheckProgress, type CheckReport } from './check.js';
export { FINDINGS, type Finding, type FindingKind } from './checkFindings.js';
export { repairArchive, type RepairOptions, type RepairReport } from './repair.js';
export { REPAIR_ACTIONS, type RepairAction, type RepairActionKind, type WallTimeSource } from './repairActions.js';
export { TrustedTime, type ClockDoubt, type TimeSight } from './trustedTime.js';
export { removeArchive, type RemovedArchive } from './remove.js';
export { checkKeepName, listKeeps, makeKeep, removeKeep, type DamagedKeep, type Keep, type KeepRequest, type ListedKeep } from './keep.js';
