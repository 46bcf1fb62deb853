/** What docs/guide/access.md shows does what it says: its programs are run, and what they make is verified. */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { openAuthorizer, openSignedTokens, type AuthorizerQuestion } from '../src/access/index.js';
import { silentLogger, systemClock } from '../src/base/index.js';
import { openConfig } from '../src/config/index.js';
import { PROJECT, temporaryFolder, waitFor } from './lab.js';

const GUIDE = readFileSync(join(PROJECT, 'docs/guide/access.md'), 'utf8');
/** The blocks of a language, in the order of the guide. */
const blocks = (language: string): string[] =>
  [...GUIDE.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);
const block = (language: string, holding: string): string => {
  const found = blocks(language).filter((text) => text.includes(holding));
  expect(found, `a block of ${language} with ${holding}`).toHaveLength(1);
  return found[0] ?? '';
};
const KEY = { id: '2026-12', secret: '4vPzGSsZyIxZ9Yf0L5m0xJ1Cq8e7h2kNdQbRtWuXoEa' };
const has = (command: string, ...args: string[]): boolean => spawnSync(command, args, { timeout: 10_000 }).status === 0;

let env: NodeJS.ProcessEnv;
beforeAll(() => {
  env = { ...process.env, KEY_ID: KEY.id, KEY: KEY.secret };
});

/** What a program prints; jose is found from the project's folder. */
async function output(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd: PROJECT, env, timeout: 20_000 });
  return stdout;
}

async function checkLink(link: string): Promise<void> {
  const [, token = ''] =
    /^https:\/\/tv\.example\.org\/t\/([A-Za-z0-9_.-]+)\/news\/index\.m3u8\?from=1796155200&dur=3600\n$/.exec(link) ?? [];
  const signed = openSignedTokens({ keys: () => [KEY], clock: systemClock });
  const verdict = await signed.verify(token, '203.0.113.7');
  const fromMs = Date.UTC(2026, 11, 1, 20);
  expect(verdict).toMatchObject({ grant: { id: '2026-12', streams: ['news'], window: { fromMs, toMs: fromMs + 3_600_000 } } });
  const lifeMs = ('grant' in verdict ? verdict.grant.expiresMs : 0) - systemClock.nowMs();
  expect(lifeMs > 7_100_000 && lifeMs <= 7_200_000).toBe(true);
  expect(await signed.verify(token, '203.0.113.8')).toEqual({ refused: 'address' });
}

it('Node makes a link', async () => checkLink(await output(process.execPath, '--input-type=module', '-e', block('js', 'SignJWT'))));

it('a shell makes a link', async () => checkLink(await output('sh', '-c', block('sh', 'openssl dgst'))));

it.skipIf(!has('python3', '--version'))('Python makes a link', async () =>
  checkLink(await output('python3', '-c', block('python', 'hmac'))),
);

it('livetape.yaml is right wherever it is shown', async () => {
  const path = join(await temporaryFolder(), 'livetape.yaml');
  const shown = blocks('yaml');
  expect(shown.length).toBeGreaterThanOrEqual(4);
  for (const text of shown) {
    writeFileSync(path, text);
    await using store = await openConfig({ path, clock: systemClock, log: silentLogger });
    if (text.includes('keys:')) expect(store.state.config.auth.keys[0]).toEqual(KEY);
  }
});

it('the authoriser lets in whom it knows, and shows seven days', async () => {
  const port = await freePort();
  const program = spawn(process.execPath, ['--input-type=module', '-e', block('js', 'createServer')], {
    env: { ...env, PORT: String(port) },
    stdio: 'ignore',
  });
  onTestFinished(() => void program.kill('SIGKILL'));
  const authorizer = openAuthorizer({
    url: () => `http://127.0.0.1:${port}/may`,
    timeoutMs: () => 5000,
    clock: systemClock,
    log: silentLogger,
  });
  onTestFinished(() => authorizer.close());
  const question: AuthorizerQuestion = {
    stream: 'news',
    name: 'index.m3u8',
    window: undefined,
    address: '203.0.113.7',
    token: 'ann-7361',
    agent: undefined,
  };
  const grant = await waitFor('the program listens', () => authorizer.ask(question).catch(() => undefined));
  expect(grant).toMatchObject({ streams: ['news'], window: { toMs: Infinity } });
  const backMs = systemClock.nowMs() - (grant.window?.fromMs ?? 0);
  expect(Math.abs(backMs - 7 * 86_400_000)).toBeLessThan(60_000);
  expect(await authorizer.ask({ ...question, stream: 'sport/2' })).toBeUndefined();
  expect(await authorizer.ask({ ...question, token: 'bob' })).toBeUndefined();
});

it.skipIf(!has('nginx', '-v'))('nginx takes what is shown of it', async () => {
  const shown = blocks('nginx');
  expect(shown).toHaveLength(3);
  for (const text of shown) {
    const folder = await temporaryFolder();
    mkdirSync(join(folder, 'cache'));
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
    const http = `access_log off; ${temporary} proxy_cache_path ${folder}/cache keys_zone=tv:1m; upstream livetape { server 127.0.0.1:8080; }`;
    writeFileSync(join(folder, 'nginx.conf'), `pid ${folder}/pid; events {} http { ${http} server { listen 127.0.0.1:8090;\n${text}} }`);
    const tested = spawnSync('nginx', ['-t', '-e', join(folder, 'log'), '-c', join(folder, 'nginx.conf')], {
      encoding: 'utf8',
      timeout: 10_000,
    });
    expect(tested.stderr).toContain('test is successful');
  }
});

/** A TCP port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
