/**
 * Every player plays every kind of playlist from the server: of a stream that is being recorded, with a gap, a restart and prunes behind it. Windows that are past
 * are played across the discontinuities to their ends; the others are followed for a while. `npm run campaign:live` does it for longer.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LONG, PROJECT, temporaryFolder, waitFor } from './lab.js';
import { ffmpegPlays, FRAMES_PER_SECOND, gstreamerFollows, gstreamerPlays, vlcPlays, WebPlayers } from './players.js';
import { recordPast } from './recordedPast.js';
import { startServer } from './serveLab.js';

/** How long what does not end is followed; seconds. */
const FOLLOWED = LONG ? 60 : 8;
/** What is kept; seconds. */
const RETENTION = 150;

interface Scene {
  /** Past windows, each with the frames that its playlist tells of and its discontinuities. */
  readonly past: readonly { readonly name: string; readonly url: string; readonly frames: number; readonly discontinuities: number }[];
  /** What goes on. */
  readonly growing: readonly { readonly name: string; readonly url: string }[];
}

/** 250 s of past, of which 150 s are kept, with a gap of 20 s and a restart; now it is being recorded. */
async function scene(): Promise<Scene> {
  const root = await temporaryFolder();
  await recordPast({
    root,
    code: 'news',
    retentionSec: RETENTION,
    parts: [
      { kind: 'media', seconds: 110 },
      { kind: 'silence', seconds: 20 },
      { kind: 'media', seconds: 50 },
      { kind: 'restart', seconds: 10 },
      { kind: 'media', seconds: 60 },
    ],
  });
  const source = `file:${join(PROJECT, 'assets/demo.ts')}?loop=1`;
  const server = await startServer({ root, yaml: `streams:\n  news:\n    source: ${source}\n    dvr: { retention_sec: ${RETENTION} }\n` });
  const status = async (): Promise<{ started_at: string; last_segment_at: string; gaps: { to: string; reason: string }[] }> => {
    const { data } = (await server.json('/news/recording_status.json')) as {
      data: { dvr_range: { started_at: string; last_segment_at: string }; gaps: [] };
    };
    return { ...data.dvr_range, gaps: data.gaps };
  };
  const before = await status();
  await waitFor('segments of now', async () => Date.parse((await status()).last_segment_at) > Date.parse(before.last_segment_at) + 15_000);
  const { started_at, gaps } = await status();
  // the silence, the restart in the past, and the server's own start
  expect(gaps.map(({ reason }) => reason)).toEqual(['signal', 'restart', 'restart']);
  expect((await server.text('/news/playlist.m3u8')).includes('#EXT-X-MEDIA-SEQUENCE:0\n')).toBe(false);
  const from = Math.round(Date.parse(gaps[0]?.to ?? '') / 1000) - 30;
  const past = [
    { name: 'across a gap', path: `/news/index.m3u8?from=${from}&dur=45` },
    { name: 'across all', path: `/news/archive-${from}-130.m3u8` },
  ].map(async ({ name, path }) => {
    const text = await server.text(path);
    expect(text, name).toContain('#EXT-X-ENDLIST');
    const seconds = [...text.matchAll(/^#EXTINF:([\d.]+)/gm)].reduce((sum, [, length]) => sum + Number(length), 0);
    const discontinuities = text.match(/^#EXT-X-DISCONTINUITY$/gm)?.length ?? 0;
    return { name, url: `${server.url}${path}`, frames: Math.round(seconds * FRAMES_PER_SECOND), discontinuities };
  });
  const startedSec = Math.ceil(Date.parse(started_at) / 1000) + 20;
  return {
    past: await Promise.all(past),
    growing: [
      { name: 'live', url: `${server.url}/news/index.m3u8` },
      { name: 'dvr', url: `${server.url}/news/index.m3u8?dvr=100` },
      { name: 'start-over', url: `${server.url}/news/index.m3u8?from=${startedSec}` },
      { name: 'delayed', url: `${server.url}/news/index.m3u8?delay=40` },
    ],
  };
}

describe('from the server', () => {
  it('ffmpeg', async () => {
    const { past, growing } = await scene();
    for (const { name, url, frames, discontinuities } of past) {
      const played = await ffmpegPlays(url);
      expect(played.said, name).toBe('');
      // a frame that was cut short where a run ends cannot be decoded
      expect(Math.abs(played.frames - frames), `${name}: ${played.frames} of ${frames}`).toBeLessThanOrEqual(2 * discontinuities + 1);
    }
    for (const { name, url } of growing) {
      const played = await ffmpegPlays(url, FOLLOWED);
      expect(played.said, name).toBe('');
      expect(played.frames, name).toBeGreaterThanOrEqual(FOLLOWED * FRAMES_PER_SECOND - 1);
    }
  });

  it('GStreamer', async () => {
    const { past, growing } = await scene();
    for (const { name, url, frames, discontinuities } of past) {
      const played = await gstreamerPlays(url);
      expect(Math.abs(played - frames), `${name}: ${played} of ${frames}`).toBeLessThanOrEqual(4 * discontinuities + 2);
    }
    for (const { url } of growing) await gstreamerFollows(url, FOLLOWED * FRAMES_PER_SECOND);
  });

  it('VLC', async () => {
    const { past, growing } = await scene();
    for (const { name, url, frames } of past) {
      // its multiplexer holds the last quarter of a second back when it is told to end
      expect(await vlcPlays(url), `${name}: of ${frames}`).toBeGreaterThan(frames - FRAMES_PER_SECOND);
    }
    for (const { name, url } of growing)
      expect(await vlcPlays(url, FOLLOWED), name).toBeGreaterThan(((FOLLOWED - 3) * FRAMES_PER_SECOND) / 2);
  });

  it.each(['hls', 'shaka'] as const)('%s in chromium', async (player) => {
    const { past, growing } = await scene();
    const web = await WebPlayers.open();
    for (const { name, url, frames } of past) {
      const shown = await (await web.play(player, url)).toTheEnd();
      expect(shown.width, name).toBe(640);
      expect(shown.time, name).toBeGreaterThan(frames / FRAMES_PER_SECOND - 1);
    }
    for (const { name, url } of growing) {
      const page = await web.play(player, url);
      const shown = await page.onBy(FOLLOWED);
      expect(shown.width, name).toBe(640);
      await page.page.close();
    }
  });
});
