/** Codes that are suggested (G5). That the rules are the server's is for test/page.streamCode.test.ts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeProblem, conflictOf, suggestCode } from './streamCode';

describe('G5: a code is suggested', () => {
  it.each([
    ['The News, HD', 'udp://@239.0.0.1:5000', 'the-news-hd'],
    ['Čas 24', '', 'cas-24'],
    ['', 'http://user:secret@host.example/live/sport1/index.m3u8?token=secret', 'sport1'],
    ['', 'http://host.example/news.ts', 'news'],
    ['', 'udp://@239.0.0.1:5000?interface=10.0.0.1', '239-0-0-1-5000'],
    ['', 'rtp://', ''],
    ['日本', 'no source', ''],
  ])('%j, %j: %j', (title, source, code) => expect(suggestCode(title, source, [])).toBe(code));

  it('is another where it is taken, or is the beginning of one that is there', () => {
    expect(suggestCode('News', '', ['news'])).toBe('news-2');
    expect(suggestCode('News', '', ['news/hd', 'news-2'])).toBe('news-3');
  });

  it('is none of the server’s own names', () => expect(suggestCode('API', '', [])).toBe('api-2'));

  it('is one that can be, whatever it is made of, and holds no user or query', () => {
    const present = fc.array(fc.constantFrom('a', 'a-2', 'b', 'b/c', 'api-2', 'news'), { maxLength: 4 });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom('a', 'B', 'api', 'con', 'news')), fc.webUrl(), present, (title, source, there) => {
        const code = suggestCode(title, `${source}?token=SECRETSECRET`, there);
        if (code === '') return;
        expect(codeProblem(code)).toBeUndefined();
        expect(there).not.toContain(code);
        expect(conflictOf(code, there)).toBeUndefined();
        expect(code).not.toContain('secretsecret');
      }),
    );
  });
});
