/**
 * What a viewer asks for, from what follows the stream's code in the URL: our own forms, and those that players and middleware made for
 * Flussonic and Nimble use. docs/design/playback.md says what each request is answered with. Query parameters that nobody knows (tokens, what
 * keeps caches off) are passed over.
 */
import { LivetapeError } from '../../base/index.js';
import { parseTime } from '../../model/index.js';
import type { StreamRequest } from '../contract.js';

/** Names of a live playlist. `video` and `mono` are Flussonic's, of a stream's only rendition. */
const LIVE = /^(?:index|video|mono)\.m3u8$/;
const SEGMENT = /^\d{1,15}\.ts$/;
/** A moment may hold dashes, a duration none. */
const RANGE = /^(?:archive|index|video|mono|playlist_dvr_range)-(.+)-([^-]+)\.m3u8$/;
const EXPORT = /^archive-(.+)-([^-]+)\.ts$/;
const SHIFT = /^(?:(?:index|video|mono)-)?(timeshift_abs|timeshift_rel|rewind)-(.+)\.m3u8$/;
const PREVIEW = /^(.+)-preview\.mp4$/;
/** Seconds, up to three hundred years of them, to the microsecond. */
const SECONDS = /^\d{1,10}(?:\.\d{1,6})?$/;

type Gaps = 'skip' | 'mark';

/**
 * The request; undefined for a name that is none.
 * @param name - what follows the stream's code and a slash, decoded
 * @param nowMs - for parameters that count back from now; UTC milliseconds
 * @throws LivetapeError REQUEST_INVALID, naming the parameter
 */
export function readStreamRequest(name: string, query: URLSearchParams, nowMs: number): StreamRequest | undefined {
  if (name === 'playlist.m3u8') return { kind: 'archive' };
  if (name === 'stream.ts') return { kind: 'stream' };
  if (name === 'recording_status.json') return readStatus(query, nowMs);
  if (LIVE.test(name)) return readIndex(query, nowMs);
  if (SEGMENT.test(name)) return { kind: 'segment', name };
  const shift = SHIFT.exec(name);
  if (shift) return readShift(shift[1] ?? '', shift[2] ?? '', query);
  const range = RANGE.exec(name);
  if (range) {
    const [, from = '', duration = ''] = range;
    return window(moment('from', from), duration === 'now' ? undefined : span('dur', duration), query);
  }
  const exported = EXPORT.exec(name);
  if (exported) return { kind: 'export', fromMs: moment('from', exported[1] ?? ''), durationMs: span('dur', exported[2] ?? '') };
  const preview = PREVIEW.exec(name);
  if (preview) return { kind: 'preview', atMs: moment('time', preview[1] ?? '') };
  return undefined;
}

/**
 * A window that is counted back from now, told by its beginning: asked for again, as players do while it grows, it would be another window each time,
 * its type and its end never true. Undefined for all other requests.
 * @param name - as in readStreamRequest, which has found nothing wrong with it and the query
 * @returns the name with the query that stays the same; what else is asked is kept
 */
export function fixedWindow(name: string, query: URLSearchParams, nowMs: number): string | undefined {
  const late = query.has('delay') ? 'delay' : 'ago';
  const delay = query.get(late);
  if (!LIVE.test(name) || query.has('from') || !query.has('dur') || delay === null) return undefined;
  const fixed = new URLSearchParams([['from', String(Math.max(0, nowMs - seconds(late, delay)) / 1000)], ...query]);
  fixed.delete('delay');
  fixed.delete('ago');
  return `${name}?${fixed.toString()}`;
}

/** `from` beats `delay`, `delay` beats `ago`; each with `dur` is a window. */
function readIndex(query: URLSearchParams, nowMs: number): StreamRequest {
  const [from, duration] = [query.get('from'), query.get('dur')];
  const late = query.has('delay') ? 'delay' : 'ago';
  const delay = query.get(late);
  const durationMs = duration === null ? undefined : span('dur', duration);
  if (from !== null) return window(moment('from', from), durationMs, query);
  if (delay !== null) {
    const delayMs = seconds(late, delay);
    if (durationMs !== undefined) return window(nowMs - delayMs, durationMs, query);
    return { kind: 'delayed', delayMs, skip: skip(query) };
  }
  if (durationMs !== undefined) throw invalid('dur', 'is for a window: say where it begins with from, delay or ago');
  const rewind = query.get('dvr');
  return { kind: 'live', rewindMs: rewind === null ? undefined : span('dvr', rewind), skip: skip(query) };
}

/** As Flussonic's players ask. */
function readShift(kind: string, value: string, query: URLSearchParams): StreamRequest {
  if (kind === 'timeshift_abs') return window(moment('time', value), undefined, query);
  if (kind === 'timeshift_rel') return { kind: 'delayed', delayMs: seconds('delay', value), skip: skip(query) };
  return { kind: 'live', rewindMs: span('dvr', value), skip: skip(query) };
}

function readStatus(query: URLSearchParams, nowMs: number): StreamRequest {
  const [from, to] = [query.get('from'), query.get('to')];
  const fromMs = from === null ? undefined : moment('from', from);
  // Flussonic's clients say `now`.
  const toMs = to === null ? undefined : to === 'now' ? nowMs : moment('to', to);
  if (fromMs !== undefined && toMs !== undefined && toMs <= fromMs) throw invalid('to', 'is not after from');
  return { kind: 'status', fromMs, toMs, ranges: (query.get('request') ?? '').split(',').includes('ranges') };
}

function window(fromMs: number, durationMs: number | undefined, query: URLSearchParams): StreamRequest {
  return { kind: 'window', fromMs, durationMs, gaps: gaps(query), skip: skip(query) };
}

function gaps(query: URLSearchParams): Gaps {
  const value = query.get('gaps') ?? 'skip';
  if (value !== 'skip' && value !== 'mark') throw invalid('gaps', 'is skip or mark');
  return value;
}

/** `v2` asks to leave out date ranges too, which a server need not (rfc8216bis, 6.2.5.1). */
function skip(query: URLSearchParams): boolean {
  const value = query.get('_HLS_skip');
  return value === 'YES' || value === 'v2';
}

function moment(parameter: string, text: string): number {
  // A plus that nobody escaped is a space in a query.
  const ms = parseTime(text.replace(/ (\d\d:\d\d)$/, '+$1'));
  if (ms === undefined) throw invalid(parameter, 'is not a time: Unix seconds, or RFC 3339 as in 2026-01-01T12:00:00Z');
  return ms;
}

function seconds(parameter: string, text: string): number {
  if (!SECONDS.test(text)) throw invalid(parameter, 'is not a number of seconds');
  return Math.round(Number(text) * 1000);
}

/** Seconds, more than none. */
function span(parameter: string, text: string): number {
  const ms = seconds(parameter, text);
  if (ms === 0) throw invalid(parameter, 'is not more than 0 seconds');
  return ms;
}

function invalid(parameter: string, why: string): LivetapeError {
  return new LivetapeError('REQUEST_INVALID', `${parameter} ${why}`, { context: { parameter } });
}
