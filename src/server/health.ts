/** What is not well (docs/design/server.md H5): streams that fail or get no signal, recorders that do not run, disks short of space, a wrong file, a wrong certificate. */
import { basename } from 'node:path';
import { toLivetapeError, type ErrorCode } from '../base/index.js';
import type { Channel, ServerContext } from './context.js';
import { publicMessage, withoutPaths } from './publicText.js';

/** A disk with less is short of space, whatever `min_free_gb` says: some segments, and what is needed to prune. */
const LEAST_FREE_BYTES = 256e6;

/** Something that is not well. */
export interface Unwell {
  readonly what: 'stream' | 'recorder' | 'disk' | 'config' | 'tls';
  /** Which: a stream's code, a recorder's number; a folder or a file by the last part of its path (docs/design/door.md, D10). */
  readonly name: string;
  /** Where an error says it. */
  readonly code: ErrorCode | null;
  readonly message: string;
}

/** All that is not well now. */
export async function findUnwell(context: ServerContext): Promise<Unwell[]> {
  const { config, pool, channels } = context;
  const unwell: Unwell[] = [];
  if (config.error !== undefined) {
    unwell.push({ what: 'config', name: basename(config.path), code: config.error.code, message: publicMessage(config.error) });
  }
  const { tls } = context;
  if (tls?.error !== undefined) {
    unwell.push({ what: 'tls', name: basename(tls.path), code: tls.error.code, message: publicMessage(tls.error) });
  }
  for (const { index, state } of pool.recorders()) {
    if (state !== 'running') unwell.push({ what: 'recorder', name: String(index), code: null, message: `the recorder is ${state}` });
  }
  const wanted =
    config.state.config.recorders === 0 ? [] : (await channels.list()).filter((channel) => channel.config?.dvr.enabled === true);
  for (const channel of wanted) {
    const { code, message } = streamTrouble(channel) ?? {};
    if (message !== undefined) unwell.push({ what: 'stream', name: channel.code, code: code ?? null, message });
  }
  return [...unwell, ...(await shortDisks(context, wanted))];
}

/** Why a stream that is to be recorded is not, or nothing of it comes. */
function streamTrouble({ recording, source, error }: Channel): { readonly code?: ErrorCode; readonly message: string } | undefined {
  const failure = error ?? recording?.error;
  if (failure !== undefined) return { code: failure.code, message: publicMessage(failure) };
  if (recording === undefined) return { message: 'it is not being recorded' };
  const { session } = recording;
  if (session === undefined) return { message: 'its session broke, and is made anew' };
  if (session.signal === 'present') return undefined;
  if (session.program === undefined && session.programs.length > 0) {
    return { code: 'PROGRAM_NOT_FOUND', message: `the program asked for is not in its source: there is ${session.programs.join(', ')}` };
  }
  const why =
    source === undefined ? 'it has no source' : `its source is ${source.state}${source.detail === '' ? '' : ` (${source.detail})`}`;
  return { message: `no signal: ${withoutPaths(why)}` };
}

async function shortDisks({ channels, config }: ServerContext, wanted: readonly Channel[]): Promise<Unwell[]> {
  const { min_free_gb: minFreeGb } = config.state.config;
  const seen = new Set<string>();
  const short: Unwell[] = [];
  for (const { code } of wanted) {
    const storage = channels.storage(code);
    try {
      const { id, freeBytes } = await storage.disk(code);
      if (seen.has(id)) continue;
      seen.add(id);
      if (freeBytes >= Math.max(LEAST_FREE_BYTES, minFreeGb * 1e9)) continue;
      const message = `${(freeBytes / 1e9).toFixed(2)} GB are free`;
      short.push({ what: 'disk', name: basename(storage.location), code: null, message });
    } catch (error) {
      const failure = toLivetapeError(error, 'STORAGE_FAILED', 'the disk cannot be asked');
      if (!seen.has(storage.location))
        short.push({ what: 'disk', name: basename(storage.location), code: failure.code, message: publicMessage(failure) });
      seen.add(storage.location);
    }
  }
  return short;
}
