/**
 * The past of a stream on its page, in Debian's chromium (docs/design/page.md): an archive with a silence and a restart behind it is rewound on the timeline, played
 * across its gaps, zoomed, listed, and a clip is taken out of it that ffprobe measures. What a picture shows says when it was recorded: its frames are counted.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { output, waitFor, within } from './lab.js';
import { closeBrowser, openPage, playsOn, shown, standStill, tells } from './pageLab.js';
import { ask } from './players.js';
import { recordPast } from './recordedPast.js';
import { startServer, type TestServer } from './serveLab.js';
import { shownFrameMs } from './shownFrame.js';

afterAll(closeBrowser);

/** The whole of it has ended by then; each of its waits has a shorter limit. */
const LIMIT_MS = 180_000;

/** It ended so long ago: what is older than ten minutes is played from windows. */
const AGO_MS = 3 * 3_600_000;

/** Of all that the timeline shows when it shows all there is, so much is before the archive's end (web/src/timeline/view.ts). */
const BEFORE_END = 0.9;

interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Recorded once; the tests take turns. */
let past: { readonly root: string; readonly startMs: number };

/** 100 s of media, 20 s of silence, 60 s, a restart of 15 s, 60 s. */
beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), 'livetape-test-'));
  const startMs = await recordPast({
    root,
    code: 'news',
    endMs: Date.now() - AGO_MS,
    parts: [
      { kind: 'media', seconds: 100 },
      { kind: 'silence', seconds: 20 },
      { kind: 'media', seconds: 60 },
      { kind: 'restart', seconds: 15 },
      { kind: 'media', seconds: 60 },
    ],
  });
  past = { root, startMs };
}, 90_000);
afterAll(() => rm(past.root, { recursive: true, force: true }));

interface Scene {
  readonly server: TestServer;
  readonly endMs: number;
  readonly gaps: readonly [Gap, Gap];
}

async function scene(): Promise<Scene> {
  const server = await startServer({ root: past.root });
  const { dvr_range: range, gaps } = (await server.json('/api/v1/recordings/news')) as {
    dvr_range: { last_segment_at: string };
    gaps: { from: string; to: string; reason: string }[];
  };
  expect(gaps.map(({ reason }) => reason)).toEqual(['signal', 'restart']);
  const [silence, restart] = gaps.map(({ from, to }) => ({ fromMs: Date.parse(from), toMs: Date.parse(to) }));
  if (!silence || !restart) throw new Error('two gaps');
  return { server, endMs: Date.parse(range.last_segment_at), gaps: [silence, restart] };
}

/** How fast four seconds of media are played. */
const SPEED = `(async () => {
  const frame = () => new Promise((resolve) => document.querySelector('video').requestVideoFrameCallback((_now, { mediaTime }) => resolve(mediaTime)));
  const [fromSec, fromMs] = [await frame(), performance.now()];
  for (;;) {
    const sec = await frame();
    if (sec - fromSec > 4) return ((sec - fromSec) * 1000) / (performance.now() - fromMs);
  }
})()`;

const about = (ms: number, meant: number, withinMs = 1000): boolean => Math.abs(ms - meant) <= withinMs;
const addressOf = (page: Page): URLSearchParams => new URLSearchParams(page.url().split('?')[1]);
/** As a field shows it, in UTC. */
const clockOf = (ms: number): string => new Date(ms).toISOString().slice(11, 19);

/** What the timeline shows of time, in seconds: the address says it, a second later at most. */
async function zoomed(page: Page, what: string, isIt: (sec: number) => boolean): Promise<number> {
  // An hour, which is shown at first, is not said.
  return waitFor(what, () => {
    const sec = Number(addressOf(page).get('zoom') ?? 3600);
    return isIt(sec) ? sec : undefined;
  });
}

/** Clicks the timeline where a moment lies when all of the archive is shown. */
async function clickMoment(page: Page, line: Locator, ms: number, endMs: number): Promise<void> {
  await page.getByRole('button', { name: 'Show all there is' }).click();
  const sec = await zoomed(page, 'all of the archive to be shown', (sec) => sec < 600);
  const { width, height } = (await line.boundingBox()) ?? { width: 0, height: 0 };
  const x = width * (BEFORE_END + (ms - endMs) / (sec * 1000));
  await line.click({ position: { x, y: height * 0.8 } });
}

/** Pauses; the moment that is told is that of the picture that is seen, to a second: they run alike, as if the source had never been away. */
async function stillAndRight(page: Page): Promise<number> {
  const still = await standStill(page);
  const seen = past.startMs + (await shownFrameMs(page, still - past.startMs));
  expect(about(seen, still), `told ${still - seen} ms later than it is`).toBe(true);
  return still;
}

/** Goes to a moment by the field, and waits until it is shown. */
async function goTo(page: Page, text: string, ms: number): Promise<void> {
  const field = page.getByLabel('Go to a date and time');
  await field.fill(text);
  await field.press('Enter');
  await tells(page, `what was at ${text} to be shown`, (now) => now >= ms - 100 && now < ms + 5000);
}

