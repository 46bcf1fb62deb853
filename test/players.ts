/** Real players, told to play a URL; each answers with what it played. All are ended with the test. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { output, PROJECT, serveFolder, start, temporaryFolder, waitFor, within } from './lab.js';

/** Frames of a recording of the built-in channel. */
export const FRAMES_PER_SECOND = 25;

/** What a player takes at its own speed has been played by then, as slow as the machine may be: it takes seconds. */
const PLAYED_MS = 90_000;

/** What is no player's work (a page's answer, a probe of a file) is done by then. */
const ANSWER_MS = 30_000;

/** ffmpeg, to the end or for `seconds` of media: frames it decoded, and what it said is wrong (where runs meet counters jump and the last frame may be cut short: that it warns of). */
export async function ffmpegPlays(url: string, seconds?: number): Promise<{ frames: number; said: string }> {
  const limit = seconds === undefined ? [] : ['-t', String(seconds)];
  const { stdout, stderr } = await output(
    'ffmpeg',
    [...['-nostdin', '-hide_banner', '-v', 'error', '-i', url, ...limit], ...['-map', '0:v:0', '-f', 'framecrc', '-']],
    PLAYED_MS + (seconds ?? 0) * 1000,
  );
  return { frames: stdout.split('\n').filter((line) => /^\d/.test(line)).length, said: stderr };
}

/**
 * GStreamer's playbin (hlsdemux), which decodes picture and sound as fast as it can. Queues that are emptied faster than any clock make it pause to buffer and play
 * on many times in a second. In a pause every sink waits for one more buffer before the state may change again; the picture's gets its own and stands still, its
 * queues fill up behind it, and where the sound's had run dry just then the demuxer never comes to it: GStreamer 1.22 hangs for good, in four of ten runs on
 * a busy machine, from nginx as from here. With `async=false` no change of state waits for a sink. At the clock's speed, as viewers play, it does not pause at all.
 */
const GSTREAMER = (url: string): string[] => [
  ...['-v', 'playbin', `uri=${url}`, 'flags=0x3'],
  ...['video-sink=identity name=frames silent=false ! fakesink sync=false async=false', 'audio-sink=fakesink sync=false async=false'],
];

const gstreamerFrames = (printed: string): number => (printed.match(/frames: last-message = chain/g) ?? []).length;

/** GStreamer, to the end: decoded frames. */
export async function gstreamerPlays(url: string): Promise<number> {
  const running = start('gst-launch-1.0', GSTREAMER(url));
  const told = (): string => `${gstreamerFrames(running.stdout())} frames of ${url} so far: ${running.stderr()}`;
  await waitFor('GStreamer to end', () => running.child.exitCode !== null || running.child.signalCode !== null, PLAYED_MS).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}, ${told()}`);
    },
  );
  const status = await within('what GStreamer prints to end', running.exited, ANSWER_MS);
  if (status !== 0) throw new Error(`GStreamer failed with ${status}, ${told()}`);
  return gstreamerFrames(running.stdout());
}

/** GStreamer for a while on what does not end: kept once it has shown `frames`. */
export async function gstreamerFollows(url: string, frames: number): Promise<void> {
  const running = start('gst-launch-1.0', GSTREAMER(url));
  await waitFor(
    `GStreamer to show ${frames} frames of ${url}`,
    () => {
      if (running.child.exitCode !== null) throw new Error(`GStreamer ended: ${running.stderr()}`);
      return gstreamerFrames(running.stdout()) >= frames;
    },
    60_000 + (frames / FRAMES_PER_SECOND) * 1000,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}, ${gstreamerFrames(running.stdout())} so far: ${running.stderr()}`);
  });
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
  if (asNobody) await output('chown', ['-R', 'nobody', folder], ANSWER_MS);
  const file = join(home, 'played.ts');
  const command = ['env', `HOME=${home}`, 'cvlc', '-I', 'dummy', '-q', '--sout', `#std{access=file,mux=ts,dst=${file}}`, url, 'vlc://quit'];
  const [program = '', ...args] = asNobody ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...command] : command;
  const running = start(program, args);
  const beganMs = Date.now();
  const limitMs = (seconds ?? VLC_LIMIT) * 1000;
  await waitFor(`VLC to play ${url}`, () => running.child.exitCode !== null || Date.now() - beganMs > limitMs, limitMs + 10_000);
  await running.stop('SIGKILL');
  const { stdout } = await output(
    'ffprobe',
    [
      ...['-v', 'quiet', '-count_packets', '-select_streams', 'v:0'],
      ...['-show_entries', 'stream=nb_read_packets', '-of', 'csv=p=0', file],
    ],
    ANSWER_MS,
  );
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
  look(): Promise<Shown>;
  /** Waits until it has come to the end, at four times the speed. */
  toTheEnd(): Promise<Shown>;
  /** Waits until it has played on by `seconds` from where it is now. */
  onBy(seconds: number): Promise<Shown>;
  close(): Promise<void>;
}

/** A page's answer; playwright itself waits for it for good. */
export function ask<T>(page: Page, question: string): Promise<T> {
  return within(`the page to answer ${question}`, page.evaluate<T>(question), ANSWER_MS);
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
    onTestFinished(() => within('chromium to close', browser.close(), 25_000));
    return new WebPlayers(browser, base);
  }

  async play(player: keyof typeof PAGES, url: string): Promise<WebPlayer> {
    const page = await within(`a page for ${player}`, this.#browser.newPage({ viewport: { width: 640, height: 360 } }), ANSWER_MS);
    await page.goto(`${this.#base}/${player}.html?src=${encodeURIComponent(url)}`);
    const look = async (): Promise<Shown> => {
      const shown = await ask<Shown>(
        page,
        `({ time: v.currentTime, ended: v.ended, frames: v.getVideoPlaybackQuality().totalVideoFrames, width: v.videoWidth, seekableFrom: v.seekable.length ? v.seekable.start(0) : -1, seekableTo: v.seekable.length ? v.seekable.end(v.seekable.length - 1) : -1, errors })`,
      );
      const fatal = shown.errors.filter((error) => error.startsWith('fatal'));
      if (fatal.length > 0) throw new Error(`${player} gave up on ${url}: ${fatal.join(', ')}`);
      return shown;
    };
    return {
      look,
      close: () => within(`the page of ${player} to close`, page.close(), ANSWER_MS),
      async toTheEnd() {
        await waitFor(`${player} to begin ${url}`, async () => (await look()).frames > 0);
        // again at every look: shaka goes back to the rate it knows when what it buffered at the beginning is enough
        const faster = (): Promise<unknown> => ask(page, 'v.playbackRate === 1 && (v.playbackRate = 4)');
        await waitFor(
          `${player} to come to the end of ${url}`,
          async () => {
            await faster();
            return (await look()).ended;
          },
          120_000,
        ).catch(async (error: unknown) => {
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
