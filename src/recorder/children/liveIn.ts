/**
 * Live media into the server (docs/design/server.md, R7): one connection for a stream, however many watch it here. Its feed remembers the segment that
 * is being received, as the recorder's does, so that who joins begins with it too.
 */
import type { Socket } from 'node:net';
import { toLivetapeError, type Logger } from '../../base/index.js';
import type { LiveSink, LiveSubscription } from '../live.js';
import { LiveFeed } from '../liveFeed.js';
import type { LivePool } from '../liveMemory.js';
import { FRAME, FrameReader, frameOf } from './frames.js';
import { PROTOCOL, type Hello, type ToServer } from './protocol.js';
import { openSocket, recorderLost } from './recorderLink.js';
import { decodeValue, encodeValue } from './values.js';

/** What a relay is given. */
export interface LiveRelayOptions {
  readonly streamCode: string;
  readonly version: string;
  readonly log: Logger;
  /** The memory that all relays share. */
  readonly memory: LivePool;
  /** Nothing more comes over it, or nobody watches any more. */
  readonly onOver: () => void;
}

/** A stream's way from its recorder to those who watch it here. */
export class LiveRelay {
  readonly #options: LiveRelayOptions;
  readonly #socket: Socket;
  readonly #feed: LiveFeed;
  #over = false;

  private constructor(socket: Socket, options: LiveRelayOptions) {
    this.#options = options;
    this.#socket = socket;
    this.#feed = new LiveFeed(options.streamCode, options.log, options.memory);
  }

  /**
   * Connects; kept when the recorder gives the stream.
   * @throws LivetapeError NOT_RECORDING, RECORDER_LOST
   */
  static async open(socketPath: string, options: LiveRelayOptions): Promise<LiveRelay> {
    const socket = await openSocket(socketPath).catch((error: unknown) => {
      throw toLivetapeError(error, 'RECORDER_LOST', 'the recorder is not running');
    });
    const relay = new LiveRelay(socket, options);
    await relay.#greet();
    return relay;
  }

  /**
   * Gives the stream to one more.
   * @throws LivetapeError NOT_RECORDING when nothing more comes
   */
  add(sink: LiveSink): LiveSubscription {
    const subscription = this.#feed.subscribe(sink);
    const close = async (): Promise<void> => {
      await subscription.close();
      if (!this.#feed.watched) this.end('nobody watches any more');
    };
    return { close, [Symbol.asyncDispose]: close };
  }

  /** Ends it; those who watch are told. */
  end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#socket.destroy();
    this.#feed.end(reason);
    this.#options.onOver();
  }

  #greet(): Promise<void> {
    const { streamCode, version, log } = this.#options;
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const reader = new FrameReader((kind, payload) => {
        if (kind === FRAME.segment) return this.#feed.begin(payload[0] === 1);
        if (kind === FRAME.data) return this.#feed.data(payload);
        const message = decodeValue(payload) as ToServer;
        if ('live' in message) resolve();
        else if ('refused' in message) reject(message.refused);
        else if ('ended' in message) this.end(message.ended);
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
        this.end('its recorder is gone, or did not find it taken as fast as it came');
      });
      const hello: Hello = { hello: { protocol: PROTOCOL, version, live: streamCode } };
      socket.write(frameOf(FRAME.message, encodeValue(hello)));
    });
  }
}
