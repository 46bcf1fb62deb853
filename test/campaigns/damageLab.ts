/**
 * What the damage campaign and the tests of check and repair share: an archive that the library recorded from a looped file, ways to damage
 * it, and judges of what a repair left. Nothing here knows how src/ checks or repairs.
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { copyFile, mkdir, readFile, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LoopRestamper } from '../../src/ingest/file/restamp.js';
import { createLivetape } from '../../src/index.js';

/** Random numbers from a seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}

/** Seconds of assets/demo.ts. */
const ROUND_SEC = 16;
const PACKETS_AT_ONCE = 1000;

/** Records so many segments of assets/demo.ts, looped and restamped, as fast as they can be written, and stops (VOD). Answers with the folder. */
export async function recordLoop(root: string, code: string, file: string, segments: number, segmentDuration: number): Promise<string> {
  const demo = await readFile(file);
  const livetape = await createLivetape({ root });
  try {
    const config = { enabled: true, segmentDuration, retentionSec: 0, maxSizeGb: 0, storagePath: '' };
    const { segmentDir } = await livetape.dvr.startRecording(code, code, config);
    const buffer = livetape.buffers.open(code);
    const restamper = new LoopRestamper();
    const packets = Math.round((segments * segmentDuration * (demo.length / 188)) / ROUND_SEC);
    for (let sent = 0; sent < packets; sent += PACKETS_AT_ONCE) {
      const chunk = new Uint8Array(188 * Math.min(PACKETS_AT_ONCE, packets - sent));
      for (let at = 0; at < chunk.length; at += 188) {
        const from = (sent * 188 + at) % demo.length;
        if (from === 0 && sent + at > 0) restamper.nextRound();
        chunk.set(demo.subarray(from, from + 188), at);
        restamper.packet(chunk, at);
      }
      buffer.write(chunk);
      await buffer.room();
    }
    await livetape.dvr.stopRecording(code);
    return segmentDir;
  } finally {
    await livetape.close();
  }
}

/** A copy of a stream's folder. */
export async function copyArchive(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) if (/\.(ts|m3u8|json)$/.test(name)) await copyFile(join(from, name), join(to, name));
}

/** What was done to an archive. */
export interface Damage {
  readonly kind: 'truncate' | 'flip' | 'delete' | 'swap' | 'rename';
  /** The files it was done to. */
  readonly files: readonly string[];
  readonly detail: string;
}

const KINDS = ['truncate', 'flip', 'delete', 'swap', 'rename'] as const;

/** Damages a random file that none of `taken` is; mostly media, sometimes the playlist or index.json. */
export async function damage(folder: string, random: Random, taken: Set<string>): Promise<Damage> {
  const media = readdirSync(folder).filter((name) => /^\d+\.ts$/.test(name) && !taken.has(name));
  const other = ['playlist.m3u8', 'index.json'].filter((name) => !taken.has(name));
  const name = other.length > 0 && random.below(10) < 2 ? random.pick(other) : random.pick(media);
  const isMedia = name.endsWith('.ts');
  const kind = random.pick(isMedia ? KINDS : KINDS.filter((each) => each !== 'swap'));
  const path = join(folder, name);
  taken.add(name);
  switch (kind) {
    case 'truncate': {
      const { length } = await readFile(path);
      const size = random.below(length);
      await truncate(path, size);
      return { kind, files: [name], detail: `to ${size} of ${length}` };
    }
    case 'flip': {
      const bytes = await readFile(path);
      const at = random.below(bytes.length);
      const bit = 1 << random.below(8);
      bytes[at] = (bytes[at] ?? 0) ^ bit;
      await writeFile(path, bytes);
      return { kind, files: [name], detail: `bit ${bit} of byte ${at}` };
    }
    case 'delete':
      await rm(path);
      return { kind, files: [name], detail: '' };
    case 'rename': {
      const to = isMedia ? random.pick([`${name}.bak`, `x${name}`, `9${name.slice(1)}`]) : `${name}.old`;
      taken.add(to);
      await rename(path, join(folder, to));
      return { kind, files: [name], detail: `to ${to}` };
    }
    case 'swap': {
      const with_ = random.pick(media.filter((each) => each !== name));
      taken.add(with_);
      await rename(path, `${path}.swap`);
      await rename(join(folder, with_), path);
      await rename(`${path}.swap`, join(folder, with_));
      return { kind, files: [name, with_], detail: '' };
    }
  }
}

/** How often each 188-byte packet is in the media of a folder, whatever its files are called. */
export async function packetsIn(folder: string): Promise<Map<string, number>> {
  const packets = new Map<string, number>();
  for (const name of await readdir(folder)) {
    if (/^(playlist\.m3u8|index\.json|owner\.)/.test(name)) continue;
    const bytes = await readFile(join(folder, name));
    for (let at = 0; at + 188 <= bytes.length; at += 188) {
      const hash = createHash('md5')
        .update(bytes.subarray(at, at + 188))
        .digest('base64');
      packets.set(hash, (packets.get(hash) ?? 0) + 1);
    }
  }
  return packets;
}

/** Packets of `before` that are not in `after`. */
export function missingPackets(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  let missing = 0;
  for (const [hash, count] of before) missing += Math.max(0, count - (after.get(hash) ?? 0));
  return missing;
}
