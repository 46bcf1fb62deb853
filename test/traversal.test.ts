/**
 * Nothing but what the routes name is ever served (docs/design/door.md, D10): hundreds of ways to write a path that leads elsewhere, put into every route that has one, over raw
 * sockets, where nobody tidies a URL; in folders full of files that hold a mark. As anybody, and as an admin.
 */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from './lab.js';
import { recordPast } from './recordedPast.js';
import { startServer } from './serveLab.js';

/** Stands in every file that is not to be served. */
const MARK = 'planted-where-nobody-may-read';

/** What is looked for, from a stream's folder and from the root of all. */
const TARGETS = [
  'index.json.tmp',
  '.hidden',
  '000000.ts.part',
  '000001.ts.corrupt-20260101T000000Z',
  'playlist.m3u8.tmp',
  'index.json',
  '.owner',
  'link.ts',
  '../.livetape/tokens.json',
  '../.livetape/audit.jsonl',
  '../.livetape/signing-key',
  '../.keeps/news/kept/playlist.m3u8',
  '../.keeps/news/kept/000000.ts',
  '../livetape.yaml',
  '../../outside.txt',
  '../../../../../../etc/passwd',
  '/etc/passwd',
  'C:\\windows\\win.ini',
  '../secret/000000.ts',
  '../secret/playlist.m3u8',
  '../.recorders/control',
];

