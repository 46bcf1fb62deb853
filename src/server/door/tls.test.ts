/** L6: a certificate and its key, followed as they change; wrong ones. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeCertificate, pem } from '../../../test/certificates.js';
import { waitFor } from '../../../test/lab.js';
import { isLivetapeError, systemClock } from '../../base/index.js';
import { buildApp, type App } from '../app.js';
import { findUnwell } from '../health.js';
import { TestLog } from '../testApp.js';
import { FakePlayback, viewersContext } from '../testViewers.js';
import { openTls, type TlsFiles } from './tls.js';

let folder: string;
const open: { apps: App[]; files: TlsFiles[]; sockets: TLSSocket[] } = { apps: [], files: [], sockets: [] };
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'livetape-tls-'));
});
afterEach(async () => {
  for (const socket of open.sockets.splice(0)) socket.destroy();
  for (const app of open.apps.splice(0)) await app.close();
  for (const files of open.files.splice(0)) await files.close();
  await rm(folder, { recursive: true, force: true });
});

async function lab() {
  const own = await makeCertificate(folder, 'own');
  const log = new TestLog();
  const tls = await openTls({ ...own, clock: systemClock, log });
  open.files.push(tls);
  const context = { ...viewersContext({ playback: new FakePlayback() }), tls };
  const app = await buildApp(context);
  open.apps.push(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const ask = (ca: string, path = '/healthz'): Promise<{ status: number | undefined; headers: Record<string, unknown> }> =>
    new Promise((resolve, reject) => {
      const asked = request({ port, host: '127.0.0.1', ca, path, agent: false }, (answer) => {
        answer.resume().once('end', () => resolve({ status: answer.statusCode, headers: answer.headers }));
      });
      asked.once('error', reject).end();
    });
  return { own, tls, log, context, port, ask };
}

it('L6: answers by TLS 1.2 and newer, with HSTS; nothing without it', async () => {
  const { own, port, ask } = await lab();
  const ca = await pem(own.cert);
  const { status, headers } = await ask(ca);
  expect([status, headers['strict-transport-security']]).toEqual([200, 'max-age=31536000']);
  const speaks = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectTls({ port, host: '127.0.0.1', ca, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });
      open.sockets.push(socket);
      socket.once('secureConnect', () => resolve(socket.getProtocol() ?? ''));
      socket.once('error', () => resolve('refused'));
    });
  expect([await speaks('TLSv1.1'), await speaks('TLSv1.2'), await speaks('TLSv1.3')]).toEqual(['refused', 'TLSv1.2', 'TLSv1.3']);
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
});

it('L6: new files hold from the next connection on; a wrong pair leaves the last right one in force, and is told of', async () => {
  const { own, tls, log, context, ask } = await lab();
  const other = await makeCertificate(folder, 'other');
  await copyFile(other.key, own.key);
  await waitFor('the pair is seen to be wrong', () => tls.error !== undefined);
  const old = tls.context.cert;
  expect((await ask(old)).status).toBe(200);
  expect(await findUnwell(context)).toContainEqual(expect.objectContaining({ what: 'tls', name: 'own.crt', code: 'TLS_INVALID' }));
  expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  await copyFile(other.cert, own.cert);
  await waitFor('the new pair is read', () => tls.context.cert !== old);
  expect(tls.error).toBeUndefined();
  expect((await ask(await pem(other.cert))).status).toBe(200);
  await expect(ask(old)).rejects.toThrow(/self-signed|certificate/);
  await rm(own.cert);
  await waitFor('the file is seen to be gone', () => tls.error !== undefined);
  expect((await ask(await pem(other.cert))).status).toBe(200);
});

it('L6: wrong files end the start', async () => {
  const [one, two] = [await makeCertificate(folder, 'one'), await makeCertificate(folder, 'two')];
  const nonsense = join(folder, 'nonsense.crt');
  await writeFile(nonsense, 'no PEM');
  const pairs = [
    { cert: one.cert, key: two.key },
    { cert: nonsense, key: one.key },
    { cert: one.cert, key: nonsense },
    { cert: join(folder, 'missing.crt'), key: one.key },
    { cert: folder, key: one.key },
  ];
  for (const pair of pairs) {
    const failure = await openTls({ ...pair, clock: systemClock, log: new TestLog() }).then(
      () => 'opened',
      (error: unknown) => error,
    );
    expect(isLivetapeError(failure, 'TLS_INVALID'), JSON.stringify(pair)).toBe(true);
    expect(String(failure)).not.toContain('PRIVATE');
  }
});

it('L2: connections by TLS are counted, and given back', async () => {
  const { own, context, ask } = await lab();
  const ca = await pem(own.cert);
  context.config.state.config.http.limits.connections_per_address = 2;
  for (let n = 0; n < 10; n++) expect((await ask(ca)).status).toBe(200);
});
