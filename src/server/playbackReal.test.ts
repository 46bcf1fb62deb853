/** The routes on the real read side: an archive that was written as recorders write it, asked for in every URL form. */
import { afterEach, expect, it } from 'vitest';
import { ManualClock } from '../base/index.js';
import { openPlayback } from '../playback/index.js';
import { createMemoryStorage } from '../storage/index.js';
import { endOf, factsAt, mediaOf, open, record, START_MS } from '../../test/archiveLab.js';
import { PlaylistChecker } from '../../test/playlistChecker.js';
import { buildApp, type App } from './app.js';
import { ResponseChecker } from './testDocument.js';
import { viewersContext } from './testViewers.js';

const apps: App[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

it('an archive is played in every form of URL, and each answer is as the OpenAPI document says', async () => {
  const storage = createMemoryStorage();
  const archive = await open(storage, { code: 'uk/bbc', retention: true });
  await archive.beginLife(6);
  for (let count = 0; count < 20; count++) await record(archive);
  const gap = { fromMs: endOf(archive), toMs: endOf(archive) + 60_000, reason: 'signal' as const };
  await record(archive, factsAt(gap.toMs, 4, { discontinuity: true, gap }));
  for (let count = 0; count < 9; count++) await record(archive);
  const clock = new ManualClock(endOf(archive) + 1000);
  const playback = openPlayback({
    isKnown: () => true,
    place: (code) => (code === 'uk/bbc' ? storage.stream(code) : undefined),
    clock,
    limits: () => ({ liveWindowMs: 30_000, maxWindowMs: 86_400_000 }),
    maxCacheBytes: 1e6,
  });
  const app = await buildApp({ ...viewersContext({ clock }), playback });
  apps.push(app);
  const checker = new ResponseChecker(app.swagger());
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const url = `/uk/bbc/${path}`;
    const answer = await app.inject({ url, headers });
    checker.check({ method: 'GET', url, status: answer.statusCode, headers: answer.headers, body: answer.body });
    return answer;
  };
  const from = START_MS / 1000;
  for (const path of [
    'index.m3u8',
    'index.m3u8?dvr=60',
    `index.m3u8?from=${from}&dur=40`,
    `index.m3u8?from=2026-01-01T00:00:20Z`,
    'index.m3u8?delay=60',
    `index.m3u8?from=${from}&dur=160&gaps=mark`,
    'playlist.m3u8',
    `archive-${from}-40.m3u8`,
    `archive-${from}-now.m3u8`,
    `timeshift_abs-${from + 20}.m3u8`,
    'timeshift_rel-60.m3u8',
    'rewind-60.m3u8',
    `playlist_dvr_range-${from}-40.m3u8`,
  ]) {
    const answer = await ask(path);
    expect(answer.statusCode, `${path}: ${answer.body}`).toBe(200);
    expect(new PlaylistChecker().see(answer.body), path).toEqual([]);
    expect(answer.body.match(/^\d+\.ts$/gm)?.length, path).toBeGreaterThanOrEqual(5);
    expect(answer.body, path).not.toContain('#livetape');
    const again = await ask(path, { 'if-none-match': answer.headers.etag as string });
    expect(again.statusCode, path).toBe(304);
  }
  expect(Buffer.compare((await ask('000003.ts')).rawPayload, mediaOf(3))).toBe(0);
  expect(Buffer.compare((await ask('000003.ts', { range: 'bytes=188-' })).rawPayload, mediaOf(3).subarray(188))).toBe(0);
  const exported = await ask(`archive-${from}-8.ts`);
  expect(exported.rawPayload.length).toBe(Number(exported.headers['content-length']));
  const status = (await ask('recording_status.json')).json<{ data: { segment_count: number; gaps: object[] }; ranges: object[] }>();
  expect([status.data.segment_count, status.data.gaps.length, status.ranges.length]).toEqual([30, 1, 2]);
  const code = async (path: string) => (await ask(path)).json<{ error: { code: string } }>().error.code;
  expect([
    await code(`index.m3u8?from=${from + 90}&dur=10`),
    await code(`index.m3u8?from=${from - 90}&dur=10`),
    await code(`index.m3u8?from=${from + 9000}&dur=10`),
    await code(`index.m3u8?from=${from}&dur=90000`),
    await code('000999.ts'),
    await code('playlist.m3u8.ts'),
  ]).toEqual(['WINDOW_IN_GAP', 'WINDOW_BEFORE_ARCHIVE', 'WINDOW_IN_FUTURE', 'WINDOW_TOO_LONG', 'SEGMENT_NOT_FOUND', 'ROUTE_NOT_FOUND']);
});
