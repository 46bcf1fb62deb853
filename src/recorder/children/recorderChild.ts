/**
 * One recorder process as the server keeps it (docs/design/server.md, R3 to R5): found or started, replaced when it ends or its event loop stands, closed or let go of.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { LivetapeError, delay, isLivetapeError, toLivetapeError, type Clock, type Logger } from '../../base/index.js';
import type { RecorderStatus } from '../pool.js';
import {
  BEAT_MS,
  PROTOCOL,
  type Beat,
  type CommandName,
  type CommandResult,
  type Commands,
  type EventMessage,
  type ProcessStatus,
  type Welcome,
} from './protocol.js';
import { RecorderLink, recorderLost } from './recorderLink.js';
import { processesOn, removeSocket } from './sockets.js';

/** The pause before a recorder that was replaced already is replaced again, doubled each time … */
const FIRST_PAUSE_MS = 1000;
/** … up to this, … */
const LAST_PAUSE_MS = 10_000;
/** … until one has run for so long. */
const STEADY_MS = 2000;
/** A process that was started listens after this at the latest. */
const START_LIMIT_MS = 30_000;
/** How often a socket that is to come is looked for. */
const LOOK_MS = 20;
/** A server that was killed is noticed by its recorders after this at the latest. */
const TAKE_OVER_MS = 2000;
/** So long a command waits for a recorder that is being replaced. */
const COMMAND_WAIT_MS = 10_000;
/** A killed process is gone after this, unless the kernel holds it. */
const KILL_MS = 1000;

/** How to start a recorder process. */
export interface RecorderProgram {
  /** Of the file src/recorderProcess.ts, as it is built. */
  readonly path: string;
  /** Options of Node's. */
  readonly execArgv: readonly string[];
}

/** What it is given. */
export interface RecorderChildOptions {
  readonly index: number;
  readonly socketPath: string;
  readonly version: string;
  readonly program: RecorderProgram;
  /** What the process is told beside its socket. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Its event loop stands when so long nothing came from it. */
  readonly stallMs: number;
  /** It has so long to commit its tails. */
  readonly closeMs: number;
  readonly events: {
    /** It runs; what it records already is in `welcome`. Commands may be called from within. */
    up(welcome: Welcome): void;
    /** It is gone, and is about to be replaced. */
    down(error: LivetapeError): void;
    beat(beat: Beat): void;
    event(message: EventMessage): void;
  };
}

