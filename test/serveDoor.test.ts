/** The door of a real server: where it listens (D1), that it stays shut once others can reach it, and HTTPS (L6). */
import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeCertificate, pem } from './certificates.js';
import { livetape, temporaryFolder, waitFor, type Running } from './lab.js';

async function serve(yaml: string, listen: string, folder?: string): Promise<Running & { readonly root: string }> {
  const root = folder ?? (await temporaryFolder());
  const config = join(root, 'livetape.yaml');
  await writeFile(config, yaml);
  const running = livetape('serve', '--config', config, '--data', root, '--listen', listen);
  return Object.assign(running, { root });
}

const addressOf = (server: Running): Promise<URL> =>
  waitFor('the server to say its address', () => {
    if (server.child.exitCode !== null) throw new Error(`the server ended: ${server.stderr()}`);
    const [, url] = /answers at (https?:\S+)/.exec(server.stdout()) ?? [];
    return url === undefined ? undefined : new URL(url);
  });

it('D1: anything but loopback without auth is refused, with what to write', async () => {
  const server = await serve('recorders: 0\n', '0.0.0.0:0');
  expect(await server.exited).toBe(1);
  expect(server.stderr()).toMatch(/LISTEN_REFUSED/);
  expect(server.stderr()).toContain('auth: { enabled: true }');
});

it('D1: with auth it listens there, and asks for credentials until it ends, whatever the file says meanwhile', async () => {
  const server = await serve('recorders: 0\nauth: { enabled: true }\n', '0.0.0.0:0');
  const { port } = await addressOf(server);
  const status = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${port}${path}`)).status;
  expect([await status('/api/v1/streams'), await status('/healthz')]).toEqual([401, 200]);
  await writeFile(join(server.root, 'livetape.yaml'), 'recorders: 0\nplayback: { live_window: 31 }\nmin_free_gb: 1\n');
  await waitFor('the file was read', () => server.stderr().includes('min_free_gb was changed'));
  expect(await status('/api/v1/streams')).toBe(401);
  expect(await server.stop('SIGTERM')).toBe(0);
});

it('L6: https where there is a certificate; a wrong one ends the start', async () => {
  const root = await temporaryFolder();
  const [own, other] = [await makeCertificate(root, 'own'), await makeCertificate(root, 'other')];
  const yaml = (key: string): string => `recorders: 0\ntls: { cert: own.crt, key: ${key} }\n`;
  const wrong = await serve(yaml('other.key'), '127.0.0.1:0', root);
  expect(await wrong.exited).toBe(1);
  expect(wrong.stderr()).toContain('TLS_INVALID');
  const server = await serve(yaml('own.key'), '127.0.0.1:0', root);
  const url = await addressOf(server);
  expect(url.protocol).toBe('https:');
  const ca = [await pem(own.cert), await pem(other.cert)];
  const answer = await new Promise<{ status: number | undefined; hsts: string | undefined }>((resolve, reject) => {
    const asked = request(new URL('/readyz', url), { ca, agent: false }, (got) => {
      got.resume().once('end', () => resolve({ status: got.statusCode, hsts: got.headers['strict-transport-security'] }));
    });
    asked.once('error', reject).end();
  });
  expect(answer).toEqual({ status: 200, hsts: 'max-age=31536000' });
  expect(await server.stop('SIGTERM')).toBe(0);
});
