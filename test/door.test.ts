/**
 * The door as people meet it (docs/design/door.md): a real server with auth, the token that its first start made, tokens by the command line, links that are signed and watched
 * by a real player, what is revoked, what is written of it all.
 */
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { request as askTls } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { livetape, PROJECT, temporaryFolder, waitFor } from './lab.js';
import { makeCertificate } from './certificates.js';
import { ffmpegPlays, FRAMES_PER_SECOND } from './players.js';
import { recordPast } from './recordedPast.js';
import { startServer, type TestServer } from './serveLab.js';

const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

/** `livetape token …` on the server's folder. */
async function token(server: TestServer, ...args: string[]): Promise<string> {
  const command = livetape('token', ...args, '--config', server.config, '--data', server.root);
  expect(await command.exited, command.stderr()).toBe(0);
  return command.stdout().trim();
}

/** What came of a body, whether it ended or was broken off. */
async function textUntilItEnds({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true });
  } catch {
    // broken off
  }
  return text;
}

it('D1, D3, D7, A1: from the first start to a link that is watched, and a token that is revoked', async () => {
  const root = await temporaryFolder();
  const startMs = await recordPast({ root, code: 'news', parts: [{ kind: 'media', seconds: 60 }] });
  const source = `file:${join(PROJECT, 'assets/demo.ts')}?loop=1`;
  const server = await startServer({
    root,
    yaml: `auth: { enabled: true }\nstreams:\n  live: { source: ${source} }\n  news: { dvr: { enabled: false } }\n`,
  });

  // the first start made a token, and says where it is, not what
  const file = join(root, '.livetape', 'admin-token');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const admin = (await readFile(file, 'utf8')).trim();
  expect(server.running.stderr()).toContain('admin-token');
  expect(server.running.stderr() + server.running.stdout()).not.toContain(admin);
  expect((await server.get('/api/v1/streams')).status).toBe(401);
  expect((await server.get('/api/v1/streams', bearer(admin))).status).toBe(200);
  expect(await server.json('/api/v1/whoami', bearer(admin))).toMatchObject({ kind: 'token', name: 'admin', scopes: ['admin'] });

  // the command line makes one while the server runs, and it follows
  const viewer = await token(server, 'create', '--name', 'the lobby', '--stream', 'news', '--stream', 'live');
  const api = await token(server, 'create', '--name', 'panel', '--scope', 'api', 'playback', '--stream', 'live');
  await waitFor('the server to know the tokens', async () => (await server.get('/live/index.m3u8', bearer(viewer))).status === 200);
  expect((await server.get('/api/v1/streams', bearer(viewer))).status).toBe(403);
  expect((await server.get('/news/index.m3u8', bearer(api))).status).toBe(403);
  expect(await server.json('/api/v1/streams', bearer(api))).toMatchObject({ streams: [{ code: 'live' }] });

  // a list for a set-top box leads to what plays with nothing but its URLs
  const list = await (await server.get(`/playlist.m3u?token=${viewer}`)).text();
  const [channel = ''] = list.split('\n').filter((line) => line.endsWith('/live/index.m3u8'));
  expect(channel).toContain(`/t/${viewer}/`);
  expect(await ffmpegPlays(channel, 3)).toEqual({ frames: 3 * FRAMES_PER_SECOND, said: '' });
  expect(await ffmpegPlays(`${server.url}/live/index.m3u8?token=${viewer}`, 3)).toEqual({ frames: 3 * FRAMES_PER_SECOND, said: '' });

  // a signed window plays to its end, and opens nothing beside it
  const from = Math.ceil(startMs / 1000) + 16;
  const signed = (await (
    await server.get('/api/v1/sign', {
      method: 'POST',
      body: JSON.stringify({ stream: 'news', from, to: from + 20, expires_in: 600 }),
      headers: { 'content-type': 'application/json', authorization: `Bearer ${admin}` },
    })
  ).json()) as { path: string; token: string };
  const played = await ffmpegPlays(`${server.url}${signed.path}`);
  expect(played.said).toBe('');
  expect(played.frames).toBeGreaterThanOrEqual(20 * FRAMES_PER_SECOND);
  const listed = (await server.text(signed.path)).split('\n').filter((line) => line.endsWith('.ts'));
  const all = (await (await server.get('/news/playlist.m3u8', bearer(admin))).text()).split('\n').filter((line) => line.endsWith('.ts'));
  expect(listed.length).toBeLessThan(all.length);
  for (const name of all) {
    const answer = await server.get(`/t/${signed.token}/news/${name}`, { method: 'HEAD' });
    expect([name, answer.status]).toEqual([name, listed.includes(name) ? 200 : 403]);
  }
  expect((await server.get(`/t/${signed.token}/live/index.m3u8`)).status).toBe(403);
  expect((await server.get('/api/v1/streams', bearer(signed.token))).status).toBe(403);

  // what goes on ends with its token
  const events = await server.get('/api/v1/events', { ...bearer(api), signal: AbortSignal.timeout(60_000) });
  const watched = await server.get(`/t/${viewer}/live/stream.ts`, { signal: AbortSignal.timeout(60_000) });
  // Listened to from before anything is revoked: either may be broken off at any moment.
  const heard = textUntilItEnds(events);
  const body = watched.arrayBuffer().then(
    () => 'whole',
    () => 'broken off',
  );
  for (const one of [api, viewer]) await token(server, 'revoke', one.slice(3, 11));
  expect([await heard, await body]).toEqual([expect.not.stringContaining('news'), 'broken off']);
  expect((await server.get('/live/index.m3u8', bearer(viewer))).status).toBe(401);

  const { actions } = (await server.json('/api/v1/audit', bearer(admin))) as { actions: { operation: string; who: { kind: string } }[] };
  expect(actions.map(({ operation, who }) => `${who.kind} ${operation}`)).toEqual([
    'cli revokeToken',
    'cli revokeToken',
    'token signLink',
    'cli makeToken',
    'cli makeToken',
  ]);
}, 150_000);

