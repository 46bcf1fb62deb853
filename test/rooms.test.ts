/**
 * The rules about rooms and the linter's are worth something only if they bite: each is broken once here, in a small tree of its own, and
 * must be named. The real tree is checked by `npm run rooms` and `npm run lint`.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { cruise, type ICruiseOptions, type ICruiseResult, type IFlattenedRuleSet } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import { ESLint } from 'eslint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const REPO = resolve(import.meta.dirname, '..');
const config = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as IFlattenedRuleSet & { options: ICruiseOptions };

/** A file, what it holds, and the rules it breaks; a cycle is laid at the door of one of its files. */
const FILES: readonly (readonly [path: string, text: string, broken: readonly string[]])[] = [
  ['src/base/index.ts', 'export const base = 1;', []],
  ['src/base/inner.ts', 'export const inner = 1;', []],
  ['src/base/up.ts', "export { model } from '../model/index.js';", ['room-base', 'no-cycle']],
  ['src/model/index.ts', "export const model = 1;\nexport * from '../base/up.js';", ['through-index']],
  ['src/model/one.ts', "import './two.js';", ['no-cycle']],
  ['src/model/two.ts', "import type { nothing } from './one.js';", []],
  ['src/mpegts/index.ts', "export { base } from '../base/index.js';", []],
  ['src/mpegts/core.ts', "import 'node:path';", ['pure-no-node']],
  ['src/mpegts/core.test.ts', "import 'node:fs';\nimport 'zod';", []],
  ['src/segmenter/index.ts', "export * from '../mpegts/index.js';", []],
  ['src/segmenter/package.ts', "import 'zod';", ['pure-no-npm']],
  ['src/hls/index.ts', "import '../mpegts/index.js';\nimport 'stream';", ['room-hls', 'pure-no-node']],
  ['src/storage/index.ts', "import '../base/inner.js';", ['through-index']],
  ['src/storage/fs/disk.ts', "import 'node:fs/promises';\nimport 'zod';", []],
  ['src/storage/memory/disk.ts', "import 'node:fs/promises';", ['fs-where']],
  ['src/archive/index.ts', "import '../storage/index.js';\nimport '../hls/index.js';\nimport '../mpegts/index.js';", []],
  ['src/archive/disk.ts', "import 'fs';", ['fs-where']],
  ['src/archive/up.ts', "import '../recorder/index.js';", ['room-archive']],
  ['src/ingest/index.ts', "import '../mpegts/index.js';\nimport 'node:net';", []],
  ['src/ingest/up.ts', "import '../buffer/index.js';", ['room-ingest']],
  ['src/ingest/file/disk.ts', "import 'node:fs';", []],
  ['src/ingest/suite.ts', "import './sourceContract.js';", ['no-tests']],
  ['src/ingest/sourceContract.ts', "import 'node:fs';", []],
  ['src/ingest/dev.ts', "import 'vitest';", ['no-dev-packages']],
  ['src/ingest/missing.ts', "import './nowhere.js';", ['resolves']],
  ['src/egress/up.ts', "import '../model/index.js';", ['room-egress']],
  ['src/state/up.ts', "import '../model/index.js';", ['room-state']],
  ['src/access/up.ts', "import '../storage/index.js';", ['room-access']],
  ['src/hooks/up.ts', "import '../recorder/index.js';", ['room-hooks']],
  ['src/buffer/index.ts', "import '../ingest/up.js';", ['through-index', 'no-cycle']],
  ['src/recorder/index.ts', "import '../buffer/index.js';\nimport '../segmenter/index.js';\nimport '../archive/index.js';", []],
  ['src/recorder/ingest.ts', "import '../ingest/index.js';", ['room-recorder']],
  ['src/playback/index.ts', "import '../archive/index.js';", []],
  ['src/playback/a.ts', "import '../recorder/index.js';", ['room-playback']],
  ['src/playback/b.ts', "import '../segmenter/index.js';", ['room-playback']],
  ['src/playback/c.ts', "import '../ingest/index.js';", ['room-playback']],
  ['src/playback/library.ts', "import '../livetape.js';", ['room-playback']],
  ['src/server/index.ts', "import '../livetape.js';", []],
  ['src/server/up.ts', "import '../cli/index.js';", ['room-server']],
  ['src/cli/index.ts', "import '../livetape.js';\nimport 'node:fs';", []],
  ['src/utils/index.ts', "import '../base/index.js';", ['known-room']],
  ['web/src/views/one.tsx', "import '../api/up';\nimport '../dialogs/up';", []],
  ['web/src/server.ts', "import '../../src/model/two.js';", ['web-alone']],
  ['web/src/api/up.ts', "import '../views/two';", ['web-api']],
  ['web/src/time/up.ts', "import '../views/two';", ['web-time']],
  ['web/src/state/up.ts', "import '../views/two';", ['web-state']],
  ['web/src/parts/up.ts', "import '../views/two';", ['web-parts']],
  ['web/src/pictures/up.ts', "import '../views/two';", ['web-pictures']],
  ['web/src/player/up.ts', "import '../views/two';", ['web-player']],
  ['web/src/timeline/up.ts', "import '../views/two';", ['web-timeline']],
  ['web/src/dialogs/up.ts', "import '../views/two';", ['web-dialogs']],
  ['web/src/views/two.tsx', "import worker from './worker.js?url';", []],
  ['src/livetape.ts', "import './recorder/index.js';\nimport './archive/index.js';", []],
  ['src/index.ts', "import './cli/index.js';\nimport './base/inner.js';", ['library-below', 'through-index-root']],
];

