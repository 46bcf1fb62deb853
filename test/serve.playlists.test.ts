/**
 * The playlist checker watches every kind of playlist that the server answers with, while the stream is recorded: segments come, the head is pruned, the source
 * falls silent and comes back, the recording is stopped and started. It has nothing to say. `npm run campaign:live` watches for minutes.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LONG, PROJECT, temporaryFolder, waitFor, within } from './lab.js';
import { PlaylistChecker } from './playlistChecker.js';
import { recordPast } from './recordedPast.js';
import { startServer } from './serveLab.js';

/** How long each phase is watched; seconds. */
const PHASE = LONG ? 60 : 12;
/** What is kept; seconds. */
const RETENTION = LONG ? 150 : 60;
/** The whole test has ended by then. */
const LIMIT_MS = LONG ? 600_000 : 180_000;

it('the playlist checker is silent', { timeout: LIMIT_MS }, async () => {
  const root = await temporaryFolder();
  await recordPast({
    root,
    code: 'news',
    retentionSec: RETENTION,
    parts: [
      { kind: 'media', seconds: 80 },
      { kind: 'restart', seconds: 5 },
      { kind: 'media', seconds: 25 },
    ],
  });
  const source = `file:${join(PROJECT, 'assets/demo.ts')}?loop=1`;
  const server = await startServer({
    root,
    yaml: `streams:\n  news:\n    source: ${source}\n    dvr: { retention_sec: ${RETENTION}, segment_duration: 2 }\n`,
  });
  const nowSec = Math.floor(Date.now() / 1000);
  const kinds = [
    'index.m3u8',
    'index.m3u8?dvr=40',
    'index.m3u8?dvr=40&_HLS_skip=YES',
    'index.m3u8?delay=20',
    'index.m3u8?ago=35&dvr=1',
    `index.m3u8?from=${nowSec - 20}`,
    `index.m3u8?from=${nowSec - 10}&dur=${PHASE}`,
    `index.m3u8?from=${nowSec - 10}&dur=25&gaps=mark`,
    `archive-${nowSec - 15}-now.m3u8`,
    `timeshift_rel-15.m3u8`,
    `rewind-45.m3u8`,
    `playlist_dvr_range-${nowSec - 12}-30.m3u8`,
    'playlist.m3u8',
  ].map((path) => ({ path, checker: new PlaylistChecker(), looks: 0, versions: new Set<string>(), ended: false }));
  const found: string[] = [];
  const watch = async (seconds: number): Promise<void> => {
    const untilMs = Date.now() + seconds * 1000;
    while (Date.now() < untilMs) {
      await Promise.all(
        kinds.map(async (kind) => {
          if (kind.ended) return;
          const answer = await server.get(`/news/${kind.path}`);
          const text = await within(`the text of ${kind.path}`, answer.text());
          // a window's beginning is pruned in the end
          if (answer.status === 410) return void (kind.ended = true);
          expect(answer.status, `${kind.path}: ${text}`).toBe(200);
          kind.looks += 1;
          kind.versions.add(text);
          for (const { clause, message } of kind.checker.see(text)) found.push(`${kind.path}: ${clause}: ${message}`);
          // nobody reloads what has ended (RFC 8216, 6.3.4); what is asked for later is another's first
          if (text.includes('#EXT-X-ENDLIST')) kind.ended = true;
        }),
      );
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  };
  await watch(PHASE);
  // the source falls silent, and another one comes
  const yaml = await readFile(server.config, 'utf8');
  await writeFile(server.config, yaml.replace(source, "''"));
  await watch(6);
  await writeFile(server.config, yaml);
  await watch(PHASE);
  expect(found).toEqual([]);
  for (const kind of kinds) expect(kind.looks, kind.path).toBeGreaterThan(3);
  for (const { path, versions } of kinds.slice(0, 5)) expect(versions.size, path).toBeGreaterThan(PHASE / 6);
  await waitFor('the gap', async () => {
    const { data } = (await server.json('/news/recording_status.json')) as { data: { gaps: { reason: string }[] } };
    return data.gaps.length > 0;
  });
});
