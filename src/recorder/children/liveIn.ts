/**
 * Live media into the server (docs/design/server.md, R7): one connection for a stream, however many watch. Who joins is given the segment that is being
 * received from its beginning, so it is held in memory; one that is too large for that is not, and who joins waits for the next.
 */
import type { Socket } from 'node:net';
import { LivetapeError, toLivetapeError, type Logger } from '../../base/index.js';
import type { LiveSink, LiveSubscription } from '../live.js';
import { FRAME, FrameReader, frameOf } from './frames.js';
import { PROTOCOL, type Hello, type ToServer } from './protocol.js';
import { openSocket, recorderLost } from './recorderLink.js';
import { decodeValue, encodeValue } from './values.js';

/** What is held of a segment at most; half a minute of 16 Mbps has twice that. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

/** A stream's way from its recorder to those who watch it here. */
export class LiveRelay {
  readonly #streamCode: string;
  readonly #log: Logger;
  readonly #sinks = new Set<LiveSink>();
  /** Sinks that wait for a segment that begins at a keyframe. */
  readonly #waiting = new Set<LiveSink>();
  /** The segment that is being received, from its beginning; undefined when nobody can begin in it. */
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;
  #socket: Socket | undefined;
  #over = false;
  readonly #onOver: () => void;

  private constructor(streamCode: string, log: Logger, onOver: () => void) {
    this.#streamCode = streamCode;
    this.#log = log;
    this.#onOver = onOver;
  }

  /**
   * Connects; kept when the recorder gives the stream.
   * @param onOver - nothing more comes over it, or nobody watches any more
   * @throws LivetapeError NOT_RECORDING, RECORDER_LOST
   */
  static async open(
    socketPath: string,
    options: { streamCode: string; version: string; log: Logger; onOver: () => void },
  ): Promise<LiveRelay> {
    const { streamCode, version, log, onOver } = options;
    const relay = new LiveRelay(streamCode, log, onOver);
    let socket: Socket;
    try {
      socket = await openSocket(socketPath);
    } catch (error) {
      throw toLivetapeError(error, 'RECORDER_LOST', 'the recorder is not running');
    }
    relay.#socket = socket;
    const hello: Hello = { hello: { protocol: PROTOCOL, version, live: streamCode } };
    await new Promise<void>((resolve, reject) => {
      const reader = new FrameReader((kind, payload) => {
        if (kind === FRAME.segment) return relay.#segment(payload[0] === 1);
        if (kind === FRAME.data) return relay.#data(payload);
        const message = decodeValue(payload) as ToServer;
        if ('live' in message) resolve();
        else if ('refused' in message) reject(message.refused);
        else if ('ended' in message) relay.#end(message.ended);
      });
      socket.on('data', (chunk: Buffer) => {
        try {
          reader.push(chunk);
        } catch (error) {
          log.error({ stream: streamCode, err: error }, 'the live stream of a recorder is not understood');
          socket.destroy();
        }
      });
      socket.once('close', () => {
        reject(recorderLost());
        relay.#end('its recorder is gone, or gives no more of it since it was not taken as fast as it came');
      });
      socket.write(frameOf(FRAME.message, encodeValue(hello)));
    });
    return relay;
  }

  /** Gives the stream to one more. */
  add(sink: LiveSink): LiveSubscription {
    if (this.#over) throw new LivetapeError('NOT_RECORDING', `stream ${this.#streamCode} is not being recorded any more`);
    this.#sinks.add(sink);
    if (this.#held === undefined) this.#waiting.add(sink);
    else {
      this.#tell(sink, () => sink.segment(true));
      for (const chunk of this.#held) this.#tell(sink, () => sink.data(chunk));
    }
    const close = async (): Promise<void> => {
      this.#sinks.delete(sink);
      this.#waiting.delete(sink);
      if (this.#sinks.size === 0) this.close();
    };
    return { close, [Symbol.asyncDispose]: close };
  }

  /** Whether somebody may still be added. */
  get isOver(): boolean {
    return this.#over;
  }

  /** Ends it; the sinks are told when there are some. */
  close(): void {
    this.#end('it was closed here');
    this.#socket?.destroy();
  }

  #segment(keyframe: boolean): void {
    this.#held = keyframe ? [] : undefined;
    this.#heldBytes = 0;
    if (keyframe) this.#waiting.clear();
    this.#all((sink) => sink.segment(keyframe));
  }

  #data(chunk: Uint8Array): void {
    this.#all((sink) => sink.data(chunk));
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > MAX_HELD_BYTES) this.#held = undefined;
    this.#held?.push(Uint8Array.from(chunk));
  }

  #end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#held = undefined;
    const sinks = [...this.#sinks];
    this.#sinks.clear();
    for (const sink of sinks) this.#tell(sink, () => sink.ended(reason));
    this.#onOver();
  }

  #all(run: (sink: LiveSink) => void): void {
    for (const sink of this.#sinks) if (!this.#waiting.has(sink)) this.#tell(sink, () => run(sink));
  }

  /** One that throws breaks its promise; the others are not to suffer for it. */
  #tell(sink: LiveSink, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#log.error({ stream: this.#streamCode, err: error }, 'one who watches the live stream threw: it is given no more of it');
      this.#sinks.delete(sink);
      this.#waiting.delete(sink);
    }
  }
}
