/** Debian's chromium with hls.js plays what was recorded, from a static file server, seeks and discontinuities included. */
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLivetape } from '../src/index.js';
import {
  ffmpeg,
  freeUdpPort,
  livePictures,
  playlistOf,
  PROJECT,
  segmentsIn,
  serveFolder,
  temporaryFolder,
  waitFor,
  within,
} from './lab.js';
import { ask } from './players.js';

/** A whole test has ended by then; each of its waits has a shorter limit. */
const LIMIT_MS = 240_000;

const PAGE = `<!doctype html><body style="margin:0"><video id=v muted width=640></video><script src="/hls.js"></script><script>
const errors = []; const v = document.getElementById('v'); const hls = new Hls({ enableWorker: false });
hls.on(Hls.Events.ERROR, (_e, d) => errors.push((d.fatal ? 'fatal ' : '') + d.details));
hls.loadSource(new URLSearchParams(location.search).get('src')); hls.attachMedia(v);
hls.on(Hls.Events.MANIFEST_PARSED, () => v.play());
</script>`;

async function openPage(base: string, source: string): Promise<Page> {
  const browser = await chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
  onTestFinished(() => within('chromium to close', browser.close(), 25_000));
  const page = await within('a page', browser.newPage({ viewport: { width: 640, height: 360 } }));
  await page.goto(`${base}/play.html?src=${encodeURIComponent(source)}`);
  return page;
}

interface Player {
  time: number;
  duration: number;
  width: number;
  frames: number;
  errors: string[];
}

const look = (page: Page): Promise<Player> =>
  ask(
    page,
    `({ time: v.currentTime, duration: v.duration, width: v.videoWidth, frames: v.getVideoPlaybackQuality().totalVideoFrames, errors })`,
  );

async function playerFiles(root: string): Promise<void> {
  await writeFile(join(root, 'play.html'), PAGE);
  await copyFile(join(PROJECT, 'node_modules/hls.js/dist/hls.min.js'), join(root, 'hls.js'));
}

describe('chromium with hls.js', () => {
  it('plays a recording with a discontinuity through, and seeks in it', { timeout: LIMIT_MS }, async () => {
    const root = await temporaryFolder();
    const folder = join(root, 'news');
    await playerFiles(root);
    const port = await freeUdpPort();
    const livetape = await createLivetape({ root });
    livetape.connect(`udp://127.0.0.1:${port}`, 'news');
    await livetape.dvr.startRecording('news', '', { enabled: true, segmentDuration: 2, retentionSec: 0, maxSizeGb: 0, storagePath: '' });
    for (const round of [1, 2]) {
      const listed = segmentsIn(await playlistOf(folder));
      const source = ffmpeg(...livePictures(20, 1), '-f', 'mpegts', `udp://127.0.0.1:${port}?pkt_size=1316`);
      await waitFor(`segments of round ${round}`, async () => segmentsIn(await playlistOf(folder)) >= listed + 3);
      await source.stop('SIGKILL');
      if (round === 1) await waitFor('the signal loss', () => livetape.dvr.status('news')?.session?.signal === 'lost');
    }
    await within('the recording to stop', livetape.dvr.stopRecording('news'));
    const seconds = (await livetape.dvr.parsePlaylist(folder)).reduce((sum, segment) => sum + segment.duration, 0);
    await within('livetape to close', livetape.close());
    expect((await playlistOf(folder)) ?? '').toContain('#EXT-X-DISCONTINUITY\n');

    const base = await serveFolder(root);
    const page = await openPage(base, `${base}/news/playlist.m3u8`);
    await waitFor('the first pictures', async () => (await look(page)).time > 0.5);
    expect(Math.abs((await look(page)).duration - seconds)).toBeLessThan(0.2);
    await ask(page, 'v.playbackRate = 2');
    await waitFor('the end', async () => (await ask(page, 'v.ended')) === true, 60_000);
    const played = await look(page);
    expect(played.errors.filter((error) => error.startsWith('fatal'))).toEqual([]);
    expect(played.width).toBe(320);
    expect(played.frames).toBeGreaterThan(seconds * 25 * 0.8);
    for (const at of [1, seconds - 2, seconds / 2]) {
      await ask(page, `v.currentTime = ${at}; v.play()`);
      await waitFor(
        `to play from ${at}`,
        async () => Math.abs((await look(page)).time - at - 0.5) < 0.5 && (await look(page)).time > at + 0.2,
      );
    }
    expect((await look(page)).errors.filter((error) => error.startsWith('fatal'))).toEqual([]);
  });

  it('follows a recording while it is made', { timeout: LIMIT_MS }, async () => {
    const root = await temporaryFolder();
    const folder = join(root, 'live');
    await playerFiles(root);
    const livetape = await createLivetape({ root });
    onTestFinished(() => within('livetape to close', livetape.close(), 25_000));
    livetape.connect(`file:${join(PROJECT, 'assets/demo.ts')}?loop=1`, 'live');
    await livetape.dvr.startRecording('live', '', { enabled: true, segmentDuration: 2, retentionSec: 0, maxSizeGb: 0, storagePath: '' });
    await waitFor('two segments', async () => segmentsIn(await playlistOf(folder)) >= 2);
    const base = await serveFolder(root);
    const page = await openPage(base, `${base}/live/playlist.m3u8`);
    const listed = segmentsIn(await playlistOf(folder));
    await waitFor('to be past what was there at first', async () => (await look(page)).time > listed * 2 + 2, 60_000);
    expect((await look(page)).errors.filter((error) => error.startsWith('fatal'))).toEqual([]);
  });
});
