/**
 * The server, put together: the file, the recorders, the streams, the read side, HTTP. It is begun in that order and ended in the opposite one
 * (docs/design/server.md).
 */
import type { AddressInfo } from 'node:net';
import { systemClock, type Clock, type Closable, type Logger } from '../base/index.js';
import { openConfig, stateFolder, type Config, type ConfigState, type StreamEntry } from '../config/index.js';
import { probeSource } from '../ingest/index.js';
import { openPlayback } from '../playback/index.js';
import { ChildProcessDvrService } from '../recorder/index.js';
import { openFsStorage, type Storage } from '../storage/index.js';
import { buildApp } from './app.js';
import { openChannels } from './channels.js';
import { changeOf, openAudit } from './door/audit.js';
import { Door } from './door/door.js';
import { isLoopback } from './door/host.js';
import { openKeys } from './door/keys.js';
import { openTls } from './door/tls.js';
import { EventFeed } from './events.js';
import { hookEvent, openConfiguredHooks } from './hookFeed.js';
import { notHad, parseListen, showAddress, tryListen } from './listen.js';

/** Bytes in a megabyte. */
const MEGABYTE = 1e6;

/** What a server is started with. */
export interface ServeOptions {
  /** livetape.yaml; need not exist. */
  readonly config: string;
  /** In the place of what the file says. */
  readonly data?: string | undefined;
  /** In the place of what the file says. */
  readonly listen?: string | undefined;
  /** The built-in channel. */
  readonly demo?: StreamEntry | undefined;
  readonly log: Logger;
  readonly clock?: Clock;
  /** The folder of the page's files, as `npm run build` makes it. */
  readonly page: string;
  /** Of the package. */
  readonly version: string;
  /** Called with each log level that the file names, the first one too. */
  readonly onLogLevel?: (level: Config['log_level']) => void;
}

/** A server that runs. `close()` commits every tail within 5 s and ends the recorders, too. */
export interface RunningServer extends Closable {
  /** Where it answers: `http://127.0.0.1:8080`, `https://…` where there is a certificate. */
  readonly url: string;
  /** Reads the file again. */
  reload(): Promise<void>;
  /** Ends HTTP alone: the recorders go on, for the next server to find (R4). */
  detach(): Promise<void>;
}

/**
 * Starts a server.
 * @throws LivetapeError CONFIG_INVALID, LISTEN_REFUSED, TLS_INVALID, ROOT_OWNED, STORAGE_FAILED
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { log, page, version } = options;
  const clock = options.clock ?? systemClock;
  const undo: (() => Promise<unknown>)[] = [];
  /** Ends what was begun, the latest first. */
  const undoAll = async (): Promise<void> => {
    for (let end = undo.pop(); end; end = undo.pop()) {
      await end().catch((error: unknown) => log.error({ err: error }, 'a part of the server did not end cleanly'));
    }
  };
  try {
    const config = await openConfig({ path: options.config, clock, log, ...(options.demo ? { demo: options.demo } : {}) });
    undo.push(() => config.close());
    const { config: first } = config.state;
    options.onLogLevel?.(first.log_level);
    const address = parseListen(options.listen ?? first.listen, first.auth.enabled);
    const { cert, key } = first.tls;
    const tls = cert === '' ? undefined : await openTls({ cert, key, clock, log });
    if (tls) undo.push(() => tls.close());
    await tryListen(address);
    const root = options.data ?? first.data;
    const openRoot = (path: string): Storage => openFsStorage(path, { clock, log });
    const storage = openRoot(root);
    const pool = await ChildProcessDvrService.open({
      root: storage.location,
      recorders: first.recorders,
      version,
      minFreeGb: first.min_free_gb,
      logLevel: first.log_level,
      clock,
      log,
    });
    let endPool = (): Promise<void> => pool.close();
    undo.push(() => endPool());
    const folder = stateFolder(first, storage.location);
    const hooks = await openConfiguredHooks({ config, folder, clock, log });
    undo.push(() => hooks.close());
    // before the first stream is begun: nothing that happens is missed
    const events = new EventFeed(pool, clock, (event) => hooks.publish(hookEvent(event)));
    undo.push(async () => events.close());
    const channels = openChannels({ config, pool, storage, openRoot, clock, log });
    undo.push(() => channels.close());
    const playback = openPlayback({
      place: channels.place,
      isKnown: (code) => config.state.streams.has(code),
      clock,
      maxCacheBytes: first.playback.cache_mb * MEGABYTE,
      limits: () => {
        const { live_window, max_window } = config.state.config.playback;
        return { liveWindowMs: live_window * 1000, maxWindowMs: max_window * 1000 };
      },
    });
    undo.push(() => playback.close());
    const keys = await openKeys({ config, folder, clock, log });
    undo.push(() => keys.close());
    const audit = openAudit({ folder, clock, log });
    undo.push(() => audit.close());
    const door = new Door({ config, clock, isExposed: !isLoopback(address.host), ...keys });
    const app = await buildApp({
      clock,
      log,
      config,
      channels,
      pool,
      playback,
      events,
      hooks,
      probe: (source, given) => probeSource(source, { ...given, clock, log }),
      door,
      tokens: keys.tokens,
      signed: keys.signed,
      audit,
      tls,
      page,
      version,
    });
    undo.push(() => app.close());
    config.onChange((state, before) => {
      options.onLogLevel?.(state.config.log_level);
      void audit.record(changeOf(state, before));
      warnOfRestart(log, state, before);
    });
    await app.listen({ host: address.host, port: address.port }).catch((cause: unknown) => {
      throw notHad(address, cause);
    });
    // Where any free port was asked for, which one it became.
    const { port } = app.server.address() as AddressInfo;
    let ending: Promise<void> | undefined;
    const running: RunningServer = {
      url: `${tls ? 'https' : 'http'}://${showAddress({ host: address.host, port })}`,
      reload: () => config.reload(),
      close: () => (ending ??= undoAll()),
      detach() {
        endPool = () => pool.detach();
        return running.close();
      },
      [Symbol.asyncDispose]: () => running.close(),
    };
    return running;
  } catch (error) {
    await undoAll();
    throw error;
  }
}

/** What is read at the start alone. */
const AT_START: readonly (readonly [field: string, read: (config: Config) => unknown])[] = [
  ['listen', ({ listen }) => listen],
  ['data', ({ data }) => data],
  ['state', ({ state }) => state],
  ['recorders', ({ recorders }) => recorders],
  ['min_free_gb', ({ min_free_gb }) => min_free_gb],
  ['playback.cache_mb', ({ playback }) => playback.cache_mb],
  ['tls.cert', ({ tls }) => tls.cert],
  ['tls.key', ({ tls }) => tls.key],
];

function warnOfRestart(log: Logger, state: ConfigState, before: ConfigState): void {
  for (const [field, read] of AT_START) {
    if (read(state.config) !== read(before.config)) log.warn({ field }, `${field} was changed: it holds from the next start on`);
  }
}
