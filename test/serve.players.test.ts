/**
 * Every player plays every kind of playlist from the server: of a stream that is being recorded, with a gap, a restart and prunes behind it. Windows that are past
 * are played across the discontinuities to their ends; the others are followed for a while. `npm run campaign:live` does it for longer.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LONG, PROJECT, temporaryFolder, waitFor, within } from './lab.js';
import { ffmpegPlays, FRAMES_PER_SECOND, gstreamerFollows, gstreamerPlays, vlcPlays, WebPlayers } from './players.js';
import { recordPast } from './recordedPast.js';
import { startServer } from './serveLab.js';

/** How long what does not end is followed; seconds. */
const FOLLOWED = LONG ? 60 : 6;
/** What is kept; seconds. */
const RETENTION = LONG ? 900 : 210;
/** The whole test has ended by then; what it waits for has shorter limits, so that it says what it waited for. */
const LIMIT_MS = LONG ? 1_200_000 : 300_000;

interface Scene {
  /** Past windows, each with the frames that its playlist tells of and its discontinuities. */
  readonly past: readonly { readonly name: string; readonly url: string; readonly frames: number; readonly discontinuities: number }[];
  /** What goes on. */
  readonly growing: readonly { readonly name: string; readonly url: string }[];
}

/** Past of which the oldest was pruned, with a gap of 20 s and a restart; now it is being recorded. */
async function scene(): Promise<Scene> {
  const root = await temporaryFolder();
  await recordPast({
    root,
    code: 'news',
    retentionSec: RETENTION,
    parts: [
      { kind: 'media', seconds: RETENTION },
      { kind: 'silence', seconds: 20 },
      { kind: 'media', seconds: 50 },
      { kind: 'restart', seconds: 10 },
      { kind: 'media', seconds: 60 },
    ],
  });
  const source = `file:${join(PROJECT, 'assets/demo.ts')}?loop=1`;
  const server = await startServer({
    root,
    yaml: `http: { cors: ['*'] }\nstreams:\n  news:\n    source: ${source}\n    dvr: { retention_sec: ${RETENTION} }\n`,
  });
  const status = async (): Promise<{ started_at: string; last_segment_at: string; gaps: { to: string; reason: string }[] }> => {
    const told = await server.json('/news/recording_status.json');
    if (!('data' in told)) throw new Error(JSON.stringify(told) + server.running.stderr());
    const { data } = told as {
      data: { dvr_range: { started_at: string; last_segment_at: string }; gaps: [] };
    };
    return { ...data.dvr_range, gaps: data.gaps };
  };
  const before = await status();
  await waitFor('segments of now', async () => Date.parse((await status()).last_segment_at) > Date.parse(before.last_segment_at) + 8_000);
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

type Play = (scene: Scene) => Promise<void>;

const PLAYERS: Readonly<Record<string, Play>> = {
  async ffmpeg({ past, growing }) {
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
  },

  async GStreamer({ past, growing }) {
    for (const { name, url, frames, discontinuities } of past) {
      const played = await gstreamerPlays(url);
      expect(Math.abs(played - frames), `${name}: ${played} of ${frames}`).toBeLessThanOrEqual(4 * discontinuities + 2);
    }
    for (const { url } of growing) await gstreamerFollows(url, FOLLOWED * FRAMES_PER_SECOND);
  },

  async VLC({ past, growing }) {
    for (const { name, url, frames, discontinuities } of past) {
      // its multiplexer holds up to a second back where time begins anew, and at the end
      expect(await vlcPlays(url), `${name}: of ${frames}`).toBeGreaterThan(frames - (discontinuities + 1) * FRAMES_PER_SECOND);
    }
    for (const { name, url } of growing)
      expect(await vlcPlays(url, FOLLOWED + 3), name).toBeGreaterThan((FOLLOWED * FRAMES_PER_SECOND) / 2);
  },

  'hls.js': (scene) => inChromium('hls', scene),
  'shaka-player': (scene) => inChromium('shaka', scene),
};

async function inChromium(player: 'hls' | 'shaka', { past, growing }: Scene): Promise<void> {
  const web = await WebPlayers.open();
  for (const { name, url, frames } of past) {
    const { toTheEnd, close } = await web.play(player, url);
    const shown = await toTheEnd();
    expect(shown.time, `${player}, ${name}`).toBeGreaterThan(frames / FRAMES_PER_SECOND - 1);
    await close();
  }
  for (const { name, url } of growing) {
    const { onBy, close } = await web.play(player, url);
    const shown = await onBy(FOLLOWED);
    expect(shown.width, `${player}, ${name}`).toBeGreaterThan(0);
    await close();
  }
}

// Side by side: most of the time they wait for what is live.
it('every player plays every kind of playlist', { timeout: LIMIT_MS }, async () => {
  const played = await within('the past to be recorded and the server to go on with it', scene(), LIMIT_MS * 0.25);
  const failures: string[] = [];
  await Promise.all(
    Object.entries(PLAYERS).map(([name, play]) =>
      within(`${name} to play everything`, play(played), LIMIT_MS * 0.7).catch(
        (error: unknown) => void failures.push(`${name}: ${String(error)}`),
      ),
    ),
  );
  expect(failures).toEqual([]);
});
