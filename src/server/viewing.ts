/** What the server knows of those who watch, and keeps for them: shared by playback's routes and the metrics. Made once for an application. */
import { Registry } from 'prom-client';
import type { Closable } from '../base/index.js';
import type { ServerContext } from './context.js';
import { HttpStats } from './httpStats.js';
import { LiveRelays } from './liveRelay.js';
import { PlaylistCache } from './playlistCache.js';
import { ServedReach } from './servedReach.js';
import { Sessions } from './sessions.js';

/** See the file's head. */
export class Viewing implements Closable {
  /** Of this application's own: nothing in it comes from elsewhere. */
  readonly registry = new Registry();
  readonly http: HttpStats;
  readonly sessions: Sessions;
  readonly relays: LiveRelays;
  readonly playlists = new PlaylistCache();
  readonly reach: ServedReach;

  constructor({ clock, log, pool }: Pick<ServerContext, 'clock' | 'log' | 'pool'>) {
    this.http = new HttpStats(clock, this.registry);
    this.sessions = new Sessions(clock);
    this.relays = new LiveRelays({ pool, clock, log });
    this.reach = new ServedReach(clock, (code, reachMs) => pool.served(code, reachMs));
  }

  /** Viewers of a stream by its code: sessions of players, and those of `stream.ts`. */
  viewers(): Map<string, number> {
    const counts = this.sessions.counts();
    for (const [code, count] of this.relays.counts()) counts.set(code, (counts.get(code) ?? 0) + count);
    return counts;
  }

  /** Ends live streams that are being sent. */
  async close(): Promise<void> {
    await this.reach.close();
    await this.relays.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
