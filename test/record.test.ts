/** Real streams through the real command line, side by side as in life: what goes in comes out, to the frame, in any player. */
import { join } from 'node:path';
import { aroundEach, describe, expect, it } from 'vitest';
import { checkArchive } from './archiveChecker.js';
import {
  LONG,
  ffmpeg,
  frameHashes,
  freeUdpPort,
  livePictures,
  livetape,
  output,
  playlistOf,
  segmentsIn,
  sideBySide,
  temporaryFolder,
  waitFor,
} from './lab.js';
import { watchPlaylist } from './watch.js';

/** How long live streams run. */
const SECONDS = LONG ? 120 : 13;
const TIMEOUT_MS = (SECONDS + 80) * 1000;

aroundEach(sideBySide);

describe.concurrent('livetape record', () => {
  it(
    'records a live stream over UDP to the frame, B-frames and all',
    async () => {
      const root = await temporaryFolder();
      const folder = join(root, 'news');
      const sent = join(root, 'sent.ts');
      const port = await freeUdpPort();
      const watch = watchPlaylist(folder);
      const recorder = livetape('record', `udp://127.0.0.1:${port}`, '--stream', 'news', '--data', root, '--segment', '2', '--json');
      await waitFor('the recorder to listen', () => recorder.stdout().includes('recording.started'));
      const source = ffmpeg(...livePictures(SECONDS), '-f', 'tee', `[f=mpegts]udp://127.0.0.1:${port}?pkt_size=1316|[f=mpegts]${sent}`);
      expect(await source.exited).toBe(0);
      await waitFor('the last segments', async () => segmentsIn(await playlistOf(folder)) >= Math.floor(SECONDS / 2));
      expect(await recorder.stop('SIGINT')).toBe(0);

      const playlist = join(folder, 'playlist.m3u8');
      expect(await frameHashes(playlist)).toEqual(await frameHashes(sent));
      expect(await checkArchive(folder)).toEqual([]);
      expect(await watch.violations()).toEqual([]);
      expect(watch.versions()).toBeGreaterThan(5);
      const text = (await playlistOf(folder)) ?? '';
      expect(text).toContain('#EXT-X-PLAYLIST-TYPE:VOD');
      expect(text.trimEnd().endsWith('#EXT-X-ENDLIST')).toBe(true);
      expect(text).not.toContain('#EXT-X-DISCONTINUITY\n');
      const events = recorder
        .stdout()
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { event: string }).event);
      expect(events.filter((event) => event === 'segment.written').length).toBe(segmentsIn(text));
      expect(events.at(-1)).toBe('recording.stopped');
    },
    TIMEOUT_MS,
  );

  it(
    'records a stream over HTTP',
    async () => {
      const root = await temporaryFolder();
      const folder = join(root, 'tv/one');
      const sent = join(root, 'sent.ts');
      const port = await freeUdpPort();
      const recorder = livetape(
        'record',
        `http://127.0.0.1:${port}/live.ts`,
        '--stream',
        'tv/one',
        '--data',
        root,
        '--segment',
        '2',
        '--json',
      );
      const source = ffmpeg(...livePictures(SECONDS), '-f', 'tee', `[f=mpegts:listen=1]http://127.0.0.1:${port}/live.ts|[f=mpegts]${sent}`);
      await waitFor('segments', async () => segmentsIn(await playlistOf(folder)) >= 3);
      expect(await source.exited).toBe(0);
      expect(await recorder.stop('SIGTERM')).toBe(0);
      expect(await frameHashes(join(folder, 'playlist.m3u8'))).toEqual(await frameHashes(sent));
      expect(await checkArchive(folder)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it.each([
    [
      'H.265',
      ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'keyint=50:min-keyint=50:scenecut=0:log-level=error', '-c:a', 'ac3'],
    ],
    ['MPEG-2', ['-c:v', 'mpeg2video', '-g', '25', '-bf', '2', '-b:v', '2M', '-c:a', 'mp2']],
    [
      'H.264 with open GOPs',
      [
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-bf',
        '2',
        '-x264-params',
        'open-gop=1:keyint=50:min-keyint=50:scenecut=0',
        '-c:a',
        'aac',
      ],
    ],
  ])(
    'records %s over UDP as it is',
    async (_name, encoder) => {
      const root = await temporaryFolder();
      const folder = join(root, 'x');
      const sample = join(root, 'sample.ts');
      const pictures = ['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${SECONDS}`];
      const sound = ['-f', 'lavfi', '-i', `sine=duration=${SECONDS}:sample_rate=48000`];
      await output('ffmpeg', ['-nostdin', '-v', 'error', ...pictures, ...sound, ...encoder, '-pix_fmt', 'yuv420p', '-f', 'mpegts', sample]);
      const port = await freeUdpPort();
      const recorder = livetape('record', `udp://127.0.0.1:${port}`, '--stream', 'x', '--data', root, '--json');
      await waitFor('the recorder to listen', () => recorder.stdout().includes('recording.started'));
      await ffmpeg('-re', '-i', sample, '-c', 'copy', '-f', 'mpegts', `udp://127.0.0.1:${port}?pkt_size=1316`).exited;
      expect(await recorder.stop()).toBe(0);
      expect(await frameHashes(join(folder, 'playlist.m3u8'))).toEqual(await frameHashes(sample));
      expect(await checkArchive(folder)).toEqual([]);
      // another player: GStreamer's own HLS and TS demultiplexers
      const sinks = ['video-sink=fakesink sync=false', 'audio-sink=fakesink sync=false'];
      await output('gst-launch-1.0', ['-q', 'playbin', `uri=file://${join(folder, 'playlist.m3u8')}`, ...sinks]);
    },
    TIMEOUT_MS,
  );

  it('exits with 1 and one line when nothing could be recorded, with 2 when the command line is wrong', async () => {
    const root = await temporaryFolder();
    const missing = livetape('record', `file:${root}/no.ts`, '--stream', 'x', '--data', root);
    expect(await missing.exited).toBe(1);
    expect(missing.stderr()).toMatch(/SOURCE_NOT_FOUND/);
    const wrong = livetape('record', 'gopher://x', '--stream', 'x', '--data', root);
    expect(await wrong.exited).toBe(2);
    expect(wrong.stderr().trim().split('\n')).toHaveLength(1);
  });
});