/** Ways to write what tidying or decoding once, twice, or as another coding makes `../` or `/` of. */
const WAYS: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => path.replaceAll('../', '..%2f'),
  (path) => path.replaceAll('../', '..%2F'),
  (path) => path.replaceAll('../', '%2e%2e/'),
  (path) => path.replaceAll('../', '%2e%2e%2f'),
  (path) => path.replaceAll('../', '%252e%252e%252f'),
  (path) => path.replaceAll('../', '%25252e%25252e%25252f'),
  (path) => path.replaceAll('../', '..\\').replaceAll('/', '\\'),
  (path) => path.replaceAll('../', '..%5c').replaceAll('/', '%5c'),
  (path) => path.replaceAll('../', '%c0%ae%c0%ae%c0%af'),
  (path) => path.replaceAll('../', '%e0%80%ae%e0%80%ae/'),
  (path) => path.replaceAll('../', '%uff0e%uff0e%u2215'),
  (path) => path.replaceAll('../', '....//'),
  (path) => path.replaceAll('../', '..;/'),
  (path) => path.replaceAll('../', '.././'),
  (path) => path.replaceAll('../', '..//'),
  (path) => `x/../${path}`,
  (path) => `./${path}`,
  (path) => `.%00/${path}`,
  (path) => `${path}%00.ts`,
  (path) => `${path}%00.m3u8`,
  (path) => `${path}%0a.ts`,
  (path) => `${path}?.ts`,
  (path) => `${path}%3f.ts`,
  (path) => `${path}#.ts`,
  (path) => `${path};.ts`,
  (path) => `${path}/`,
  (path) => `${path}%20`,
  (path) => `${path}.`,
  (path) => `file:///${path}`,
  (path) => path.replaceAll('.', '\u2024'),
  (path) => path.replaceAll('/', '\u2215'),
  (path) =>
    path
      .split('')
      .map((letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, '0')}`)
      .join(''),
  (path) =>
    path
      .split('')
      .map((letter) => `%25${letter.charCodeAt(0).toString(16).padStart(2, '0')}`)
      .join(''),
];

/** Every route with a path, and where in it. */
const ROUTES: readonly (readonly [method: string, before: string, after: string])[] = [
  ['GET', '/news/', ''],
  ['GET', '/', '/000000.ts'],
  ['GET', '/', '/index.m3u8'],
  ['GET', '/', '/recording_status.json'],
  ['GET', '/', ''],
  ['GET', '/docs/static/', ''],
  ['GET', '/docs/', ''],
  ['GET', '/t/abc/news/', ''],
  ['GET', '/t/', '/news/index.m3u8'],
  ['GET', '/api/v1/streams/', ''],
  ['GET', '/api/v1/recordings/', ''],
  ['GET', '/api/v1/recordings/', '/keeps'],
  ['GET', '/api/v1/hooks/', ''],
  ['GET', '/api/v1/events?stream=', ''],
  ['DELETE', '/api/v1/recordings/news/keeps/', ''],
  ['DELETE', '/api/v1/tokens/', ''],
  ['DELETE', '/api/v1/streams/', ''],
  ['POST', '/api/v1/streams/', '/start'],
  ['POST', '/api/v1/streams/', '/stop'],
  ['POST', '/api/v1/hooks/', '/test'],
  ['PUT', '/api/v1/streams/', ''],
  ['PUT', '/api/v1/hooks/', ''],
];

it('at least 300 ways to leave the folder, in every route with a path: none leads anywhere', async () => {
  const above = await temporaryFolder();
  const root = join(above, 'dvr');
  await mkdir(root);
  await recordPast({ root, code: 'news', parts: [{ kind: 'media', seconds: 12 }] });
  const plant = async (path: string): Promise<void> => {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), `${MARK}\n#EXTM3U\n`, { flag: 'a' });
  };
  for (const target of TARGETS.filter(
    (path) => !path.startsWith('/') && !path.includes('etc') && !path.includes('\\') && path !== 'link.ts',
  )) {
    // what the server makes itself it has to be able to read
    if (!/index\.json$|\.livetape|\.recorders|livetape\.yaml/.test(target)) await plant(join('news', target));
  }
  await plant('other/.hidden');
  await symlink(join(above, 'outside.txt'), join(root, 'news', 'link.ts'));
  await symlink(join(above, 'outside.txt'), join(root, 'news', '000777.ts'));
  await plant('../outside.txt');
  const yaml = `# ${MARK}\nauth: { enabled: true }\nhttp: { limits: { requests_per_second: 1000000, failures_per_minute: 1000000 } }\nrecorders: 0\nstreams: { news: {} }\n`;
  const server = await startServer({ root, yaml });
  const admin = (await readFile(join(root, '.livetape', 'admin-token'), 'utf8')).trim();
  const before = (await readdir(root, { recursive: true })).filter((name) => !name.includes('audit')).sort();
  const port = Number(new URL(server.url).port);

  const paths = [...new Set(TARGETS.flatMap((target) => WAYS.map((way) => way(target))))];
  expect(paths.length).toBeGreaterThanOrEqual(300);
  const found: string[] = [];
  const statuses = new Map<number, number>();
  for (const token of [undefined, admin]) {
    const asked = ROUTES.flatMap(([method, start, end]) => paths.map((path) => ({ method, target: `${start}${path}${end}` })));
    const lanes = Array.from({ length: 8 }, (_, lane) => asked.filter((_one, at) => at % 8 === lane));
    await Promise.all(
      lanes.map(async (lane) => {
        for (const { method, target } of lane) {
          const answer = await rawly(port, method, target, token);
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          const isWrong =
            answer.text.includes(MARK) ||
            /root:.*:0:0:/.test(answer.text) ||
            answer.text.includes(admin) ||
            answer.text.includes(above) ||
            answer.status >= 500;
          if (isWrong)
            found.push(
              `${method} ${target} as ${token === undefined ? 'anybody' : 'admin'}: ${answer.status} ${answer.text.slice(0, 300)}`,
            );
        }
      }),
    );
  }
  expect(found.slice(0, 20)).toEqual([]);
  expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(2 * ROUTES.length * paths.length);
  // What was asked for as it may be was answered, so that what was refused was not refused for something else.
  expect((await server.get('/news/000000.ts', { headers: { authorization: `Bearer ${admin}` } })).status).toBe(200);
  expect((await readdir(root, { recursive: true })).filter((name) => !name.includes('audit')).sort()).toEqual(before);
  expect(await readFile(server.config, 'utf8')).toBe(yaml);
}, 240_000);

/** One request on a connection of its own, as it is written; an event stream is left after its head. */
function rawly(port: number, method: string, target: string, token: string | undefined): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const done = (): void => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), text });
    };
    socket.setTimeout(20_000, () => reject(new Error(`${method} ${target} was not answered: ${text.slice(0, 200)}`)));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.includes('text/event-stream')) done();
    });
    socket.on('error', done);
    socket.on('end', done);
    const body = method === 'PUT' ? '{}' : '';
    const head = [
      `${method} ${target} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Connection: close',
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      ...(body === '' ? [] : ['Content-Type: application/json']),
      `Content-Length: ${body.length}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  });
}
