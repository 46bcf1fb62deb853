/** playback: the read side. Never imports recorder, segmenter or ingest; works on archives that another process writes. */
export type {
  ArchiveMarks,
  ArchiveStatus,
  ArchiveSummary,
  PlaceOf,
  Playback,
  PlaylistAnswer,
  PlaylistLimits,
  PlaylistRequest,
  SegmentFile,
  StreamRequest,
  Timeline,
  TimelineEntry,
  Timelines,
} from './contract.js';
export { openPlayback, type PlaybackOptions } from './playback.js';
export { fixedWindow, readStreamRequest } from './playlists/request.js';
export { openTimelines, type TimelinesOptions } from './timeline/timelines.js';