describe('the rules about rooms', () => {
  let folder: string;
  let found: Map<string, Set<string>>;

  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'livetape-rooms-')));
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ type: 'module', dependencies: { zod: '*' }, devDependencies: { vitest: '*' } }),
    );
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: { module: 'NodeNext', moduleResolution: 'NodeNext' } }));
    mkdirSync(join(folder, 'node_modules'));
    for (const name of ['zod', 'vitest']) symlinkSync(join(REPO, 'node_modules', name), join(folder, 'node_modules', name));
    for (const [path, text] of FILES) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${text}\n`);
    }
    const { forbidden = [], options } = config;
    const tsConfig = extractTSConfig(join(folder, 'tsconfig.json'));
    const before = process.cwd();
    // the cruiser looks for its files from the current folder
    process.chdir(folder);
    try {
      const answer = await cruise(['src', 'web/src'], { ...options, ruleSet: { forbidden }, validate: true, baseDir: folder }, undefined, {
        tsConfig,
      });
      const { violations } = (answer.output as ICruiseResult).summary;
      found = new Map();
      for (const { from, rule } of violations) found.set(from, (found.get(from) ?? new Set()).add(rule.name));
    } finally {
      process.chdir(before);
    }
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(FILES)('%s', (path, _text, broken) => {
    expect([...(found.get(path) ?? [])].sort()).toEqual([...broken].sort());
  });

  it('breaks every rule there is', () => {
    const rules = (config.forbidden ?? []).map((rule) => rule.name ?? '');
    const broken = new Set(FILES.flatMap(([, , names]) => names));
    // rooms whose every way out is open to them, and those whose rule has the same shape as one that was broken
    const sameShape = ['room-model', 'room-mpegts', 'room-segmenter', 'room-storage', 'room-buffer', 'room-config', 'room-cli'];
    expect(rules.filter((rule) => !broken.has(rule) && !sameShape.includes(rule))).toEqual([]);
  });
});

describe("the linter's rules", () => {
  const eslint = new ESLint({ cwd: REPO });
  /** The rules that `text` breaks when it stands in `path`, an existing file: typed rules need the project. */
  const lint = async (path: string, text: string): Promise<string[]> => {
    const [result] = await eslint.lintText(text, { filePath: join(REPO, path) });
    return [...new Set(result?.messages.map((message) => message.ruleId ?? message.message))];
  };

  it.each([
    ['Date.now', 'export const now = Date.now();', 'no-restricted-properties'],
    ['performance.now', 'export const now = performance.now();', 'no-restricted-properties'],
    ['new Date()', 'export const now = new Date();', 'no-restricted-syntax'],
    ['setTimeout', 'setTimeout(() => undefined, 1);', 'no-restricted-globals'],
    ['setInterval', 'export const timer = setInterval(() => undefined, 1);', 'no-restricted-globals'],
    ['globalThis.setTimeout', 'globalThis.setTimeout(() => undefined, 1);', 'no-restricted-properties'],
    ['node:timers', "import { setTimeout as later } from 'node:timers/promises';\nexport const a = later;", 'no-restricted-imports'],
  ])('%s is for base/clock.ts alone', async (_name, text, rule) => {
    expect(await lint('src/base/log.ts', text)).toContain(rule);
    expect(await lint('src/base/clock.ts', text)).not.toContain(rule);
  });

  it('keeps Node out of pure rooms', async () => {
    expect(await lint('src/model/gap.ts', 'export const b = Buffer.alloc(1);')).toContain('no-restricted-globals');
    expect(await lint('src/base/log.ts', 'export const b = Buffer.alloc(1);')).toEqual([]);
  });

  it('sees a promise nobody waits for, a switch that forgets a case, an import of types', async () => {
    expect(await lint('src/base/log.ts', 'Promise.resolve(1);')).toContain('@typescript-eslint/no-floating-promises');
    expect(await lint('src/base/log.ts', '[1].forEach(async () => { await Promise.resolve(); });')).toContain(
      '@typescript-eslint/no-misused-promises',
    );
    const forgets = "export function f(x: 'a' | 'b'): number {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n}";
    expect(await lint('src/base/log.ts', forgets)).toContain('@typescript-eslint/switch-exhaustiveness-check');
    const types = "import { Closable } from './lifecycle.js';\nexport type A = Closable;";
    expect(await lint('src/base/log.ts', types)).toContain('@typescript-eslint/consistent-type-imports');
  });

  it('lets no file pass 500 lines', async () => {
    expect(await lint('src/base/log.ts', `export const a = 1;\n${'// more\n'.repeat(499)}`)).toEqual([]);
    expect(await lint('src/base/log.ts', `export const a = 1;\n${'// more\n'.repeat(500)}`)).toEqual(['max-lines']);
  });
});
