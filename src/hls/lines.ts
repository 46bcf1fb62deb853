/**
 * Lines of playlist bytes, with where they lie. A playlist is UTF-8, but a window of it may begin and end
 * anywhere, so newlines are found in the bytes; a line is decoded as UTF-8 only where it is not ASCII.
 */
import { LivetapeError } from '../base/index.js';

/** One byte becomes one character, so positions in the text are positions in the bytes. */
const byteText = new TextDecoder('latin1');
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Where in the whole playlist a piece of it begins: for messages. */
export interface Origin {
  /** Number of the first line, from 1; undefined when it is not known. */
  readonly line?: number | undefined;
  /** Of the first byte. */
  readonly byte?: number | undefined;
}

/** A line without its end. */
export interface Line {
  readonly text: string;
  /** Relative to the bytes that were given. */
  readonly fromByte: number;
  /** After the newline. */
  readonly toByte: number;
  /** Lines before it. */
  readonly number: number;
}

/** All lines that end with a newline, in order. A carriage return before it is not part of the line (RFC 8216, 4.1). */
export function* linesOf(bytes: Uint8Array): Generator<Line, void, void> {
  const text = byteText.decode(bytes);
  let fromByte = 0;
  for (let number = 0; ; number++) {
    const newline = text.indexOf('\n', fromByte);
    if (newline < 0) return;
    const end = newline > fromByte && text.charCodeAt(newline - 1) === 0x0d ? newline - 1 : newline;
    const raw = text.slice(fromByte, end);
    const ascii = !/[^\0-\u007f]/.test(raw);
    yield { text: ascii ? raw : utf8.decode(bytes.subarray(fromByte, end)), fromByte, toByte: newline + 1, number };
    fromByte = newline + 1;
  }
}

/** The error for a line that cannot be read. */
export function corrupt(origin: Origin, line: Line, why: string): LivetapeError {
  const lineNumber = origin.line === undefined ? undefined : origin.line + line.number;
  const byte = (origin.byte ?? 0) + line.fromByte;
  const where = lineNumber === undefined ? `at byte ${byte}` : `in line ${lineNumber}`;
  const shown = JSON.stringify(line.text.length > 80 ? `${line.text.slice(0, 80)}…` : line.text);
  return new LivetapeError('ARCHIVE_CORRUPT', `playlist, ${where}: ${why}: ${shown}`, { context: { line: lineNumber, byte } });
}

/** A tag's name and value: `#EXTINF` and `4.000,` of `#EXTINF:4.000,`. */
export function splitTag(text: string): { name: string; value: string } {
  const colon = text.indexOf(':');
  return colon < 0 ? { name: text, value: '' } : { name: text.slice(0, colon), value: text.slice(colon + 1) };
}

/** The pairs of a `#livetape` line; undefined for any other line. Fails on what is not a pair and on a key that comes twice. */
export function livetapePairs(text: string, fail: (why: string) => Error): Map<string, string> | undefined {
  if (!text.startsWith('#livetape ')) return undefined;
  const pairs = new Map<string, string>();
  for (const pair of text.slice('#livetape '.length).split(' ')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    if (equals < 1) throw fail(`"${pair.slice(0, 40)}" is not key=value`);
    const key = pair.slice(0, equals);
    if (pairs.has(key)) throw fail(`"${key.slice(0, 40)}" comes twice`);
    pairs.set(key, pair.slice(equals + 1));
  }
  return pairs;
}

/** A decimal integer that a number holds exactly. */
export function parseCount(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
