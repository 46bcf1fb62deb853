/** livetape.yaml on a real disk: read, followed, written (docs/design/server.md, C1 to C3 and C6). */
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ManualClock, silentLogger, systemClock, type LivetapeError } from '../base/index.js';
import type { ConfigStore } from './contract.js';
import { openConfig, type ConfigStoreOptions } from './store.js';

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'livetape-config-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

interface Opened {
  readonly store: ConfigStore;
  readonly path: string;
  readonly text: () => Promise<string>;
  readonly dir: string;
}

async function opened(text: string | undefined, options: Partial<ConfigStoreOptions> = {}): Promise<Opened> {
  const dir = await folder();
  const path = join(dir, 'livetape.yaml');
  if (text !== undefined) await writeFile(path, text);
  const store = await openConfig({ path, clock: systemClock, log: silentLogger, ...options });
  onTestFinished(() => store.close());
  return { store, path, text: () => readFile(path, 'utf8'), dir };
}

const refusal = (work: Promise<unknown>): Promise<LivetapeError> =>
  work.then(
    () => Promise.reject(new Error('was not refused')),
    (error: unknown) => error as LivetapeError,
  );

const NEWS = `# our channels
streams:
  # the news
  news:
    source: udp://@239.0.0.1:5000 # from the head end
    dvr:
      retention_sec: 3600 # an hour
  sport: { source: 'tcp://10.0.0.2:7000' }
`;

it('C1: a file that is missing or empty is one with defaults; the folder of the file is where paths begin', async () => {
  const missing = await opened(undefined);
  expect(missing.store.error).toBeUndefined();
  expect(missing.store.state.streams.size).toBe(0);
  expect(missing.store.state.config).toMatchObject({
    listen: '127.0.0.1:8080',
    data: join(missing.dir, 'dvr'),
    recorders: 'auto',
    playback: { live_window: 30 },
  });
  const empty = await opened('# nothing yet\nstreams:\n');
  expect(empty.store.state.config).toEqual({ ...missing.store.state.config, data: join(empty.dir, 'dvr') });
  await empty.store.put('news', { source: 'udp://@:5000' });
  expect(await empty.text()).toBe('# nothing yet\nstreams:\n  news:\n    source: udp://@:5000\n');
  await missing.store.put('a/b', { dvr: { enabled: false, storage_path: 'elsewhere' } });
  expect(await missing.text()).toBe('streams:\n  a/b:\n    dvr:\n      enabled: false\n      storage_path: elsewhere\n');
  expect(missing.store.state.streams.get('a/b')?.dvr.storage_path).toBe(join(missing.dir, 'elsewhere'));
});

it('C3: a value is the stream’s own, else its template’s, else the default’s, field by field within dvr', async () => {
  const { store } = await opened(`
templates:
  week: { title: kept a week, source: 'tcp://h:1', dvr: { retention_sec: 604800, segment_duration: 6 } }
  constructor: {}
streams:
  a: { template: week, dvr: { segment_duration: 2, max_size_gb: 1.5 } }
  b: { template: constructor, title: B }
  c:
`);
  expect(store.state.streams.get('a')).toEqual({
    code: 'a',
    source: 'tcp://h:1',
    title: 'kept a week',
    restricted: false,
    dvr: { enabled: true, segment_duration: 2, retention_sec: 604800, max_size_gb: 1.5, storage_path: '' },
  });
  const defaults = { enabled: true, segment_duration: 4, retention_sec: 0, max_size_gb: 0, storage_path: '' };
  expect(store.state.streams.get('b')).toEqual({ code: 'b', source: '', title: 'B', restricted: false, dvr: defaults });
  expect(store.state.streams.get('c')).toEqual({ code: 'c', source: '', title: '', restricted: false, dvr: defaults });
});

it('C1: anchors, aliases and merge keys hold', async () => {
  const { store } = await opened(`
templates: { x: { dvr: &d { retention_sec: 5 } } }
streams:
  a: &a { source: 'tcp://h:1', dvr: *d }
  b: { <<: *a, title: B }
`);
  expect(store.state.streams.get('b')).toMatchObject({ source: 'tcp://h:1', title: 'B', dvr: { retention_sec: 5 } });
});

