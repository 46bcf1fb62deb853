/**
 * Streams that live through weeks, watched through every kind of URL by clients that reload: whatever happens to the stream, the judge of playlists
 * is silent, every window holds exactly what it should, and versions change when the text does.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../base/index.js';
import { START_MS } from '../testTimeline.js';
import { TestStream, Viewer, requestOf, type Seen } from './testStream.js';

const at = (seconds: number): string => String((START_MS + seconds * 1000) / 1000);
const HOUR_MS = 3_600_000;

/** Every kind, some from moments that come later. */
const URLS = [
  'index.m3u8',
  'index.m3u8?dvr=60',
  'index.m3u8?dvr=600&_HLS_skip=YES',
  'rewind-3600.m3u8?_HLS_skip=YES',
  'index.m3u8?delay=45',
  'timeshift_rel-3600.m3u8',
  `index.m3u8?from=${at(2.5)}`,
  `index.m3u8?from=${at(203.25)}&_HLS_skip=YES`,
  `timeshift_abs-${at(4000)}.m3u8`,
  `index.m3u8?from=${at(20)}&dur=30`,
  `index.m3u8?from=${at(-50)}&dur=400&_HLS_skip=YES`,
  `archive-${at(300)}-120.m3u8?gaps=mark`,
  `playlist_dvr_range-${at(3000.5)}-1800.m3u8`,
  `index.m3u8?delay=100&dur=50`,
  'playlist.m3u8',
];
const GONE: readonly ErrorCode[] = ['WINDOW_BEFORE_ARCHIVE', 'WINDOW_EXPIRED', 'WINDOW_IN_FUTURE', 'WINDOW_IN_GAP'];
const TOO_LONG: ErrorCode = 'WINDOW_TOO_LONG';

/** What a window must hold, found the slow way. */
function holds(stream: TestStream, fromMs: number, toMs: number): string[] {
  return stream.kept.filter((entry) => entry.wallMs + entry.durationUs / 1000 > fromMs && entry.wallMs < toMs).map(({ uri }) => uri);
}

async function pollAll(stream: TestStream, viewers: readonly Viewer[], judgePace = false): Promise<(Seen | ErrorCode)[]> {
  const seen: (Seen | ErrorCode)[] = [];
  for (const viewer of viewers) {
    const answer = await viewer.poll(stream, judgePace);
    seen.push(answer);
    const request = requestOf(viewer.url, stream.nowMs);
    if (typeof answer === 'string') {
      expect(request.kind === 'window' || request.kind === 'delayed', `${viewer.url}: ${answer}`).toBe(true);
      expect([...GONE, TOO_LONG]).toContain(answer);
    } else expect(answer.violations, `${viewer.url}\n${answer.text.slice(0, 1500)}`).toEqual([]);
    if (request.kind !== 'window' || answer === TOO_LONG) continue;
    const { fromMs, durationMs = Infinity } = request;
    const expected = holds(stream, fromMs, fromMs + durationMs);
    if (typeof answer === 'string') expect(expected, `${viewer.url}: ${answer}`).toEqual([]);
    else if (!answer.text.includes('EXT-X-SKIP')) expect(answer.uris.filter((uri) => !uri.startsWith('gap-'))).toEqual(expected);
    else expect(expected.slice(-answer.uris.length)).toEqual(answer.uris);
  }
  return seen;
}

type Step =
  | { readonly do: 'segments'; readonly durations: readonly number[] }
  | { readonly do: 'bulk'; readonly count: number }
  | { readonly do: 'lose'; readonly ms: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'stop' }
  | { readonly do: 'start'; readonly pauseMs: number; readonly longer: number }
  | { readonly do: 'prune'; readonly keepMs: number };

const duration = fc.integer({ min: 500_000, max: 6_499_999 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('segments' as const), durations: fc.array(duration, { maxLength: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('bulk' as const), count: fc.integer({ min: 0, max: 300 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), ms: fc.integer({ min: 1001, max: 3 * HOUR_MS }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 100_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('start' as const),
      pauseMs: fc.integer({ min: 1001, max: 72 * HOUR_MS }),
      longer: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('prune' as const), keepMs: fc.integer({ min: 10_000, max: 5 * HOUR_MS }) }) },
);

async function play(stream: TestStream, steps: readonly Step[]): Promise<void> {
  const viewers = URLS.map((url) => new Viewer(url));
  stream.segment();
  await pollAll(stream, viewers);
  for (const one of steps) {
    if (one.do === 'segments') {
      for (const durationUs of stream.ended ? [] : one.durations) {
        stream.segment(durationUs);
        await pollAll(stream, viewers);
      }
    } else if (one.do === 'bulk') for (let n = 0; !stream.ended && n < one.count; n++) stream.segment();
    else if (one.do === 'lose') {
      for (const ms of [10_000, 20_000, 50_000]) {
        stream.lose(ms, 'signal');
        await pollAll(stream, viewers);
      }
      stream.lose(one.ms);
    } else if (one.do === 'wait') stream.nowMs += Math.min(one.ms, stream.ended ? Infinity : 1000);
    else if (one.do === 'stop') stream.stop();
    else if (one.do === 'start') {
      if (stream.ended) stream.start(one.pauseMs, stream.target + one.longer);
    } else if (stream.retention) stream.prune(one.keepMs);
    await pollAll(stream, viewers);
  }
}

describe('the judge is silent', () => {
  it('over whatever happens to a stream that keeps everything (P6 to P12)', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), (steps) => play(new TestStream(), steps)),
      { numRuns: 60 },
    );
  });

  it('over whatever happens to a stream with retention (P6 to P12)', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), (steps) => play(new TestStream({ retention: true }), steps)),
      { numRuns: 60 },
    );
  });

  it('over three weeks with a prune a minute, an hour without signal a day, and a restart a week', { timeout: 120_000 }, async () => {
    const stream = new TestStream({ retention: true, target: 8 });
    const viewers = ['index.m3u8', 'index.m3u8?dvr=3600&_HLS_skip=YES', 'index.m3u8?delay=1800'].map((url) => new Viewer(url));
    stream.segment();
    let [polled, sequence] = [0, 0];
    for (let n = 1; n < 3 * 151_200; n++) {
      if (n % 21_600 === 0) stream.lose(HOUR_MS);
      if (n % 151_200 === 0) {
        stream.stop();
        stream.start(5000);
      } else stream.segment(n % 7 === 0 ? 4_040_000 : 3_993_333);
      if (n % 1000 === 0) stream.prune(2 * HOUR_MS);
      // A while now and then, at every segment; and seldom in between.
      if (n % 10_800 > 20 && n % 3000 !== 0) continue;
      for (const viewer of viewers) {
        const answer = await viewer.poll(stream, n % 10_800 <= 20 && n % 10_800 > 1);
        if (typeof answer === 'string') {
          expect([n < 450, viewer.url, answer]).toEqual([true, 'index.m3u8?delay=1800', 'WINDOW_BEFORE_ARCHIVE']);
          continue;
        }
        expect(answer.violations).toEqual([]);
        polled += 1;
        sequence = Number(/MEDIA-SEQUENCE:(\d+)/.exec(answer.text)?.[1]);
      }
    }
    expect(polled).toBeGreaterThan(2500);
    expect(sequence).toBeGreaterThan(3 * 151_200 - 2000);
  });
});
