/** What happens to a live source and to a recorder, and what the archive says of it afterwards, right to 50 ms: no other test runs meanwhile. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLivetape, type Livetape, type SegmentMeta } from '../src/index.js';
import { checkArchive } from './archiveChecker.js';
import {
  LONG,
  ffmpeg,
  frameHashes,
  freeUdpPort,
  pacedSender,
  playlistOf,
  segmentsIn,
  temporaryFolder,
  waitFor,
  type Running,
} from './lab.js';
import { liveSample, recording } from './liveLab.js';
import { watchPlaylist } from './watch.js';

const sender = (file: string, port: number): Running =>
  ffmpeg('-re', '-i', file, '-c', 'copy', '-f', 'mpegts', `udp://127.0.0.1:${port}?pkt_size=1316`);

const endOf = (segment: SegmentMeta): number => segment.wallTime.getTime() + segment.duration * 1000;

/** Seconds of pictures ffmpeg gets out of a recording. */
const shownSeconds = async (folder: string): Promise<number> => (await frameHashes(join(folder, 'playlist.m3u8'), true)).length / 25;
const listedSeconds = async (livetape: Livetape, folder: string): Promise<number> =>
  (await livetape.dvr.parsePlaylist(folder)).reduce((sum, { duration }) => sum + duration, 0);

describe('a source that stops and comes back', () => {
  it('twice, leaves gaps from the last frame to the first keyframe, right to 50 ms; players go across', async () => {
    const root = await temporaryFolder();
    const folder = join(root, 'news');
    const [file, port] = [await liveSample(root), await freeUdpPort()];
    const watch = watchPlaylist(folder);
    const livetape = await recording(root, `udp://127.0.0.1:${port}`);
    const opened: number[] = [];
    livetape.dvr.on('gap.opened', ({ fromMs }) => opened.push(fromMs));
    const stoppedMs: number[] = [];
    const backMs: number[] = [];
    for (let round = 0; round < 3; round++) {
      const listed = (await livetape.dvr.parsePlaylist(folder).catch(() => [])).length;
      const source = pacedSender(file, port);
      await waitFor('segments', async () => segmentsIn(await playlistOf(folder)) >= listed + 2);
      backMs.push(source.startedMs() ?? 0);
      stoppedMs.push(await source.stop());
      if (round === 2) break;
      await waitFor('the signal loss', () => opened.length > round);
      await waitFor('some time without signal', () => Date.now() - (stoppedMs[round] ?? 0) > (LONG ? 20_000 : 0));
    }
    await livetape.dvr.stopRecording('news');
    await livetape.close();

    const index = await (await createLivetape({ root })).dvr.loadIndex(folder);
    expect(index?.gaps.map((gap) => gap.reason)).toEqual(['signal', 'signal']);
    for (const [i, gap] of (index?.gaps ?? []).entries()) {
      // What left before it was stopped ends with a frame (40 ms) and, with B-frames, two more in the encoder's order.
      expect(Math.abs(gap.from.getTime() - (stoppedMs[i] ?? 0))).toBeLessThan(50 + 120);
      expect(Math.abs(gap.to.getTime() - (backMs[i + 1] ?? 0))).toBeLessThan(50);
      expect(Math.abs((opened[i] ?? 0) - gap.from.getTime())).toBeLessThan(2);
    }
    const text = (await playlistOf(folder)) ?? '';
    expect(text.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(2);
    expect(await checkArchive(folder)).toEqual([]);
    expect(await watch.violations()).toEqual([]);
    expect(await shownSeconds(folder)).toBeCloseTo(await listedSeconds(livetape, folder), 0);
  }, 180_000);
});

describe('a recorder that is stopped and started', () => {
  it('resumes: the downtime is a gap, the next segment a discontinuity, numbers and sequence go on', async () => {
    const root = await temporaryFolder();
    const folder = join(root, 'news');
    const [file, port] = [await liveSample(root), await freeUdpPort()];
    const watch = watchPlaylist(folder);
    const source = sender(file, port);
    const first = await recording(root, `udp://127.0.0.1:${port}`);
    await waitFor('two segments', async () => segmentsIn(await playlistOf(folder)) >= 2);
    await first.close();
    const before = await first.dvr.parsePlaylist(folder);
    expect((await playlistOf(folder)) ?? '').not.toContain('ENDLIST');
    // the stream runs on unheard
    await waitFor('three seconds', () => Date.now() - endOf(before.at(-1) as SegmentMeta) > 3000);

    const second = await recording(root, `udp://127.0.0.1:${port}`);
    await waitFor('more segments', async () => segmentsIn(await playlistOf(folder)) >= before.length + 2);
    await second.dvr.stopRecording('news');
    const after = await second.dvr.parsePlaylist(folder);
    await second.close();
    await source.stop('SIGKILL');

    const resumed = after[before.length] as SegmentMeta;
    expect(after.slice(0, before.length)).toEqual(before);
    expect(resumed.discontinuity).toBe(true);
    expect(resumed.index).toBe((before.at(-1)?.index ?? 0) + 1);
    const index = await (await createLivetape({ root })).dvr.loadIndex(folder);
    expect(index?.gaps.map((gap) => gap.reason)).toEqual(['restart']);
    expect(index?.gaps[0]?.from.getTime()).toBeCloseTo(endOf(before.at(-1) as SegmentMeta), -1);
    expect(index?.gaps[0]?.to.getTime()).toBe(resumed.wallTime.getTime());
    // The stream ran on: its media time says how far apart the two are. Keyframes are a second apart.
    const text = (await playlistOf(folder)) ?? '';
    const pts = [...text.matchAll(/ pts=(\d+)-(\d+)/g)].map(([, from, to]) => [Number(from), Number(to)] as const);
    const mediaMs = ((pts[before.length]?.[0] ?? 0) - (pts[before.length - 1]?.[1] ?? 0)) / 90;
    expect(Math.abs(resumed.wallTime.getTime() - endOf(before.at(-1) as SegmentMeta) - mediaMs)).toBeLessThan(50);
    expect(await checkArchive(folder)).toEqual([]);
    expect(await watch.violations()).toEqual([]);
    expect(await shownSeconds(folder)).toBeCloseTo(await listedSeconds(second, folder), 0);
  });
});
