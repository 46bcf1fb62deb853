/** The disks that streams lie on: how full they are, how much is recorded onto them, and when they will be full (docs/design/page.md, G12). */
import { basename } from 'node:path';
import type { Disk, Storage } from '../storage/index.js';
import { ArchiveGrowth, type ArchiveSize } from './archiveGrowth.js';
import type { Channel, ServerContext } from './context.js';
import { forecastDisk, type Forecast, type GrowingArchive } from './forecast.js';

/** Disks are asked at most so often; milliseconds. */
const DISKS_MS = 10_000;

/** Where nothing is recorded here, what others record is not known. */
const BY_OTHERS: Forecast = { forecast: 'unknown', fullInSec: undefined, heldBytes: undefined };

/** A disk. */
export interface DiskReport extends Forecast {
  /** A root that lies on it, by the last part of its path (docs/design/door.md, D10). */
  readonly name: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** What is to stay free: `min_free_gb`. */
  readonly reservedBytes: number;
  /** That are recorded onto it now. */
  readonly streams: number;
  /** Of all streams on it, recorded or not. Keeps are not counted. */
  readonly archiveBytes: number;
  /** By all that are recorded, as their archives tell of the last day. */
  readonly writeBytesPerSec: number;
}

/** A disk with the streams on it. */
interface Found {
  readonly name: string;
  readonly disk: Disk;
  readonly channels: Channel[];
}

/** Looks at the disks. */
export class Disks {
  readonly #context: Pick<ServerContext, 'channels' | 'clock' | 'config' | 'log'>;
  readonly #growth: ArchiveGrowth;
  #found: { readonly atMs: number; readonly reports: Promise<DiskReport[]> } | undefined;

  constructor(context: Pick<ServerContext, 'channels' | 'clock' | 'config' | 'log' | 'playback'>) {
    this.#context = context;
    this.#growth = new ArchiveGrowth(context.playback, context.clock);
  }

  /** That of `data` first, then those of other roots and of folders that are mounts of their own; one that cannot be asked is left out, and the log says so. */
  reports(): Promise<DiskReport[]> {
    const nowMs = this.#context.clock.monotonicMs();
    if (this.#found === undefined || nowMs - this.#found.atMs >= DISKS_MS) this.#found = { atMs: nowMs, reports: this.#look() };
    return this.#found.reports;
  }

  async #look(): Promise<DiskReport[]> {
    const { channels } = this.#context;
    const list = await channels.list();
    const disks = new Map<string, Found>();
    await this.#ask(disks, channels.data);
    for (const channel of list) await this.#ask(disks, channels.storage(channel.code), channel);
    const sizes = await this.#growth.of(list.map(({ code }) => code));
    return [...disks.values()].map((found) => this.#report(found, sizes));
  }

  async #ask(disks: Map<string, Found>, storage: Storage, channel?: Channel): Promise<void> {
    try {
      const disk = await storage.disk(channel?.code);
      let found = disks.get(disk.id);
      if (found === undefined) disks.set(disk.id, (found = { name: basename(storage.location), disk, channels: [] }));
      if (channel !== undefined) found.channels.push(channel);
    } catch (error) {
      this.#context.log.warn({ err: error, stream: channel?.code }, 'a disk cannot be asked how full it is');
    }
  }

  #report({ name, disk, channels }: Found, sizes: ReadonlyMap<string, ArchiveSize>): DiskReport {
    const { min_free_gb: minFreeGb, recorders } = this.#context.config.state.config;
    const reservedBytes = minFreeGb * 1e9;
    const growing: GrowingArchive[] = [];
    let stillBytes = 0;
    for (const { code, config, recording } of channels) {
      const { sizeBytes, bytesPerSec } = sizes.get(code) ?? { sizeBytes: 0, bytesPerSec: undefined };
      if (recording === undefined) {
        stillBytes += sizeBytes;
        continue;
      }
      const { retention_sec: retentionSec = 0, max_size_gb: maxSizeGb = 0 } = config?.dvr ?? {};
      // Its recorder knows of what was stored a moment ago.
      const now = recording.segmentCount > 0 ? recording.sizeBytes : sizeBytes;
      growing.push({ sizeBytes: now, bytesPerSec, retentionSec, maxBytes: maxSizeGb * 1e9 });
    }
    const { freeBytes, totalBytes } = disk;
    return {
      name,
      freeBytes,
      totalBytes,
      reservedBytes,
      streams: growing.length,
      archiveBytes: growing.reduce((sum, { sizeBytes }) => sum + sizeBytes, stillBytes),
      writeBytesPerSec: growing.reduce((sum, { bytesPerSec = 0 }) => sum + bytesPerSec, 0),
      ...(recorders === 0 ? BY_OTHERS : forecastDisk({ roomBytes: freeBytes - reservedBytes, growing, stillBytes })),
    };
  }
}
