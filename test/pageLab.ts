/** The page in Debian's chromium, before a server of the test's own: what it shows is asked by role and name, as whoever cannot see it would. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';
import { waitFor, whenOver, within } from './lab.js';
import { ask } from './players.js';

/** What the page does by itself has been done by then; a click has been taken by then. */
export const STEP_MS = 30_000;

/** With it set, every view that a test opens is also written there as a picture: `LIVETAPE_LOOK=/tmp/look npx vitest run test/page.first.test.ts`. */
const LOOK = process.env['LIVETAPE_LOOK'];

/** A page, and what went wrong in it. */
export interface OpenPage {
  readonly page: Page;
  /** What the console said is wrong, exceptions, and what the policy kept out; not what the server refused, which has a code of its own. */
  readonly wrong: readonly string[];
  /** Requests that left for another host. */
  readonly elsewhere: readonly string[];
  /** Writes what is seen to a file, when pictures are asked for. */
  look(name: string): Promise<void>;
}

let browser: Promise<Browser> | undefined;

/** One browser for the tests of a file, ended with the last of them. */
function launch(): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
      ...['--disable-sync', '--autoplay-policy=no-user-gesture-required'],
    ],
  });
  return browser;
}

/** Ends the browser: `afterAll(closeBrowser)`. */
export async function closeBrowser(): Promise<void> {
  const open = browser;
  browser = undefined;
  if (open) await within('chromium to close', (await open).close(), 25_000);
}

/** Opens an address of the page in a browser that knows nothing yet. */
export async function openPage(url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await within(
    'a window',
    (await launch()).newContext({
      viewport: { width: 1280, height: 800 },
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      colorScheme: 'dark',
      ...options,
    }),
  );
  whenOver(() => within('the window to close', context.close(), 25_000));
  context.setDefaultTimeout(STEP_MS);
  const page = await context.newPage();
  const [wrong, elsewhere]: [string[], string[]] = [[], []];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => {
    // A request that failed is told here, too; what the page makes of it is what is tested.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) wrong.push(message.text());
  });
  const { host } = new URL(url);
  page.on('request', (request) => {
    const asked = new URL(request.url());
    if (asked.protocol.startsWith('http') && asked.host !== host) elsewhere.push(request.url());
  });
  await page.goto(url, { timeout: STEP_MS });
  return {
    page,
    wrong,
    elsewhere,
    async look(name) {
      if (LOOK === undefined) return;
      await mkdir(LOOK, { recursive: true });
      await page.screenshot({ path: join(LOOK, `${name}.png`) });
    },
  };
}

/** What the video of a stream's page does. */
export interface Shown {
  readonly time: number;
  readonly frames: number;
  readonly width: number;
  readonly isPaused: boolean;
  /** How much before what is shown was played without a leap; seconds. */
  readonly playedSec: number;
  /** When that was, as the page tells it; UTC milliseconds, NaN while it tells nothing. */
  readonly wallMs: number;
}

/** Undefined where there is no video. */
export function shown(page: Page): Promise<Shown | null> {
  return ask(
    page,
    `(() => {
      const video = document.querySelector('.stream-picture video, .watch video');
      const ranges = Array.from({ length: video?.played.length ?? 0 }, (_, i) => [video.played.start(i), video.played.end(i)]);
      const [from = video?.currentTime] = ranges.find(([from, to]) => from <= video.currentTime && video.currentTime <= to) ?? [];
      const playedSec = video && video.currentTime - from;
      const wallMs = Date.parse(document.querySelector('.player-moment time')?.dateTime);
      return video && { time: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames, width: video.videoWidth, isPaused: video.paused, playedSec, wallMs };
    })()`,
  );
}

/** Waits until the moment that the page tells of is one that is meant. Answers with it. */
export function tells(page: Page, what: string, isIt: (wallMs: number) => boolean): Promise<number> {
  return waitFor(what, async () => {
    const ms = (await shown(page))?.wallMs;
    return ms !== undefined && isIt(ms) ? ms : undefined;
  });
}

/** Pauses, and answers with when the frame was that stands still. */
export async function standStill(page: Page): Promise<number> {
  await page.getByRole('button', { name: 'Pause' }).click();
  let before = NaN;
  // A frame that was on its way may be told of yet.
  return waitFor('the picture to stand still', async () => {
    const now = await shown(page);
    const isStill = now?.isPaused === true && now.wallMs === before;
    before = now?.wallMs ?? NaN;
    return isStill ? before : undefined;
  });
}

/** Waits until so many more frames were shown. */
export async function playsOn(page: Page, frames = 25): Promise<void> {
  const before = await waitFor('a first frame', async () => {
    const frames = (await shown(page))?.frames ?? 0;
    return frames > 0 ? frames : undefined;
  });
  await waitFor(`${frames} more frames`, async () => ((await shown(page))?.frames ?? 0) >= before + frames);
}

/** Waits until something is there to be seen. */
export function seen(what: Locator, timeoutMs = STEP_MS): Promise<void> {
  return what.waitFor({ state: 'visible', timeout: timeoutMs });
}
