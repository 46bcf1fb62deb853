/**
 * Reads a stretch of a playlist entry by entry, so that one that cannot be read does not hide the others: what recovery
 * cuts by. `hls` reads a stretch as a whole or not at all.
 */
import { isLivetapeError } from '../base/index.js';
import { parseEntries, type PlaylistEntry } from '../hls/index.js';
import type { StreamStorage } from '../storage/index.js';

/** Some three hundred entries: a few milliseconds of parsing, then others have their turn. */
const BLOCK_BYTES = 64 * 1024;
/** What is longer is not an entry, and is not held. */
const MAX_STRETCH_BYTES = 1024 * 1024;

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
  return cut(bytes, atEntry).found;
}

/**
 * The same for a part of the playlist, of any length: read block by block, and held so; offsets are those of the playlist.
 */
export async function* stretchesFrom(
  storage: StreamStorage,
  { fromByte, toByte, atEntry }: { readonly fromByte: number; readonly toByte: number; readonly atEntry: boolean },
): AsyncGenerator<Stretch> {
  let held: Uint8Array = new Uint8Array();
  let whole = atEntry;
  for (let at = fromByte; at < toByte;) {
    const block = await storage.readJournal(at, Math.min(at + BLOCK_BYTES, toByte));
    if (block.byteLength === 0) return;
    const base = at - held.byteLength;
    at += block.byteLength;
    const bytes = Buffer.concat([held, block]);
    const part = cut(bytes, whole);
    for (const stretch of part.found) yield { ...stretch, fromByte: base + stretch.fromByte, toByte: base + stretch.toByte };
    whole = part.atEntry;
    held = bytes.subarray(part.fromByte);
    if (held.byteLength <= MAX_STRETCH_BYTES) continue;
    if (whole) yield { fromByte: at - held.byteLength, toByte: at, entry: undefined };
    whole = false;
    held = new Uint8Array();
  }
}

/** With where what is left begins, and whether an entry does there. */
function cut(bytes: Uint8Array, atEntry: boolean): { found: Stretch[]; fromByte: number; atEntry: boolean } {
  const found: Stretch[] = [];
  let fromByte = 0;
  let whole = atEntry;
  // The stretch may begin in the middle of a line, whose rest looks like a URI.
  for (let line = atEntry ? 0 : bytes.indexOf(NEWLINE) + 1; ;) {
    const end = bytes.indexOf(NEWLINE, line);
    if (end < 0) return { found, fromByte, atEntry: whole };
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
