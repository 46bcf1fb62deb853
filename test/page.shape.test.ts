/**
 * The page for those who have a phone, a keyboard alone, or do not see it: nothing is wider than the window, all can be reached and done by keys with the focus in sight,
 * and axe-core finds nothing serious in any view, dark and light.
 */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, aroundEach, expect, it } from 'vitest';
import { axe } from './axe.js';
import { PROJECT, sideBySide, temporaryFolder, waitFor } from './lab.js';
import { closeBrowser, openPage, playsOn, seen, shown } from './pageLab.js';
import { ask } from './players.js';
import { recordPast } from './recordedPast.js';
import { startServer, type TestServer } from './serveLab.js';

afterAll(closeBrowser);
aroundEach(sideBySide);

const LONG_TITLE =
  'A channel whose title is so long that no tile, no head and no dialog has room for all of it, withoutasinglespacebeforeitsend';

/** A live stream, an archive with gaps, and one that has nothing and a long name. */
async function server(yaml = ''): Promise<TestServer & { readonly startMs: number }> {
  const root = await temporaryFolder();
  const startMs = await recordPast({
    root,
    code: 'news',
    parts: [
      { kind: 'media', seconds: 20 },
      { kind: 'silence', seconds: 10 },
      { kind: 'media', seconds: 30 },
    ],
  });
  const source = `file:${join(PROJECT, 'assets/demo.ts')}?loop=1`;
  const streams = `  live: { source: ${source}, dvr: { segment_duration: 1 } }\n  news: { dvr: { enabled: false } }\n  regional/studio-north: { title: "${LONG_TITLE}", dvr: { enabled: false } }\n`;
  return Object.assign(await startServer({ root, yaml: `recorders: 1\n${yaml}streams:\n${streams}` }), { startMs });
}

const clipOf = (startMs: number): string => {
  const at = (ms: number): string => new Date(startMs + ms).toISOString();
  return `#/s/news?at=${at(12_000)}&in=${at(12_000)}&out=${at(40_000)}`;
};

/** Goes to a place of the page. */
const go = (page: Page, fragment: string): Promise<unknown> => ask(page, `location.hash = ${JSON.stringify(fragment)}`);

/** What can be opened, and how to know that it is there. */
const VIEWS: readonly { readonly name: string; open(page: Page, startMs: number): Promise<void> }[] = [
  {
    name: 'wall',
    async open(page) {
      await go(page, '#/');
      await seen(page.getByRole('link', { name: 'news', exact: true }));
      await waitFor('a picture', async () => (await page.locator('.wall-tile canvas').count()) > 0);
    },
  },
  {
    name: 'stream',
    async open(page) {
      await go(page, '#/s/live');
      await playsOn(page, 2);
    },
  },
  {
    name: 'clip',
    async open(page, startMs) {
      await go(page, clipOf(startMs));
      await seen(page.getByText(/The file plays/));
      await seen(page.getByRole('button', { name: /Gap: no signal/ }));
    },
  },
  {
    name: 'long-title',
    async open(page) {
      await go(page, '#/s/regional/studio-north');
      await seen(page.getByRole('heading', { name: /^A channel whose title/ }));
    },
  },
  {
    name: 'system',
    async open(page) {
      await go(page, '#/system');
      await seen(page.getByRole('heading', { name: 'Tokens' }));
      await seen(page.getByText('Free', { exact: true }));
    },
  },
];

/** Dialogs, each over the view that it belongs to. */
const DIALOGS: readonly { readonly name: string; open(page: Page, startMs: number): Promise<void> }[] = [
  {
    name: 'Add a stream',
    async open(page) {
      await go(page, '#/');
      await page.getByRole('button', { name: 'Add stream' }).click();
    },
  },
  {
    name: 'Delete live?',
    async open(page) {
      await go(page, '#/s/live');
      await page.getByRole('button', { name: 'Delete', exact: true }).click();
    },
  },
  {
    name: 'Link to this clip',
    async open(page, startMs) {
      await go(page, clipOf(startMs));
      await page.getByRole('button', { name: 'Link …' }).click();
    },
  },
  {
    name: 'Keep this clip',
    async open(page, startMs) {
      await go(page, clipOf(startMs));
      await page.getByRole('button', { name: 'Keep …' }).click();
    },
  },
  {
    name: 'Make a token',
    async open(page) {
      await go(page, '#/system');
      await page.getByRole('button', { name: 'Make a token' }).click();
    },
  },
];

