/** The examples in docs/guide/deploy/ keep what they promise. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT } from './lab.js';

const NGINX = readFileSync(join(PROJECT, 'docs/guide/deploy/nginx.conf'), 'utf8');

/** The location that nginx takes for a path: the first regular expression that matches, else the longest beginning. */
function locationOf(path: string): string {
  const locations = [...NGINX.matchAll(/^ {4}location (~ )?(\S+) \{\n([^]*?)^ {4}\}/gm)].map(([, regex, name = '', body = '']) => ({
    matches: regex === undefined ? path.startsWith(name) : new RegExp(name).test(path),
    rank: regex === undefined ? name.length : Infinity,
    body,
  }));
  const [first] = locations.filter(({ matches }) => matches).sort((a, b) => (a.rank === b.rank ? 0 : b.rank - a.rank));
  return first?.body ?? '';
}

it.each([
  '/api/v1/streams',
  '/api/v1/streams/news/stop',
  '/api/v1/events',
  '/api/v1/recordings/stream.ts',
  '/metrics',
  '/readyz',
  '/docs',
  '/docs/x',
  '/openapi.json',
])('nginx.conf: %s is for this machine alone', (path) => expect(locationOf(path)).toMatch(/allow 127\.0\.0\.1;\s+deny all;/));

it.each(['/news/index.m3u8', '/news/000001.ts', '/news/stream.ts', '/playlist.m3u', '/docs2/index.m3u8', '/healthz'])(
  'nginx.conf: %s is for everybody',
  (path) => expect(locationOf(path)).not.toMatch(/deny|internal/),
);

it('nginx.conf: its log has no tokens, which stand in paths and queries', () => {
  const [, format = ''] = /^log_format livetape '(.+)';$/m.exec(NGINX) ?? [];
  expect(format).toContain('$status');
  expect(format).not.toMatch(/\$(request|request_uri|uri|args|http_\w+)\b(?!_)/);
  expect(NGINX).toMatch(/^ {4}access_log \S+ livetape;$/m);
});

it('nginx.conf: what is live is handed on as it comes, and segments can be played by any site', () => {
  for (const path of ['/news/stream.ts', '/api/v1/events']) expect(locationOf(path)).toMatch(/proxy_buffering off;/);
  expect(locationOf('/archive/news/000001.ts')).toMatch(/internal;[^]*add_header Access-Control-Allow-Origin \*;/);
});
