/** What each kind of playlist holds and says, to the byte where it matters. */
import { describe, expect, it } from 'vitest';
import { LivetapeError } from '../../base/index.js';
import { PlaylistChecker } from '../../../test/playlistChecker.js';
import { START_MS, entryAt, timelineOf } from '../testTimeline.js';
import { answerPlaylist } from './answer.js';
import { LIMITS, TestStream, ask, requestOf, type Seen } from './testStream.js';

const at = (seconds: number): string => String((START_MS + seconds * 1000) / 1000);

/** A stream of `count` segments of 4 s. */
function streamOf(count: number, options?: ConstructorParameters<typeof TestStream>[0]): TestStream {
  const stream = new TestStream(options);
  for (let n = 0; n < count; n++) stream.segment();
  return stream;
}

async function seen(stream: TestStream, url: string): Promise<Omit<Seen, 'violations'>> {
  const answer = await ask(stream, url);
  if (typeof answer === 'string') throw new Error(`${url}: ${answer}`);
  expect(new PlaylistChecker().see(answer.text.replace(/#EXT-X-SKIP.*\n/, ''))).toEqual([]);
  return answer;
}

const numbers = ({ uris }: { uris: readonly string[] }): [string | undefined, string | undefined, number] => [
  uris[0],
  uris.at(-1),
  uris.length,
];
const tags = ({ text }: { text: string }): string[] =>
  text.split('\n').filter((line) => /^#EXT-X-(PLAYLIST|START|SERVER|SKIP|VERSION|MEDIA|DISCONTINUITY-|ENDLIST)/.test(line));

describe('live (P6, P9)', () => {
  it('is the smallest number of newest entries that lasts the window', async () => {
    const stream = streamOf(100, { retention: true });
    const live = await seen(stream, 'index.m3u8');
    expect(numbers(live)).toEqual(['000092.ts', '000099.ts', 8]);
    expect(live.text.slice(0, live.text.indexOf('#EXTINF'))).toBe(
      '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:92\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:06:08.000Z\n',
    );
    expect([live.age, live.reachMs]).toEqual(['live', 32_020]);
    expect(numbers(await seen(stream, 'index.m3u8?dvr=60'))).toEqual(['000085.ts', '000099.ts', 15]);
    // not less than three target durations, which end within an entry
    expect(numbers(await seen(stream, 'index.m3u8?dvr=1'))).toEqual(['000095.ts', '000099.ts', 5]);
    expect(numbers(await seen(stream, 'index.m3u8?dvr=86400'))).toEqual(['000000.ts', '000099.ts', 100]);
  });

  it('counts the discontinuities before it, its own first tag not (F10)', async () => {
    const stream = streamOf(5);
    stream.lose(20_000);
    for (let n = 0; n < 8; n++) stream.segment();
    expect(tags(await seen(stream, 'index.m3u8'))).toContain('#EXT-X-DISCONTINUITY-SEQUENCE:0');
    expect((await seen(stream, 'index.m3u8')).text).toContain('SEQUENCE:0\n#EXT-X-DISCONTINUITY\n');
    stream.segment();
    expect(tags(await seen(stream, 'index.m3u8'))).toContain('#EXT-X-DISCONTINUITY-SEQUENCE:1');
  });

  it('ends with the life, and stands still while nothing comes (P10)', async () => {
    const stream = streamOf(20);
    const before = await seen(stream, 'index.m3u8');
    stream.nowMs += 3_600_000;
    expect(await seen(stream, 'index.m3u8')).toEqual({ ...before, reachMs: before.reachMs + 3_600_000 });
    stream.stop();
    const after = await seen(stream, 'index.m3u8');
    expect(after.text).toBe(`${before.text}#EXT-X-ENDLIST\n`);
    expect(after.version).not.toBe(before.version);
  });
});

describe('delayed (P6)', () => {
  it('is the live playlist of then', async () => {
    const stream = streamOf(50);
    const then = await seen(stream, 'index.m3u8');
    for (let n = 0; n < 10; n++) stream.segment();
    const delayed = await seen(stream, 'index.m3u8?delay=40');
    expect([delayed.text, delayed.version]).toEqual([then.text, then.version]);
  });

  it('that reaches into the time before the archive is refused', async () => {
    const stream = streamOf(100, { retention: true });
    expect(await ask(stream, 'index.m3u8?delay=397')).toBe('WINDOW_BEFORE_ARCHIVE');
    expect(numbers(await seen(stream, 'index.m3u8?delay=395'))).toEqual(['000000.ts', '000000.ts', 1]);
    stream.prune(200_000);
    expect(await ask(stream, 'index.m3u8?delay=300')).toBe('WINDOW_EXPIRED');
    // fewer than three target durations are left of it
    expect(await ask(stream, 'index.m3u8?delay=185')).toBe('WINDOW_EXPIRED');
    expect((await seen(stream, 'index.m3u8?delay=175')).uris).toHaveLength(6);
  });

  it('ends when it has come to the end', async () => {
    const stream = streamOf(50);
    stream.stop();
    expect((await seen(stream, 'index.m3u8?delay=20')).text).not.toContain('ENDLIST');
    stream.nowMs += 20_000;
    expect((await seen(stream, 'index.m3u8?delay=20')).text).toContain('ENDLIST');
  });
});

describe('windows (P7, P8)', () => {
  it('grows, ends, and is VOD a minute later', async () => {
    const stream = streamOf(10, { retention: true });
    const url = `index.m3u8?from=${at(30)}&dur=30`;
    const growing = await seen(stream, url);
    expect(numbers(growing)).toEqual(['000007.ts', '000009.ts', 3]);
    expect(tags(growing).slice(3)).toEqual(['#EXT-X-START:TIME-OFFSET=2.000,PRECISE=YES']);
    for (let n = 0; n < 5; n++) stream.segment();
    const ended = await seen(stream, url);
    expect(numbers(ended)).toEqual(['000007.ts', '000014.ts', 8]);
    expect(tags(ended).slice(3)).toEqual(['#EXT-X-START:TIME-OFFSET=2.000,PRECISE=YES', '#EXT-X-ENDLIST']);
    for (let n = 0; n < 14; n++) stream.segment();
    expect(await seen(stream, url)).toMatchObject({ text: ended.text, version: ended.version, age: 'live' });
    stream.segment();
    const past = await seen(stream, url);
    expect(tags(past).slice(3)).toEqual(['#EXT-X-PLAYLIST-TYPE:VOD', '#EXT-X-START:TIME-OFFSET=2.000,PRECISE=YES', '#EXT-X-ENDLIST']);
    expect(past.age).toBe('past');
    for (let n = 0; n < 200; n++) stream.segment();
    expect((await seen(stream, url)).version).toBe(past.version);
    expect(tags(await seen(stream, `index.m3u8?from=${at(28)}&dur=32`)).slice(3)).toEqual(['#EXT-X-PLAYLIST-TYPE:VOD', '#EXT-X-ENDLIST']);
  });

  it('is EVENT while it grows in a journal that is', async () => {
    expect(tags(await seen(streamOf(10), `index.m3u8?from=${at(4)}`)).slice(3)).toEqual([
      '#EXT-X-PLAYLIST-TYPE:EVENT',
      '#EXT-X-START:TIME-OFFSET=0.000,PRECISE=YES',
      '#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=36.0',
    ]);
  });

  it('whose end nothing reached is past three target durations and ten seconds later', async () => {
    const stream = streamOf(10, { retention: true });
    const url = `index.m3u8?from=${at(30)}&dur=30`;
    stream.nowMs = START_MS + 60_000 + 28_000;
    expect((await seen(stream, url)).text).not.toContain('ENDLIST');
    stream.nowMs += 1;
    expect((await seen(stream, url)).text).toContain('ENDLIST');
    stream.nowMs += 60_000;
    expect((await seen(stream, url)).text).toContain('TYPE:VOD');
  });

  it('that has begun and holds nothing yet is empty, with the numbers of what comes', async () => {
    const stream = streamOf(10);
    const url = `index.m3u8?from=${at(40)}&dur=60`;
    const empty = await seen(stream, url);
    expect([empty.uris, tags(empty).slice(1, 3)]).toEqual([[], ['#EXT-X-MEDIA-SEQUENCE:10', '#EXT-X-DISCONTINUITY-SEQUENCE:0']]);
    stream.lose(5000);
    stream.segment();
    expect(tags(await seen(stream, url)).slice(1, 3)).toEqual(['#EXT-X-MEDIA-SEQUENCE:10', '#EXT-X-DISCONTINUITY-SEQUENCE:0']);
  });

  it('begins with the oldest entry where its beginning was pruned (P10)', async () => {
    const stream = streamOf(100, { retention: true });
    stream.prune(200_000);
    const window = await seen(stream, `index.m3u8?from=${at(100)}&dur=120`);
    expect(numbers(window)).toEqual(['000050.ts', '000054.ts', 5]);
    expect(tags(window).slice(1, 3)).toEqual(['#EXT-X-MEDIA-SEQUENCE:50', '#EXT-X-DISCONTINUITY-SEQUENCE:0']);
    expect(await ask(stream, `index.m3u8?from=${at(100)}&dur=50`)).toBe('WINDOW_EXPIRED');
  });

  it('in a gap, before the archive, in the future (P10)', async () => {
    const stream = streamOf(10);
    stream.lose(60_000);
    stream.segment();
    expect(await ask(stream, `index.m3u8?from=${at(50)}&dur=10`)).toBe('WINDOW_IN_GAP');
    expect(await ask(stream, `index.m3u8?from=${at(-50)}&dur=50`)).toBe('WINDOW_BEFORE_ARCHIVE');
    expect(await ask(stream, `index.m3u8?from=${at(500)}&dur=50`)).toBe('WINDOW_IN_FUTURE');
    expect(await ask(stream, `index.m3u8?from=${at(500)}`)).toBe('WINDOW_IN_FUTURE');
  });
});

describe('gaps=mark (P11)', () => {
  it('fills the gaps of a past window, and its end', async () => {
    const stream = streamOf(5, { retention: true });
    stream.lose(14_000 + 20);
    stream.segment();
    stream.nowMs += 600_000;
    const { text } = await seen(stream, `index.m3u8?from=${at(10)}&dur=34&gaps=mark`);
    const lines = text.split('\n').filter((line) => !/^#EXT-X-(PROG|TARGET)/.test(line));
    expect(lines).toEqual([
      '#EXTM3U',
      '#EXT-X-VERSION:8',
      '#EXT-X-MEDIA-SEQUENCE:0',
      '#EXT-X-DISCONTINUITY-SEQUENCE:0',
      '#EXT-X-PLAYLIST-TYPE:VOD',
      '#EXT-X-START:TIME-OFFSET=2.000,PRECISE=YES',
      ...['#EXTINF:4.000000,', '000002.ts', '#EXTINF:4.000000,', '000003.ts', '#EXTINF:4.000000,', '000004.ts'],
      ...['#EXT-X-GAP', '#EXTINF:4.680000,', `gap-${START_MS + 20_000}.ts`],
      ...['#EXT-X-GAP', '#EXTINF:4.680000,', `gap-${START_MS + 24_680}.ts`],
      ...['#EXT-X-GAP', '#EXTINF:4.680000,', `gap-${START_MS + 29_360}.ts`],
      ...['#EXT-X-DISCONTINUITY', '#EXTINF:4.000000,', '000005.ts'],
      ...['#EXT-X-GAP', '#EXTINF:5.960000,', `gap-${START_MS + 38_040}.ts`],
      ...['#EXT-X-ENDLIST', ''],
    ]);
  });

  it('begins with the gap it begins in', async () => {
    const stream = streamOf(5, { retention: true });
    stream.lose(14_000);
    stream.segment();
    stream.nowMs += 600_000;
    const { text, uris } = await seen(stream, `index.m3u8?from=${at(30)}&dur=6&gaps=mark`);
    expect(uris).toEqual([`gap-${START_MS + 30_000}.ts`, '000005.ts']);
    expect(text).not.toContain('EXT-X-START');
  });

  it('leaves holes while the window grows, and for a minute after', async () => {
    const stream = streamOf(5, { retention: true });
    stream.lose(14_000);
    stream.segment();
    const url = `index.m3u8?from=${at(10)}&dur=27`;
    expect((await seen(stream, `${url}&gaps=mark`)).text).toBe((await seen(stream, url)).text);
  });
});

describe('delta updates (P12)', () => {
  const control = '#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=36.0';

  it('leave out what is older than six target durations', async () => {
    const stream = streamOf(100, { retention: true });
    const whole = await seen(stream, 'index.m3u8?dvr=120');
    const delta = await seen(stream, 'index.m3u8?dvr=120&_HLS_skip=YES');
    expect(tags(whole)).toEqual(['#EXT-X-VERSION:3', '#EXT-X-MEDIA-SEQUENCE:70', '#EXT-X-DISCONTINUITY-SEQUENCE:0', control]);
    expect(tags(delta)).toEqual(['#EXT-X-VERSION:9', ...tags(whole).slice(1), '#EXT-X-SKIP:SKIPPED-SEGMENTS=21']);
    expect(delta.uris).toEqual(whole.uris.slice(21));
    expect(delta.version).not.toBe(whole.version);
  });

  it('are offered by what was asked, and made only when there is something to leave out', async () => {
    const stream = streamOf(9);
    expect(tags(await seen(stream, 'index.m3u8?dvr=73&_HLS_skip=YES'))).toContain(control);
    expect((await seen(stream, 'index.m3u8?dvr=73&_HLS_skip=YES')).text).not.toContain('EXT-X-SKIP');
    expect(tags(await seen(stream, 'index.m3u8?dvr=72&_HLS_skip=YES'))).not.toContain(control);
    for (let n = 0; n < 100; n++) stream.segment();
    expect((await seen(stream, 'index.m3u8?dvr=72&_HLS_skip=YES')).uris).toHaveLength(18);
    expect((await seen(stream, 'playlist.m3u8?_HLS_skip=YES')).uris).toHaveLength(109);
  });
});

describe('bounds (P14)', () => {
  it('one request asks for so much at most, but for the whole archive', async () => {
    const stream = streamOf(100);
    const limits = { ...LIMITS, maxWindowMs: 200_000 };
    expect(await ask(stream, 'index.m3u8?dvr=200.001', limits)).toBe('WINDOW_TOO_LONG');
    expect(await ask(stream, `index.m3u8?from=${at(0)}&dur=200.001`, limits)).toBe('WINDOW_TOO_LONG');
    expect(await ask(stream, `index.m3u8?from=${at(199)}`, limits)).toBe('WINDOW_TOO_LONG');
    for (const url of ['index.m3u8?dvr=200', `index.m3u8?from=${at(0)}&dur=200`, `index.m3u8?from=${at(200)}`, 'playlist.m3u8']) {
      expect(await ask(stream, url, limits), url).toBeTypeOf('object');
    }
    // before the archive there is nothing that could be too much
    expect(await ask(streamOf(10), 'index.m3u8?from=0', limits)).toBeTypeOf('object');
  });

  it('the whole archive is as its journal: type, end, version', async () => {
    const stream = streamOf(100);
    const whole = await seen(stream, 'playlist.m3u8');
    expect([whole.version, whole.uris.length, tags(whole).slice(3)]).toEqual([
      stream.timeline().version,
      100,
      ['#EXT-X-PLAYLIST-TYPE:EVENT'],
    ]);
    stream.stop();
    expect(tags(await seen(stream, 'playlist.m3u8')).slice(3)).toEqual(['#EXT-X-PLAYLIST-TYPE:VOD', '#EXT-X-ENDLIST']);
  });

  it('is broken off when its beginning is pruned while it is sent', async () => {
    const timeline = timelineOf([entryAt(0), entryAt(4)], {
      async *text() {
        throw new LivetapeError('WINDOW_EXPIRED', 'it was pruned');
      },
    });
    const answer = await answerPlaylist(timeline, requestOf('playlist.m3u8', START_MS), { nowMs: START_MS, limits: LIMITS });
    const chunks: string[] = [];
    const reading = (async () => {
      for await (const chunk of answer.body()) chunks.push(new TextDecoder().decode(chunk));
    })();
    await expect(reading).rejects.toMatchObject({ code: 'WINDOW_EXPIRED' });
    expect(chunks.join('')).toMatch(/^#EXTM3U\n/);
    expect(chunks.join('')).not.toContain('ENDLIST');
  });
});
