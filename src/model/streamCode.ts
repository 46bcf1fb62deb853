/**
 * A stream's name: words of `[A-Za-z0-9_-]`, joined by `/`. It is also the path of the stream's folder and
 * of its URLs, on every operating system, so what could mean something else there is refused.
 */
import { LivetapeError } from '../base/index.js';

/** A checked stream code. */
export type StreamCode = string;

const MAX_WORD = 64;
const MAX_CODE = 255;
/** First words that are routes of the server and so cannot be streams. */
const RESERVED_FIRST_WORDS = new Set(['api', 't', 'docs', 'metrics', 'healthz', 'readyz', 'assets']);
/** Names that Windows gives to devices. */
const WINDOWS_DEVICES = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])$/i;

/**
 * The code, when it is one.
 * @throws LivetapeError STREAM_CODE_INVALID, saying what is wrong with it
 */
export function checkStreamCode(code: unknown): StreamCode {
  if (typeof code !== 'string') throw invalid(String(code), 'it is not a string');
  if (code === '') throw invalid(code, 'it is empty');
  if (code.length > MAX_CODE) throw invalid(code, `it is longer than ${MAX_CODE} characters`);
  const words = code.split('/');
  for (const word of words) {
    if (word === '') throw invalid(code, 'it has an empty word');
    // The rule below would say it too, less clearly.
    if (word === '.' || word === '..') throw invalid(code, `"${word}" is not a word`);
    if (word.length > MAX_WORD) throw invalid(code, `a word is longer than ${MAX_WORD} characters`);
    if (!/^[A-Za-z0-9_-]+$/.test(word)) throw invalid(code, 'words hold letters, digits, "_" and "-" only');
    if (WINDOWS_DEVICES.test(word)) throw invalid(code, `"${word}" is the name of a device on Windows`);
  }
  if (RESERVED_FIRST_WORDS.has((words[0] ?? '').toLowerCase())) {
    throw invalid(code, `"${words[0]}" is a name of the server's own`);
  }
  return code;
}

/**
 * Whether two different codes cannot both be: one is the beginning of the other (`a`, `a/b`), or they differ
 * in case alone (on many file systems they are one folder).
 */
export function streamCodesConflict(a: StreamCode, b: StreamCode): boolean {
  if (a === b) return false;
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  return x === y || x.startsWith(`${y}/`) || y.startsWith(`${x}/`);
}

function invalid(code: string, why: string): LivetapeError {
  const shown = JSON.stringify(code.length > 80 ? `${code.slice(0, 80)}…` : code);
  return new LivetapeError('STREAM_CODE_INVALID', `stream code ${shown}: ${why}`, { context: { code: shown } });
}
