/**
 * A wall of 500 streams (docs/design/page.md, G4): as smooth as one of five, since of its tiles only those are there that are seen and a few around, and of their
 * pictures a few are asked for at a time.
 */
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request } from 'playwright-core';
import { afterAll, expect, it } from 'vitest';
import { temporaryFolder, waitFor } from './lab.js';
import { closeBrowser, openPage, seen } from './pageLab.js';
import { ask } from './players.js';
import { recordPast } from './recordedPast.js';
import { startServer } from './serveLab.js';

afterAll(closeBrowser);

const STREAMS = 500;
/** Of those, these have an archive, and pictures. */
const WITH_ARCHIVE = 10;
/** A smoke alarm, on a machine that does other things beside; 50 ms is where the browser begins to count. */
const LONGEST_TASK_MS = 300;

it('G4: 500 streams are there, are found, and scroll without a stop', { timeout: 120_000 }, async () => {
  const root = await temporaryFolder();
  const codes = Array.from({ length: STREAMS }, (_, at) => `ch-${String(at).padStart(3, '0')}`);
  const [first = '', ...others] = codes;
  await recordPast({ root, code: first, parts: [{ kind: 'media', seconds: 12 }] });
  // An archive is its folder.
  for (const code of others.slice(0, WITH_ARCHIVE - 1)) await cp(join(root, first), join(root, code), { recursive: true });
  const line = (code: string, at: number): string =>
    `  ${code}: { title: "Channel ${at}${at === 321 ? ' Wanted' : ''}", dvr: { enabled: ${at >= STREAMS - 20} } }\n`;
  await writeFile(join(root, 'livetape.yaml'), `recorders: 1\nstreams:\n${codes.map(line).join('')}`);
  const server = await startServer({ root });
  const { page, wrong, elsewhere, look } = await openPage(server.url);
  const asking = new Set<Request>();
  let [most, pictures] = [0, 0];
  page.on('request', (request) => {
    if (!request.url().endsWith('-preview.mp4')) return;
    asking.add(request);
    pictures += 1;
    most = Math.max(most, asking.size);
  });
  page.on('requestfinished', (request) => asking.delete(request));
  page.on('requestfailed', (request) => asking.delete(request));
  await page.reload();

  await seen(page.getByRole('button', { name: /^All\s*500$/ }));
  const grid = page.getByRole('list', { name: 'Streams' });
  const tiles = (): Promise<number> => grid.locator('[data-index]').count();
  await waitFor('pictures of those that have an archive', () => pictures >= WITH_ARCHIVE);
  await look('many');
  await ask(
    page,
    `(() => {
      window.tasks = [];
      window.mostTiles = 0;
      new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask' });
      new MutationObserver(() => (window.mostTiles = Math.max(window.mostTiles, document.querySelectorAll('[data-index]').length)))
        .observe(document.querySelector('ul[aria-label="Streams"]'), { childList: true });
    })()`,
  );

  // By the wheel to the end: each tile is there when it is come to.
  const box = await grid.boundingBox();
  if (!box) throw new Error('there is no grid');
  await page.mouse.move(640, 500);
  await waitFor('the end, by the wheel', async () => {
    await page.mouse.wheel(0, 1500);
    return page.getByRole('link', { name: 'Channel 499' }).isVisible();
  });
  await look('many-end');
  expect(await tiles()).toBeLessThan(100);
  await waitFor('the top, by the wheel', async () => {
    await page.mouse.wheel(0, -6000);
    return page.getByRole('link', { name: 'Channel 0', exact: true }).isVisible();
  });

  // By keys: End from a tile leads to the last one, which then has the focus; Home back.
  await page.getByRole('link', { name: 'Channel 0', exact: true }).focus();
  const focused = (name: string): Promise<unknown> =>
    waitFor(`${name} to have the focus`, async () => (await ask<string>(page, `document.activeElement.textContent`)) === name);
  await page.keyboard.press('End');
  await focused('Channel 499');
  await seen(page.getByRole('link', { name: 'Channel 499' }));
  await page.keyboard.press('ArrowLeft');
  await focused('Channel 498');
  await page.keyboard.press('Home');
  await focused('Channel 0');
  const { tasks, mostTiles } = await ask<{ tasks: number[]; mostTiles: number }>(
    page,
    `({ tasks: window.tasks, mostTiles: window.mostTiles })`,
  );
  const longest = Math.round(Math.max(0, ...tasks));
  expect(mostTiles).toBeGreaterThan(0);
  expect(mostTiles).toBeLessThan(100);
  expect(longest).toBeLessThanOrEqual(LONGEST_TASK_MS);
  expect(most).toBeLessThanOrEqual(6);

  // Found by what it is called, by its code, and by how it does.
  const search = page.getByRole('searchbox', { name: 'Search by title, code or source' });
  await search.fill('wanted');
  await seen(page.getByRole('link', { name: 'Channel 321 Wanted' }));
  await waitFor('one to be found', async () => (await tiles()) === 1);
  await search.fill('ch-0');
  await seen(page.getByRole('status').getByText('100 streams found'));
  await search.fill('nothing of the kind');
  await seen(page.getByText('No stream is found.'));
  await page.getByRole('button', { name: 'Show all' }).click();
  await page.getByRole('button', { name: /^No signal\s*20$/ }).click();
  await waitFor('twenty to be shown', async () => (await tiles()) === 20);
  await seen(page.getByRole('link', { name: 'Channel 480' }));
  await page.getByRole('button', { name: /^All\s*500$/ }).click();
  await seen(page.getByRole('link', { name: 'Channel 0', exact: true }));
  expect(wrong).toEqual([]);
  expect(elsewhere).toEqual([]);
});
