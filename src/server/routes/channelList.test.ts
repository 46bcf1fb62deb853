import { expect, it } from 'vitest';
import { LivetapeError, ManualClock } from '../../base/index.js';
import { buildApp } from '../app.js';
import { ResponseChecker } from '../testDocument.js';
import { FakePlayback, viewersContext } from '../testViewers.js';

async function lab(title?: string) {
  const playback = new FakePlayback();
  const clock = new ManualClock();
  clock.advance(2.5 * 86_400_000);
  const context = viewersContext({ playback, clock, ...(title === undefined ? {} : { title }) });
  context.config.state.config.http.hosts = ['tv.example'];
  const app = await buildApp(context);
  const checker = new ResponseChecker(app.swagger());
  const ask = async (headers: Record<string, string> = { host: 'tv.example:8080' }) => {
    const answer = await app.inject({ url: '/playlist.m3u', headers });
    checker.check({ method: 'GET', url: '/playlist.m3u', status: answer.statusCode, headers: answer.headers, body: answer.body });
    return answer;
  };
  return { playback, ask, [Symbol.asyncDispose]: () => app.close() };
}

it('lists every channel with where its past is found: as far back as it is kept, or as it goes', async () => {
  await using at = await lab();
  const answer = await at.ask();
  expect(answer.headers['content-type']).toBe('audio/x-mpegurl; charset=utf-8');
  expect(answer.body.split('\n')).toEqual([
    '#EXTM3U',
    '#EXTINF:-1 tvg-id="news" tvg-name="News" catchup="default" catchup-days="7" catchup-source="http://tv.example:8080/news/index.m3u8?from={utc}&dur={duration}",News',
    'http://tv.example:8080/news/index.m3u8',
    '#EXTINF:-1 tvg-id="uk/bbc" tvg-name="uk/bbc" catchup="default" catchup-days="3" catchup-source="http://tv.example:8080/uk/bbc/index.m3u8?from={utc}&dur={duration}",uk/bbc',
    'http://tv.example:8080/uk/bbc/index.m3u8',
    '',
  ]);
});

it('a title is one attribute of one line, whatever it holds', async () => {
  await using at = await lab('One, "two"\nhttp://evil/\r\u0000three');
  const line = (await at.ask()).body.split('\n')[1];
  expect(line).toContain(`tvg-name="One, 'two' http://evil/ three"`);
  expect(line).toMatch(/",One {2}'two' http:\/\/evil\/ three$/);
});

it('a channel of which nothing is recorded has no past; an archive that cannot be read is left out', async () => {
  await using at = await lab();
  at.playback.failure = new LivetapeError('NOTHING_RECORDED', 'nothing yet');
  expect((await at.ask()).body).toBe('#EXTM3U\n#EXTINF:-1 tvg-id="news" tvg-name="News",News\nhttp://tv.example:8080/news/index.m3u8\n');
});

it('addresses are of the host that was asked, which a proxy cannot say otherwise; one that is none is refused', async () => {
  await using at = await lab();
  const forwarded = await at.ask({ host: '[::1]:80', 'x-forwarded-host': 'evil', 'x-forwarded-proto': 'https' });
  expect(forwarded.body).toContain('\nhttp://[::1]:80/news/index.m3u8\n');
  for (const host of ['evil/x', 'a b', '"', 'a:b', 'user@host', 'a:123456']) {
    expect((await at.ask({ host })).statusCode, host).toBe(421);
  }
});
