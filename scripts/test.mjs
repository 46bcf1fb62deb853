/**
 * `npm test`: installs what the tests need, then runs every check there is. Arguments go on to vitest: `npm test -- src/hls`.
 * Ends with the line `N passed, N failed` (tests and checks together) and with a status other than 0 when anything failed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, ensureBuilt, ensureDependencies, ensurePage } from './ensure.mjs';

/** What the tests run beside Node: a program, or a GStreamer element, and the Debian package it comes in. */
const NEEDED = [
  ['program', 'ffmpeg', 'ffmpeg'],
  ['program', 'ffprobe', 'ffmpeg'],
  ['program', 'openssl', 'openssl'],
  ['program', 'chromium', 'chromium'],
  ['program', 'strace', 'strace'],
  ['program', 'openssl', 'openssl'],
  ['program', 'cvlc', 'vlc-bin'],
  ['program', 'cvlc', 'vlc-plugin-base'],
  ['program', 'gst-launch-1.0', 'gstreamer1.0-tools'],
  ['element', 'videotestsrc', 'gstreamer1.0-plugins-base'],
  ['element', 'rtpmp2tpay', 'gstreamer1.0-plugins-good'],
  ['element', 'hlsdemux', 'gstreamer1.0-plugins-bad'],
  ['element', 'souphttpsrc', 'gstreamer1.0-plugins-good'],
  ['element', 'mpegtsmux', 'gstreamer1.0-plugins-bad'],
  ['element', 'x264enc', 'gstreamer1.0-plugins-ugly'],
  ['element', 'avenc_mpeg2video', 'gstreamer1.0-libav'],
];

const quiet = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const has = (kind, name) => (kind === 'program' ? quiet('sh', ['-c', `command -v ${name}`]) : quiet('gst-inspect-1.0', ['--exists', name]));
const missing = () => [...new Set(NEEDED.filter(([kind, name]) => !has(kind, name)).map(([, , debian]) => debian))];

function ensureDebianPackages() {
  let packages = missing();
  if (packages.length > 0 && process.getuid?.() === 0 && has('program', 'apt-get')) {
    console.log(`installing Debian packages: ${packages.join(' ')}`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const apt = (...args) => spawnSync('apt-get', ['-q', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env });
    apt('update');
    apt('install', '-y', '--no-install-recommends', ...packages);
    packages = missing();
  }
  if (packages.length > 0) {
    console.error(`livetape: the tests need these Debian packages: ${packages.join(' ')}`);
    process.exit(1);
  }
}

let passed = 0;
let failed = 0;
let skipped = 0;

/** A check that passes or fails as a whole; told of with what it said once it has ended, since others run beside it. */
function check(what, command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
    child.once('close', (status) => {
      const good = status === 0;
      process.stdout.write(`${Buffer.concat(said)}${good ? 'ok    ' : 'FAILED'} ${what}\n`);
      if (good) passed += 1;
      else failed += 1;
      resolve();
    });
  });
}

try {
  ensureDependencies();
} catch (error) {
  console.error(`livetape: ${error.message}`);
  process.exit(1);
}
ensureDebianPackages();
try {
  ensureBuilt();
  ensurePage();
  console.log('ok     build');
  passed += 1;
} catch {
  console.log('FAILED build');
  failed += 1;
}
const tool = (...names) => join(ROOT, 'node_modules', ...names);
// The linter takes as long as all the others.
await Promise.all([
  check('lint', process.execPath, [tool('eslint', 'bin', 'eslint.js'), '.', '--max-warnings', '0']),
  (async () => {
    await check('types', process.execPath, [tool('typescript', 'bin', 'tsc'), '-p', 'tsconfig.json', '--noEmit']);
    await check('types of the page', process.execPath, [tool('typescript', 'bin', 'tsc'), '-p', 'web/tsconfig.json']);
    await check('format', process.execPath, [tool('prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.']);
    const rooms = ['src', 'web/src', '--config', '.dependency-cruiser.cjs'];
    await check('rooms', process.execPath, [tool('dependency-cruiser', 'bin', 'dependency-cruise.mjs'), ...rooms]);
  })(),
]);

const folder = mkdtempSync(join(tmpdir(), 'livetape-test-'));
const report = join(folder, 'report.json');
const vitest = [tool('vitest', 'vitest.mjs'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
const { status } = spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: ['ignore', 'inherit', 'inherit'],
});
try {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests = 0, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  passed += numPassedTests;
  // a file that could not be loaded has no tests of its own to fail
  failed += numFailedTests + testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  skipped += numPendingTests + numTodoTests;
} catch {
  failed += 1;
}
rmSync(folder, { recursive: true, force: true });
if (status !== 0 && failed === 0) failed += 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
