/** docs/reference/errors.md and the list in src/base/errors.ts say the same, in both directions. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ERROR_CODES } from '../src/base/index.js';

const text = readFileSync(join(import.meta.dirname, '../docs/reference/errors.md'), 'utf8');
/** The first column of every table: code and meaning. */
const rows = [...text.matchAll(/^\| `([A-Z0-9_]+)` \| ([^|]*) \|/gm)].map(([, code = '', meaning = '']) => ({
  code,
  meaning: meaning.trim(),
}));

it('every code is documented once, in the order of the code', () => {
  expect(rows.map(({ code }) => code)).toEqual([...ERROR_CODES]);
});

it('every code has a meaning', () => {
  expect(rows.filter(({ meaning }) => meaning.length < 10)).toEqual([]);
});
