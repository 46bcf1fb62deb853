/**
 * `npm start`: until there is a server, records the built-in channel into ./dvr with the command line that everybody uses, and says where it
 * writes and how to play it. What is given after `--` goes on to it: `npm start -- --data /tmp/dvr --duration 60`.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, ensureBuilt, ensureDependencies } from './ensure.mjs';

const extra = process.argv.slice(2);
const option = (name, otherwise) => {
  const at = extra.findIndex((word) => word === name || word.startsWith(`${name}=`));
  return at < 0 ? otherwise : extra[at].includes('=') ? extra[at].slice(name.length + 1) : extra[at + 1];
};

try {
  ensureDependencies();
  ensureBuilt();
} catch (error) {
  console.error(`livetape: ${error.message}`);
  process.exit(1);
}

const stream = option('--stream', 'demo');
const folder = resolve(option('--data', 'dvr') ?? 'dvr', stream);
console.error(`
Livetape records its built-in channel, ${resolve(ROOT, 'assets/demo.ts')}, over and over in real time.

  writes   ${folder}
           playlist.m3u8 and a .ts file every 4 s: plain HLS
  play it  ffplay ${resolve(folder, 'playlist.m3u8')}
           mpv, VLC and any HLS player open it too; also while it is being recorded
  stop     Ctrl-C; it is a finished recording then. The next start goes on in the same folder.
`);

const { main } = await import(pathToFileURL(resolve(ROOT, 'dist/cli/main.js')).href);
const source = `file:${encodeURI(resolve(ROOT, 'assets/demo.ts'))}?loop=1`;
const given = extra.some((word) => word === '--stream' || word.startsWith('--stream='));
process.exitCode = await main(['record', source, ...(given ? [] : ['--stream', stream]), ...extra]);