it.concurrent('nothing is wider than a phone: every view and dialog at 390 and at 360', { timeout: 180_000 }, async () => {
  const { url, startMs } = await server();
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
  const { page, wrong, elsewhere, look } = await openPage(url, phone);
  const tooWide: string[] = [];
  /** The page, and the dialog that is open. */
  const measure = async (name: string): Promise<void> => {
    for (const width of [390, 360]) {
      await page.setViewportSize({ width, height: 844 });
      // A phone's window grows with what is too wide for it.
      const wide = await waitFor(
        'the page to take its width',
        () => ask<number | null>(page, `innerWidth === ${width} ? document.scrollingElement.scrollWidth : null`),
        5000,
      ).catch(() => ask<number>(page, 'innerWidth'));
      const dialog = await ask<number>(
        page,
        `(() => { const d = document.querySelector('dialog[open]'); return d ? d.scrollWidth - d.clientWidth : 0; })()`,
      );
      if (wide > width || dialog > 0) tooWide.push(`${name} at ${width}: ${wide}, dialog ${dialog} too wide`);
      await look(`shape-${name.replace(/\W+/g, '-')}-${width}`);
    }
  };
  for (const { name, open } of VIEWS) {
    await open(page, startMs);
    await measure(name);
  }
  for (const { name, open } of DIALOGS) {
    await open(page, startMs);
    const dialog = page.getByRole('dialog');
    await seen(dialog);
    await measure(name);
    await dialog.getByRole('button', { name: 'Close' }).click();
    await dialog.waitFor({ state: 'hidden' });
  }
  expect(tooWide).toEqual([]);
  // A tap plays what was recorded there.
  await go(page, `#/s/news?at=${new Date(startMs + 2000).toISOString()}&zoom=60`);
  await playsOn(page, 2);
  const line = await page.getByRole('slider', { name: 'Position' }).boundingBox();
  if (!line) throw new Error('there is no timeline');
  const moment = async (): Promise<number> => Date.parse((await page.locator('.player-time time').getAttribute('datetime')) ?? '');
  await page.touchscreen.tap(line.x + line.width * 0.95, line.y + line.height - 15);
  await waitFor('the moment that was tapped', async () => (await moment()) > startMs + 20_000);
  expect(wrong).toEqual([]);
  expect(elsewhere).toEqual([]);
});

/** What has the focus, and whether it is seen to have it. */
interface Focused {
  readonly tag: string;
  readonly name: string;
  readonly isMarked: boolean;
  readonly isInSight: boolean;
  readonly isInDialog: boolean;
}

const focused = (page: Page): Promise<Focused> =>
  ask(
    page,
    `(() => {
      const at = document.activeElement;
      const box = at.getBoundingClientRect();
      // A tile's link marks the whole tile.
      const styles = [getComputedStyle(at), getComputedStyle(at, '::after')];
      return {
        tag: at.tagName,
        name: at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent.trim() ?? at.textContent.trim(),
        isMarked: at.matches(':focus-visible') && styles.some((style) => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0),
        isInSight: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        isInDialog: at.closest('dialog[open]') !== null,
      };
    })()`,
  );

