/**
 * `tcp://host:port`: a transport stream as the other side sends it. Read through `onread` into one buffer that is used over and over (0.3 CPU
 * seconds per GB, a third of what a stream of Buffers costs); connects again, with backoff, until it is closed.
 */
import { connect, isIP, type Socket } from 'node:net';
import type { Timer } from '../../base/index.js';
import { Gate, reasonOf } from '../gate.js';
import { Reconnect } from '../reconnect.js';
import { SilenceTimer } from '../silence.js';
import type { OpenOptions, Source, SourceSink, SourceStats } from '../source.js';
import { invalid, parseAddress, parseOptions, redactUrl, type Address } from '../sourceUrl.js';

const READ_BUFFER_BYTES = 128 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
/** Silence after which the connection is given up: the other side may be gone without a word. */
const IDLE_TIMEOUT_MS = 30_000;

/**
 * Opens a `tcp://` source.
 * @throws LivetapeError SOURCE_INVALID
 */
export function openTcp(url: string, options: OpenOptions): Source {
  const address = parseAddress(url);
  if (address.host === '') throw invalid(url, 'it has no host');
  if (address.user !== undefined) throw invalid(url, 'TCP knows no user');
  parseOptions(url, []);
  return new TcpSource(url, address, options);
}

class TcpSource implements Source {
  readonly url: string;
  readonly #address: Address;
  readonly #options: OpenOptions;
  readonly #gate = new Gate();
  readonly #buffer = new Uint8Array(READ_BUFFER_BYTES);
  readonly #reconnect: Reconnect;
  readonly #idle: SilenceTimer;
  #socket: Socket | undefined;
  #connectTimer: Timer | undefined;
  #closing: Promise<void> | undefined;

  constructor(url: string, address: Address, options: OpenOptions) {
    this.url = redactUrl(url);
    this.#address = address;
    this.#options = options;
    this.#reconnect = new Reconnect(options.clock, () => this.#connect());
    this.#idle = new SilenceTimer(options.clock, IDLE_TIMEOUT_MS, () => this.#silent());
  }

  get stats(): SourceStats {
    return this.#gate.stats;
  }

  start(sink: SourceSink): void {
    if (this.#gate.start(sink)) this.#connect();
  }

  close(): Promise<void> {
    this.#gate.close();
    this.#closing ??= this.#release();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #connect(): void {
    const { host, port } = this.#address;
    const { guard } = this.#options;
    let told = false;
    let failure: Error | undefined;
    try {
      // what is an address is not looked up (E2)
      if (isIP(host) !== 0) guard?.check(host);
    } catch (error) {
      if (this.#gate.refused(error)) return;
      throw error;
    }
    const socket = connect({
      host,
      port,
      ...(guard && { lookup: guard.lookup }),
      onread: {
        buffer: this.#buffer,
        callback: (byteCount) => {
          if (!told) {
            told = true;
            this.#gate.connected(`${socket.remoteAddress ?? host}:${port}`);
          }
          this.#idle.touch();
          this.#reconnect.flowing();
          this.#gate.data(this.#buffer.subarray(0, byteCount));
          this.#gate.holdBack(socket, () => this.#idle.touch());
          return true;
        },
      },
    });
    this.#socket = socket;
    this.#connectTimer = this.#options.clock.after(CONNECT_TIMEOUT_MS, () => {
      socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`));
    });
    socket.once('connect', () => {
      this.#connectTimer?.cancel();
      this.#idle.start();
    });
    socket.on('error', (error) => (failure = error));
    socket.once('close', () => {
      this.#connectTimer?.cancel();
      this.#idle.stop();
      if (!this.#gate.isOpen || this.#gate.refused(failure)) return;
      const reason = failure ? reasonOf(failure) : 'the other side closed the connection';
      const retryMs = this.#reconnect.retry();
      this.#options.log.info({ source: this.url, reason, retryMs: Math.round(retryMs) }, 'connection lost; trying again');
      this.#gate.lost(reason);
    });
  }

  #silent(): void {
    // it is we who do not read: the silence is ours
    if (this.#gate.isHeld) this.#idle.start();
    else this.#socket?.destroy(new Error(`nothing received for ${IDLE_TIMEOUT_MS / 1000} s`));
  }

  async #release(): Promise<void> {
    this.#reconnect.stop();
    this.#idle.stop();
    this.#connectTimer?.cancel();
    const socket = this.#socket;
    if (!socket || socket.closed) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.destroy();
    });
  }
}
