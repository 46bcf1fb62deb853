/**
 * The certificate and its key (docs/design/door.md, L6): two files, read at the start and again whenever they change. A pair that does not go together changes nothing: the
 * last right one stays in force, and `error` says why.
 */
import { createSecureContext } from 'node:tls';
import { LivetapeError, toLivetapeError, type Clock, type Closable, type Logger } from '../../base/index.js';
import { readFileText, watchFile } from '../../state/index.js';

/** The oldest protocol that is spoken. */
const MIN_VERSION = 'TLSv1.2';
const KIND = { maxBytes: 1024 * 1024, unreadable: 'TLS_INVALID', unwritable: 'STATE_UNWRITABLE' } as const;
/** Both files are written before they are read: a tool that renews them writes one after the other. */
const SETTLE_MS = 500;

/** What is given to a server of TLS. */
export interface TlsContext {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.2';
}

/** A pair of files that is followed. */
export interface TlsFiles extends Closable {
  /** The certificate's file. */
  readonly path: string;
  /** The last right pair. */
  readonly context: TlsContext;
  /** Why the files as they are now do not hold; undefined when they do. */
  readonly error: LivetapeError | undefined;
  /** Called with each new pair that is right. */
  onChange(listener: (context: TlsContext) => void): () => void;
}

/**
 * Reads a pair and follows it.
 * @throws LivetapeError TLS_INVALID when a file is not there or cannot be read, or both do not go together
 */
export async function openTls(options: {
  readonly cert: string;
  readonly key: string;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<TlsFiles> {
  const { clock, log } = options;
  let context = await readPair(options);
  let error: LivetapeError | undefined;
  const listeners = new Set<(context: TlsContext) => void>();
  let closed = false;
  let reading = Promise.resolve();
  const read = async (): Promise<void> => {
    if (closed) return;
    try {
      const fresh = await readPair(options);
      if (error !== undefined) log.info({}, 'the certificate is right again');
      error = undefined;
      if (fresh.cert === context.cert && fresh.key === context.key) return;
      context = fresh;
      for (const listener of listeners) listener(context);
      log.info({}, 'the certificate was read anew');
    } catch (cause) {
      const wrong = toLivetapeError(cause, 'TLS_INVALID', 'the certificate cannot be used');
      if (wrong.message !== error?.message) log.error({ err: wrong }, 'the certificate is wrong: the last right one stays in force');
      error = wrong;
    }
  };
  let settling: { cancel(): void } | undefined;
  const changed = (): void => {
    settling?.cancel();
    settling = clock.after(SETTLE_MS, () => {
      reading = reading.then(read);
    });
  };
  const stops = [watchFile(options.cert, clock, log, changed), watchFile(options.key, clock, log, changed)];
  const close = async (): Promise<void> => {
    closed = true;
    settling?.cancel();
    for (const stop of stops) stop();
    listeners.clear();
    await reading;
  };
  return {
    path: options.cert,
    get context() {
      return context;
    },
    get error() {
      return error;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function readPair({ cert, key }: { readonly cert: string; readonly key: string }): Promise<TlsContext> {
  const pair = { cert: await readPem(cert), key: await readPem(key), minVersion: MIN_VERSION } as const;
  try {
    createSecureContext(pair);
  } catch (cause) {
    // OpenSSL says what it stumbled on, not of which file
    throw toLivetapeError(cause, 'TLS_INVALID', `${cert} and ${key} are not a certificate and its key`);
  }
  return pair;
}

async function readPem(path: string): Promise<string> {
  const { text } = await readFileText(path, KIND);
  if (text === undefined) throw new LivetapeError('TLS_INVALID', `${path}: it is not there`, { context: { path } });
  return text;
}
