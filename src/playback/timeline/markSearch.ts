/**
 * Finds in the raw bytes of a journal of ours the entries that say something remarkable: a gap before them, or errors counted over them (G10). They are rare, and to look
 * for their keys costs a fraction of reading every entry. Pure.
 */

/** Keys of the `#livetape` line that make an entry one of these (docs/design/data-format.md). */
const KEYS = ['gap=', 'cc=', 'tei=', 'sync=', 'scr=', 'lost='].map((key) => Buffer.from(key));

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const HASH = 0x23;

/** Where an entry lies in the bytes. */
export interface EntrySpan {
  readonly fromByte: number;
  /** Behind the newline of its URI line. */
  readonly toByte: number;
}

/** The last complete entry in bytes that begin where an entry does; undefined when there is none. */
export function lastEntry(bytes: Buffer): EntrySpan | undefined {
  for (let newline = bytes.lastIndexOf(NEWLINE); newline >= 0;) {
    const lineFrom = lineBefore(bytes, newline);
    if (isUri(bytes, lineFrom)) return { fromByte: entryFrom(bytes, lineFrom, 0), toByte: newline + 1 };
    newline = lineFrom - 1;
  }
  return undefined;
}

/**
 * The entries in which one of the keys stands, in order, and perhaps some in which it only seems to. `bytes` begins where an entry does, and ends where one ends.
 */
export function* findMarked(bytes: Buffer): Generator<EntrySpan, void, void> {
  const next = KEYS.map((key) => place(bytes.indexOf(key)));
  for (let floor = 0; ;) {
    const hit = Math.min(...next);
    if (hit === Infinity) return;
    const span = entryAround(bytes, hit, floor);
    if (span === undefined) return;
    yield span;
    floor = span.toByte;
    for (const [i, key] of KEYS.entries()) if ((next[i] ?? 0) < floor) next[i] = place(bytes.indexOf(key, floor));
  }
}

const place = (found: number): number => (found < 0 ? Infinity : found);

/** The entry that byte `at` is of; none begins before `floor`, where one does. Undefined when it does not end. */
function entryAround(bytes: Buffer, at: number, floor: number): EntrySpan | undefined {
  const lineFrom = at === 0 ? 0 : bytes.lastIndexOf(NEWLINE, at - 1) + 1;
  for (let from = lineFrom; ;) {
    const newline = bytes.indexOf(NEWLINE, from);
    if (newline < 0) return undefined;
    if (isUri(bytes, from)) return { fromByte: entryFrom(bytes, lineFrom, floor), toByte: newline + 1 };
    from = newline + 1;
  }
}

/** Where the entry begins that the line at `lineFrom` is of: behind the URI line of the one before it. */
function entryFrom(bytes: Buffer, lineFrom: number, floor: number): number {
  let from = lineFrom;
  while (from > floor) {
    const before = lineBefore(bytes, from - 1);
    if (isUri(bytes, before)) break;
    from = before;
  }
  return from;
}

/** Where the line begins that ends with the newline at `newline`. */
function lineBefore(bytes: Buffer, newline: number): number {
  // A negative offset would be counted from the end.
  return newline === 0 ? 0 : bytes.lastIndexOf(NEWLINE, newline - 1) + 1;
}

/** Whether the line at `from` is neither empty nor a tag nor a comment (RFC 8216, 4.1). It ends with a newline. */
function isUri(bytes: Buffer, from: number): boolean {
  const first = bytes[from];
  return first !== HASH && first !== NEWLINE && !(first === RETURN && bytes[from + 1] === NEWLINE);
}
