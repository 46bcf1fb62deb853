/** What axe-core, the checker of accessibility, finds wrong with a page as it is now. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { PROJECT, within } from './lab.js';
import { ask } from './players.js';

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** So many rules are kept by anything that is more than an empty page. */
const LEAST_KEPT = 10;

/** What is seriously or critically wrong, in dark and in light: a line for each rule, with what breaks it. */
export async function axe(page: Page): Promise<string[]> {
  const lines: string[] = [];
  for (const colorScheme of ['dark', 'light'] as const) {
    await within('the colours to change', page.emulateMedia({ colorScheme }));
    // By the debugger, which the page's policy does not bind.
    await ask(page, `${await readFile(join(PROJECT, 'node_modules/axe-core/axe.min.js'), 'utf8')}; undefined`);
    const { violations, kept } = await ask<{ violations: Violation[]; kept: number }>(
      page,
      `axe.run(document, { resultTypes: ['violations'] }).then(({ violations, passes }) => ({ violations, kept: passes.length }))`,
    );
    if (kept < LEAST_KEPT) throw new Error(`there is hardly a page: it keeps ${kept} rules`);
    for (const { id, impact, help, nodes } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue;
      lines.push(
        `${colorScheme}, ${id}: ${help}: ${nodes.map(({ html, failureSummary = '' }) => `${html} ${failureSummary}`).join(' | ')}`,
      );
    }
  }
  return lines;
}
