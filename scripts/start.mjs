/**
 * `npm start`: the server with its built-in live channel, recorded into ./dvr. Installs and builds what is missing first. What is given after `--` goes on to
 * `livetape serve`: `npm start -- --data /tmp/dvr --listen 127.0.0.1:9000`.
 */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { ROOT, ensureBuilt, ensureDependencies, ensurePage } from './ensure.mjs';

try {
  ensureDependencies();
  ensureBuilt();
  ensurePage();
} catch (error) {
  console.error(`livetape: ${error.message}`);
  process.exit(1);
}

// A process of its own, since bin/livetape sets what Node reads at its start.
const server = spawn(process.execPath, [resolve(ROOT, 'bin/livetape'), 'serve', '--demo', ...process.argv.slice(2)], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => server.kill(signal));
server.on('exit', (code) => (process.exitCode = code ?? 1));
