/** segmenter: facts -> where to cut, what is discontinuous, when the signal was lost. Pure. */
export { Segmenter, type SegmenterOptions } from './segmenter.js';
export type { AccessUnit, EndedSegment, Head, KeyframeAt, SegmenterSink } from './facts.js';