/** A recorder process, whichever runs at present. */
export class RecorderChild {
  readonly index: number;
  readonly #options: RecorderChildOptions;
  readonly #over = new AbortController();
  #link: RecorderLink | undefined;
  #process: ChildProcess | undefined;
  #processStatus: ProcessStatus | undefined;
  #restarts = 0;
  #hasRun = false;
  #pauseMs = 0;
  #silentMs = 0;
  #unsent = 0;
  readonly #waiting = new Set<() => void>();
  #running: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(options: RecorderChildOptions) {
    this.index = options.index;
    this.#options = options;
  }

  get status(): Omit<RecorderStatus, 'streams'> {
    const { eventLoopDelay = { meanSec: 0, p99Sec: 0, maxSec: 0 }, residentBytes = 0, cpuSec = 0 } = this.#processStatus ?? {};
    return {
      index: this.index,
      state: this.#link !== undefined ? 'running' : this.#hasRun ? 'lost' : 'starting',
      pid: this.#link?.welcome.pid,
      startedAt: this.#link?.welcome.startedAt,
      restarts: this.#restarts,
      eventLoopDelay,
      residentBytes,
      cpuSec,
    };
  }

  /**
   * Finds or starts it; kept when it runs. From then on it is replaced when it is lost.
   * @throws LivetapeError ROOT_OWNED, RECORDER_LOST
   */
  async start(): Promise<void> {
    const link = await this.#begin();
    this.#running = this.#keepRunning(link);
  }

  /** Ends one that a server before this has left and that is one too many. */
  async endFound(): Promise<void> {
    const link = await this.#find();
    if (link !== undefined) await this.#endLink(link);
  }

  /** Of the socket on which it listens. */
  get socketPath(): string {
    return this.#options.socketPath;
  }

  /** @throws LivetapeError RECORDER_LOST, CLOSED, what the command rejects with */
  async call<N extends CommandName>(call: N, ...args: Parameters<Commands[N]>): Promise<CommandResult<N>> {
    const link = this.#link ?? (await this.#nextLink());
    return link.call(call, ...args);
  }

  /** Commits every tail; killed when that takes too long. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Lets go of it; it goes on and waits to be found. */
  async detach(): Promise<void> {
    this.#closing ??= Promise.resolve();
    this.#over.abort();
    this.#link?.destroy();
    await this.#running;
  }

  async #close(): Promise<void> {
    this.#over.abort();
    if (this.#link !== undefined) await this.#endLink(this.#link);
    await this.#running;
    await this.#gone();
  }

  /** Asks a recorder to end, and sees that it does. */
  async #endLink(link: RecorderLink): Promise<void> {
    const { closeMs, clock } = this.#options;
    const limit = clock.after(closeMs, () => void this.#killLoudly(link, 'a recorder did not commit its tails in time: it is killed'));
    link.call('close').catch(() => undefined);
    await link.ended;
    limit.cancel();
  }

  /** Runs until it is closed or detached. Never rejects. */
  async #keepRunning(first: RecorderLink): Promise<void> {
    const { clock, log, index } = this.#options;
    let link: RecorderLink | undefined = first;
    for (;;) {
      if (link !== undefined) {
        const sinceMs = clock.monotonicMs();
        await link.ended;
        this.#link = undefined;
        if (this.#over.signal.aborted) return;
        if (clock.monotonicMs() - sinceMs >= STEADY_MS) this.#pauseMs = 0;
        log.error(
          { recorder: index, pid: link.welcome.pid, pauseMs: this.#pauseMs },
          'a recorder is gone: it is replaced, and its streams resume',
        );
        this.#options.events.down(recorderLost());
      }
      this.#restarts += 1;
      await delay(clock, this.#pauseMs, this.#over.signal);
      this.#pauseMs = Math.min(LAST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2));
      if (this.#over.signal.aborted) return;
      try {
        link = await this.#begin();
      } catch (error) {
        link = undefined;
        if (this.#over.signal.aborted) return;
        log.error({ recorder: index, err: error }, 'a recorder could not be started; it is tried again');
      }
    }
  }

  /** One that runs: found, or started. */
  async #begin(): Promise<RecorderLink> {
    const link = (await this.#find()) ?? (await this.#spawn());
    this.#silentMs = 0;
    this.#processStatus = link.welcome.beat.process;
    this.#unsent = link.welcome.beat.process.unsent;
    const watch = this.#options.clock.every(BEAT_MS, () => this.#watch(link));
    void link.ended.then(() => watch.cancel());
    link.listen({
      beat: (beat) => {
        this.#processStatus = beat.process;
        this.#tellUnsent(beat.process.unsent);
        this.#options.events.beat(beat);
      },
      event: (message) => this.#options.events.event(message),
    });
    if (this.#over.signal.aborted) {
      link.destroy();
      throw new LivetapeError('CLOSED', 'the recorders are closed');
    }
    this.#link = link;
    this.#hasRun = true;
    this.#options.events.up(link.welcome);
    for (const wake of this.#waiting) wake();
    return link;
  }

  /** One that a server before this has left (R4); one of another version is asked to end (R5). */
  async #find(): Promise<RecorderLink | undefined> {
    const { socketPath, version, log, clock, index } = this.#options;
    const untilMs = clock.monotonicMs() + TAKE_OVER_MS;
    for (;;) {
      try {
        const link = await RecorderLink.open(socketPath, { ...this.#options, timeoutMs: this.#options.stallMs });
        const { welcome } = link;
        if (welcome.protocol === PROTOCOL && welcome.version === version) {
          log.info({ recorder: index, pid: welcome.pid, streams: welcome.requests.length }, 'a recorder that was left running goes on');
          return link;
        }
        log.info({ recorder: index, pid: welcome.pid, version: welcome.version }, 'a recorder of another version is asked to end');
        await this.#endLink(link);
        return undefined;
      } catch (error) {
        if (isLivetapeError(error, 'ROOT_OWNED')) {
          if (clock.monotonicMs() > untilMs || this.#over.signal.aborted) throw error;
          await delay(clock, LOOK_MS, this.#over.signal);
          continue;
        }
        if (isLivetapeError(error)) {
          log.error({ recorder: index, err: error }, 'a recorder that was left running does not answer: it is killed');
          await this.#kill(undefined);
        }
        return undefined; // nobody listens
      }
    }
  }

  async #spawn(): Promise<RecorderLink> {
    const { socketPath, program, settings, clock, index } = this.#options;
    await removeSocket(socketPath);
    const args = [...program.execArgv, program.path, socketPath, JSON.stringify(settings)];
    const env = { ...process.env, UV_THREADPOOL_SIZE: process.env['UV_THREADPOOL_SIZE'] ?? '64' };
    const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'ignore', 'inherit'], env });
    child.unref();
    this.#process = child;
    let failed: Error | undefined;
    child.once('error', (error) => (failed = error));
    child.once('exit', (code, signal) => (failed ??= new Error(`the process ended (${signal ?? `status ${code}`})`)));
    const untilMs = clock.monotonicMs() + START_LIMIT_MS;
    for (;;) {
      await delay(clock, LOOK_MS, this.#over.signal);
      if (failed !== undefined) throw toLivetapeError(failed, 'RECORDER_LOST', `recorder ${index} cannot be started`);
      if (this.#over.signal.aborted || clock.monotonicMs() > untilMs) {
        child.kill('SIGKILL');
        throw new LivetapeError('RECORDER_LOST', `recorder ${index} does not begin to listen`);
      }
      try {
        return await RecorderLink.open(socketPath, { ...this.#options, timeoutMs: this.#options.stallMs });
      } catch (error) {
        if (!isLivetapeError(error)) continue; // nobody listens yet
        child.kill('SIGKILL');
        throw error;
      }
    }
  }

  /** Counts the time in which the recorder was silent. A server that stood itself counts one look of it, not the time it stood. */
  #watch(link: RecorderLink): void {
    this.#silentMs = link.heard ? 0 : this.#silentMs + BEAT_MS;
    link.heard = false;
    if (this.#silentMs < this.#options.stallMs) return;
    this.#silentMs = 0;
    void this.#killLoudly(link, "a recorder's event loop stands: it is killed");
  }

  async #killLoudly(link: RecorderLink, why: string): Promise<void> {
    const { log, index, clock } = this.#options;
    log.error({ recorder: index, pid: link.welcome.pid }, why);
    await this.#kill(link.welcome.pid);
    // what the kernel holds on to, or what lives where its process cannot be seen, is let go of
    await Promise.race([link.ended, delay(clock, KILL_MS)]);
    link.destroy();
  }

  /** Kills what listens on the socket: the process that was started, or else what was started by another server. */
  async #kill(pid: number | undefined): Promise<void> {
    if (this.#process !== undefined && (pid === undefined || this.#process.pid === pid)) {
      this.#process.kill('SIGKILL');
      return;
    }
    // a number alone may be somebody else's by now, or in another container
    const found = await processesOn(this.#options.socketPath);
    const known = process.platform !== 'linux' && pid !== undefined ? [pid] : found;
    for (const one of known) {
      try {
        process.kill(one, 'SIGKILL');
      } catch {
        // it has ended by itself
      }
    }
  }

  /** The process has ended, whoever started it: nobody is left behind. */
  async #gone(): Promise<void> {
    const { clock, socketPath } = this.#options;
    const child = this.#process;
    const isGone = async (): Promise<boolean> =>
      child === undefined ? (await processesOn(socketPath)).length === 0 : child.exitCode !== null || child.signalCode !== null;
    const untilMs = clock.monotonicMs() + KILL_MS;
    while (!(await isGone())) {
      if (clock.monotonicMs() > untilMs) return this.#kill(undefined);
      await delay(clock, LOOK_MS);
    }
  }

  #tellUnsent(unsent: number): void {
    if (unsent === this.#unsent) return;
    this.#options.log.warn(
      { recorder: this.index, messages: unsent - this.#unsent },
      'this process did not read what a recorder said: events are missing',
    );
    this.#unsent = unsent;
  }

  #nextLink(): Promise<RecorderLink> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        timer.cancel();
        this.#waiting.delete(settle);
        this.#over.signal.removeEventListener('abort', settle);
        if (this.#link !== undefined) resolve(this.#link);
        else if (this.#over.signal.aborted) reject(new LivetapeError('CLOSED', 'the recorders are closed'));
        else reject(new LivetapeError('RECORDER_LOST', `recorder ${this.index} is not running`));
      };
      const timer = clock.after(COMMAND_WAIT_MS, settle);
      this.#waiting.add(settle);
      this.#over.signal.addEventListener('abort', settle);
      if (this.#over.signal.aborted) settle();
    });
  }
}
