/**
 * What the page does when what it shows goes wrong: a signal that is lost and comes back, a server that ends and comes back, a recording that cannot be stored. Nobody
 * has to touch anything: it says what is wrong for as long as it is, and plays on by itself (docs/design/page.md, G4, G6, G7, G9).
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, aroundEach, expect, it } from 'vitest';
import { ffmpeg, freeUdpPort, livePictures, playlistOf, segmentsIn, sideBySide, temporaryFolder, waitFor, type Running } from './lab.js';
import { closeBrowser, openPage, playsOn, seen, shown } from './pageLab.js';
import { ask } from './players.js';
import { startServer, type TestServer } from './serveLab.js';

afterAll(closeBrowser);
// Most of what they do is wait.
aroundEach(sideBySide);

/** A stream that is sent for as long as the test may take. */
const send = (port: number): Running => ffmpeg(...livePictures(300, 1), '-f', 'mpegts', `udp://127.0.0.1:${port}?pkt_size=1316`);

/** So much is recorded that a player begins. */
async function recorded(server: TestServer, code: string): Promise<void> {
  await waitFor('segments to play', async () => segmentsIn(await playlistOf(join(server.root, code))) >= 4, 60_000);
}

/** Sets a mark that a document which is loaded anew does not have. */
const mark = (page: Page): Promise<unknown> => ask(page, `window.isTheSame = true`);
const isMarked = (page: Page): Promise<boolean> => ask(page, `window.isTheSame === true`);

/** What the timeline says of the place that is pointed at, which is looked for from its end. */
async function pointedAt(page: Page, what: RegExp): Promise<string> {
  const box = await page.getByRole('slider', { name: 'Position' }).boundingBox();
  if (!box) throw new Error('there is no timeline');
  let back = 0;
  const found = await waitFor(`${what} on the timeline`, async () => {
    back = (back + 3) % (box.width / 2);
    await page.mouse.move(box.x + box.width - 1 - back, box.y + box.height - 20);
    return (await page.locator('.bubble-line').allTextContents()).find((line) => what.test(line));
  });
  await page.mouse.move(0, 0);
  return found;
}

it.concurrent(
  'G6, G7, G9: a signal that is lost while watched, and comes back; a recording that fails beside it',
  { timeout: 180_000 },
  async () => {
    const root = await temporaryFolder();
    const port = await freeUdpPort();
    const yaml = `recorders: 1\nstreams:\n  news: { source: "udp://127.0.0.1:${port}", dvr: { segment_duration: 1 } }\n  vault: { source: "udp://127.0.0.1:${await freeUdpPort()}" }\n`;
    // Where the folder of a stream should be there is a file.
    await writeFile(join(root, 'vault'), 'no folder\n');
    const server = await startServer({ root, yaml });
    const first = send(port);
    await recorded(server, 'news');
    const { page, wrong, elsewhere, look } = await openPage(`${server.url}/#/s/news`);
    await mark(page);
    await playsOn(page);
    const head = page.locator('.stream-head');
    await seen(head.getByText('Recording', { exact: true }));

    await first.stop('SIGKILL');
    await seen(head.getByText('No signal', { exact: true }));
    await seen(head.getByText(/^since \d\d:\d\d:\d\d/));
    // What was held has been played: then it stands still, and says why over the picture.
    await seen(page.locator('.stream-picture').getByText(/^No signal since \d\d:\d\d:\d\d/));
    const happened = page.getByRole('region', { name: 'What happened' });
    const gap = happened.getByRole('button', { name: /Gap: no signal/ });
    await seen(gap.getByText(/ so far$/));
    expect(await gap.count()).toBe(1);
    expect(await pointedAt(page, /so far/)).toMatch(/^gap: no signal, .* so far, from \d\d:\d\d:\d\d$/);
    await look('faults-no-signal');
    const stoodAt = (await shown(page))?.frames ?? 0;

    const second = send(port);
    await waitFor(
      'the gap to be closed, with its length',
      async () => /no signal\s*(\d+ min )?[\d.]+ s$/.test((await gap.textContent()) ?? ''),
      60_000,
    );
    expect(await gap.count()).toBe(1);
    await seen(head.getByText('Recording', { exact: true }));
    expect(await pointedAt(page, /^gap:/)).toMatch(/^gap: no signal, (\d+ min )?[\d.]+ s, from \d\d:\d\d:\d\d$/);
    await waitFor('the picture to go on', async () => ((await shown(page))?.frames ?? 0) > stoodAt + 25, 60_000);
    await waitFor('what stood over the picture to be gone', async () => (await page.locator('.stream-picture .over').count()) === 0);
    await look('faults-signal-back');

    await page.getByRole('link', { name: 'Streams', exact: true }).click();
    const tile = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: 'vault' }) });
    await seen(tile.getByText('Failed', { exact: true }));
    await look('faults-failed-tile');
    await tile.getByRole('link', { name: 'vault' }).click();
    await seen(page.locator('.stream-head').getByText('Failed', { exact: true }));
    const why = await page.locator('.stream-facts').textContent();
    expect(why).toMatch(/folder|directory|file/i);
    expect(why).not.toContain(root);
    await look('faults-failed');
    expect(await isMarked(page)).toBe(true);
    expect(wrong).toEqual([]);
    expect(elsewhere).toEqual([]);
    await second.stop('SIGKILL');
  },
);

