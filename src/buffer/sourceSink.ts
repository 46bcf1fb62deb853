/** From a source to a buffer: bytes are written, events become marks. */
import type { SourceSink } from '../ingest/index.js';
import type { MediaBuffer } from './mediaBuffer.js';

/** The sink that writes what a source delivers into `buffer`. What comes after the buffer was closed is left out: the source is about to be closed too. */
export function sourceSink(buffer: MediaBuffer): SourceSink {
  return {
    data(chunk) {
      if (!buffer.closed) buffer.write(chunk);
    },
    room: () => buffer.room(),
    connected(detail) {
      if (!buffer.closed) buffer.mark({ kind: 'session', detail });
    },
    lost(reason) {
      if (!buffer.closed) buffer.mark({ kind: 'lost', reason });
    },
    ended(reason, error) {
      if (!buffer.closed) buffer.mark({ kind: 'end', reason, error });
    },
  };
}
