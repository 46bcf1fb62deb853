/**
 * A recorder process's end of its socket (docs/design/server.md, R1 to R7): answers one controlling connection, gives live media to others, and ends
 * the process's work when nobody controls it for too long. What the server does not read is left out, never waited for.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createServer, type Server, type Socket } from 'node:net';
import { LivetapeError, toLivetapeError, type Clock, type Logger, type Timer } from '../../base/index.js';
import type { DvrEventName } from '../events.js';
import { FRAME, FrameReader, frameOf } from './frames.js';
import { sendLive } from './liveOut.js';
import { BEAT_MS, PROTOCOL, type Beat, type CommandName, type Hello, type ToRecorder, type ToServer, type Welcome } from './protocol.js';
import { RecorderCommands, type RecorderParts } from './recorderCommands.js';
import { decodeValue, encodeValue } from './values.js';

/** With so much unread, heartbeats and events are left out until the server reads on. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024;
/** The histogram of the event loop's delay begins anew after so many heartbeats. */
const BEATS_PER_HISTOGRAM = 20;
const HISTOGRAM_RESOLUTION_MS = 10;
/** What is not closed by then (a medium that does not answer) is left to the end of the process. */
const END_LIMIT_MS = 10_000;

/** Every event is passed on. */
const EVENTS: Readonly<Record<DvrEventName, true>> = {
  'recording.started': true,
  'recording.stopped': true,
  'recording.failed': true,
  'archive.healed': true,
  'segment.written': true,
  'segment.pruned': true,
  'gap.opened': true,
  'gap.closed': true,
  'source.ended': true,
};

/** What a recorder process's server is given. */
export interface RecorderServerOptions {
  /** Of the socket; nothing may be there. */
  readonly path: string;
  readonly version: string;
  readonly parts: RecorderParts;
  readonly clock: Clock;
  readonly log: Logger;
  /** So long it goes on without a controlling connection. */
  readonly orphanMs: number;
}

/** {@link RecorderServer.listen} begins; `ended` is kept when all is committed and closed. */
export class RecorderServer {
  /** Kept when the process has nothing more to do. */
  readonly ended: Promise<void>;
  readonly #options: RecorderServerOptions;
  readonly #commands: RecorderCommands;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #delay = monitorEventLoopDelay({ resolution: HISTOGRAM_RESOLUTION_MS });
  readonly #startedAt: Date;
  #resolveEnded: () => void = () => undefined;
  #control: Socket | undefined;
  #beats: Timer | undefined;
  #beatCount = 0;
  #unsent = 0;
  #orphaned: Timer | undefined;
  #closing: Promise<void> | undefined;

