/**
 * Makes a clone ready to run, with Node and npm alone: installs the packages when they are missing or older than the lock file, and
 * builds dist (and the page, dist/web) when it is missing or older than what it is built from. Does nothing, in a few milliseconds, when all is there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the clone. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const path = (...names) => join(ROOT, ...names);
const changedAt = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);

/** When the newest file in a folder was changed. */
function newestIn(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const name = join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestIn(name) : changedAt(name));
  }
  return newest;
}

/** Runs a command in the clone; what it says goes to standard error, so that a program's own output stays clean. */
function run(what, command, args) {
  process.stderr.write(`livetape: ${what}\n`);
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
  if (error || status !== 0)
    throw new Error(`${what}: ${command} ${args.join(' ')} ${error ? error.message : `ended with status ${status}`}`);
}

/** node_modules as package-lock.json has it. */
export function ensureDependencies() {
  const installed = changedAt(path('node_modules', '.package-lock.json'));
  if (installed !== 0 && installed >= changedAt(path('package-lock.json'))) return;
  // npm ci empties it first, and through a link it would empty another clone's.
  if (lstatSync(path('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink())
    throw new Error('node_modules is a link to packages that are not those of package-lock.json: remove it');
  run('installing packages', 'npm', ['ci', '--no-audit', '--no-fund']);
}

/** dist as src has it. `clean` begins from nothing, so that no file of a source that is gone remains. */
export function ensureBuilt({ clean = false } = {}) {
  const stamp = path('dist', '.built');
  const sources = Math.max(newestIn(path('src')), changedAt(path('tsconfig.json')), changedAt(path('tsconfig.build.json')));
  if (!clean && changedAt(stamp) > sources) return;
  ensureDependencies();
  if (clean) rmSync(path('dist'), { recursive: true, force: true });
  const since = Date.now();
  run('building', process.execPath, [path('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json']);
  mkdirSync(path('dist'), { recursive: true });
  writeFileSync(stamp, `${new Date(since).toISOString()}\n`);
}

/** dist/web as web has it. */
export function ensurePage() {
  const stamp = path('dist', '.page');
  const sources = Math.max(newestIn(path('web')), changedAt(path('package-lock.json')), changedAt(path('scripts', 'page.mjs')));
  if (changedAt(stamp) > sources) return;
  ensureDependencies();
  const since = Date.now();
  // In a process of its own: Vite is asynchronous, and who needs the page is not.
  run('building the page', process.execPath, [path('scripts', 'page.mjs')]);
  writeFileSync(stamp, `${new Date(since).toISOString()}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  ensureDependencies();
  ensureBuilt({ clean: process.argv.includes('--clean') });
  ensurePage();
}
