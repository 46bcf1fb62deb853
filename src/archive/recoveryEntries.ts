/**
 * Reads a stretch of a playlist entry by entry, so that one that cannot be read does not hide the others: what recovery
 * cuts by. `hls` reads a stretch as a whole or not at all.
 */
import { isLivetapeError } from '../base/index.js';
import { parseEntries, type PlaylistEntry } from '../hls/index.js';

/** The lines up to a URI line: an entry, or what stands in the place of one. */
export interface Stretch {
  readonly fromByte: number;
  readonly toByte: number;
  /** Undefined when it cannot be read. */
  readonly entry: PlaylistEntry | undefined;
}

const NEWLINE = 0x0a;
const HASH = 0x23;
const RETURN = 0x0d;

/**
 * `bytes`, cut after each line that is neither empty nor begins with `#`. What stands behind the last of them is not told of.
 * @param atEntry - whether `bytes` begins where an entry does; else all up to the first such line is passed over
 */
export function stretchesOf(bytes: Uint8Array, atEntry: boolean): Stretch[] {
  const found: Stretch[] = [];
  let fromByte = 0;
  let whole = atEntry;
  // The stretch may begin in the middle of a line, whose rest looks like a URI.
  for (let line = atEntry ? 0 : bytes.indexOf(NEWLINE) + 1; ;) {
    const end = bytes.indexOf(NEWLINE, line);
    if (end < 0) return found;
    const empty = end === line || (end === line + 1 && bytes[line] === RETURN);
    if (!empty && bytes[line] !== HASH) {
      if (whole) found.push({ fromByte, toByte: end + 1, entry: entryIn(bytes.subarray(fromByte, end + 1)) });
      whole = true;
      fromByte = end + 1;
    }
    line = end + 1;
  }
}

/** The first entry that can be read. */
export function firstReadable(bytes: Uint8Array): PlaylistEntry | undefined {
  return stretchesOf(bytes, true).find(({ entry }) => entry !== undefined)?.entry;
}

function entryIn(bytes: Uint8Array): PlaylistEntry | undefined {
  try {
    return parseEntries(bytes, true).entries[0]?.entry;
  } catch (error) {
    if (isLivetapeError(error, 'ARCHIVE_CORRUPT')) return undefined;
    throw error;
  }
}