it.each([
  ['streams: {\n  a: 1\n', /^PATH:3:1: .+/],
  ['streams:\n  a:\n    sauce: x\n', /^PATH:3:5: streams\.a\.sauce: there is no such field$/],
  ['streams:\n  a: { dvr: { segment_duration: 99 } }\n', /^PATH:2:33: streams\.a\.dvr\.segment_duration: .*30/],
  ['streams:\n  a: { title: 5 }\n', /^PATH:2:15: streams\.a\.title: expected string/],
  ['listen: 1\ndata: 2\nnothing: 3\n', /^PATH:1:9: listen: expected string, received number \(and 2 more\)$/],
  ['recorders: many\n', /^PATH:1:12: recorders: .*"auto"/],
  ['streams:\n  a: {}\n  a: {}\n', /^PATH:3:3: the name stands there twice$/],
  ['streams:\n  a: {}\n  A: {}\n', /^PATH:3:3: streams\.A: .*there is a:/],
  ['streams:\n  a/b: {}\n  a: {}\n', /^PATH:3:3: streams\.a: .*there is a\/b:/],
  ['streams:\n  a: {}\n  A/b: {}\n', /^PATH:3:3: streams\.A\/b: .*there is a:/],
  ['streams:\n  api/x: {}\n', /^PATH:2:3: streams\.api\/x: stream code "api\/x"/],
  ['streams:\n  __proto__: {}\n', /^PATH:2:3: streams\.__proto__: /],
  ['templates:\n  __proto__: {}\n', /^PATH:2:3: templates\.__proto__: /],
  ['streams:\n  a: { template: week }\n', /^PATH:2:18: streams\.a\.template: there is no template "week"$/],
  ['streams:\n  a:\n    source: udp://:99999\n', /^PATH:3:13: streams\.a\.source: .*"99999" is not a port/],
  ['streams:\n  a: { source: "-" }\n', /^PATH:2:16: streams\.a\.source: .*standard input/],
  ['templates:\n  a: { source: gopher://x }\n', /^PATH:2:16: templates\.a\.source: .*no protocol "gopher"/],
  ['streams:\n  a: *b\n', /^PATH:2:6: there is no such anchor before it; a value that begins with "\*" is written in quotes$/],
  ['streams: &b\n  a: *b\n', /^PATH:2:6: the alias stands inside what it stands for$/],
  ['streams: !secret x\n', /^PATH:1:10: there is no such tag; a value that begins with "!" is written in quotes$/],
  ['- a\n', /^PATH:1:1: it is not names with values/],
  ['data: x\n---\ndata: y\n', /^PATH:2:1: /],
  ['templates: { t: { dvr: &d { enabled: 1 } } }\nstreams:\n  b: { <<: { dvr: *d } }\n', /^PATH:1:38: templates\.t\.dvr\.enabled: /],
  ['streams: {}\n#' + 'x'.repeat(1_000_000), /^PATH: the file is longer than 1000000 bytes$/],
  [
    'auth:\n  keys:\n    - { id: a, secret: 12345678901234567890123456789012 }\n    - { id: b, secret: short }\n',
    /^PATH:3:24: auth\.keys\.0\.secret: .*string, received number \(and 1 more\)$/,
  ],
  ['auth:\n  keys:\n    - { id: b, secret: short }\n', /^PATH:3:24: auth\.keys\.0\.secret: .*32/],
  ['auth:\n  keys:\n    - { id: b }\n', /^PATH:3:7: auth\.keys\.0\.secret: /],
  [
    'http:\n  trusted_proxies: [127.0.0.1, proxy.example]\n',
    /^PATH:2:32: http\.trusted_proxies\.1: it is neither a network \(10\.0\.0\.0\/8\) nor an address$/,
  ],
  ['http:\n  hosts:\n    - tv.example.org\n    - http://tv.example.org\n', /^PATH:4:7: http\.hosts\.1: it is no name of a host/],
  ['egress: { allow: [10.0.0.0/40] }\n', /^PATH:1:19: egress\.allow\.0: it is neither a network/],
  ['streams: ' + '['.repeat(20_000), /^PATH(:1:\d+)?: /],
])('C1: a wrong file names line and field: %#', async (text, message) => {
  const dir = await folder();
  const path = join(dir, 'livetape.yaml');
  await writeFile(path, text);
  const error = await refusal(openConfig({ path, clock: systemClock, log: silentLogger }));
  expect(error).toMatchObject({ name: 'LivetapeError', code: 'CONFIG_INVALID' });
  expect(error.message.replaceAll(path, 'PATH')).toMatch(message);
});