it(
  'rewinds on the timeline, crosses gaps, zooms, and tells what happened',
  async () => {
    const { server, endMs, gaps } = await scene();
    const [silence, restart] = gaps;
    const { page, wrong, elsewhere, look } = await openPage(`${server.url}/#/s/news`);
    const line = page.getByRole('slider', { name: 'Position' });

    // Whoever opens what is not recorded any more sees its end.
    await playsOn(page, 1);

    // A click plays from there: 40 s before the silence.
    const target = silence.fromMs - 40_000;
    await clickMoment(page, line, target, endMs);
    await tells(page, 'what was clicked at', (ms) => ms < target + 15_000);
    await playsOn(page);
    const { wallMs, playedSec } = (await shown(page)) ?? { wallMs: NaN, playedSec: NaN };
    // A pixel is a third of a second.
    expect(about(wallMs - playedSec * 1000, target), `${wallMs - playedSec * 1000 - target} ms off`).toBe(true);
    await look('past-1-rewound');

    // The next gap is 3 s away from where its key leads; playing goes on behind it.
    await page.keyboard.press(']');
    await tells(page, 'what was just before the silence', (ms) => ms >= silence.fromMs - 3100 && ms < silence.fromMs);
    await tells(page, 'what was behind the silence', (ms) => ms > silence.toMs);
    await playsOn(page);
    const behind = (await shown(page)) ?? { wallMs: NaN, time: NaN };
    expect(behind.wallMs).toBeLessThan(silence.toMs + 15_000);
    await look('past-2-crossed');
    await page.keyboard.press(']');
    await tells(page, 'what was just before the restart', (ms) => ms >= restart.fromMs - 3100 && ms < restart.fromMs);
    await page.keyboard.press(']');
    await page.getByText('No gap after this.').waitFor();
    await page.keyboard.press('[');
    await tells(page, 'what was just before the silence', (ms) => ms >= silence.fromMs - 3100 && ms < silence.fromMs);

    // Speed.
    await page.getByLabel('Speed').selectOption('2');
    await goTo(page, `${clockOf(restart.toMs + 5000)} UTC`, restart.toMs + 5000);
    const rate = await ask<number>(page, SPEED);
    expect(rate).toBeGreaterThan(1.5);
    expect(rate).toBeLessThan(2.5);
    await page.getByLabel('Speed').selectOption('1');

    // Zoom: buttons, keys, the wheel.
    await page.getByRole('button', { name: 'Show all there is' }).click();
    const whole = await zoomed(page, 'all of it', (sec) => sec > 255 && sec < 300);
    await page.getByRole('button', { name: 'Show less time' }).click();
    await zoomed(page, 'half of it', (sec) => about(sec, whole / 2, 1));
    await page.getByRole('button', { name: 'Show more time' }).click();
    await zoomed(page, 'all of it again', (sec) => about(sec, whole, 1));
    await line.focus();
    await page.keyboard.press('+');
    await page.keyboard.press('+');
    await zoomed(page, 'a quarter of it', (sec) => about(sec, whole / 4, 1));
    await look('past-3-zoomed');
    await page.keyboard.press('-');
    await zoomed(page, 'half of it by keys', (sec) => about(sec, whole / 2, 1));
    await line.hover();
    await page.mouse.wheel(0, -260);
    await zoomed(page, 'a quarter of it by the wheel', (sec) => about(sec, whole / 4, 1));
    await page.mouse.wheel(0, 260);
    await zoomed(page, 'half of it by the wheel', (sec) => about(sec, whole / 2, 1));

    // What the slider says to who does not see it: where, and what is there.
    await goTo(page, `${clockOf(silence.fromMs - 20_000)} UTC`, silence.fromMs - 20_000);
    await waitFor('the slider to say so', async () => /, \d\d:\d\d:\d\d, media$/.test((await line.getAttribute('aria-valuetext')) ?? ''));

    // What happened, the newest first; a click plays from just before it.
    const happened = page.getByRole('region', { name: 'What happened' });
    const items = happened.getByRole('button', { name: /Gap:/ });
    await items.nth(1).waitFor();
    expect(await items.count()).toBe(2);
    expect(await items.nth(0).innerText()).toMatch(/Gap: the recorder was not running\s+1[56] s/);
    expect(await items.nth(1).innerText()).toMatch(/Gap: no signal\s+20 s/);
    await items.nth(0).click();
    await tells(page, 'what was just before the restart', (ms) => ms >= restart.fromMs - 3100 && ms < restart.fromMs);
    await tells(page, 'what was behind the restart', (ms) => ms > restart.toMs);
    await playsOn(page);
    await look('past-4-happened');

    // Times are the viewer's (Berlin's), or UTC.
    const time = page.getByRole('button', { name: /^Shown:/ });
    const still = await stillAndRight(page);
    const local = new Date(still).toLocaleTimeString('en-GB', { timeZone: 'Europe/Berlin' });
    expect(await time.innerText()).toContain(local);
    expect(await time.innerText()).toMatch(/CES?T$/);
    await page.getByRole('button', { name: /^Local/ }).click();
    expect(await time.innerText()).toContain(clockOf(still));
    expect(await time.innerText()).toMatch(/UTC$/);

    expect(wrong).toEqual([]);
    expect(elsewhere).toEqual([]);
  },
  LIMIT_MS,
);

