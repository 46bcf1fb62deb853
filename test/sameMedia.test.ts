/** The media that is recorded is the source's, however it comes: when TCP stalls and goes on, and in two recorders that start apart. No times are judged here. */
import { join } from 'node:path';
import { aroundEach, describe, expect, it } from 'vitest';
import { checkArchive } from './archiveChecker.js';
import { LONG, ffmpeg, frameHashes, freeUdpPort, playlistOf, segmentsIn, sideBySide, temporaryFolder, waitFor, within } from './lab.js';
import { liveSample, recording } from './liveLab.js';

aroundEach(sideBySide);

/** Two segments come before the stall of more than two, and two at the true rate after it. */
const STALLED_SECONDS = LONG ? 30 : 16;

describe.concurrent('the media of a source', () => {
  it('is not lost when TCP stalls for longer than two segments and goes on', async () => {
    const root = await temporaryFolder();
    const folder = join(root, 'news');
    const [file, port] = [await liveSample(root, STALLED_SECONDS), await freeUdpPort()];
    const source = ffmpeg('-re', '-i', file, '-c', 'copy', '-f', 'mpegts', `tcp://127.0.0.1:${port}?listen=1`);
    const livetape = await recording(root, `tcp://127.0.0.1:${port}`);
    const closed: unknown[] = [];
    livetape.dvr.on('gap.closed', ({ gap }) => closed.push(gap));
    await waitFor('two segments', async () => segmentsIn(await playlistOf(folder)) >= 2, 60_000);
    source.child.kill('SIGSTOP');
    await waitFor('the silence', () => livetape.dvr.status('news')?.session?.signal === 'lost');
    const stalled = segmentsIn(await playlistOf(folder));
    source.child.kill('SIGCONT');
    await within('the source to end', source.exited, 60_000);
    await waitFor('the end of the stream', () => livetape.dvr.status('news')?.session?.signal === 'lost');
    await livetape.dvr.stopRecording('news');
    await livetape.close();
    expect(closed[0]).toBeUndefined();
    expect(await frameHashes(join(folder, 'playlist.m3u8'))).toEqual(await frameHashes(file));
    const text = (await playlistOf(folder)) ?? '';
    expect(text).not.toContain('#EXT-X-DISCONTINUITY\n');
    expect(segmentsIn(text)).toBeGreaterThanOrEqual(stalled + 2);
    expect(await checkArchive(folder)).toEqual([]);
  });

  it('is cut at the same frames by two recorders that start 3.3 s apart', async () => {
    const [a, b] = [await temporaryFolder(), await temporaryFolder()];
    const [file, port] = [await liveSample(a), await freeUdpPort()];
    const multicast = `239.255.77.${1 + (port % 250)}:${port}`;
    const source = ffmpeg('-re', '-i', file, '-c', 'copy', '-f', 'mpegts', `udp://${multicast}?pkt_size=1316&localaddr=127.0.0.1&ttl=0`);
    const first = await recording(a, `udp://@${multicast}?interface=127.0.0.1`);
    await waitFor('media', () => first.dvr.status('news')?.session?.signal === 'present');
    const sinceMs = Date.now();
    await waitFor('3.3 s', () => Date.now() - sinceMs >= 3300);
    const second = await recording(b, `udp://@${multicast}?interface=127.0.0.1`);
    await waitFor('segments', async () => segmentsIn(await playlistOf(join(b, 'news'))) >= 5);
    await Promise.all([first.close(), second.close()]);
    await source.stop('SIGKILL');
    const cuts = async (root: string): Promise<string[]> =>
      [...((await playlistOf(join(root, 'news'))) ?? '').matchAll(/ crc=(\w+) pts=(\d+)-/g)].map((m) => `${m[2]}/${m[1]}`);
    const [ofFirst, ofSecond] = [await cuts(a), await cuts(b)];
    const common = ofSecond.slice(1, -1);
    expect(common.length).toBeGreaterThanOrEqual(3);
    expect(ofFirst).toEqual(expect.arrayContaining(common));
  });
});
