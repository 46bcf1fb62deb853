/** `livetape serve`: the server, until it is told to end. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { toLivetapeError } from '../base/index.js';
import { openLog, serve } from '../server/index.js';
import { folder } from './arguments.js';
import { errorLine } from './errorLine.js';
import type { CliIo } from './io.js';
import { packageVersion } from './version.js';

/** What is given on the command line. */
interface ServeArguments {
  readonly config: string;
  readonly data?: string;
  readonly listen?: string;
  readonly demo?: boolean;
}

/** The built-in channel's media, in the package. */
const DEMO_MEDIA = fileURLToPath(new URL('../../assets/demo.ts', import.meta.url));

/** The page, in the package. */
const PAGE = fileURLToPath(new URL('../../dist/web/', import.meta.url));

/** Whether the page was built. */
export const isPageThere = (folder: string): boolean => existsSync(join(folder, 'index.html'));

/** Adds the command. */
export function addServe(program: Command, io: CliIo, done: (status: number) => void): void {
  program
    .command('serve')
    .description('the server: records the streams of livetape.yaml, plays them, and can be controlled over HTTP')
    .option('--config <FILE>', 'the file of streams and settings; need not exist', 'livetape.yaml')
    .option('--data <DIR>', 'the folder of all streams, in the place of what the file says (./dvr)', folder)
    .option('--listen <HOST:PORT>', 'where to answer, in the place of what the file says (127.0.0.1:8080)')
    .option('--demo', 'with a built-in live channel')
    .action(async (given: ServeArguments) => done(await run(given, io)));
}

async function run(given: ServeArguments, io: CliIo): Promise<number> {
  const { log, setLevel } = openLog('info');
  const demo = given.demo ? { source: `file:${encodeURI(DEMO_MEDIA)}?loop=1`, title: 'The built-in channel' } : undefined;
  // Signals that come while it starts are not to kill it half-way.
  let ended: (how: 'close' | 'detach') => void = () => undefined;
  const told = new Promise<'close' | 'detach'>((resolve) => (ended = resolve));
  const offSignal = io.onSignal(() => ended('close'));
  const offRestart = io.onSignal(() => ended('detach'), ['SIGUSR2']);
  try {
    const server = await serve({ ...given, demo, log, clock: io.clock, page: PAGE, version: packageVersion(), onLogLevel: setLevel });
    const offReload = io.onSignal(
      () => void server.reload().catch((error: unknown) => io.err(errorLine(toLivetapeError(error, 'CONFIG_INVALID', given.config)))),
      ['SIGHUP'],
    );
    io.out(`Livetape answers at ${server.url}\n`);
    // Whoever opens the address sees no more than that there is nothing.
    if (!isPageThere(PAGE)) log.warn({ folder: PAGE }, 'the page is not there, all else is: npm run build makes it');
    const how = await told;
    offReload();
    await (how === 'detach' ? server.detach() : server.close());
    return 0;
  } finally {
    offSignal();
    offRestart();
  }
}
