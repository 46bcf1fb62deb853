/** A first visit to the page, with nothing configured, in Debian's chromium (docs/design/page.md): a stream is added, watched live and rewound, changed, stopped, begun again and deleted. */
import { afterAll, expect, it } from 'vitest';
import { ffmpeg, freeUdpPort, livePictures, waitFor } from './lab.js';
import { closeBrowser, openPage, playsOn, shown, standStill, tells } from './pageLab.js';
import { ask } from './players.js';
import { startServer } from './serveLab.js';

afterAll(closeBrowser);

/** The whole of it has ended by then; each of its waits has a shorter limit. */
const LIMIT_MS = 180_000;

/** How many colours a canvas shows: one that nothing was drawn on has one. */
const COLOURS = `(() => {
  const canvas = document.querySelector('.wall-picture canvas');
  if (!canvas || canvas.hidden || canvas.width === 0) return 0;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
})()`;

it(
  'adds a stream, watches it live, rewinds it, sends a moment, changes, stops, starts and deletes it',
  async () => {
    const port = await freeUdpPort();
    ffmpeg(...livePictures(300, 1), '-f', 'mpegts', `udp://127.0.0.1:${port}?pkt_size=1316`);
    const server = await startServer();
    const { page, wrong, elsewhere, look } = await openPage(server.url);

    // Nothing is there, and it is said what to do.
    await page.getByRole('heading', { name: 'No streams yet' }).waitFor();
    await look('first-1-empty');
    await page.getByRole('button', { name: 'Add stream' }).click();

    // The source is looked at when the field is left (G5).
    const dialog = page.getByRole('dialog', { name: 'Add a stream' });
    await dialog.getByLabel('Source').fill(`udp://127.0.0.1:${port}`);
    await dialog.getByLabel('Title').fill('News');
    const probe = dialog.getByRole('status');
    await probe.getByText('H.264').waitFor();
    const seen = await probe.innerText();
    expect(seen).toContain('320 × 180');
    expect(seen).toContain('25 fps');
    expect(seen).toContain('keyframe every 1 s');
    expect(seen).toContain('AAC');
    expect(seen).toMatch(/^\d+ kbit\/s/);
    expect(await dialog.getByLabel('Code').inputValue()).toBe('news');
    await dialog.getByText('More', { exact: true }).click();
    await dialog.getByLabel('Segment duration (seconds)').fill('1');
    await look('first-2-add');
    await dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await dialog.waitFor({ state: 'hidden' });

    const tile = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'News' }) });
    await tile.getByText('Recording', { exact: true }).waitFor();
    await tile.getByText(/^\d+ kbit\/s$/).waitFor();
    await waitFor('a picture on the tile', async () => (await ask<number>(page, COLOURS)) > 50);
    await look('first-3-wall');

    await tile.getByRole('link', { name: 'News' }).click();
    await page.getByRole('button', { name: 'This is live' }).waitFor();
    await playsOn(page);
    await look('first-4-live');

    // It is changed while it plays.
    await page.getByRole('button', { name: 'Edit' }).click();
    const change = page.getByRole('dialog', { name: 'Change news' });
    expect(await change.getByLabel('Source').inputValue()).toBe(`udp://127.0.0.1:${port}`);
    await change.getByLabel('Title').fill('Evening news');
    await change.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Evening news' }).waitFor();
    await playsOn(page);

    // There have to be ten seconds to go back by.
    const { dvr_range: range } = (await server.json('/api/v1/recordings/news')) as { dvr_range: { started_at: string } };
    const live = await tells(page, 'ten seconds of archive behind what is shown', (ms) => ms > Date.parse(range.started_at) + 11_000);
    await page.getByRole('button', { name: '10 seconds back' }).click();
    await page.getByRole('button', { name: 'Go to live' }).waitFor();
    await playsOn(page);
    const back = await standStill(page);
    // What was played meanwhile is not much.
    expect(back).toBeGreaterThan(live - 10_500);
    expect(back).toBeLessThan(live);

    // The address of a past moment shows it to whoever opens it (G1).
    const told = (): number => Date.parse(new URLSearchParams(page.url().split('?')[1]).get('at') ?? '');
    await waitFor('the address to say the moment', () => Math.abs(told() - back) < 100);
    const other = await openPage(page.url());
    const first = await waitFor('a first frame', async () => {
      const now = await shown(other.page);
      return now !== null && now.playedSec > 0 && !Number.isNaN(now.wallMs) ? now : undefined;
    });
    // It plays on from there.
    expect(Math.abs(first.wallMs - first.playedSec * 1000 - back), JSON.stringify(first)).toBeLessThan(1000);
    await playsOn(other.page);
    expect(other.wrong).toEqual([]);
    expect(other.elsewhere).toEqual([]);
    await other.page.close();
    await look('first-5-past');

    await page.getByRole('button', { name: 'Go to live' }).click();
    await page.getByRole('button', { name: 'This is live' }).waitFor();
    await tells(page, 'what is shown to be live', (ms) => ms > live);
    await playsOn(page);
    expect(told()).toBeNaN();

    await page.getByRole('button', { name: 'Stop recording' }).click();
    const stop = page.getByRole('dialog', { name: 'Stop recording news?' });
    await look('first-6-stop');
    await stop.getByRole('button', { name: 'Stop recording' }).click();
    await page.getByText('Stopped', { exact: true }).waitFor();
    expect((await server.json('/api/v1/recordings/news'))['status']).toBe('stopped');
    await look('first-7-stopped');
    await page.getByRole('button', { name: 'Start recording' }).click();
    await page.getByText('Recording', { exact: true }).waitFor();

    // Its archive stays unless that is wished otherwise, and how much that is is said.
    await page.getByRole('button', { name: 'Delete' }).click();
    const remove = page.getByRole('dialog', { name: 'Delete news?' });
    const held = /^Delete its archive, too: (\d+ s|\d+ min.*), [\d.]+ [kM]B$/;
    expect(await remove.getByRole('checkbox', { name: held }).isChecked()).toBe(false);
    await remove.getByText(/^The archive stays on the disk/).waitFor();
    await look('first-8-delete');
    await remove.getByRole('button', { name: 'Delete the stream' }).click();
    const rest = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'news' }) });
    await rest.getByText('Archive', { exact: true }).waitFor();
    await look('first-9-archive');
    const { status } = (await server.json('/api/v1/streams/news')) as { status: { configured: boolean } };
    expect(status.configured).toBe(false);

    // The archive goes by itself, and then there is nothing, as there was.
    await rest.getByRole('button', { name: 'Actions for news' }).click();
    await page.getByRole('menuitem', { name: /^Delete/ }).click();
    const media = page.getByRole('dialog', { name: 'Delete the archive of news?' });
    await media.getByText(/^The media goes for good: (\d+ s|\d+ min.*), [\d.]+ [kM]B\./).waitFor();
    await look('first-10-media');
    await media.getByRole('button', { name: 'Delete the archive' }).click();
    await page.getByRole('heading', { name: 'No streams yet' }).waitFor();
    expect((await server.get('/api/v1/recordings/news')).status).toBe(404);

    expect(wrong).toEqual([]);
    expect(elsewhere).toEqual([]);
  },
  LIMIT_MS,
);