it('C1: a wrong file says by its cause which code it would be elsewhere, and shows no secrets', async () => {
  const dir = await folder();
  const path = join(dir, 'livetape.yaml');
  await writeFile(path, 'streams:\n  a: { source: "http://me:geheim@h:99999/" }\n');
  const error = await refusal(openConfig({ path, clock: systemClock, log: silentLogger }));
  expect(error.cause).toMatchObject({ code: 'SOURCE_INVALID' });
  expect(error.context).toEqual({ path, line: 2, column: 16, field: 'streams.a.source' });
  expect(error.message).not.toContain('geheim');
  await writeFile(path, 'streams:\n  a: { source: "http://me:geheim@h/ }\n');
  expect((await refusal(openConfig({ path, clock: systemClock, log: silentLogger }))).message).not.toContain('geheim');
});

it('C1: aliases that say very much are refused in no time', async () => {
  const levels = Array.from(
    { length: 30 },
    (_, i) =>
      `x${i}: &x${i} [${
        i === 0
          ? 'lol'
          : Array<string>(9)
              .fill(`*x${i - 1}`)
              .join(', ')
      }]`,
  );
  const dir = await folder();
  const path = join(dir, 'livetape.yaml');
  await writeFile(path, levels.join('\n'));
  expect((await refusal(openConfig({ path, clock: systemClock, log: silentLogger }))).message).toMatch(/aliases repeat too much/);
});

it('C1: what is no file, or not UTF-8, is refused', async () => {
  const dir = await folder();
  expect((await refusal(openConfig({ path: dir, clock: systemClock, log: silentLogger }))).message).toMatch(/it is not a file/);
  expect((await refusal(openConfig({ path: '/dev/null', clock: systemClock, log: silentLogger }))).message).toMatch(/it is not a file/);
  const path = join(dir, 'x.yaml');
  await writeFile(path, new Uint8Array([0x61, 0x3a, 0xff, 0xfe]));
  expect((await refusal(openConfig({ path, clock: systemClock, log: silentLogger }))).message).toMatch(/it is not UTF-8/);
});

it('C1: follows a file that is written, replaced, wrong, gone and there again', async () => {
  const { store, path, dir } = await opened(NEWS);
  const [changes, errors] = [vi.fn(), vi.fn()];
  store.onChange(changes);
  store.onError(errors);
  const before = store.state;
  await writeFile(path, NEWS.replace('3600', '7200'));
  await vi.waitFor(() => expect(changes).toHaveBeenCalledTimes(1), 10_000);
  expect(changes).toHaveBeenLastCalledWith(store.state, before);
  expect(store.state.streams.get('news')?.dvr.retention_sec).toBe(7200);

  await writeFile(join(dir, 'new'), NEWS.replace('3600', '10'));
  await rename(join(dir, 'new'), path);
  await vi.waitFor(() => expect(store.state.streams.get('news')?.dvr.retention_sec).toBe(10), 10_000);

  await writeFile(path, 'streams: [');
  await vi.waitFor(() => expect(errors).toHaveBeenCalledTimes(1), 10_000);
  expect(store.error?.message).toMatch(/livetape\.yaml:1:\d+: /);
  expect(store.state.streams.get('news')?.dvr.retention_sec).toBe(10);
  expect(await refusal(store.reload())).toBe(store.error);

  await rm(path);
  await vi.waitFor(() => expect(store.error?.message).toMatch(/the file is gone/), 10_000);
  expect(store.state.streams.size).toBe(2);

  await writeFile(path, NEWS.replace('3600', '10'));
  await vi.waitFor(() => expect(store.error).toBeUndefined(), 10_000);
  expect(errors).toHaveBeenLastCalledWith(undefined);
  expect(changes).toHaveBeenCalledTimes(2);
});

