/**
 * Reads a playlist that may be damaged, from end to end and block by block: what can be read comes out as entries, what cannot as stretches,
 * with their place. Nothing is thrown for what stands in the text. A playlist of the place or one that was set aside.
 */
import { LivetapeError, isLivetapeError } from '../base/index.js';
import { parseEntries, parseHeader, type LocatedEntry, type PlaylistHeader } from '../hls/index.js';

/** Some hundred entries: a millisecond or two of parsing at a time, for a recorder may share the process. */
const BLOCK_BYTES = 64 * 1024;
/** No header and no entry is longer; what has no end within it is not one. */
const MAX_PIECE_BYTES = 1024 * 1024;
/** Where entries begin when the header cannot be read. */
const ENTRY_BEGINS = /^(?:#EXTINF:|#EXT-X-DISCONTINUITY\r?$|#EXT-X-PROGRAM-DATE-TIME:|#livetape n=)/m;

const byteText = new TextDecoder('latin1');

/** Reads bytes [fromByte, toByte) of a playlist. */
export type ReadRange = (fromByte: number, toByte: number) => Promise<Uint8Array>;

/** The beginning of a playlist. */
export interface JournalHead {
  readonly header: PlaylistHeader | undefined;
  /** Why there is none. */
  readonly error: LivetapeError | undefined;
  /** Where the entries begin. */
  readonly toByte: number;
  /** Lines before them. */
  readonly lines: number;
  /** The text of the header, to see whether the playlist was replaced. */
  readonly bytes: Uint8Array;
}

/** A piece of a playlist after its header. */
export type JournalItem =
  | { readonly kind: 'entry'; readonly located: LocatedEntry; readonly line: number }
  | {
      readonly kind: 'unreadable';
      readonly error: LivetapeError;
      readonly line: number;
      readonly fromByte: number;
      readonly toByte: number;
    };

/** What stands behind the last entry. */
export interface JournalEnd {
  readonly ended: boolean;
  readonly tornBytes: number;
}

/** The header, or why it cannot be read. @throws what `read` throws */
export async function readJournalHead(read: ReadRange): Promise<JournalHead> {
  for (let look = BLOCK_BYTES; ; look *= 2) {
    const bytes = await read(0, look);
    const whole = bytes.byteLength < look || look >= MAX_PIECE_BYTES;
    try {
      const chunk = parseHeader(bytes, whole);
      if (chunk === undefined) continue;
      return { header: chunk.header, error: undefined, toByte: chunk.toByte, lines: chunk.lines, bytes: bytes.slice(0, chunk.toByte) };
    } catch (error) {
      if (!isLivetapeError(error)) throw error;
      if (!whole && isLivetapeError(error, 'ARCHIVE_CORRUPT') && !ENTRY_BEGINS.test(byteText.decode(bytes))) continue;
      const text = byteText.decode(bytes);
      const at = ENTRY_BEGINS.exec(text)?.index ?? bytes.byteLength;
      return { header: undefined, error, toByte: at, lines: linesIn(text.slice(0, at)), bytes: bytes.slice(0, at) };
    }
  }
}

/** Every entry in [head.toByte, size), and every stretch that is none. Answers with what stands behind the last. */
export async function* readJournalItems(read: ReadRange, head: JournalHead, size: number): AsyncGenerator<JournalItem, JournalEnd> {
  let byte = head.toByte;
  let line = head.lines + 1;
  for (let block = BLOCK_BYTES; ;) {
    const bytes = await read(byte, Math.min(byte + block, size));
    const last = byte + block >= size || bytes.byteLength < block;
    const chunk = parseTolerant(bytes, { line, byte });
    for (const item of chunk.items) yield item;
    byte += chunk.toByte;
    line += chunk.lines;
    if (last) return { ended: chunk.ended, tornBytes: chunk.tornBytes };
    if (chunk.toByte > 0) block = BLOCK_BYTES;
    else if (block < MAX_PIECE_BYTES) block *= 2;
    else {
      const error = new LivetapeError('ARCHIVE_CORRUPT', `playlist, from line ${line}: ${block} bytes without a segment`);
      yield { kind: 'unreadable', error, line, fromByte: byte, toByte: byte + block };
      byte += block;
      line += linesIn(byteText.decode(bytes));
    }
  }
}

interface Chunk {
  readonly items: JournalItem[];
  readonly toByte: number;
  readonly lines: number;
  readonly ended: boolean;
  readonly tornBytes: number;
}

/** `parseEntries`, and where that fails one entry after another. */
function parseTolerant(bytes: Uint8Array, origin: { line: number; byte: number }): Chunk {
  try {
    const chunk = parseEntries(bytes, true, origin);
    // lines are counted in the text once more only where somebody will ask for them
    let line = origin.line;
    let at = 0;
    const items = chunk.entries.map((located): JournalItem => {
      line += linesBetween(bytes, at, located.fromByte);
      at = located.fromByte;
      return { kind: 'entry', line, located: moved(located, origin.byte) };
    });
    return { ...chunk, items };
  } catch (error) {
    if (!isLivetapeError(error, 'ARCHIVE_CORRUPT')) throw error;
  }
  const items: JournalItem[] = [];
  let fromByte = 0;
  let line = origin.line;
  for (const toByte of entryEnds(bytes)) {
    const piece = bytes.subarray(fromByte, toByte);
    const place = { line, byte: origin.byte + fromByte };
    try {
      for (const located of parseEntries(piece, true, place).entries)
        items.push({ kind: 'entry', line, located: moved(located, place.byte) });
    } catch (error) {
      if (!isLivetapeError(error)) throw error;
      items.push({ kind: 'unreadable', error, line, fromByte: place.byte, toByte: origin.byte + toByte });
    }
    line += linesBetween(bytes, fromByte, toByte);
    fromByte = toByte;
  }
  const rest = bytes.subarray(fromByte);
  const { ended, tornBytes } = restOf(rest);
  return { items, toByte: fromByte, lines: line - origin.line, ended, tornBytes };
}

/** Where each entry, good or not, ends: behind each line that is neither a tag nor empty. */
function* entryEnds(bytes: Uint8Array): Generator<number, void, void> {
  for (let from = 0; ;) {
    const newline = bytes.indexOf(0x0a, from);
    if (newline < 0) return;
    const first = bytes[from];
    const isEmpty = newline === from || (first === 0x0d && newline === from + 1);
    if (!isEmpty && first !== 0x23) yield newline + 1;
    from = newline + 1;
  }
}

/** What stands behind the last entry, which no complete entry does: all of it may be garbage. */
function restOf(rest: Uint8Array): JournalEnd {
  try {
    return parseEntries(rest, true);
  } catch (error) {
    if (!isLivetapeError(error)) throw error;
    return { ended: false, tornBytes: rest.byteLength };
  }
}

function moved({ entry, fromByte, toByte }: LocatedEntry, by: number): LocatedEntry {
  return { entry, fromByte: fromByte + by, toByte: toByte + by };
}

function linesBetween(bytes: Uint8Array, fromByte: number, toByte: number): number {
  let lines = 0;
  for (let at = bytes.indexOf(0x0a, fromByte); at >= 0 && at < toByte; at = bytes.indexOf(0x0a, at + 1)) lines += 1;
  return lines;
}

function linesIn(text: string): number {
  return text.split('\n').length - 1;
}
