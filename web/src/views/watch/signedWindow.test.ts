import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { linkProblem } from './linkProblem';
import { factsOf, signedTimeline, type RecordingStatus, type SignedWindow } from './signedWindow';

const START = Date.UTC(2026, 10, 22);
const time = (ms: number): string => new Date(START + ms).toISOString();
const WINDOW: SignedWindow = { code: 'uk/news', token: 'a.b.c', fromMs: START + 10_000, toMs: START + 70_000 };
const STATUS: RecordingStatus = {
  data: {
    stream_code: 'uk/news',
    dvr_range: { started_at: time(0), last_segment_at: time(60_000) },
    gaps: [{ from: time(20_000), to: time(22_000), duration: 2e9, reason: 'signal' }],
  },
  ranges: [
    { from: time(10_000), to: time(20_000) },
    { from: time(22_000), to: time(60_000) },
  ],
};

let asked: { url: string; headers: unknown }[] = [];
beforeEach(() => {
  asked = [];
  vi.stubGlobal('fetch', (url: string, { headers }: RequestInit) => {
    asked.push({ url, headers });
    return Promise.resolve(new Response(JSON.stringify(STATUS)));
  });
});
afterEach(() => vi.unstubAllGlobals());

it('G9: the facts reach no further than the window, and no further than what is recorded', () => {
  const facts = factsOf(STATUS, WINDOW, START, START + 100_000);
  expect(facts).toMatchObject({
    from: time(0),
    to: time(100_000),
    oldest: time(10_000),
    newest: time(60_000),
    spans: STATUS.ranges,
    errors: [],
  });
  expect(facts.gaps).toEqual([{ from: time(20_000), to: time(22_000), reason: 'signal', count: 1 }]);
});

it('G9: an archive that ends before the window has nothing in it', () => {
  const facts = factsOf(STATUS, { ...WINDOW, fromMs: START + 65_000 }, START, START + 100_000);
  expect([facts.oldest, facts.newest]).toEqual([time(65_000), time(65_000)]);
});

it('G9: whatever is shown, the window alone is asked for, by its token alone', async () => {
  await signedTimeline(WINDOW)(START - 1e9, START + 1e9, 1000, new AbortController().signal);
  expect(asked).toEqual([{ url: `/t/a.b.c/uk/news/recording_status.json?from=${time(10_000)}&to=${time(70_000)}`, headers: {} }]);
});

it('G9: what is wrong with a link is told to those who can only ask for another', () => {
  expect(linkProblem({ code: 'TOKEN_EXPIRED', message: 'the token has expired' }).title).toBe('This link has expired');
  expect(linkProblem({ code: 'FORBIDDEN', message: '' }).text).toContain('Ask whoever sent it');
  expect(linkProblem({ code: 'STREAM_NOT_FOUND', message: '' })).toEqual(linkProblem({ code: 'WINDOW_EXPIRED', message: '' }));
  expect(linkProblem({ code: 'INVARIANT_BROKEN', message: 'a fault' })).toEqual({
    title: 'This cannot be shown',
    text: 'A fault.',
    isPassing: true,
  });
});
