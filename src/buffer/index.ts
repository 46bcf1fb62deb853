/** buffer: the media buffers, named, fan-out; a write never waits. */
export type { Mark } from './mark.js';
export { DEFAULT_QUEUE_BYTES, MediaBuffer, type SubscribeOptions, type Subscription } from './mediaBuffer.js';
export { MediaBuffers } from './mediaBuffers.js';
export { sourceSink } from './sourceSink.js';
