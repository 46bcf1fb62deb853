/** Every URL form, what it means, and what is refused by name. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLivetapeError } from '../../base/index.js';
import { fixedWindow, readStreamRequest } from './request.js';

const NOW_MS = Date.UTC(2026, 0, 2);
const T_MS = Date.UTC(2026, 0, 1);
const T = String(T_MS / 1000);

const read = (url: string): ReturnType<typeof readStreamRequest> => {
  const at = url.indexOf('?');
  const [name, query] = at < 0 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)];
  return readStreamRequest(name, new URLSearchParams(query), NOW_MS);
};
const window = (fromMs: number, durationMs?: number, gaps = 'skip', skip = false): object => ({
  kind: 'window',
  fromMs,
  durationMs,
  gaps,
  skip,
});

describe('URL forms', () => {
  it.each<[string, object]>([
    ['index.m3u8', { kind: 'live', rewindMs: undefined, skip: false }],
    ['index.m3u8?token=abc&_=1', { kind: 'live', rewindMs: undefined, skip: false }],
    ['index.m3u8?dvr=7200', { kind: 'live', rewindMs: 7_200_000, skip: false }],
    ['index.m3u8?dvr=1.5&_HLS_skip=YES', { kind: 'live', rewindMs: 1500, skip: true }],
    ['index.m3u8?_HLS_skip=v2', { kind: 'live', rewindMs: undefined, skip: true }],
    ['index.m3u8?_HLS_skip=NO', { kind: 'live', rewindMs: undefined, skip: false }],
    [`index.m3u8?from=${T}`, window(T_MS)],
    [`index.m3u8?from=${T}.25&dur=60.5`, window(T_MS + 250, 60_500)],
    ['index.m3u8?from=2026-01-01T01:00:00%2B01:00&dur=60', window(T_MS, 60_000)],
    ['index.m3u8?from=2026-01-01T01:00:00+01:00&dur=60', window(T_MS, 60_000)],
    [`index.m3u8?from=${T}&dur=60&gaps=mark&_HLS_skip=YES`, window(T_MS, 60_000, 'mark', true)],
    [`index.m3u8?from=${T}&delay=x&ago=x&dvr=x`, window(T_MS)],
    ['index.m3u8?delay=30', { kind: 'delayed', delayMs: 30_000, skip: false }],
    ['index.m3u8?delay=30&ago=x&dvr=x', { kind: 'delayed', delayMs: 30_000, skip: false }],
    ['index.m3u8?ago=0', { kind: 'delayed', delayMs: 0, skip: false }],
    ['index.m3u8?delay=3600&dur=60', window(NOW_MS - 3_600_000, 60_000)],
    ['index.m3u8?ago=3600&dur=60&gaps=skip', window(NOW_MS - 3_600_000, 60_000)],
    ['video.m3u8', { kind: 'live', rewindMs: undefined, skip: false }],
    ['mono.m3u8?dvr=60', { kind: 'live', rewindMs: 60_000, skip: false }],
    ['playlist.m3u8?from=x', { kind: 'archive' }],
    ['000123.ts', { kind: 'segment', name: '000123.ts' }],
    ['1234567.ts?token=a', { kind: 'segment', name: '1234567.ts' }],
    [`archive-${T}-60.ts`, { kind: 'export', fromMs: T_MS, durationMs: 60_000 }],
    ['archive-2026-01-01T00:00:00Z-60.ts', { kind: 'export', fromMs: T_MS, durationMs: 60_000 }],
    [`archive-${T}-60.m3u8`, window(T_MS, 60_000)],
    [`archive-${T}-60.m3u8?gaps=mark`, window(T_MS, 60_000, 'mark')],
    [`archive-${T}-now.m3u8`, window(T_MS)],
    ['archive-2025-12-31T19:00:00-05:00-60.m3u8', window(T_MS, 60_000)],
    [`index-${T}-60.m3u8`, window(T_MS, 60_000)],
    [`video-${T}-now.m3u8`, window(T_MS)],
    [`mono-${T}-60.m3u8`, window(T_MS, 60_000)],
    [`playlist_dvr_range-${T}-60.m3u8`, window(T_MS, 60_000)],
    [`playlist_dvr_range-${T}-now.m3u8`, window(T_MS)],
    [`timeshift_abs-${T}.m3u8`, window(T_MS)],
    [`video-timeshift_abs-${T}.m3u8`, window(T_MS)],
    ['timeshift_abs-2026-01-01T00:00:00Z.m3u8', window(T_MS)],
    ['timeshift_rel-60.m3u8', { kind: 'delayed', delayMs: 60_000, skip: false }],
    ['mono-timeshift_rel-60.m3u8', { kind: 'delayed', delayMs: 60_000, skip: false }],
    ['rewind-7200.m3u8?_HLS_skip=YES', { kind: 'live', rewindMs: 7_200_000, skip: true }],
    [`${T}-preview.mp4`, { kind: 'preview', atMs: T_MS }],
    ['2026-01-01T00:00:00.5Z-preview.mp4', { kind: 'preview', atMs: T_MS + 500 }],
    ['recording_status.json', { kind: 'status', fromMs: undefined, toMs: undefined, ranges: false }],
    [`recording_status.json?from=${T}&to=now&request=ranges,locks`, { kind: 'status', fromMs: T_MS, toMs: NOW_MS, ranges: true }],
    [`recording_status.json?to=${T}`, { kind: 'status', fromMs: undefined, toMs: T_MS, ranges: false }],
    ['stream.ts', { kind: 'stream' }],
  ])('%s', (url, request) => {
    expect(read(url)).toEqual(request);
  });

  it.each([
    '',
    'index.m3u',
    'Index.m3u8',
    'index.m3u8/',
    'archive.m3u8',
    'archive-60.m3u8',
    `archive-${T}-60.mp4`,
    'segment.ts',
    'gap-1767225600000.ts',
    '../000000.ts',
    '000000.ts.part',
    'owner.sock',
    'index.json',
    '-preview.mp4',
    'preview.mp4',
    'rewind.m3u8',
  ])('%j is none', (name) => {
    expect(read(name)).toBeUndefined();
  });
});

describe('what is refused', () => {
  it.each([
    ['index.m3u8?from=yesterday', 'from'],
    ['index.m3u8?from=', 'from'],
    [`index.m3u8?from=${T}000`, 'from'],
    [`index.m3u8?from=${T}&dur=-1`, 'dur'],
    [`index.m3u8?from=${T}&dur=0`, 'dur'],
    [`index.m3u8?from=${T}&dur=1e3`, 'dur'],
    [`index.m3u8?from=${T}&gaps=hide`, 'gaps'],
    ['index.m3u8?dur=60', 'dur'],
    ['index.m3u8?dvr=', 'dvr'],
    ['index.m3u8?dvr=0', 'dvr'],
    ['index.m3u8?dvr=Infinity', 'dvr'],
    ['index.m3u8?delay=soon', 'delay'],
    ['index.m3u8?ago=soon', 'ago'],
    ['archive-a-60.m3u8', 'from'],
    [`archive-${T}-then.m3u8`, 'dur'],
    [`archive-${T}-0.ts`, 'dur'],
    [`archive-${T}-now.ts`, 'dur'],
    ['timeshift_abs-x.m3u8', 'time'],
    ['timeshift_rel-x.m3u8', 'delay'],
    ['rewind-x.m3u8', 'dvr'],
    ['x-preview.mp4', 'time'],
    ['recording_status.json?from=x', 'from'],
    ['recording_status.json?to=x', 'to'],
    [`recording_status.json?from=${T}&to=${T}`, 'to'],
  ])('%s: REQUEST_INVALID naming %s', (url, parameter) => {
    let thrown: unknown;
    try {
      read(url);
    } catch (error) {
      thrown = error;
    }
    if (!isLivetapeError(thrown, 'REQUEST_INVALID')) throw new Error(String(thrown));
    expect(thrown.context.parameter).toBe(parameter);
    expect(thrown.message).toContain(parameter);
  });

  it('never throws anything else, and never answers with a number that is none (fuzz)', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'archive',
        'index',
        'video',
        'timeshift_abs',
        'timeshift_rel',
        'rewind',
        'playlist_dvr_range',
        T,
        'now',
        'preview',
        '000001',
      ),
      fc.string({ maxLength: 8 }),
      fc.double().map(String),
    );
    const name = fc
      .tuple(fc.array(word, { maxLength: 4 }), fc.constantFrom('', '.m3u8', '.ts', '.mp4', '.json'))
      .map(([words, end]) => words.join('-') + end);
    const key = fc.constantFrom('from', 'to', 'dur', 'dvr', 'delay', 'ago', 'gaps', '_HLS_skip', 'request');
    const query = fc.array(fc.tuple(key, word), { maxLength: 4 });
    let requests = 0;
    fc.assert(
      fc.property(fc.oneof(name, fc.constantFrom('index.m3u8', 'recording_status.json')), query, (path, pairs) => {
        try {
          const request = readStreamRequest(path, new URLSearchParams(pairs), NOW_MS);
          if (request === undefined) return;
          requests += 1;
          for (const value of Object.values(request)) if (typeof value === 'number') expect(Number.isSafeInteger(value)).toBe(true);
        } catch (error) {
          expect(isLivetapeError(error, 'REQUEST_INVALID'), String(error)).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
    expect(requests).toBeGreaterThan(200);
  });
});

describe('windows that are counted back from now (P8)', () => {
  const fixed = (url: string): string | undefined => {
    const [name = '', query] = url.split('?');
    return fixedWindow(name, new URLSearchParams(query), NOW_MS);
  };

  it.each([
    ['index.m3u8?delay=3600.25&dur=7200', `index.m3u8?from=${NOW_MS / 1000 - 3600.25}&dur=7200`],
    ['video.m3u8?dur=60&token=a%2Bb&ago=3600&gaps=mark', `video.m3u8?from=${NOW_MS / 1000 - 3600}&dur=60&token=a%2Bb&gaps=mark`],
    ['index.m3u8?ago=x&delay=60&dur=30', `index.m3u8?from=${NOW_MS / 1000 - 60}&dur=30`],
    ['index.m3u8?delay=9999999999&dur=30', 'index.m3u8?from=0&dur=30'],
  ])('%s is the same as %s', (url, same) => {
    expect(fixed(url)).toBe(same);
    const [name = '', query] = same.split('?');
    expect(readStreamRequest(name, new URLSearchParams(query), NOW_MS + 10_000)).toMatchObject({
      kind: 'window',
      fromMs: Number(new URLSearchParams(query).get('from')) * 1000,
    });
  });

  it.each([
    'index.m3u8',
    'index.m3u8?delay=60',
    `index.m3u8?from=${T}&delay=60&dur=60`,
    `archive-${T}-60.m3u8?delay=60&dur=60`,
    'playlist.m3u8?delay=60&dur=60',
  ])('%s stays as it is', (url) => {
    expect(fixed(url)).toBeUndefined();
  });
});
