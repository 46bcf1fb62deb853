/**
 * D10: nothing that a server says holds a path of its machine. A mark is in the path of all that it is given (data, state, configuration, a stream's own place), much is made to fail,
 * and all that is answered is searched for the mark: as nobody asks without auth, and with each scope but admin.
 */
import { appendFile, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aroundEach, expect, it } from 'vitest';
import { sideBySide, temporaryFolder, waitFor, whenOver } from './lab.js';
import { startServer, type TestServer } from './serveLab.js';

aroundEach(sideBySide);

const MARK = 'Mark-in my path';
/** Streams, by what is wrong with them. */
const CODES = ['corrupt', 'binary', 'newer', 'linked', 'place', 'file', 'empty', 'well', 'none', 'index'];

/** A folder with archives that are wrong in all ways, and what livetape.yaml says of them. */
async function wrongArchives(): Promise<{ readonly root: string; readonly yaml: string }> {
  const root = join(await temporaryFolder(), MARK, 'archives');
  const put = async (code: string, name: string, text: string | Uint8Array): Promise<void> => {
    await mkdir(join(root, code), { recursive: true });
    await writeFile(join(root, code, name), text);
  };
  const entry = '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n#EXTINF:4.000000,\n000000.ts\n';
  await put('corrupt', 'playlist.m3u8', '#EXTM3U\n#EXTINF:nonsense\n../../000000.ts\n');
  await put('binary', 'playlist.m3u8', new Uint8Array(4096).fill(0xff));
  await put('newer', 'playlist.m3u8', `#EXTM3U\n#livetape-playlist format=999\n#EXT-X-VERSION:99\n${entry}`);
  await put('newer', 'index.json', '{"format": 999, "stream_code": "newer"}');
  await put('index', 'index.json', '{"stream_code": 5');
  await put('well', 'playlist.m3u8', `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n${entry}#EXT-X-ENDLIST\n`);
  await mkdir(join(root, 'elsewhere'), { recursive: true });
  await symlink('/etc', join(root, 'linked'));
  // no folder can be made where a file is
  await writeFile(join(root, 'a file'), '');
  await mkdir(join(root, '.livetape-keeps'), { recursive: true });
  const yaml = `state: ${JSON.stringify(join(root, 'own state', 'of it'))}
recorders: 1
streams:
  corrupt: { source: "tcp://127.0.0.1:1" }
  binary: { source: "tcp://127.0.0.1:1" }
  newer: { source: "tcp://127.0.0.1:1" }
  index: { source: "tcp://127.0.0.1:1" }
  linked: { source: "tcp://127.0.0.1:1" }
  place: { source: "tcp://127.0.0.1:1", dvr: { storage_path: ${JSON.stringify(join(root, 'a file', 'in it'))} } }
  file: { source: "file:${encodeURI(root)}/nowhere.ts" }
  empty: {}
`;
  return { root, yaml };
}

/** Asks for all there is of every stream, and answers with all that was said. */
async function askAll({ get }: TestServer, init: RequestInit): Promise<{ readonly said: string[]; readonly codes: Set<string> }> {
  const said: string[] = [];
  const codes = new Set<string>();
  const ask = async (path: string, more: RequestInit = {}): Promise<void> => {
    const response = await get(path, { ...init, ...more, headers: { ...init.headers, ...more.headers } });
    const text = await response.text();
    codes.add(/"code":"([A-Z_]+)"/.exec(text)?.[1] ?? String(response.status));
    said.push(`${more.method ?? 'GET'} ${path}: ${response.status} ${[...response.headers].join(' ')}\n${text}`);
  };
  const json = (method: string, payload: unknown): RequestInit => ({
    method,
    body: JSON.stringify(payload),
    headers: { 'content-type': 'application/json' },
  });
  for (const code of CODES) {
    for (const name of [
      'index.m3u8',
      'index.m3u8?from=1767225600&dur=60',
      'playlist.m3u8',
      '000000.ts',
      '000000.ts.part',
      'index.json',
      'passwd',
    ])
      await ask(`/${code}/${name}`);
    for (const name of ['recording_status.json', 'archive-1767225600-60.ts', '1767225600-preview.mp4', '..%2f..%2fetc%2fpasswd', '%00'])
      await ask(`/${code}/${name}`);
    await ask(`/api/v1/streams/${code}`);
    await ask(`/api/v1/recordings/${code}`);
    await ask(`/api/v1/recordings/${code}/keeps`);
    await ask(`/api/v1/recordings/${code}/keeps`, json('POST', { name: 'k', from: 1767225600, to: 1767225602 }));
    await ask(`/api/v1/recordings/${code}/keeps/none`, { method: 'DELETE' });
    await ask(`/api/v1/streams/${code}`, json('PATCH', { title: 'x' }));
    await ask(`/api/v1/streams/${code}/start`, json('POST', {}));
    await ask(`/api/v1/streams/${code}/stop`, json('POST', {}));
    await ask(`/api/v1/streams/${code}/start`, json('POST', {}));
  }
  for (const source of ['file:/etc/passwd', 'file:nowhere', '-', 'tcp://127.0.0.1:1', 'udp://127.0.0.1:1']) {
    if (!source.startsWith('udp')) await ask(`/api/v1/probe?source=${encodeURIComponent(source)}`);
    await ask('/api/v1/streams/made', json('PUT', { source }));
  }
  for (const path of [
    '/metrics',
    '/readyz',
    '/healthz',
    '/openapi.json',
    '/api/v1/streams',
    '/api/v1/keeps',
    '/api/v1/hooks',
    '/api/v1/none',
    '/playlist.m3u',
  ])
    await ask(path);
  return { said, codes };
}

