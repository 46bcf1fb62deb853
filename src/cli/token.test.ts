/** `livetape token` in process: what it prints where, and that the server's own files say what it did. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSignedTokens, openTokenStore, type TokenStore } from '../access/index.js';
import { ManualClock, silentLogger } from '../base/index.js';
import type { CliIo } from './io.js';
import { main } from './main.js';

let folder: string;
let config: string;
let clock: ManualClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'livetape-token-'));
  config = join(folder, 'livetape.yaml');
  clock = new ManualClock();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function run(...argv: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const told = { stdout: '', stderr: '' };
  const io: CliIo = {
    clock,
    out: (text) => void (told.stdout += text),
    err: (text) => void (told.stderr += text),
    columns: () => undefined,
    onSignal: () => () => undefined,
    exit: () => undefined,
  };
  const status = await main(['token', ...argv, ...(argv[0] === undefined ? [] : ['--config', config])], io);
  return { status, ...told };
}

/** As the server has it. */
const store = (state = join(folder, 'dvr/.livetape')): Promise<TokenStore> =>
  openTokenStore({ path: join(state, 'tokens.json'), clock, log: silentLogger, follow: false });

it('create prints the token alone, and says the rest on standard error', async () => {
  const { status, stdout, stderr } = await run('create', '--name', 'Ann');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^lt_[a-z0-9]{8}_[A-Za-z0-9_-]{43}\n$/);
  expect(stderr).toContain('(Ann): playback of *; does not expire');
  expect(stderr).toContain('auth.enabled is false');
  expect(stderr).not.toContain(stdout.trim().slice(12));
  // made where no server looks it would open nothing
  expect(stderr).toContain(`no server has used ${join(folder, 'dvr/.livetape')} yet`);
  expect((await run('create', '--name', 'Ann')).stderr).not.toContain('no server');
  expect((await run('sign', 'news', '--data', join(folder, 'other'))).stderr).toContain('no server has used');
  expect((await store()).verify(stdout.trim())).toMatchObject({ grant: { name: 'Ann', streams: ['*'] } });
  expect(statSync(join(folder, 'dvr/.livetape/tokens.json')).mode & 0o777).toBe(0o600);
});

it('create takes scopes, streams and an end, as a time or a span', async () => {
  writeFileSync(config, 'auth: {enabled: true}\n');
  const options = ['--scope', 'api', 'publish', '--stream', 'sport/*', 'news', '--expires', '30d', '--json'];
  const { stdout, stderr } = await run('create', '--name', 'Bob', ...options);
  expect(stderr).toBe('');
  const { token, ...record } = JSON.parse(stdout) as { token: string };
  expect(record).toEqual({
    id: token.slice(3, 11),
    name: 'Bob',
    scopes: ['api', 'publish'],
    streams: ['sport/*', 'news'],
    created_at: '2026-01-01T00:00:00.000Z',
    expires_at: '2026-01-31T00:00:00.000Z',
  });
  const timed = JSON.parse((await run('create', '--name', 'Bob', '--expires', '2026-01-01T00:00:05Z', '--json')).stdout) as {
    token: string;
  };
  clock.advance(5000);
  expect((await store()).verify(timed.token)).toEqual({ refused: 'expired' });
  expect((await run('list')).stdout).toContain('2026-01-01 00:00:05Z (over)');
});

it('list and revoke', async () => {
  expect(await run('list')).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('no tokens in') as string });
  expect((await run('list', '--json')).stdout).toBe('[]\n');
  const token = (await run('create', '--name', 'Ann', '--stream', 'sport/*')).stdout.trim();
  const id = token.slice(3, 11);
  expect((await run('list')).stdout).toMatch(new RegExp(`^ID +NAME.*\\n${id} +Ann +playback +sport/\\* +2026-01-01 00:00:00Z +-\\n$`));
  expect(JSON.parse((await run('list', '--json')).stdout)).toMatchObject([{ id, name: 'Ann', expires_at: null }]);
  expect((await run('revoke', id)).stdout).toBe(`revoked ${id} (Ann)\n`);
  expect((await store()).verify(token)).toEqual({ refused: 'wrong' });
  expect(await run('revoke', id)).toMatchObject({ status: 1, stderr: expect.stringContaining('TOKEN_NOT_FOUND') as string });
});

