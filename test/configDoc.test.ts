/** docs/reference/config.md says what the schema says (`npx vitest run --project across test/configDoc.test.ts -u` writes it), and the example file is right. */
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { silentLogger, systemClock } from '../src/base/index.js';
import { configSchema, openConfig } from '../src/config/index.js';
import { configReference } from './configReference.js';
import { PROJECT, temporaryFolder } from './lab.js';

it('docs/reference/config.md is made from the schema', async () => {
  await expect(configReference()).toMatchFileSnapshot(join(PROJECT, 'docs/reference/config.md'));
});

it('every field has a description, and what it takes', () => {
  const rows = configReference()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) expect(row).toMatch(/^\| `\w+` \| .{10,} \| [^|]+ \| (`.+`)? ?\|$/);
});

it('docs/guide/livetape.yaml is a right file, names every setting, and keeps its comments when the API writes it', async () => {
  const path = join(await temporaryFolder(), 'livetape.yaml');
  await copyFile(join(PROJECT, 'docs/guide/livetape.yaml'), path);
  const text = await readFile(path, 'utf8');
  const store = await openConfig({ path, clock: systemClock, log: silentLogger });
  onTestFinished(() => store.close());
  expect([...store.state.streams.keys()]).toEqual(['news', 'sport/1', 'sport/2', 'parliament', 'event']);
  expect(store.state.streams.get('sport/1')?.dvr).toMatchObject({ retention_sec: 86400, max_size_gb: 200 });
  for (const name of Object.keys(configSchema.shape)) expect(text).toMatch(new RegExp(`^${name}:`, 'm'));
  const { playback, auth, http, tls, egress } = configSchema.parse({});
  for (const name of Object.keys({ ...playback, ...auth, ...http, ...tls, ...egress }))
    expect(text).toMatch(new RegExp(`^  ${name}:`, 'm'));
  for (const name of Object.keys(http.limits)) expect(text).toMatch(new RegExp(`^    ${name}:`, 'm'));
  await store.patch('event', { dvr: { enabled: true } });
  await store.remove('sport/2');
  const expected = text.replace('{ enabled: false', '{ enabled: true').replace(/ {2}# Program 3[^]*?\n(?=\n {2}parliament)/, '');
  expect(await readFile(path, 'utf8')).toBe(expected);
});