it('L6: a server reached from elsewhere with TLS, whose certificate is changed while it runs', async () => {
  const root = await temporaryFolder();
  const certificates = join(root, 'tls');
  await mkdir(certificates);
  const make = async (name: string): Promise<void> => {
    const { cert, key } = await makeCertificate(certificates, name);
    await rename(cert, join(certificates, 'cert.pem'));
    await rename(key, join(certificates, 'key.pem'));
  };
  await make('first');
  const config = join(root, 'livetape.yaml');
  const yaml = 'recorders: 0\nauth: { enabled: true }\ntls: { cert: tls/cert.pem, key: tls/key.pem }\n';
  const refused = livetape('serve', '--config', config, '--data', root, '--listen', '0.0.0.0:0');
  expect(await refused.exited).toBe(1);
  expect(refused.stderr()).toContain('LISTEN_REFUSED');
  expect(refused.stderr()).toContain('auth');
  await writeFile(config, yaml);
  const running = livetape('serve', '--config', config, '--data', root, '--listen', '0.0.0.0:0');
  onTestFinished(async () => void (await running.stop('SIGTERM')));
  const port = await waitFor(
    'the server to say its address',
    () => /answers at https:\/\/0\.0\.0\.0:(\d+)/.exec(running.stdout())?.[1],
    60_000,
  );
  const named = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const asked = askTls({ host: '127.0.0.1', port, path: '/healthz', rejectUnauthorized: false, agent: false }, (answer) => {
        const { subject } = (answer.socket as TLSSocket).getPeerCertificate();
        answer
          .resume()
          .once('end', () =>
            resolve(`${answer.statusCode} ${String(subject.CN)} ${String(answer.headers['strict-transport-security'] !== undefined)}`),
          );
      });
      asked
        .once('error', reject)
        .setTimeout(10_000, () => asked.destroy(new Error('no answer')))
        .end();
    });
  expect(await named()).toBe('200 first true');
  await make('second');
  await waitFor('the new certificate', async () => (await named()) === '200 second true');
  await writeFile(join(certificates, 'key.pem'), 'nonsense');
  await waitFor('the log to say what is wrong with the key', () => running.stderr().includes('TLS_INVALID'));
  expect(await named()).toBe('200 second true');
}, 90_000);
