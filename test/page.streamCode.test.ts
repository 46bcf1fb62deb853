/** The page says while it is typed what may be a stream's code (web/src/dialogs/streamCode.ts): by the same rules as the server, which are compared here (docs/design/page.md, G5). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkStreamCode, streamCodesConflict } from '../src/model/index.js';
import { codeProblem, codesConflict } from '../web/src/dialogs/streamCode.js';

const isCode = (text: string): boolean => {
  try {
    checkStreamCode(text);
    return true;
  } catch {
    return false;
  }
};
const word = fc.oneof(
  fc.constantFrom('api', 'API', 't', 'docs', 'assets', 'con', 'Lpt1', '.', '..', '', 'news', 'x'.repeat(64), 'x'.repeat(65)),
  fc.stringMatching(/^[A-Za-z0-9_-]{0,70}$/),
  fc.string({ maxLength: 5 }),
);
const text = fc.array(word, { maxLength: 6 }).map((words) => words.join('/'));

describe('G5: the page and the server agree on codes', () => {
  it('on what is one', () => {
    let good = 0;
    fc.assert(
      fc.property(text, (code) => {
        if (isCode(code)) good += 1;
        expect(codeProblem(code) === undefined).toBe(isCode(code));
      }),
      { numRuns: 2000 },
    );
    expect(good).toBeGreaterThan(100);
  });

  it('on which cannot be beside each other', () => {
    const short = fc.array(fc.constantFrom('a', 'A', 'b', 'ab'), { minLength: 1, maxLength: 3 }).map((words) => words.join('/'));
    fc.assert(fc.property(short, short, (a, b) => codesConflict(a, b) === streamCodesConflict(a, b)));
  });
});
