/**
 * The page of a server that asks for credentials (docs/design/page.md, G9 and G11): signing in and out, what a token opens and what it does not, a download and a link that
 * carry a signed token, and a token that is revoked while it is used.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, expect, it } from 'vitest';
import { axe } from './axe.js';
import { output, PROJECT, temporaryFolder, within } from './lab.js';
import { closeBrowser, openPage, playsOn, seen, STEP_MS } from './pageLab.js';
import { ask } from './players.js';
import { recordPast } from './recordedPast.js';
import { startServer } from './serveLab.js';

afterAll(closeBrowser);

/** Types a token, and asks to be let in. */
async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token', { exact: true }).fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

it('G9, G11: in by a token, out by a button; what is signed opens one window for whoever has it', { timeout: 180_000 }, async () => {
  const root = await temporaryFolder();
  const startMs = await recordPast({ root, code: 'news', parts: [{ kind: 'media', seconds: 60 }] });
  const source = `file:${join(PROJECT, 'assets/demo.ts')}?loop=1`;
  const server = await startServer({
    root,
    yaml: `recorders: 1\nauth: { enabled: true }\nstreams:\n  live: { source: ${source}, dvr: { segment_duration: 1 } }\n  news: { dvr: { enabled: false } }\n`,
  });
  const admin = (await readFile(join(root, '.livetape', 'admin-token'), 'utf8')).trim();
  const asAdmin = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const make = (name: string, streams: readonly string[]): Promise<Record<string, unknown>> =>
    server.json('/api/v1/tokens', asAdmin({ name, scopes: ['api', 'playback'], streams, expires_at: null }));

  const { page, wrong, elsewhere, look } = await openPage(`${server.url}/#/s/live`);
  const refused: string[] = [];
  const credentials: (string | undefined)[] = [];
  page.on('request', (request) => {
    if (/\/live\/\d+\.ts$/.test(new URL(request.url()).pathname)) credentials.push(request.headers()['authorization']);
  });
  page.on('response', (response) => {
    if (response.status() === 401) refused.push(response.url());
  });
  const heading = page.getByRole('heading', { name: 'Sign in' });
  await seen(heading);
  expect(await ask(page, `document.activeElement.getAttribute('name')`)).toBe('token');
  expect(await axe(page)).toEqual([]);
  await look('door-sign-in');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await seen(page.getByText('A token is needed.'));
  await signIn(page, `${admin.slice(0, -4)}AAAA`);
  await seen(page.getByText(/^That token opens nothing: /));
  expect(await page.getByText(/^That token opens nothing: /).textContent()).not.toContain(admin);
  await look('door-refused');

  // To where the address led, and every request of the picture carries what it takes.
  refused.length = 0;
  await signIn(page, admin);
  await playsOn(page);
  expect(credentials.length).toBeGreaterThan(0);
  expect(new Set(credentials)).toEqual(new Set([`Bearer ${admin}`]));
  expect(refused).toEqual([]);
  // Forgotten with the tab, and nowhere in the address.
  expect(await ask(page, '[localStorage.getItem("livetape.token"), location.href]')).toEqual([null, expect.not.stringContaining(admin)]);

  // A clip: the download and the link carry a token of their own.
  const [inMs, outMs] = [startMs + 20_000, startMs + 32_000];
  const marks = `in=${new Date(inMs).toISOString()}&out=${new Date(outMs).toISOString()}`;
  await ask(page, `location.hash = '#/s/news?at=${new Date(inMs).toISOString()}&${marks}'`);
  const clip = page.getByRole('region', { name: 'Clip' });
  const coming = within('the download', page.waitForEvent('download', { timeout: STEP_MS }));
  await clip.getByRole('button', { name: 'Download TS' }).click();
  const download = await coming;
  expect(download.url()).toContain('/t/');
  expect(download.url()).not.toContain(admin);
  const file = join(root, 'clip.ts');
  await within('the file', download.saveAs(file));
  const probed = await output('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', file], STEP_MS);
  // From keyframe to keyframe, two seconds apart.
  expect(Number(probed.stdout)).toBeGreaterThanOrEqual(12 - 0.1);
  expect(Number(probed.stdout)).toBeLessThanOrEqual(12 + 4);

  await clip.getByRole('button', { name: 'Link …' }).click();
  const dialog = page.getByRole('dialog', { name: 'Link to this clip' });
  await dialog.getByRole('button', { name: 'Make the link' }).click();
  const link = await dialog.getByLabel('To watch in a browser').inputValue({ timeout: STEP_MS });
  await look('door-link');
  expect(link).toContain(`${server.url}/#/w/news?token=`);
  expect(link).not.toContain(admin);
  await page.keyboard.press('Escape');
  const guest = await openPage(link);
  await playsOn(guest.page);
  expect(await axe(guest.page)).toEqual([]);
  await guest.look('door-watch');
  expect(await guest.page.getByRole('link', { name: 'System' }).count()).toBe(0);
  expect(guest.wrong).toEqual([]);
  expect(guest.elsewhere).toEqual([]);
  await guest.page.close();

  await page.getByRole('button', { name: /^Sign out/ }).click();
  await seen(heading);
  expect(await ask(page, 'sessionStorage.length')).toBe(0);

  // One stream and no more: what is not opened is not there.
  const panel = await make('panel', ['live']);
  await signIn(page, String(panel['token']));
  await page.getByRole('link', { name: 'Livetape' }).click();
  await seen(page.getByRole('link', { name: 'live', exact: true }));
  const tiles = page
    .getByRole('list', { name: 'Streams' })
    .getByRole('listitem')
    .filter({ has: page.getByRole('heading') });
  expect(await tiles.count()).toBe(1);
  expect(await page.getByRole('link', { name: 'System' }).count()).toBe(0);
  await look('door-one-stream');
  await ask(page, `location.hash = '#/system'`);
  await seen(page.getByText('it takes a token with the scope admin'));
  await ask(page, `location.hash = '#/s/news'`);
  await seen(page.getByRole('heading', { name: 'There is no stream news' }));
  await ask(page, `location.hash = '#/s/live'`);
  await playsOn(page);
  expect(refused).toEqual([]);

  const revoked = await server.get(`/api/v1/tokens/${String(panel['id'])}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${admin}` },
  });
  expect(revoked.status).toBe(204);
  await seen(heading);
  await seen(page.getByText(/^That token opens nothing: /));
  // Said once.
  expect(await page.locator('.toast').count()).toBe(0);
  await look('door-revoked');
  await signIn(page, admin);
  await seen(page.getByRole('link', { name: 'System' }));
  // What was refused was not asked for again and again.
  expect(refused.length).toBeLessThan(20);
  expect(wrong).toEqual([]);
  expect(elsewhere).toEqual([]);
});
