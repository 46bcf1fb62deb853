/** What a player asks the server beside playlists: where media is. All times are UTC milliseconds. */
import { getJson, request, withToken, type Stream } from '../api';
import { codecName } from './trouble';

interface RecordingStatus {
  readonly data: { readonly dvr_range: { readonly started_at: string } | null };
  readonly ranges: readonly { readonly from: string; readonly to: string }[];
}

async function ask(code: string, query: string, signal: AbortSignal, token?: string): Promise<RecordingStatus> {
  const url = `/${code}/recording_status.json${query}`;
  return getJson(token === undefined ? url : withToken(token, url), signal);
}

/** Where the first media after a moment begins; undefined when there is none up to `toMs`. */
export async function nextMedia(code: string, ms: number, toMs: number, signal: AbortSignal, token?: string): Promise<number | undefined> {
  if (ms >= toMs) return undefined;
  const { ranges } = await ask(code, `?from=${(ms / 1000).toFixed(3)}&to=${(toMs / 1000).toFixed(3)}`, signal, token);
  const next = ranges.find(({ to }) => Date.parse(to) > ms);
  return next && Math.max(ms, Date.parse(next.from));
}

/** Where an archive begins. */
export async function oldestMedia(code: string, signal: AbortSignal, token?: string): Promise<number | undefined> {
  const { dvr_range } = (await ask(code, '', signal, token)).data;
  return dvr_range ? Date.parse(dvr_range.started_at) : undefined;
}

/** Whether a playlist that had ended at `endMs` goes on. */
export async function isPlaylistGrown(url: string, endMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    const text = await (await request(url, { signal })).text();
    const last = text.lastIndexOf('#EXT-X-PROGRAM-DATE-TIME:');
    const begins = Date.parse(text.slice(last).split('\n', 1)[0]?.slice('#EXT-X-PROGRAM-DATE-TIME:'.length) ?? '');
    return begins >= endMs - 1;
  } catch {
    return false;
  }
}

/** Codecs that no browser decodes, and that hls.js passes over or takes for another. */
const FOREIGN = new Set(['mpeg1video', 'mpeg2video', 'mp1', 'mp2']);

/** The name of what of a stream cannot be decoded, its picture before its sound; undefined where nothing says so. */
export async function foreignCodec(code: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const tracks = (await getJson<Stream>(`/api/v1/streams/${encodeURIComponent(code)}`, signal)).status.program?.tracks ?? [];
    const found = tracks.filter(({ codec }) => FOREIGN.has(codec)).sort((a, b) => Number(b.role === 'video') - Number(a.role === 'video'));
    return found[0] && codecName(found[0].codec);
  } catch {
    return undefined;
  }
}
