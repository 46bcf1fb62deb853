/**
 * D11: tokens, keys and passwords are planted everywhere they can be said, a real server is run through much that fails, and then all that it has told anybody is searched:
 * its streams, its metrics, its events, its audit log, its answers. docs/design/door.md.
 */
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { temporaryFolder, waitFor } from './lab.js';
import { startServer } from './serveLab.js';

/** Each in a place of its own, so that a find says which it was. */
const SECRET = {
  password: 'Hunter2-password',
  query: 'Hunter2-query',
  redirect: 'Hunter2-redirect',
  key: 'Hunter2-key-of-more-than-thirty-two-characters',
  hook: 'whsec_SHVudGVyMi1ob29rLXNlY3JldC1vZi10aGlydHk=',
  hookUrl: 'Hunter2-hook-url',
  authorizer: 'Hunter2-authorizer',
  wrongToken: 'lt_abcdefgh_Hunter2-wrong-token-0123456789abcdefghijklm',
  foreignToken: 'Hunter2-foreign-token',
  wrongFile: 'Hunter2-in-a-wrong-file',
  api: 'Hunter2-through-the-api',
} as const;

/** Answers with failures: 500 to hooks and the authoriser, redirects to sources. */
async function unkindServer(): Promise<{ readonly port: number; readonly requests: string[] }> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    if (request.url?.startsWith('/live') === true) {
      response.writeHead(302, { location: `http://u:${SECRET.redirect}@127.0.0.1:1/next?token=${SECRET.redirect}` }).end();
    } else response.writeHead(500).end('no');
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, requests };
}

/** All files under a folder that may be told of to somebody: the audit log. */
async function textsUnder(folder: string, isWanted: (name: string) => boolean): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).filter(isWanted);
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
}