it('C1: a change that says nothing else is none', async () => {
  const { store, path } = await opened(NEWS);
  const changes = vi.fn();
  store.onChange(changes);
  await writeFile(path, `# hello\n${NEWS}`);
  await store.reload();
  expect(changes).not.toHaveBeenCalled();
  await store.put('sport', { source: 'tcp://10.0.0.2:7000' });
  expect(changes).not.toHaveBeenCalled();
  await store.patch('sport', { title: 'Sport' });
  expect(changes).toHaveBeenCalledTimes(1);
});

it('C1: where nothing tells of changes the file is looked at every two seconds', async () => {
  const dir = await folder();
  await mkdir(join(dir, 'real'));
  const real = join(dir, 'real', 'x.yaml');
  await writeFile(real, NEWS);
  // The folder of the other name of a hard link hears of nothing.
  await mkdir(join(dir, 'here'));
  await link(real, join(dir, 'here', 'livetape.yaml'));
  const clock = new ManualClock();
  const store = await openConfig({ path: join(dir, 'here', 'livetape.yaml'), clock, log: silentLogger });
  onTestFinished(() => store.close());
  await writeFile(real, NEWS.replace('3600', '20'));
  await vi.waitFor(() => {
    clock.advance(100);
    expect(store.state.streams.get('news')?.dvr.retention_sec).toBe(20);
  }, 10_000);
});

it('C2: the API writes in place: comments, order and style elsewhere survive', async () => {
  const { store, text } = await opened(NEWS);
  await store.patch('news', { title: 'The News', dvr: { enabled: false, retention_sec: 60 } });
  expect(await text()).toBe(`# our channels
streams:
  # the news
  news:
    source: udp://@239.0.0.1:5000 # from the head end
    dvr:
      retention_sec: 60 # an hour
      enabled: false
    title: The News
  sport: { source: 'tcp://10.0.0.2:7000' }
`);
  expect(store.state.streams.get('news')).toMatchObject({ title: 'The News', dvr: { enabled: false, retention_sec: 60 } });
  await store.patch('news', { title: null, dvr: null });
  await store.patch('sport', { dvr: { max_size_gb: 5 } });
  await store.put('new', { source: 'tcp://h:1' });
  expect(await text()).toBe(`# our channels
streams:
  # the news
  news:
    source: udp://@239.0.0.1:5000 # from the head end
  sport: { source: 'tcp://10.0.0.2:7000', "dvr": {"max_size_gb":5} }
  new:
    source: tcp://h:1
`);
  await store.remove('sport');
  await store.put('news', { source: 'tcp://h:2', template: undefined });
  expect(await text()).toBe(`# our channels
streams:
  # the news
  news:
    source: tcp://h:2 # from the head end
  new:
    source: tcp://h:1
`);
});

it('C2: what the API may not write is refused, by its own code', async () => {
  const { store, text } = await opened(NEWS);
  const codes = await Promise.all(
    [
      store.put('a//b', {}),
      store.put('News', {}),
      store.put('news/hd', {}),
      store.put('x', { source: 'udp://:0' }),
      store.put('x', { source: 'srt://h:1' }),
      store.put('x', { template: 'none' }),
      store.put('x', { dvr: { retention_sec: -1 } }),
      store.patch('x', {}),
      store.remove('x'),
      store.patch('news', { dvr: { nonsense: 1 } }),
      store.put('__proto__', {}),
    ].map(async (work) => (await refusal(work)).code),
  );
  expect(codes).toEqual([
    ...['STREAM_CODE_INVALID', 'STREAM_CODE_TAKEN', 'STREAM_CODE_TAKEN', 'SOURCE_INVALID', 'SOURCE_UNSUPPORTED', 'CONFIG_INVALID'],
    ...['CONFIG_INVALID', 'STREAM_NOT_FOUND', 'STREAM_NOT_FOUND', 'CONFIG_INVALID', 'STREAM_CODE_INVALID'],
  ]);
  expect((await refusal(store.patch('news', { dvr: { nonsense: 1 } }))).message).toBe('stream news: dvr.nonsense: there is no such field');
  expect(await text()).toBe(NEWS);
});

