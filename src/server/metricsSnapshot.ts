/** Takes the snapshot that the metrics are read from. */
import { basename } from 'node:path';
import type { Closable } from '../base/index.js';
import type { Storage } from '../storage/index.js';
import type { Channel, ServerContext } from './context.js';
import { LoopWatch } from './loopDelay.js';
import type { DiskSnapshot, Snapshot } from './metricsTable.js';
import type { Viewing } from './viewing.js';

/** Free space is asked of the disks at most so often; milliseconds. */
const DISKS_MS = 10_000;

/** Knows the server at a moment. */
export class Snapshots implements Closable {
  readonly #context: ServerContext;
  readonly #viewing: Viewing;
  readonly #loop = new LoopWatch();
  #disks: { readonly atMs: number; readonly found: Promise<DiskSnapshot[]> } | undefined;

  constructor(context: ServerContext, viewing: Viewing) {
    this.#context = context;
    this.#viewing = viewing;
  }

  /**
   * Everything as it is now.
   * @param shown - which streams are told of
   */
  async take(shown: (code: string) => boolean): Promise<Snapshot> {
    const { channels, clock, config, hooks, playback, pool, version } = this.#context;
    const records = config.state.config.recorders !== 0;
    const list = await channels.list();
    const disks = await this.#freeSpace(list);
    const viewers = this.#viewing.viewers();
    const { user, system } = process.cpuUsage();
    return {
      nowMs: clock.nowMs(),
      version,
      streams: list
        .filter(({ code }) => shown(code))
        .map(({ code, config: stream, recording, source }) => ({
          code,
          wanted: records && stream?.dvr.enabled === true,
          recording,
          metrics: pool.metrics(code),
          source,
          sessions: viewers.get(code) ?? 0,
        })),
      recorders: pool.recorders(),
      hooks: new Map(
        Object.keys(config.state.config.hooks).flatMap((id) => {
          const status = hooks.status(id);
          return status === undefined ? [] : [[id, status] as const];
        }),
      ),
      disks,
      playback: playback.stats,
      refused: this.#viewing.limits.refused,
      playlistBytes: this.#viewing.playlists.sizeBytes,
      server: { loopDelay: this.#loop.take(), residentBytes: process.memoryUsage.rss(), cpuSec: (user + system) / 1e6 },
    };
  }

  close(): Promise<void> {
    return this.#loop.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #freeSpace(list: readonly Channel[]): Promise<DiskSnapshot[]> {
    const { clock, channels } = this.#context;
    const nowMs = clock.monotonicMs();
    if (!this.#disks || nowMs - this.#disks.atMs >= DISKS_MS) {
      this.#disks = { atMs: nowMs, found: this.#askDisks(list.map(({ code }) => ({ code, storage: channels.storage(code) }))) };
    }
    return this.#disks.found;
  }

  /** Each disk once. A stream's folder may be a mount of its own, so every stream is asked for. */
  async #askDisks(places: readonly { readonly code: string; readonly storage: Storage }[]): Promise<DiskSnapshot[]> {
    const disks = new Map<string, DiskSnapshot>();
    for (const { code, storage } of places) {
      try {
        const { id, freeBytes } = await storage.disk(code);
        if (!disks.has(id)) disks.set(id, { id, location: basename(storage.location), freeBytes });
      } catch (error) {
        this.#context.log.warn({ err: error, stream: code }, 'the free space of a disk is not known');
      }
    }
    return [...disks.values()];
  }
}
