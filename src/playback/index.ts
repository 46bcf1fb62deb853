/** playback: the read side. Never imports recorder, segmenter or ingest; works on archives that another process writes. */
export type {
  ArchiveStatus,
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
export { openSegments, type Segments, type SegmentsOptions } from './media/segments.js';
export { findWindow, isPast, type WindowRange } from './window.js';
export { answerPlaylist, type AnswerOptions } from './playlists/answer.js';
export { readStreamRequest } from './playlists/request.js';
export { archiveStatus } from './playlists/status.js';
