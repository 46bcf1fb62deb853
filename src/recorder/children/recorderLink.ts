/** The server's end of a controlling connection to a recorder: calls with numbered answers, heartbeats and events as they come. */
import { connect, type Socket } from 'node:net';
import { LivetapeError, type Clock, type Logger } from '../../base/index.js';
import { FRAME, FrameReader, frameOf } from './frames.js';
import {
  PROTOCOL,
  type Beat,
  type CommandName,
  type CommandResult,
  type Commands,
  type EventMessage,
  type ToRecorder,
  type ToServer,
  type Welcome,
} from './protocol.js';
import { decodeValue, encodeValue } from './values.js';

/** What a recorder says by itself. */
export interface LinkEvents {
  beat(beat: Beat): void;
  event(message: EventMessage): void;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Opens a socket; rejects with what the system says. */
export function openSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => undefined); // `close` follows
      resolve(socket);
    });
  });
}

/** A connection that a recorder has taken. */
export class RecorderLink {
  readonly welcome: Welcome;
  /** Kept when the connection is gone. */
  readonly ended: Promise<void>;
  /** The recorder said something since this was last set to false. */
  heard = true;
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #events: LinkEvents | undefined;
  #over = false;

  private constructor(socket: Socket, welcome: Welcome) {
    this.#socket = socket;
    this.welcome = welcome;
    this.ended = new Promise((resolve) => {
      socket.once('close', () => {
        this.#over = true;
        const lost = recorderLost();
        for (const { reject } of this.#pending.values()) reject(lost);
        this.#pending.clear();
        resolve();
      });
    });
  }

  /**
   * Connects and says hello.
   * @throws LivetapeError ROOT_OWNED when another server controls the recorder; RECORDER_LOST when it does not answer in time; an error of the system
   */
  static async open(path: string, options: { version: string; clock: Clock; log: Logger; timeoutMs: number }): Promise<RecorderLink> {
    const socket = await openSocket(path);
    return new Promise((resolve, reject) => {
      const settle = (error: Error): void => {
        timer.cancel();
        socket.destroy();
        reject(error);
      };
      const timer = options.clock.after(options.timeoutMs, () =>
        settle(new LivetapeError('RECORDER_LOST', 'the recorder does not answer')),
      );
      const gone = (): void => settle(recorderLost());
      socket.once('close', gone);
      let link: RecorderLink | undefined;
      const reader = new FrameReader((_kind, payload) => {
        const message = decodeValue(payload) as ToServer;
        if (link !== undefined) link.#took(message);
        else if ('refused' in message) settle(message.refused);
        else if ('welcome' in message) {
          timer.cancel();
          socket.off('close', gone);
          link = new RecorderLink(socket, message.welcome);
          resolve(link);
        }
      });
      socket.on('data', (chunk: Buffer) => {
        try {
          reader.push(chunk);
        } catch (error) {
          options.log.error({ err: error }, 'a recorder said what is not understood');
          socket.destroy();
        }
      });
      send(socket, { hello: { protocol: PROTOCOL, version: options.version } });
    });
  }

  /** From now on `events` is told. Called once, in the turn in which the link was opened: nothing was said before. */
  listen(events: LinkEvents): void {
    this.#events = events;
  }

  /** @throws LivetapeError RECORDER_LOST when the connection ends before the answer; what the command rejects with */
  call<N extends CommandName>(call: N, ...args: Parameters<Commands[N]>): Promise<CommandResult<N>> {
    const answer = new Promise((resolve, reject) => {
      if (this.#over) {
        reject(recorderLost());
        return;
      }
      const id = this.#nextId++;
      this.#pending.set(id, { resolve, reject });
      send(this.#socket, { id, call, args });
    });
    return answer as Promise<CommandResult<N>>;
  }

  /** Ends the connection without a word. */
  destroy(): void {
    this.#socket.destroy();
  }

  #took(message: ToServer): void {
    this.heard = true;
    if ('beat' in message) this.#events?.beat(message.beat);
    else if ('event' in message) this.#events?.event(message);
    else if ('id' in message) {
      const pending = this.#pending.get(message.id);
      this.#pending.delete(message.id);
      if ('error' in message) pending?.reject(message.error);
      else pending?.resolve(message.result);
    }
  }
}

function send(socket: Socket, message: ToRecorder): void {
  socket.write(frameOf(FRAME.message, encodeValue(message)));
}

/** What a command is told whose recorder ended. */
export function recorderLost(): LivetapeError {
  return new LivetapeError('RECORDER_LOST', 'the recorder process ended before it answered; it is replaced, and its streams resume');
}