/** Presses Tab until something has the focus; whatever is passed has to show that it has it. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let press = 0; press < 60; press++) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    if (now.tag === 'BODY') continue;
    expect(now, `focus at ${now.tag} ${now.name}`).toMatchObject({ isMarked: true, isInSight: true });
    if (name.test(now.name)) return;
  }
  throw new Error(`60 presses of Tab do not lead to ${name}`);
}

it.concurrent(
  'all by keys: a stream is opened, played, sought, marked, left, with the focus always in sight',
  { timeout: 180_000 },
  async () => {
    const { url, startMs } = await server();
    const { page, wrong, elsewhere, look } = await openPage(url);
    const { keyboard } = page;
    await seen(page.getByRole('link', { name: 'news', exact: true }));
    await tabTo(page, /^live$/);
    await keyboard.press('ArrowRight');
    await waitFor('the next tile', async () => (await focused(page)).name === 'news');
    await keyboard.press('Enter');
    await seen(page.getByRole('heading', { name: 'news' }));
    await playsOn(page, 5);

    // Space presses what has the focus, k plays wherever it is.
    await tabTo(page, /^Pause/);
    await keyboard.press('Space');
    await waitFor('a pause', async () => (await shown(page))?.isPaused === true);
    await keyboard.press('k');
    await waitFor('it to play', async () => (await shown(page))?.isPaused === false);
    await keyboard.press('k');
    await waitFor('a pause', async () => (await shown(page))?.isPaused === true);

    // A date and time, as text.
    await keyboard.press('g');
    await waitFor('the field', async () => (await focused(page)).name === 'Go to a date and time');
    await keyboard.type(new Date(startMs + 8000).toISOString());
    await keyboard.press('Enter');
    const slider = page.getByRole('slider', { name: 'Position' });
    const value = async (): Promise<number> => Number(await slider.getAttribute('aria-valuenow'));
    const moment = async (): Promise<number> => Date.parse((await page.locator('.player-time time').getAttribute('datetime')) ?? '');
    const near = (ms: number): Promise<unknown> =>
      waitFor(`the moment ${ms - startMs} ms from the beginning`, async () => Math.abs((await moment()) - ms) < 1000);
    await near(startMs + 8000);

    // The timeline is a slider: what it says changes with each key.
    await tabTo(page, /^Position$/);
    await look('shape-keys-slider');
    const texts = new Set<string>();
    const says = async (ms: number, key: string): Promise<void> => {
      await keyboard.press(key);
      await near(ms);
      const text = await waitFor('other words', async () => {
        const text = (await slider.getAttribute('aria-valuetext')) ?? '';
        return texts.has(text) ? undefined : text;
      });
      expect(text).toMatch(/\d\d:\d\d:\d\d, (media|gap)/);
      texts.add(text);
    };
    await says(startMs + 18_000, 'ArrowRight');
    await says(startMs + 8000, 'ArrowLeft');
    expect(await value()).toBeGreaterThan(0);
    expect(texts.size).toBe(2);
    // `]`: 3 s before the gap at 20 s.
    await keyboard.press(']');
    await waitFor('shortly before the gap', async () => Math.abs((await moment()) - (startMs + 17_000)) < 2000);

    await keyboard.press('i');
    await keyboard.press('l');
    await waitFor('10 s later', async () => (await moment()) > startMs + 25_000);
    await keyboard.press('o');
    const clip = page.getByRole('region', { name: 'Clip' });
    await seen(clip.getByRole('button', { name: 'Keep …' }));

    // A dialog holds the focus, and gives it back.
    await tabTo(page, /^Keep/);
    await keyboard.press('Enter');
    await seen(page.getByRole('dialog', { name: 'Keep this clip' }));
    for (let press = 0; press < 8; press++) {
      const now = await focused(page);
      // Between the last and the first the browser's own frame has it.
      if (now.tag !== 'BODY') expect(now).toMatchObject({ isInDialog: true, isInSight: true });
      await keyboard.press('Tab');
    }
    await keyboard.press('Escape');
    await waitFor('the focus to be where it was', async () => (await focused(page)).name.startsWith('Keep'));

    // Back to the wall, by the way in the head.
    for (let press = 0; press < 60 && !/^(All streams|Streams)$/.test((await focused(page)).name); press++)
      await keyboard.press('Shift+Tab');
    expect((await focused(page)).isMarked).toBe(true);
    await keyboard.press('Enter');
    await seen(page.getByRole('list', { name: 'Streams' }));
    expect(wrong).toEqual([]);
    expect(elsewhere).toEqual([]);
  },
);

it.concurrent('axe-core finds nothing serious, dark and light', { timeout: 180_000 }, async () => {
  const { url, startMs } = await server();
  const { page, wrong, elsewhere } = await openPage(url);
  const found: string[] = [];
  const judge = async (what: string, of = page): Promise<void> => void found.push(...(await axe(of)).map((line) => `${what}, ${line}`));
  for (const { name, open } of VIEWS) {
    await open(page, startMs);
    await judge(name);
  }
  for (const { name, open } of DIALOGS.slice(0, 3)) {
    await open(page, startMs);
    await seen(page.getByRole('dialog'));
    await judge(name);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  }
  const nothing = await openPage((await startServer({ yaml: 'recorders: 1\n' })).url);
  await seen(nothing.page.getByRole('heading', { name: 'No streams yet' }));
  await judge('empty wall', nothing.page);
  expect(found).toEqual([]);
  expect(wrong).toEqual([]);
  expect(elsewhere).toEqual([]);
});
