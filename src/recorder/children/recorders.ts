/** The recorders of a root: as many as are asked for, found or started; those that are too many are ended. */
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Clock, Logger } from '../../base/index.js';
import { RecorderChild, type RecorderChildOptions, type RecorderProgram } from './recorderChild.js';
import { takeSockets } from './sockets.js';
import { defaultRecorders } from './spread.js';

/** Nothing came from a recorder for so long: its event loop stands (R3). */
const STALL_MS = 10_000;
/** A recorder has so long to commit its tails: 5 s with all that is around it (R4). */
const CLOSE_MS = 4500;
/** A recorder that no server controls goes on for so long (R4). */
const ORPHAN_MS = 60_000;

/** What a pool of recorder processes is made of. */
export interface PoolOptions {
  /** The folder in which each stream has its folder. */
  readonly root: string;
  /** How many processes; `auto` is one per core but one. */
  readonly recorders: number | 'auto';
  /** Of the package: a recorder of another is not taken over (R5). */
  readonly version: string;
  /** Gigabytes (10^9 bytes) to keep free on each disk that is recorded on. Default 0. */
  readonly minFreeGb?: number | undefined;
  /** Of the recorders' own logs, which are JSON lines on this process's standard error. Default `info`. */
  readonly logLevel?: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: src/recorderProcess.ts of this very code, as it is built. */
  readonly program?: RecorderProgram | undefined;
  /** Defaults: 10 s, 4.5 s, 60 s. */
  readonly limits?: { readonly stallMs?: number; readonly closeMs?: number; readonly orphanMs?: number } | undefined;
}

/** What a recorder process is told when it is started, beside its socket. */
export interface RecorderSettings {
  readonly index: number;
  readonly root: string;
  readonly version: string;
  readonly minFreeGb: number;
  readonly logLevel: string;
  readonly orphanMs: number;
}

/** The recorders there are. */
export interface Recorders {
  /** By index. */
  readonly children: readonly RecorderChild[];
  /** Another server may come. */
  release(): Promise<void>;
}

/**
 * Takes the root, and finds or starts its recorders.
 * @param eventsOf - who is told of what happens in each
 * @param made - called with the recorders before the first of them runs
 */
export async function openRecorders(
  options: PoolOptions,
  eventsOf: (index: number) => RecorderChildOptions['events'],
  made: (recorders: Recorders) => void,
): Promise<Recorders> {
  const count = options.recorders === 'auto' ? defaultRecorders() : options.recorders;
  // who records nothing disturbs nobody who does
  if (count === 0) return { children: [], release: async () => undefined };
  const { root, clock, log, version, limits = {}, minFreeGb = 0, logLevel = 'info' } = options;
  const sockets = await takeSockets(root, { clock, log });
  const childOf = (index: number): RecorderChild => {
    const settings: RecorderSettings = { index, root, version, minFreeGb, logLevel, orphanMs: limits.orphanMs ?? ORPHAN_MS };
    return new RecorderChild({
      index,
      socketPath: sockets.path(index),
      version,
      program: options.program ?? ownProgram(),
      settings: { ...settings },
      clock,
      log,
      stallMs: limits.stallMs ?? STALL_MS,
      closeMs: limits.closeMs ?? CLOSE_MS,
      events: eventsOf(index),
    });
  };
  const children = Array.from({ length: count }, (_, index) => childOf(index));
  const recorders: Recorders = { children, release: () => sockets.release() };
  made(recorders);
  try {
    const tooMany = (await sockets.indexes()).filter((index) => index >= count);
    await Promise.all(tooMany.map((index) => childOf(index).endFound()));
    const started = await Promise.allSettled(children.map((child) => child.start()));
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    return recorders;
  } catch (error) {
    // what records already goes on, for whoever finds out what is wrong here
    await Promise.all(children.map((child) => child.detach()));
    await sockets.release();
    throw error;
  }
}

/** From source, as tests run, it takes the loader that they run with. */
function ownProgram(): RecorderProgram {
  const extension = extname(fileURLToPath(import.meta.url));
  const path = fileURLToPath(new URL(`../../recorderProcess${extension}`, import.meta.url));
  if (extension !== '.ts') return { path, execArgv: [] };
  return { path, execArgv: ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] };
}
