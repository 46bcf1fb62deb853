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
export { parsePlaylist, summarize, type ArchiveSummary, type SegmentMeta } from './reader.js';
export { TrustedTime, type TimeSight } from './trustedTime.js';
export { checkKeepName, listKeeps, makeKeep, removeKeep, type Keep, type KeepRequest } from './keep.js';
