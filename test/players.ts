/** Real players, told to play a URL; each answers with what it played. All are ended with the test. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { output, PROJECT, serveFolder, start, temporaryFolder, waitFor } from './lab.js';

/** Frames of a recording of the built-in channel. */
export const FRAMES_PER_SECOND = 25;

/** What a player is told to play has been played by then, as slow as the machine may be. */
const PLAYED_MS = 180_000;

/** ffmpeg, to the end or for `seconds` of media: frames it decoded, and what it said is wrong (where runs meet counters jump and the last frame may be cut short: that it warns of). */
export async function ffmpegPlays(url: string, seconds?: number): Promise<{ frames: number; said: string }> {
  const limit = seconds === undefined ? [] : ['-t', String(seconds)];
  const { stdout, stderr } = await output(
    'ffmpeg',
    [...['-nostdin', '-hide_banner', '-v', 'error', '-i', url, ...limit], ...['-map', '0:v:0', '-f', 'framecrc', '-']],
    PLAYED_MS,
  );
  return { frames: stdout.split('\n').filter((line) => /^\d/.test(line)).length, said: stderr };
}

/** GStreamer's playbin (hlsdemux), to the end: decoded frames. */
export async function gstreamerPlays(url: string): Promise<number> {
  const { stdout } = await output(
    'gst-launch-1.0',
    [
      ...['-v', 'playbin', `uri=${url}`, 'flags=0x3'],
      ...['video-sink=identity name=frames silent=false ! fakesink sync=false', 'audio-sink=fakesink sync=false'],
    ],
    PLAYED_MS,
  );
  return (stdout.match(/frames: last-message = chain/g) ?? []).length;
}

/** GStreamer for a while on what does not end: kept once it has shown `frames`. */
export async function gstreamerFollows(url: string, frames: number): Promise<void> {
  const running = start('gst-launch-1.0', [
    ...['-v', 'playbin', `uri=${url}`, 'flags=0x3'],
    ...['video-sink=identity name=frames silent=false ! fakesink sync=false', 'audio-sink=fakesink sync=false'],
  ]);
  await waitFor(
    `GStreamer to show ${frames} frames of ${url}: ${running.stderr()}`,
    () => {
      if (running.child.exitCode !== null) throw new Error(`GStreamer ended: ${running.stderr()}`);
      return (running.stdout().match(/frames: last-message = chain/g) ?? []).length >= frames;
    },
    60_000,
  );
  await running.stop('SIGKILL');
}

/** What ends has ended by then; seconds. VLC writes as fast as it gets, and is seen to stay about afterwards at times. */
const VLC_LIMIT = 40;

/** VLC, which refuses to be root, writing what it plays as TS, until it ends by itself or has run for `seconds`. Answers with the video packets it got. */
export async function vlcPlays(url: string, seconds?: number): Promise<number> {
  const folder = await temporaryFolder();
  const home = join(folder, 'vlc');
  await mkdir(home);
  const asNobody = process.getuid?.() === 0;
  if (asNobody) await output('chown', ['-R', 'nobody', folder]);
  const file = join(home, 'played.ts');
  const command = ['env', `HOME=${home}`, 'cvlc', '-I', 'dummy', '-q', '--sout', `#std{access=file,mux=ts,dst=${file}}`, url, 'vlc://quit'];
  const [program = '', ...args] = asNobody ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...command] : command;
  const running = start(program, args);
  const beganMs = Date.now();
  const limitMs = (seconds ?? VLC_LIMIT) * 1000;
  await waitFor(`VLC to play ${url}`, () => running.child.exitCode !== null || Date.now() - beganMs > limitMs, limitMs + 10_000);
  await running.stop('SIGKILL');
  const { stdout } = await output('ffprobe', [
    ...['-v', 'quiet', '-count_packets', '-select_streams', 'v:0'],
    ...['-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', file],
  ]);
  return Number(/\d+/.exec(stdout)?.[0] ?? 0);
}