it('D11: no secret is in any stream, answer, metric, event or audit line, whatever fails', { timeout: 120_000 }, async () => {
  const unkind = await unkindServer();
  const root = await temporaryFolder();
  const stateFolder = join(root, 'own');
  await mkdir(stateFolder);
  const yaml = `log_level: debug
state: ${stateFolder}
recorders: 1
auth:
  enabled: true
  keys: [{ id: k1, secret: ${SECRET.key} }]
  http_url: http://a:${SECRET.authorizer}@127.0.0.1:${unkind.port}/ask?key=${SECRET.authorizer}
hooks:
  fails: { url: "http://h:${SECRET.hookUrl}@127.0.0.1:${unkind.port}/hook?token=${SECRET.hookUrl}", secret: ${SECRET.hook}, batch_ms: 0 }
streams:
  gone: { source: "http://me:${SECRET.password}@127.0.0.1:1/x?token=${SECRET.query}" }
  sent: { source: "http://me:${SECRET.password}@127.0.0.1:${unkind.port}/live?token=${SECRET.query}" }
  file: { source: "file:${root}/nowhere.ts" }
`;
  const server = await startServer({ root, yaml });
  const admin = (await readFile(join(stateFolder, 'admin-token'), 'utf8')).trim();
  const answers: string[] = [];
  const ask = async (path: string, init: RequestInit = {}): Promise<{ readonly status: number; readonly body: string }> => {
    const response = await server.get(path, { redirect: 'manual', ...init });
    const body = await response.text();
    // A token that was asked for by its path is led to where it opens something: that answer is for who said it.
    const headers = [...response.headers].filter(([name]) => name !== 'location').map((pair) => pair.join(': '));
    answers.push(`${response.status}\n${headers.join('\n')}\n${body}`);
    return { status: response.status, body };
  };
  const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });
  const json = (method: string, payload: unknown): RequestInit => ({
    method,
    body: JSON.stringify(payload),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
  });

  // what is told as it happens
  const events = new AbortController();
  onTestFinished(() => events.abort());
  const heard: string[] = [];
  const stream = await server.get('/api/v1/events', { ...bearer(admin), signal: events.signal });
  expect(stream.status).toBe(200);
  void (async () => {
    for await (const chunk of stream.body ?? []) heard.push(Buffer.from(chunk as Uint8Array).toString());
  })().catch(() => undefined);

  // right credentials, and a token that is told once
  const made = await server.json(
    '/api/v1/tokens',
    json('POST', { name: 'viewer', scopes: ['playback', 'api', 'metrics'], streams: ['*'] }),
  );
  const viewer = String(made['token']);
  expect(viewer).toMatch(/^lt_/);
  const signed = String((await server.json('/api/v1/sign', json('POST', { stream: 'gone', expires_in: 600 })))['token']);
  expect(signed).toMatch(/^eyJ/);
  expect((await ask('/api/v1/tokens', bearer(admin))).status).toBe(200);
  for (const token of [admin, viewer, signed, SECRET.wrongToken, SECRET.foreignToken, `${signed}x`, viewer.replace(/.$/, '~')]) {
    const referer = { referer: `http://elsewhere/t/${token}/x?token=${token}` };
    for (const name of ['index.m3u8', '000001.ts', 'recording_status.json', 'nothing', 'a/b/c']) {
      await ask(`/t/${token}/gone/${name}`, { headers: referer });
      await ask(`/gone/${name}?token=${token}`, { headers: referer });
      await ask(`/gone/${name}`, { headers: { ...referer, authorization: `Bearer ${token}` } });
    }
    for (const path of [
      '/api/v1/streams',
      '/api/v1/streams/gone',
      '/api/v1/streams/none',
      '/api/v1/probe?source=http://a:b@127.0.0.1:1/',
      '/metrics',
    ]) {
      await ask(path, bearer(token));
      await ask(`${path}${path.includes('?') ? '&' : '?'}token=${token}`);
      await ask(`/t/${token}${path}`);
    }
    await ask(`/t/${token}`);
    await ask(`/t/${token}/%ff/${token}`);
  }

  // control, right and wrong
  const secretSource = `http://me:${SECRET.api}@127.0.0.1:1/y?token=${SECRET.api}`;
  await ask('/api/v1/streams/new', json('PUT', { source: secretSource }));
  await ask('/api/v1/streams/new', json('PATCH', { source: `${secretSource}&program=1&program=2` }));
  await ask('/api/v1/streams/new', json('PATCH', { source: `tcp://u:${SECRET.api}@h:x` }));
  await ask('/api/v1/streams/other', json('PUT', { source: `xyz://u:${SECRET.api}@h:1` }));
  await ask('/api/v1/streams/other', { ...json('PUT', {}), body: `{"source": "${'x'}" ` });
  await ask(`/api/v1/probe?source=${encodeURIComponent(secretSource)}`, bearer(admin));
  await ask('/api/v1/streams/gone/stop', json('POST', {}));
  await ask('/api/v1/streams/gone/start', json('POST', {}));
  await ask('/api/v1/hooks', bearer(admin));
  await ask('/api/v1/hooks/fails', bearer(admin));
  await ask('/api/v1/hooks/fails/test', json('POST', {}));

  // files that are wrong, in ways in which a parser might quote them
  const reloads = [
    `  bad: { source: "tcp://u:${SECRET.wrongFile}@h:x" }\n`,
    `  bad: *${SECRET.wrongFile}\n`,
    `  bad: !${SECRET.wrongFile} x\n`,
    `  bad: [ "${SECRET.wrongFile}\n`,
  ];
  for (const line of reloads) {
    const before = server.running.stderr().length;
    await writeFile(server.config, yaml);
    await appendFile(server.config, line);
    server.running.child.kill('SIGHUP');
    await waitFor('the error', () => server.running.stderr().slice(before).includes('CONFIG_INVALID') || undefined);
    await ask('/readyz', bearer(admin));
    await ask('/api/v1/streams/new', json('PATCH', { title: 'x' }));
  }
  await writeFile(server.config, yaml);
  await waitFor('a right file', async () => !(await ask('/readyz', bearer(admin))).body.includes('"config"') || undefined);

  await waitFor('the redirected source', () => unkind.requests.some((url) => url.startsWith('/live')) || undefined);
  await waitFor('the failing hook', () => unkind.requests.some((url) => url.startsWith('/hook')) || undefined);
  await waitFor('the failing authoriser', () => unkind.requests.some((url) => url.startsWith('/ask')) || undefined);
  await waitFor('events', () => heard.join('').includes('event: ') || undefined);
  expect((await ask('/metrics', bearer(admin))).body).toContain('livetape_');
  expect((await ask('/api/v1/audit', bearer(admin))).body).toContain('putStream');
  await ask('/openapi.json');
  events.abort();
  const exited = new Promise((resolve) => server.running.child.once('exit', resolve));
  server.running.child.kill('SIGTERM');
  await exited;

  const told = {
    stdout: server.running.stdout(),
    stderr: server.running.stderr(),
    answers: answers.join('\n'),
    events: heard.join(''),
    audit: await textsUnder(stateFolder, (name) => name.startsWith('audit')),
  };
  // it was looked at something
  expect(told.stderr).toContain('"level":"debug"');
  expect(told.audit).toContain('putStream');
  const secrets = {
    ...SECRET,
    hookBytes: 'Hunter2',
    admin: admin.slice(-40),
    viewer: viewer.slice(-40),
    signed: signed.split('.')[2] ?? '-',
  };
  for (const [where, text] of Object.entries(told)) {
    for (const [what, secret] of Object.entries(secrets)) {
      const at = text.indexOf(secret);
      expect(at < 0 ? '' : `${what} is in ${where}: ${text.slice(Math.max(0, at - 300), at + 100)}`).toBe('');
    }
  }
});
