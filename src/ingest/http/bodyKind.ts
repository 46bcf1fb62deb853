/**
 * What an HTTP body is, told by its beginning: a transport stream, an HLS playlist, or something else (a web page that says what is wrong).
 * The content type is not asked: servers of streams say what they like.
 */
import { SYNC_WINDOW_BYTES, findSync } from '../sync.js';

/** `undecided`: more bytes are needed. */
export type BodyKind = 'undecided' | 'ts' | 'hls' | 'other';

/** Bytes in which the first packets must be found. */
const SEARCH_BYTES = 64 * 1024;
/** The first line of every playlist (RFC 8216, 4.3.1.1). */
const PLAYLIST_TAG = '#EXTM3U';

/** Collects the beginning of one body until it is known what it is. */
export class BodyStart {
  #bytes = new Uint8Array(0);

  /** What was collected. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  push(chunk: Uint8Array): BodyKind {
    const joined = new Uint8Array(this.#bytes.length + chunk.length);
    joined.set(this.#bytes);
    joined.set(chunk, this.#bytes.length);
    this.#bytes = joined;
    if (isPlaylist(joined)) return 'hls';
    if (joined.length >= SYNC_WINDOW_BYTES && findSync(joined, 0, false)) return 'ts';
    return joined.length >= SEARCH_BYTES ? 'other' : 'undecided';
  }

  /** The body is over: what it was. */
  end(): BodyKind {
    if (isPlaylist(this.#bytes)) return 'hls';
    return findSync(this.#bytes, 0, true) ? 'ts' : 'other';
  }
}

function isPlaylist(bytes: Uint8Array): boolean {
  const text = String.fromCharCode(...bytes.subarray(0, PLAYLIST_TAG.length + 3));
  return text.replace(/^\u00ef\u00bb\u00bf/, '').startsWith(PLAYLIST_TAG); // a byte order mark is not allowed, and met
}
