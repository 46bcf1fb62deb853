/**
 * What an HTTP body is, told by its beginning: a transport stream, an HLS playlist, or something else (a web page that says what is wrong).
 * The content type is not asked: servers of streams say what they like.
 */
import { SYNC_WINDOW_BYTES, findSync } from '../sync.js';

/** `undecided`: more bytes are needed. */
export type BodyKind = 'undecided' | 'ts' | 'hls' | 'other';

/** Bytes in which the first packets must be found. */
const SEARCH_BYTES = 64 * 1024;
/** A transport stream's packet. */
const TS_PACKET_BYTES = 188;
/** The first line of every playlist (RFC 8216, 4.3.1.1). */
const PLAYLIST_TAG = '#EXTM3U';

/** Collects the beginning of one body until it is known what it is. */
export class BodyStart {
  #room = new Uint8Array(SEARCH_BYTES);
  #length = 0;
  /** Looked at again when this much is there: a packet more than the last time, so that tiny chunks cost little more than large ones. */
  #nextLook = SYNC_WINDOW_BYTES;

  /** What was collected. */
  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  push(chunk: Uint8Array): BodyKind {
    const length = this.#length + chunk.length;
    if (length > this.#room.length) {
      const larger = new Uint8Array(length);
      larger.set(this.bytes);
      this.#room = larger;
    }
    this.#room.set(chunk, this.#length);
    this.#length = length;
    if (isPlaylist(this.bytes)) return 'hls';
    const isFull = length >= SEARCH_BYTES;
    if (length < this.#nextLook && !isFull) return 'undecided';
    if (findSync(this.bytes, 0, false)) return 'ts';
    this.#nextLook = length + TS_PACKET_BYTES;
    return isFull ? 'other' : 'undecided';
  }

  /** The body is over: what it was. */
  end(): BodyKind {
    if (isPlaylist(this.bytes)) return 'hls';
    return findSync(this.bytes, 0, true) ? 'ts' : 'other';
  }
}

function isPlaylist(bytes: Uint8Array): boolean {
  const text = String.fromCharCode(...bytes.subarray(0, PLAYLIST_TAG.length + 3));
  return text.replace(/^\u00ef\u00bb\u00bf/, '').startsWith(PLAYLIST_TAG); // a byte order mark is not allowed, and met
}
