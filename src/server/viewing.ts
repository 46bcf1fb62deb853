/** What the server knows of those who watch, and keeps for them: shared by playback's routes and the metrics. Made once for an application. */
import { Registry } from 'prom-client';
import type { Closable, LivetapeError } from '../base/index.js';
import type { ServerContext } from './context.js';
import { Limits } from './door/limits.js';
import { HttpStats } from './httpStats.js';
import { LiveRelays } from './liveRelay.js';
import { PlaylistCache } from './playlistCache.js';
import { ServedReach } from './servedReach.js';
import { Sessions, type Session } from './sessions.js';

/** See the file's head. */
export class Viewing implements Closable {
  /** Of this application's own: nothing in it comes from elsewhere. */
  readonly registry = new Registry();
  readonly http: HttpStats;
  readonly limits: Limits;
  readonly sessions: Sessions;
  readonly relays: LiveRelays;
  readonly playlists = new PlaylistCache();
  readonly reach: ServedReach;

  constructor(context: Pick<ServerContext, 'clock' | 'config' | 'log' | 'pool'>) {
    const { clock, log, pool } = context;
    this.limits = new Limits(context);
    this.http = new HttpStats(clock, this.registry);
    this.sessions = new Sessions(clock, () => this.#sessionBounds());
    this.relays = new LiveRelays({ pool, clock, log });
    this.reach = new ServedReach(clock, (code, reachMs) => pool.served(code, reachMs));
  }

  /** Viewers of a stream by its code: sessions of players, and those of `stream.ts`. */
  viewers(): Map<string, number> {
    const counts = this.sessions.counts();
    for (const [code, count] of this.relays.counts()) counts.set(code, (counts.get(code) ?? 0) + count);
    return counts;
  }

  /** One more viewer of `stream.ts`. @throws LivetapeError LIMIT_REACHED */
  checkLive(): void {
    const { sessions } = this.limits.settings;
    if (this.sessions.size + this.#liveViewers() >= sessions) throw this.#full();
  }

  /** A client asks for a playlist. @throws LivetapeError LIMIT_REACHED where it would be one viewer too many */
  checkSession(session: Session): void {
    if (!this.sessions.seen(session)) throw this.#full();
  }

  #sessionBounds(): { readonly all: number; readonly perAddress: number } {
    const { sessions, connections_per_address: perAddress } = this.limits.settings;
    return { all: sessions - this.#liveViewers(), perAddress };
  }

  #liveViewers(): number {
    return [...this.relays.counts().values()].reduce((sum, count) => sum + count, 0);
  }

  #full(): LivetapeError {
    return this.limits.reached('sessions', 'as many watch as may at a time');
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