it.concurrent(
  'G4, G7: a server that ends, and one that is killed, while it is watched: the page says so, and goes on by itself when it is back',
  { timeout: 180_000 },
  async () => {
    const root = await temporaryFolder();
    const port = await freeUdpPort();
    const yaml = `recorders: 1\nstreams:\n  news: { source: "udp://127.0.0.1:${port}", dvr: { segment_duration: 1 } }\n`;
    const first = await startServer({ root, yaml });
    const sender = send(port);
    await recorded(first, 'news');
    const { page, wrong, elsewhere, look } = await openPage(`${first.url}/#/s/news`);
    await mark(page);
    await playsOn(page);
    const banner = page.getByRole('alert').getByText(/The server does not answer/);
    expect(await banner.count()).toBe(0);
    const again = (): Promise<TestServer> => startServer({ root, args: ['--listen', new URL(first.url).host] });
    /** It is said; then the server is there again, and all is well without a hand. */
    const comesBack = async (): Promise<TestServer> => {
      await seen(banner);
      await look('faults-server-away');
      const server = await again();
      expect(server.url).toBe(first.url);
      await banner.waitFor({ state: 'hidden' });
      const { frames = 0 } = (await shown(page)) ?? {};
      const lives = page.getByRole('button', { name: 'This is live' });
      await waitFor('the picture to go on', async () => ((await shown(page))?.frames ?? 0) > frames + 50, 60_000);
      await seen(lives);
      await seen(page.locator('.stream-head').getByText('Recording', { exact: true }));
      return server;
    };

    expect(await first.running.stop('SIGTERM')).toBe(0);
    const second = await comesBack();
    // What was not recorded meanwhile is a gap, which the page learned of without being asked to.
    const gap = page.getByRole('region', { name: 'What happened' }).getByRole('button', { name: /Gap: the recorder was not running/ });
    await seen(gap);
    expect(await gap.count()).toBe(1);

    // Its recorders go on without it (and hold what it printed into): nothing is missing.
    second.running.child.kill('SIGKILL');
    await waitFor('the server to be gone', () => second.running.child.signalCode === 'SIGKILL');
    const third = await comesBack();
    expect(await gap.count()).toBe(1);
    const { gaps } = (await third.json('/api/v1/recordings/news')) as { gaps: unknown[] };
    expect(gaps).toHaveLength(1);
    expect(await isMarked(page)).toBe(true);
    expect(wrong).toEqual([]);
    expect(elsewhere).toEqual([]);
    await sender.stop('SIGKILL');
  },
);
