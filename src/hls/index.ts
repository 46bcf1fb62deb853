/** hls: playlist text, written and read. Pure; imports `base` and `model` alone. */
export { FORMAT, type EntryFacts, type PlaylistEntry, type PlaylistHeader, type PlaylistType } from './playlist.js';
export { ENDLIST, renderEntry, renderHeader } from './render.js';
export { GAP_VERSION, renderGapEntry, renderMediaHeader, type MediaHeader } from './renderMedia.js';
export { parseHeader, type HeaderChunk } from './parseHeader.js';
export { parseEntries, type EntryChunk, type LocatedEntry } from './parseEntries.js';
export type { Origin } from './lines.js';
