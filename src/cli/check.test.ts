/** `livetape check` in process: what it prints for people and for programs, and its exit status. */
import { mkdirSync, mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordLoop, copyArchive } from '../../test/campaigns/damageLab.js';
import { systemClock } from '../base/index.js';
import type { CliIo } from './io.js';
import { main } from './main.js';

const DEMO = join(import.meta.dirname, '../../assets/demo.ts');

let base: string;
let data: string;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'livetape-cli-check-'));
  await recordLoop(base, 'news', DEMO, 6, 2);
});
afterAll(() => rmSync(base, { recursive: true, force: true }));
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'livetape-cli-check-'));
  for (const code of ['news', 'tv/one']) await copyArchive(join(base, 'news'), join(data, code));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(argv: readonly string[], more: Partial<CliIo> = {}): Promise<Ran> {
  let [stdout, stderr] = ['', ''];
  const io: CliIo = {
    clock: systemClock,
    out: (text) => void (stdout += text),
    err: (text) => void (stderr += text),
    columns: () => undefined,
    onSignal: () => () => undefined,
    exit: () => undefined,
    ...more,
  };
  const status = await main([...argv, '--data', data], io);
  return { status, stdout, stderr };
}

describe('livetape check', () => {
  it('of whole archives finds nothing and exits with 0', async () => {
    expect(await run(['check'])).toMatchObject({ status: 0, stderr: '' });
    expect((await run(['check'])).stdout).toMatch(
      /^news: 6 segments, [\d.]+ kB: 0 findings\ntv\/one: 6 segments, [\d.]+ kB: 0 findings\n$/,
    );
  });

  it('names what it finds and exits with 1; the repair says what it does and exits with 0, and then there is nothing', async () => {
    rmSync(join(data, 'news/000002.ts'));
    truncateSync(join(data, 'news/000004.ts'), 20_000);
    const found = await run(['check', 'news']);
    expect(found.status).toBe(1);
    expect(found.stdout).toContain('news: segment_missing: 000002.ts: it is not there');
    expect(found.stdout).toMatch(/news: segment_size: 000004\.ts: .* \(expected \d+, seen 20000\), line \d+\n/);
    expect((await run(['check', 'tv/one'])).status).toBe(0);
    expect((await run(['check'])).status).toBe(1);
    const repaired = await run(['check', 'news', '--repair']);
    expect(repaired.status).toBe(0);
    expect(repaired.stdout).toContain('news: entry_removed: 000002.ts: its file is gone');
    expect(repaired.stdout).toMatch(/news: 5 segments, [\d.]+ kB: in order, \d+ actions, 1 note\n$/);
    expect((await run(['check'])).status).toBe(0);
    expect((await run(['check', 'news', '--repair'])).stdout).toMatch(/: in order, nothing to repair, 1 note\n$/);
  });

  it('prints a finding, an action and a summary a line with --json', async () => {
    rmSync(join(data, 'news/index.json'));
    const lines = (await run(['check', '--repair', '--json'])).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      { stream_code: 'news', finding: { kind: 'index_missing', severity: 'damage', file: 'index.json' } },
      { stream_code: 'news', action: { action: 'index_rebuilt', file: 'index.json' } },
      { stream_code: 'news', summary: { segments: 6, damages: 0, actions: 1, left: 0 } },
      { stream_code: 'tv/one', summary: { segments: 6, damages: 0, actions: 0, left: 0 } },
    ]);
  });

  it('a stream that is not there is an error of its own, and the others are checked', async () => {
    const { status, stdout, stderr } = await run(['check', 'none', 'news']);
    expect([status, stderr.split('\n').length]).toEqual([1, 2]);
    expect(stderr).toMatch(/^livetape: STREAM_NOT_FOUND: /);
    expect(stdout).toMatch(/^news: 6 segments/);
    expect((await run(['check', 'a b'])).status).toBe(2);
  });

  it('says what is left, and exits with 1, when the medium will not read a file', async () => {
    rmSync(join(data, 'news/000002.ts'));
    mkdirSync(join(data, 'news/000002.ts'));
    const { status, stdout } = await run(['check', 'news', '--repair']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/news: left: segment_unreadable: 000002\.ts: .*\n.*: 1 finding left/);
  });

  it('shows how far it is on a terminal, and ends at a signal', async () => {
    let tick: (() => void) | undefined;
    const clock = {
      ...systemClock,
      every: (_periodMs: number, each: () => void) => {
        tick = each;
        return { cancel: () => undefined };
      },
    };
    let stderr = '';
    const io: Partial<CliIo> = {
      clock,
      columns: () => 100,
      err: (text) => void (stderr += text),
      out: () => tick?.(),
    };
    expect((await run(['check'], io)).status).toBe(0);
    expect(stderr).toMatch(/news \[#{19}[#.]\] \d+ % \| 6 segments \| [\d.]+ kB/);
    const ended = await run(['check'], { ...io, onSignal: (listener) => (setImmediate(() => listener('SIGINT')), () => undefined) });
    expect(ended.status).toBe(1);
    expect(stderr).toContain('livetape: CLOSED: ended by SIGINT');
  });
});
