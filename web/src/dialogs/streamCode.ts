/**
 * What may be a stream's code, said while it is typed: the rules of src/model/streamCode.ts, which the server holds to (test/page.streamCode.test.ts compares
 * the two). Pure.
 */

const MAX_WORD = 64;
const MAX_CODE = 255;
const RESERVED_FIRST_WORDS = new Set(['api', 't', 'docs', 'metrics', 'healthz', 'readyz', 'assets']);
const WINDOWS_DEVICES = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])$/i;

/** What is wrong with a code; undefined when it is one. */
export function codeProblem(code: string): string | undefined {
  if (code === '') return 'A code is needed.';
  if (code.length > MAX_CODE) return `It is longer than ${MAX_CODE} characters.`;
  const words = code.split('/');
  for (const word of words) {
    if (word === '') return 'There is a word missing before or after a “/”.';
    if (!/^[A-Za-z0-9_-]+$/.test(word)) return 'Letters, digits, “_” and “-” only, and “/” between words.';
    if (word.length > MAX_WORD) return `A word is longer than ${MAX_WORD} characters.`;
    if (WINDOWS_DEVICES.test(word)) return `“${word}” is the name of a device on Windows: no stream can be called so.`;
  }
  const [first = ''] = words;
  if (RESERVED_FIRST_WORDS.has(first.toLowerCase())) return `“${first}” is a name of the server’s own.`;
  return undefined;
}

/** Whether two different codes cannot both be: one is the beginning of the other (`a`, `a/b`), or they differ in case alone. */
export function codesConflict(a: string, b: string): boolean {
  if (a === b) return false;
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  return x === y || x.startsWith(`${y}/`) || y.startsWith(`${x}/`);
}

/** Which of the codes that are there keeps another from being, other than by being the same. */
export const conflictOf = (code: string, present: readonly string[]): string | undefined =>
  present.find((other) => codesConflict(code, other));

/** A code made of words for people, or of a source: `The News, HD` is `the-news-hd`; empty where nothing is left of it. */
export function suggestCode(title: string, source: string, present: readonly string[]): string {
  const base = wordsOf(title) || wordsOf(nameOfSource(source));
  if (base === '') return '';
  // Each that is there stands in the way of one, a name of the server's own of the first.
  for (let n = 1; ; n += 1) {
    const code = n === 1 ? base : `${base}-${n}`;
    if (codeProblem(code) === undefined && !present.includes(code) && conflictOf(code, present) === undefined) return code;
  }
}

function wordsOf(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48)
    .replace(/-+$/, '');
}

/** What of a source tells one from another: the last word of a path that is no mere file name, else host and port. */
function nameOfSource(source: string): string {
  const found = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#]*)([^?#]*)/i.exec(source.trim());
  if (found === null) return '';
  const words = (found[2] ?? '')
    .split('/')
    .map((word) => word.replace(/\.[a-z0-9]{2,4}$/i, ''))
    .filter((word) => /[a-z]/i.test(word) && !/^(index|playlist|stream|live|manifest|t)$/i.test(word));
  return words.at(-1) ?? found[1] ?? '';
}
