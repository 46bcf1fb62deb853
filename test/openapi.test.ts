/** The OpenAPI document, as the server answers it, passes a linter; and describes every route there is. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { openTestApp } from '../src/server/testApp.js';

const ROOT = join(import.meta.dirname, '..');

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
}
interface Document {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

it("passes @redocly/cli's recommended rules, without a warning", async () => {
  await using test = await openTestApp();
  const path = join(test.folder, 'openapi.json');
  await writeFile(path, (await test.inject('/openapi.json')).body);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(ROOT, 'node_modules/@redocly/cli/bin/cli.js'), 'lint', '--config', join(ROOT, 'redocly.yaml'), '--format', 'json', path],
    // It asks nobody for a newer version of itself, and tells nobody what it was asked.
    { env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: 'true' }, maxBuffer: 64 * 1024 * 1024 },
  ).catch((error: unknown) => error as { stdout: string });
  const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { totals: Record<string, number>; problems: unknown[] };
  expect(report.problems).toEqual([]);
  expect(report.totals).toMatchObject({ errors: 0, warnings: 0 });
});

it('every operation has a name of its own, a tag of the document and a summary', async () => {
  await using test = await openTestApp();
  const document = (await test.inject('/openapi.json')).json<Document>();
  expect(document.openapi).toBe('3.1.0');
  const operations = Object.values(document.paths).flatMap((item) => Object.values(item));
  expect(operations.length).toBeGreaterThan(20);
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).not.toContain(undefined);
  expect(operations.filter(({ summary = '' }) => summary.length < 5)).toEqual([]);
  const tags = new Set(document.tags.map(({ name }) => name));
  expect(operations.flatMap(({ tags: used = [] }) => used).filter((tag) => !tags.has(tag))).toEqual([]);
  expect([...tags].filter((tag) => !operations.some(({ tags: used }) => used?.includes(tag)))).toEqual([]);
});

it('names every route of the API', async () => {
  await using test = await openTestApp();
  const document = (await test.inject('/openapi.json')).json<Document>();
  const described = Object.entries(document.paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`));
  expect(described).toEqual(
    expect.arrayContaining([
      'get /api/v1/streams',
      ...['get', 'put', 'patch', 'delete'].map((method) => `${method} /api/v1/streams/{code}`),
      'post /api/v1/streams/{code}/start',
      'post /api/v1/streams/{code}/stop',
      'get /api/v1/recordings/{code}',
      'get /api/v1/keeps',
      'get /api/v1/recordings/{code}/keeps',
      'post /api/v1/recordings/{code}/keeps',
      'delete /api/v1/recordings/{code}/keeps/{name}',
      'get /api/v1/probe',
      'get /api/v1/events',
      'get /healthz',
      'get /readyz',
      'get /metrics',
      'get /{code}/index.m3u8',
    ]),
  );
});

it('D5: says of each operation which scope it takes, as its route declares it', async () => {
  await using test = await openTestApp();
  const { paths } = (await test.inject('/openapi.json')).json<Document>();
  const roles = (path: string, method = 'get'): unknown => paths[path]?.[method]?.security?.map((one) => Object.values(one)[0] ?? null);
  expect(roles('/api/v1/tokens', 'post')).toEqual([['admin'], ['admin'], null]);
  expect(paths['/api/v1/tokens']?.['post']?.description).toMatch(/Takes the scope `admin`\.$/);
  expect(roles('/api/v1/streams/{code}', 'put')).toEqual([['api'], ['api'], null]);
  expect(roles('/api/v1/whoami')).toEqual([[], [], null]);
  expect(roles('/metrics')).toEqual([['metrics'], ['metrics'], null]);
  expect(roles('/playlist.m3u')).toEqual([['playback'], ['playback'], null]);
  expect(roles('/{code}/index.m3u8')).toEqual([['playback'], ['playback'], null]);
  expect(roles('/healthz')).toEqual([]);
});