const PAGES = {
  hls: `<!doctype html><body style="margin:0"><video id=v muted width=640></video><script src="/hls.js"></script><script>
const errors = []; const v = document.getElementById('v'); const hls = new Hls({ enableWorker: false });
hls.on(Hls.Events.ERROR, (_e, d) => errors.push((d.fatal ? 'fatal ' : '') + d.details));
hls.loadSource(new URLSearchParams(location.search).get('src')); hls.attachMedia(v);
hls.on(Hls.Events.MANIFEST_PARSED, () => v.play());
</script>`,
  shaka: `<!doctype html><body style="margin:0"><video id=v muted width=640></video><script src="/shaka.js"></script><script>
const errors = []; const v = document.getElementById('v'); shaka.polyfill.installAll(); const player = new shaka.Player();
player.addEventListener('error', (e) => errors.push((e.detail.severity === 2 ? 'fatal ' : '') + e.detail.code + ' ' + JSON.stringify(e.detail.data)));
player.attach(v).then(() => player.load(new URLSearchParams(location.search).get('src'))).then(() => v.play(), (e) => errors.push('fatal ' + e.code + ' ' + e.message));
</script>`,
};

/** What a player in a page shows. */
export interface Shown {
  readonly time: number;
  readonly ended: boolean;
  readonly frames: number;
  readonly width: number;
  readonly seekableFrom: number;
  readonly seekableTo: number;
  readonly errors: readonly string[];
}

/** A player in chromium. */
export interface WebPlayer {
  readonly page: Page;
  look(): Promise<Shown>;
  /** Waits until it has come to the end, at twice the speed. */
  toTheEnd(): Promise<Shown>;
  /** Waits until it has played on by `seconds` from where it is now. */
  onBy(seconds: number): Promise<Shown>;
}

/** Chromium, started once for many players. */
export class WebPlayers {
  readonly #browser: Browser;
  readonly #base: string;

  private constructor(browser: Browser, base: string) {
    this.#browser = browser;
    this.#base = base;
  }

  static async open(): Promise<WebPlayers> {
    const root = await temporaryFolder();
    for (const [name, text] of Object.entries(PAGES)) await writeFile(join(root, `${name}.html`), text);
    await copyFile(join(PROJECT, 'node_modules/hls.js/dist/hls.min.js'), join(root, 'hls.js'));
    await copyFile(join(PROJECT, 'node_modules/shaka-player/dist/shaka-player.compiled.js'), join(root, 'shaka.js'));
    const base = await serveFolder(root);
    const browser = await chromium.launch({
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
        ...['--disable-sync', '--autoplay-policy=no-user-gesture-required'],
      ],
    });
    onTestFinished(() => browser.close());
    return new WebPlayers(browser, base);
  }

  async play(player: keyof typeof PAGES, url: string): Promise<WebPlayer> {
    const page = await this.#browser.newPage({ viewport: { width: 640, height: 360 } });
    await page.goto(`${this.#base}/${player}.html?src=${encodeURIComponent(url)}`);
    const look = async (): Promise<Shown> => {
      const shown: Shown = await page.evaluate(
        `({ time: v.currentTime, ended: v.ended, frames: v.getVideoPlaybackQuality().totalVideoFrames, width: v.videoWidth, seekableFrom: v.seekable.length ? v.seekable.start(0) : -1, seekableTo: v.seekable.length ? v.seekable.end(v.seekable.length - 1) : -1, errors })`,
      );
      const fatal = shown.errors.filter((error) => error.startsWith('fatal'));
      if (fatal.length > 0) throw new Error(`${player} gave up on ${url}: ${fatal.join(', ')}`);
      return shown;
    };
    return {
      page,
      look,
      async toTheEnd() {
        await waitFor(`${player} to begin ${url}`, async () => (await look()).frames > 0);
        await page.evaluate('v.playbackRate = 4');
        await waitFor(`${player} to come to the end of ${url}`, async () => (await look()).ended, 90_000).catch(async (error: unknown) => {
          throw new Error(`${String(error)}: ${JSON.stringify(await look())}`);
        });
        return look();
      },
      async onBy(seconds) {
        await waitFor(`${player} to begin ${url}`, async () => (await look()).frames > 0);
        const { time } = await look();
        await waitFor(
          `${player} to play ${url} on by ${seconds} s`,
          async () => (await look()).time >= time + seconds,
          (seconds + 60) * 1000,
        ).catch(async (error: unknown) => {
          throw new Error(`${String(error)}: ${JSON.stringify(await look())}`);
        });
        return look();
      },
    };
  }
}
