/** Searches a stretch of a journal for marks (G10): in its raw bytes where it is ours, entry by entry where another system began it, since that names nothing that could be looked for. */
import { findMarked, lastEntry } from './markSearch.js';
import { behind, giveWay, PIECE_BYTES, readEntryAt, readPiece, type Cursor, type Journal } from './journal.js';
import { markOf, type Mark } from './marks.js';
import { plainMark } from './plainMark.js';

/** Entries that are read without giving way: a millisecond, and no more than that where they are as our writer writes them. */
const PARSED_AT_ONCE = 64;

/** What was found between two places. */
export interface FoundMarks {
  /** Behind the last entry that was searched. */
  readonly next: Cursor;
  readonly found: readonly Mark[];
}

/**
 * The marks of the entries from `first` on, of as many as `searchBytes` hold or end at `toAt`: at least one.
 * @param toAt - where an entry ends
 */
export function searchMarks(journal: Journal, first: Cursor, toAt: number, searchBytes: number): Promise<FoundMarks> {
  return journal.foreign ? readMarks(journal, first, toAt, searchBytes) : findMarks(journal, first, toAt, searchBytes);
}

async function findMarks(journal: Journal, first: Cursor, toAt: number, searchBytes: number): Promise<FoundMarks> {
  const { storage, shift } = journal;
  for (let look = searchBytes; ; look *= 2) {
    const end = Math.min(first.at + look, toAt);
    const read = await storage.readJournal(first.at - shift, end - shift);
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
    const last = lastEntry(bytes);
    if (last === undefined) {
      // An entry that is longer than what was read; or what was read is of no journal, which its reader finds out.
      if (end < toAt) continue;
      return { next: first, found: [] };
    }
    const found: Mark[] = [];
    // Most stretches have none.
    let text: string | undefined;
    let parsed = 0;
    for (const { fromByte, toByte } of findMarked(bytes.subarray(0, last.toByte))) {
      text ??= bytes.toString('latin1');
      const plain = plainMark(text, fromByte, toByte);
      const mark = plain ?? markOf(readEntryAt(journal, bytes.subarray(fromByte, toByte), first.at + fromByte));
      if (mark !== undefined) found.push(mark);
      if (++parsed % PARSED_AT_ONCE === 0) await giveWay();
    }
    await giveWay();
    return { next: behind(readEntryAt(journal, bytes.subarray(last.fromByte, last.toByte), first.at + last.fromByte)), found };
  }
}

async function readMarks(journal: Journal, first: Cursor, toAt: number, searchBytes: number): Promise<FoundMarks> {
  const found: Mark[] = [];
  let next = first;
  while (next.at < toAt && next.at - first.at < searchBytes) {
    const piece = await readPiece(journal, next, toAt, PIECE_BYTES);
    if (piece.entries.length === 0) break;
    for (const placed of piece.entries) {
      const mark = markOf(placed);
      if (mark !== undefined) found.push(mark);
    }
    next = piece.next;
    await giveWay();
  }
  return { next, found };
}