it(
  'marks a clip over a gap, downloads it, keeps it and sends it',
  async () => {
    const { server, gaps } = await scene();
    const [silence] = gaps;
    const { page, wrong, elsewhere, look } = await openPage(`${server.url}/#/s/news?at=${new Date(silence.fromMs - 30_000).toISOString()}`);
    await playsOn(page);

    // In by its key at what stands still, out as it is typed.
    const inMs = await stillAndRight(page);
    await page.keyboard.press('i');
    const clip = page.getByRole('region', { name: 'Clip' });
    await clip.getByText('Mark out where it ends.').waitFor();
    await page.keyboard.press('l');
    await page.keyboard.press('o');
    await clip.getByText('10 s', { exact: true }).waitFor();
    const outMs = silence.toMs + 20_000;
    const ends = clip.getByLabel('Clip ends');
    await ends.fill(`${clockOf(outMs)} UTC`);
    await ends.press('Enter');
    const outSec = Math.floor(outMs / 1000);
    await waitFor('the marks in the address', () => about(Date.parse(addressOf(page).get('out') ?? ''), outSec * 1000, 0));
    expect(about(Date.parse(addressOf(page).get('in') ?? ''), inMs, 100)).toBe(true);

    // What is missing in it, and how long it plays.
    await clip.getByText(/^1, 20(\.\d)? s missing$/).waitFor();
    await clip.getByText(/^The file plays [45]\d s: from keyframe to keyframe, without the gaps\.$/).waitFor();
    await look('past-5-clip');
    const download = page.waitForEvent('download');
    await clip.getByRole('button', { name: 'Download TS' }).click();
    const file = await within('the download to end', (await download).path());
    const [fromMs, toMs] = [Date.parse(addressOf(page).get('in') ?? ''), Date.parse(addressOf(page).get('out') ?? '')];
    const head = await server.get(`/news/archive-${fromMs / 1000}-${(toMs - fromMs) / 1000}.ts`, { method: 'HEAD' });
    const playsSec = Number(head.headers.get('x-content-duration'));
    expect((await stat(file)).size).toBe(Number(head.headers.get('content-length')));
    // Timestamps jump where the silence was: its frames say how long it is.
    const { stdout } = await output('ffprobe', [
      ...['-v', 'error', '-count_packets', '-select_streams', 'v:0', '-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', file],
    ]);
    expect(Number.parseInt(stdout, 10) / 25).toBeCloseTo(playsSec, 1);
    // From keyframe to keyframe, which come every two seconds.
    const gapSec = (silence.toMs - silence.fromMs) / 1000;
    const clipSec = (toMs - fromMs) / 1000 - gapSec;
    expect(playsSec).toBeGreaterThanOrEqual(clipSec);
    expect(playsSec).toBeLessThanOrEqual(clipSec + 4);

    // Kept for good.
    await clip.getByRole('button', { name: 'Keep …' }).click();
    const keep = page.getByRole('dialog', { name: 'Keep this clip' });
    await keep.getByLabel('Name').fill('the-silence');
    await look('past-6-keep');
    await keep.getByRole('button', { name: 'Keep', exact: true }).click();
    await page.getByRole('region', { name: 'Kept for good' }).getByText('the-silence', { exact: true }).waitFor();
    const { keeps } = (await server.json('/api/v1/recordings/news/keeps')) as {
      keeps: { name: string; started_at: string; last_segment_at: string }[];
    };
    expect(keeps.map(({ name }) => name)).toEqual(['the-silence']);
    expect(Date.parse(keeps[0]?.started_at ?? '')).toBeLessThanOrEqual(fromMs);
    expect(Date.parse(keeps[0]?.last_segment_at ?? '')).toBeGreaterThanOrEqual(toMs);

    // Whoever is sent the link sees the same clip.
    await clip.getByRole('button', { name: 'Link …' }).click();
    const link = page.getByRole('dialog', { name: 'Link to this clip' });
    const address = await link.getByLabel('This page, at this clip').inputValue();
    await look('past-7-link');
    await link.getByRole('button', { name: 'Close' }).click();
    const other = await openPage(address);
    await playsOn(other.page);
    const theirs = other.page.getByRole('region', { name: 'Clip' });
    for (const label of ['Clip begins', 'Clip ends']) {
      expect(await theirs.getByLabel(label).inputValue()).toBe(await clip.getByLabel(label).inputValue());
    }
    const { wallMs, playedSec } = (await shown(other.page)) ?? { wallMs: NaN, playedSec: NaN };
    expect(about(wallMs - playedSec * 1000, fromMs), `${wallMs - playedSec * 1000 - fromMs} ms off`).toBe(true);
    await theirs.getByText(/^1, 20(\.\d)? s missing$/).waitFor();
    await other.look('past-8-sent');
    expect(other.wrong).toEqual([]);
    expect(other.elsewhere).toEqual([]);

    expect(wrong).toEqual([]);
    expect(elsewhere).toEqual([]);
  },
  LIMIT_MS,
);