it('C2: a file that changed meanwhile is read first; a wrong one is never written over', async () => {
  const { store, path, text } = await opened(NEWS);
  await writeFile(path, NEWS.replace('3600', '1234'));
  await store.patch('sport', { title: 'S' });
  expect(await text()).toBe(NEWS.replace('3600', '1234').replace(' }\n', ', "title": "S" }\n'));
  expect(store.state.streams.get('news')?.dvr.retention_sec).toBe(1234);
  await writeFile(path, 'streams: [');
  expect(await refusal(store.put('x', {}))).toMatchObject({ code: 'CONFIG_INVALID' });
  expect(await text()).toBe('streams: [');
  await rm(path);
  expect(await refusal(store.put('x', {}))).toMatchObject({ code: 'CONFIG_INVALID' });
  expect(await readdir(join(path, '..'))).toEqual([]);
});

it('C2: calls at once are carried out one after another', async () => {
  const { store, text } = await opened(undefined);
  await Promise.all(Array.from({ length: 20 }, (_, i) => store.put(`s${i}`, { title: `${i}` })));
  await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? store.remove(`s${i}`) : store.patch(`s${i}`, { title: `t${i}` }))));
  expect([...store.state.streams.values()].map(({ title }) => title)).toEqual(Array.from({ length: 10 }, (_, i) => `t${i * 2 + 1}`));
  const again = await openConfig({ path: store.path, clock: systemClock, log: silentLogger });
  onTestFinished(() => again.close());
  expect(again.state).toEqual(store.state);
  expect((await text()).split('\n').length).toBe(22);
});

it('C2: mode and link stay, nothing is left beside it, and what cannot be written says so', async () => {
  const dir = await folder();
  await mkdir(join(dir, 'etc'));
  const real = join(dir, 'etc', 'real.yaml');
  await writeFile(real, NEWS);
  await chmod(real, 0o640);
  await symlink('etc/real.yaml', join(dir, 'livetape.yaml'));
  const store = await openConfig({ path: join(dir, 'livetape.yaml'), clock: systemClock, log: silentLogger });
  onTestFinished(() => store.close());
  await store.remove('sport');
  expect(await readFile(real, 'utf8')).toBe(NEWS.replace(/ {2}sport.*\n/, ''));
  expect((await stat(real)).mode & 0o777).toBe(0o640);
  expect([await readdir(dir), await readdir(join(dir, 'etc'))]).toEqual([['etc', 'livetape.yaml'], ['real.yaml']]);
  const nowhere = await openConfig({ path: join(dir, 'none', 'x.yaml'), clock: systemClock, log: silentLogger });
  onTestFinished(() => nowhere.close());
  expect(await refusal(nowhere.put('x', {}))).toMatchObject({ code: 'CONFIG_UNWRITABLE' });
  expect(nowhere.state.streams.size).toBe(0);
});

it('C6: the built-in channel is there unless the file has one, and is never written', async () => {
  const demo = { source: 'file:/demo.ts?loop=1', title: 'Demo' };
  const { store, text } = await opened(undefined, { demo });
  expect(store.state.streams.get('demo')).toMatchObject({ source: 'file:/demo.ts?loop=1', dvr: { enabled: true } });
  await store.patch('demo', { dvr: { enabled: false } });
  expect(store.state.streams.get('demo')?.dvr.enabled).toBe(false);
  expect(store.error).toBeUndefined();
  await store.put('news', {});
  expect(await text()).toBe('streams:\n  news: {}\n');
  expect(store.state.streams.get('demo')?.dvr.enabled).toBe(false);
  await store.remove('demo');
  expect([...store.state.streams.keys()]).toEqual(['news']);
  expect(await refusal(store.remove('demo'))).toMatchObject({ code: 'STREAM_NOT_FOUND' });
  const own = await opened('streams: { demo: { title: mine } }', { demo });
  expect(own.store.state.streams.get('demo')?.title).toBe('mine');
  const excluded = await opened('streams: { Demo/x: {} }', { demo });
  expect([...excluded.store.state.streams.keys()]).toEqual(['Demo/x']);
});

