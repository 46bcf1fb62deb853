/** Live media out of a recorder process (docs/design/server.md, R7): one stream on one connection, from a segment's beginning on. */
import type { Socket } from 'node:net';
import { toLivetapeError, type Logger } from '../../base/index.js';
import type { LiveSink } from '../live.js';
import type { DvrService } from '../service.js';
import { FRAME, frameOf } from './frames.js';
import type { ToServer } from './protocol.js';
import { encodeValue } from './values.js';

/** A server that is so far behind is let go of. */
export const MAX_BEHIND_BYTES = 16 * 1024 * 1024;

/** Sends a stream until it or the connection ends. Never rejects. */
export async function sendLive(socket: Socket, dvr: Pick<DvrService, 'live'>, streamCode: string, log: Logger): Promise<void> {
  const say = (message: ToServer): void => void socket.write(frameOf(FRAME.message, encodeValue(message)));
  let over = socket.destroyed;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  void closed.then(() => (over = true));
  let begun = false;
  const begin = (): void => {
    if (!begun && !over) say({ live: true });
    begun = true;
  };
  const sink: LiveSink = {
    segment(keyframe) {
      begin();
      if (!over) socket.write(frameOf(FRAME.segment, Uint8Array.of(keyframe ? 1 : 0)));
    },
    data(chunk) {
      if (over) return;
      socket.write(frameOf(FRAME.data, chunk));
      if (socket.writableLength <= MAX_BEHIND_BYTES) return;
      over = true;
      log.warn(
        { stream: streamCode, behindBytes: socket.writableLength },
        'the server does not take the live stream as fast as it comes: it is not given any more of it',
      );
      socket.destroy();
    },
    ended(reason) {
      begin();
      if (over) return;
      over = true;
      say({ ended: reason });
      socket.end();
    },
  };
  try {
    // media may come before the promise is kept
    const subscription = await dvr.live(streamCode, sink);
    begin();
    await closed;
    await subscription.close();
  } catch (error) {
    if (over) return;
    say({ refused: toLivetapeError(error, 'STORAGE_FAILED', `stream ${streamCode} cannot be watched`) });
    socket.end();
  }
}