it('the files are those of the server: `state` of the file, else in --data, else in `data` of the file', async () => {
  writeFileSync(config, 'data: ./tv\n');
  await run('create', '--name', 'a');
  expect((await store(join(folder, 'tv/.livetape'))).list()).toHaveLength(1);
  await run('create', '--name', 'b', '--data', join(folder, 'other'));
  expect((await store(join(folder, 'other/.livetape'))).list()).toMatchObject([{ name: 'b' }]);
  writeFileSync(config, 'data: ./tv\nstate: ./own\n');
  await run('create', '--name', 'c', '--data', join(folder, 'other'));
  expect((await store(join(folder, 'own'))).list()).toMatchObject([{ name: 'c' }]);
});

it('sign prints the token alone, and the path on standard error', async () => {
  const { status, stdout, stderr } = await run(
    'sign',
    'sport/1',
    '--from',
    '2026-01-01T00:00:00Z',
    '--duration',
    '90.5',
    '--address',
    '10.0.0.0/8',
  );
  expect(status).toBe(0);
  const token = stdout.trim();
  expect(stderr).toContain(`/t/${token}/sport/1/index.m3u8?from=1767225600&dur=90.5\n`);
  const secret = readFileSync(join(folder, 'dvr/.livetape/signing-key'), 'utf8').trim();
  const signed = openSignedTokens({ keys: () => [{ id: 'server', secret }], clock });
  const fromMs = Date.UTC(2026, 0, 1);
  expect(await signed.verify(token, '10.1.2.3')).toMatchObject({
    grant: { streams: ['sport/1'], window: { fromMs, toMs: fromMs + 90_500 }, expiresMs: fromMs + 86_400_000 },
  });
  expect(await signed.verify(token, '192.0.2.1')).toEqual({ refused: 'address' });
});

it('sign uses the first key of the file; a pattern has no path', async () => {
  const keys = [
    { id: 'b', secret: 'b'.repeat(40) },
    { id: 'a', secret: 'a'.repeat(40) },
  ];
  writeFileSync(config, JSON.stringify({ auth: { enabled: true, keys } }));
  const { stdout, stderr } = await run('sign', 'sport/*', '--expires', '10m', '--json');
  const { token, ...rest } = JSON.parse(stdout) as { token: string };
  expect(rest).toEqual({ path: null, expires_at: '2026-01-01T00:10:00.000Z' });
  expect(stderr).toBe('');
  expect(await openSignedTokens({ keys: () => keys, clock }).verify(token, '')).toMatchObject({ grant: { id: 'b', window: undefined } });
  expect((await run('sign', 'news', '--json')).stdout).toContain('/news/index.m3u8"');
});

it.each([
  [[]],
  [['frob']],
  [['create']],
  [['create', '--name', '']],
  [['create', '--name', 'a', '--scope', 'root']],
  [['create', '--name', 'a', '--scope']],
  [['create', '--name', 'a', '--stream', '../a']],
  [['create', '--name', 'a', '--expires', '30']],
  [['create', '--name', 'a', '--expires', '30 days']],
  [['create', '--name', 'a', '--expires', '2020-01-01T00:00:00Z']],
  [['revoke']],
  [['sign']],
  [['sign', '../a']],
  [['sign', 'news', '--duration', '5']],
  [['sign', 'news', '--from', '5', '--to', '9', '--duration', '5']],
  [['sign', 'news', '--from', '9', '--to', '5']],
  [['sign', 'news', '--address', 'home']],
  [['sign', 'news', '--expires', '0s']],
])('token %j is ARGUMENT_INVALID, status 2, and makes no token', async (argv) => {
  const { status, stdout, stderr } = await run(...argv);
  expect(stderr).toMatch(/^livetape: ARGUMENT_INVALID: .+\n$/m);
  expect([status, stdout]).toEqual([2, '']);
  expect((await store()).list()).toEqual([]);
});

it('a wrong file of tokens is an error that names it, and is left as it is', async () => {
  const path = join(folder, 'dvr/.livetape/tokens.json');
  mkdirSync(join(folder, 'dvr/.livetape'), { recursive: true });
  writeFileSync(path, '{}');
  const { status, stderr } = await run('create', '--name', 'a');
  expect([status, stderr]).toEqual([1, expect.stringContaining(`STATE_UNREADABLE: ${path}`)]);
  expect(readFileSync(path, 'utf8')).toBe('{}');
});
