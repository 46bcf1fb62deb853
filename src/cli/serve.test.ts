import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isPageThere } from './serve.js';

it('knows whether the page was built (G3)', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'livetape-page-'));
  try {
    expect([isPageThere(folder), isPageThere(join(folder, 'web'))]).toEqual([false, false]);
    await writeFile(join(folder, 'index.html'), '<!doctype html>');
    expect(isPageThere(folder)).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});