  private constructor(options: RecorderServerOptions) {
    this.#options = options;
    this.#commands = new RecorderCommands(options.parts);
    this.#startedAt = new Date(options.clock.nowMs());
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.#server = createServer((socket) => this.#connected(socket));
    this.#delay.enable();
    for (const event of Object.keys(EVENTS) as DvrEventName[]) {
      options.parts.dvr.on(event, (data) => this.#tell({ event, data } as ToServer));
    }
  }

  /** Listens; kept when servers can connect. */
  static async listen(options: RecorderServerOptions): Promise<RecorderServer> {
    const recorder = new RecorderServer(options);
    await new Promise<void>((resolve, reject) => {
      recorder.#server.once('error', reject);
      recorder.#server.listen({ path: options.path, exclusive: true }, resolve);
    });
    recorder.#alone();
    return recorder;
  }

  /** Commits every tail and leaves the lives open. Once nobody can connect any more; any number of times. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#orphaned?.cancel();
    this.#delay.disable();
    const limit = this.#options.clock.after(END_LIMIT_MS, () => {
      this.#options.log.error({ seconds: END_LIMIT_MS / 1000 }, 'the recorder could not be closed in time: it is ended as it is');
      this.#resolveEnded();
    });
    // its name goes with it, at once: another recorder may take it
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    try {
      await this.#options.parts.close();
    } catch (error) {
      this.#options.log.error({ err: error }, 'the recorder did not close cleanly');
    }
    this.#beats?.cancel();
    void closed.then(() => {
      limit.cancel();
      this.#resolveEnded();
    });
    // the answer to `close` goes out before the end
    setImmediate(() => {
      for (const socket of this.#sockets) socket.destroySoon();
    });
  }

  /** Nobody controls it: somebody has to come in time (R4). */
  #alone(): void {
    if (this.#closing) return;
    const { clock, log, orphanMs } = this.#options;
    this.#orphaned = clock.after(orphanMs, () => {
      log.warn({ seconds: orphanMs / 1000 }, 'no server has come: what is recorded is committed, and the recorder ends');
      void this.close();
    });
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    let control = false;
    const reader = new FrameReader((_kind, payload) => {
      const message = decodeValue(payload) as ToRecorder;
      if (control && 'call' in message) void this.#answer(socket, message);
      else if (!control && 'hello' in message) control = this.#greet(socket, message);
      else throw new LivetapeError('INVARIANT_BROKEN', 'a server said what it may not say');
    });
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        this.#options.log.error({ err: error }, 'a connection to the recorder said what is not understood');
        socket.destroy();
      }
    });
    socket.on('error', () => undefined); // `close` follows
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (this.#control !== socket) return;
      this.#control = undefined;
      this.#beats?.cancel();
      this.#alone();
    });
  }

  /** True when it is the controlling one from now on. */
  #greet(socket: Socket, { hello }: Hello): boolean {
    if (hello.live !== undefined) {
      void sendLive(socket, this.#options.parts.dvr, hello.live, this.#options.log);
      return false;
    }
    if (this.#control !== undefined || this.#closing !== undefined) {
      const why = this.#closing === undefined ? 'another server controls this recorder' : 'the recorder is closing';
      send(socket, { refused: new LivetapeError('ROOT_OWNED', why) });
      socket.end();
      return false;
    }
    this.#control = socket;
    this.#orphaned?.cancel();
    const { version } = this.#options;
    const { requests, sources } = this.#commands;
    const welcome: Welcome = {
      protocol: PROTOCOL,
      version,
      pid: process.pid,
      startedAt: this.#startedAt,
      requests,
      sources,
      beat: this.#beat(),
    };
    send(socket, { welcome });
    this.#beats = this.#options.clock.every(BEAT_MS, () => this.#tell({ beat: this.#beat() }));
    return true;
  }

  async #answer(socket: Socket, { id, call, args }: Exclude<ToRecorder, Hello>): Promise<void> {
    let answer: ToServer;
    try {
      answer = { id, result: await this.#run(call, args) };
    } catch (error) {
      answer = { id, error: toLivetapeError(error, 'INVARIANT_BROKEN', `the recorder failed at "${call}"`) };
    }
    send(socket, answer);
  }

  #run(call: CommandName, args: readonly unknown[]): Promise<unknown> {
    if (call === 'close') return this.close();
    // that the arguments are the command's own was the server's to see to: it is of this very version (R5)
    return (this.#commands as Record<typeof call, (...given: never[]) => Promise<unknown>>)[call](...(args as never[]));
  }

  /** Says something that may be left out. */
  #tell(message: ToServer): void {
    const socket = this.#control;
    if (socket === undefined) return;
    if (socket.writableLength > MAX_UNREAD_BYTES) this.#unsent += 1;
    else send(socket, message);
  }

  #beat(): Beat {
    if (this.#beatCount++ % BEATS_PER_HISTOGRAM === 0 && this.#beatCount > 1) this.#delay.reset();
    const { user, system } = process.cpuUsage();
    const delay = this.#delay;
    return {
      ...this.#commands.state,
      process: {
        eventLoopDelay: { meanSec: delaySec(delay.mean), p99Sec: delaySec(delay.percentile(99)), maxSec: delaySec(delay.max) },
        residentBytes: process.memoryUsage.rss(),
        cpuSec: (user + system) / 1e6,
        unsent: this.#unsent,
      },
    };
  }
}

function send(socket: Socket, message: ToServer): void {
  if (!socket.destroyed && socket.writable) socket.write(frameOf(FRAME.message, encodeValue(message)));
}

/** The histogram tells times between two looks; what they should be is no delay. Before the first look it tells of no number. */
function delaySec(ns: number): number {
  return Number.isFinite(ns) ? Math.max(0, ns / 1e6 - HISTOGRAM_RESOLUTION_MS) / 1000 : 0;
}