it('is closed once, and follows nothing from then on', async () => {
  const { store, path } = await opened(NEWS);
  const changes = vi.fn();
  store.onChange(changes);
  await store.close();
  await store.close();
  await writeFile(path, 'streams: {}');
  expect(await refusal(store.reload())).toMatchObject({ code: 'CLOSED' });
  expect(await refusal(store.put('x', {}))).toMatchObject({ code: 'CLOSED' });
  expect(changes).not.toHaveBeenCalled();
});

it('W1: a webhook is written, changed and taken away; comments stay', async () => {
  const { store, text } = await opened(`${NEWS}hooks:\n  # the desk's\n  desk:\n    url: https://desk.example/ # theirs\n`);
  await store.putHook('desk', { url: 'https://desk.example/', events: ['recording.failed'], streams: ['sport/*'] });
  await store.putHook('two', { url: 'http://127.0.0.1:9/', secret: undefined });
  expect(await text()).toBe(
    `${NEWS}hooks:\n  # the desk's\n  desk:\n    url: https://desk.example/ # theirs\n    events:\n      - recording.failed\n    streams:\n      - sport/*\n  two:\n    url: http://127.0.0.1:9/\n`,
  );
  expect(store.state.config.hooks['desk']?.streams).toEqual(['sport/*']);
  await store.removeHook('desk');
  expect(Object.keys(store.state.config.hooks)).toEqual(['two']);
  expect((await refusal(store.removeHook('desk'))).code).toBe('HOOK_NOT_FOUND');
  expect((await refusal(store.putHook('TWO', { url: 'http://h/' }))).code).toBe('REQUEST_INVALID');
  for (const id of ['', 'a/b', '../x', '__proto__', 'x'.repeat(65)]) {
    expect((await refusal(store.putHook(id, { url: 'http://h/' }))).code, id).toBe('REQUEST_INVALID');
  }
  expect((await refusal(store.putHook('two', { url: 'ftp://h/' }))).message).toContain('webhook two: url: it is not an http');
  expect(await text()).toContain('two:');
});

it.each([
  ['an event that there is not', 'url: http://h/\n    events: [gap.opened, gap.lost]', 'livetape.yaml:4:26: hooks.a.events.1: '],
  ['no URL', 'batch: 5', 'hooks.a.url: '],
  ['a URL that is none', 'url: nowhere', 'livetape.yaml:3:10: hooks.a.url: it is not an http:// or https:// URL'],
  ['a secret that is not base64', 'url: http://h/\n    secret: whsec_this-is-no-base64', 'hooks.a.secret: '],
  ['ids that only case tells apart', 'url: http://h/\n  A:\n    url: http://h/', 'livetape.yaml:4:3: hooks.A: there is a: '],
])('W1: %s is a fault at its line', async (_what, entry, message) => {
  const error = await refusal(opened(`hooks:\n  a:\n    ${entry}\n`));
  expect([error.code, error.message]).toEqual(['CONFIG_INVALID', expect.stringContaining(message)]);
});

it.each([
  'source: *hunter2',
  'source: !hunter2',
  'source: !hunter2 x',
  'source: %hunter2',
  'source: "\\hunter2"',
  'source: "http://a:hunter2@h',
  'source: http://a:hunter2@h" x: [',
  "source: 'http://a:hunter2@h' hunter2",
  'source: | hunter2',
  'source: [hunter2, {',
  'source: ] hunter2',
  '{ "source:http://a:hunter2@h": 1 }',
  'source:http://a:hunter2@h : 1',
  'source: &hunter2 *hunter2',
  'source: http://a:hunter2%zz@h/',
  'source: tcp://a:hunter2#x@h:1',
  'source: tcp://a:x#hunter2@h:1',
  'source: tcp://a:x/hunter2@h:1',
  'source: udp://a:hunter2@h:1',
  'source: [tcp://a:hunter2@h:1]',
  'source: xyz://a:hunter2@h:1',
  'source: http://h/x?token=hunter2&program=1&program=2',
])('D11: an error tells nothing of what the file says that may be a secret: %s', async (line) => {
  const path = join(await folder(), 'livetape.yaml');
  await writeFile(path, `streams:\n  a:\n    ${line}\n`);
  const error = await refusal(openConfig({ path, clock: systemClock, log: silentLogger }));
  expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
});