/** What events say, until the test is over. */
async function listen({ get }: TestServer, init: RequestInit): Promise<() => string> {
  const over = new AbortController();
  whenOver(() => over.abort());
  let text = '';
  const response = await get('/api/v1/events', { ...init, signal: over.signal });
  void (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString();
  })().catch(() => undefined);
  return () => text;
}

/** The parts of the path that would tell where things are, however they are written. */
function expectNoMark(text: string): void {
  for (const mark of [MARK, encodeURI(MARK), 'Mark-in', 'my path', 'own state', '/tmp/']) {
    const at = text.indexOf(mark);
    expect(at < 0 ? '' : text.slice(Math.max(0, at - 400), at + 200)).toBe('');
  }
}

/** Fields that admins alone are told, and may be told: where auth is off everybody is one. */
const OF_ADMINS = /"(segment_dir|storage_path)":"[^"]*"|"(source|url)":"file:[^"]*"/g;

it.concurrent.each(['local', 'api', 'playback', 'metrics'])(
  'D10: %s is told no path of the machine',
  { timeout: 120_000 },
  async (scope) => {
    const { root, yaml } = await wrongArchives();
    const server = await startServer({ root, yaml: scope === 'local' ? yaml : `auth: { enabled: true }\n${yaml}` });
    const init: RequestInit = {};
    if (scope !== 'local') {
      const admin = (await readFile(join(root, 'own state', 'of it', 'admin-token'), 'utf8')).trim();
      const made = await server.json('/api/v1/tokens', {
        method: 'POST',
        body: JSON.stringify({ name: scope, scopes: [scope], streams: ['*'] }),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
      });
      init.headers = { authorization: `Bearer ${String(made['token'])}` };
    }
    const events = await listen(server, init);
    const { said, codes } = await askAll(server, init);
    // what is wrong was met
    if (scope === 'local' || scope === 'api') {
      expect([...codes]).toEqual(expect.arrayContaining(['SOURCE_REFUSED', 'STREAM_NOT_FOUND', 'KEEP_NOT_FOUND']));
      expect(said.join('\n')).toMatch(/"code":"(STORAGE_UNWRITABLE|STORAGE_FAILED)","message":"[^"]*the log says more"/);
    } else expect([...codes]).toContain('FORBIDDEN');
    await appendFile(server.config, '  bad: { source: 5 }\n');
    server.running.child.kill('SIGHUP');
    await waitFor('the error', () => server.running.stderr().includes('CONFIG_INVALID') || undefined);
    const again = await askAll(server, init);
    if (scope === 'local' || scope === 'api') expect([...again.codes]).toContain('CONFIG_INVALID');
    if (scope === 'local' || scope === 'metrics') expect(again.said.join('\n')).toContain('"what":"config","name":"livetape.yaml"');
    for (const text of [...said, ...again.said, events()]) expectNoMark(scope === 'local' ? text.replace(OF_ADMINS, '') : text);
  },
);
