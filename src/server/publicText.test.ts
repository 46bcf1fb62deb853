/** D10: what is said holds no path of the machine, and says all else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, LivetapeError } from '../base/index.js';
import { HTTP_STATUS } from './errors.js';
import { publicMessage, shownSource, TOLD, withoutPaths } from './publicText.js';

describe('withoutPaths (D10)', () => {
  it.each([
    ["ENOENT: no such file or directory, open '/srv/dvr/news/playlist.m3u8'", "ENOENT: no such file or directory, open 'playlist.m3u8'"],
    ['/etc/livetape/livetape.yaml:3:5: streams.a: wrong', 'livetape.yaml:3:5: streams.a: wrong'],
    ['source file:/srv/a.ts: it is empty', 'source file:a.ts: it is empty'],
    ['source file:///srv/in/a.ts?loop=1: it', 'source file:a.ts?loop=1: it'],
    ['source file://localhost/srv/a.ts: it', 'source file:a.ts: it'],
    ['root:/srv/dvr/x', 'root:x'],
    ['it is in /srv/dvr/', 'it is in dvr'],
    ['open \'/srv/my films/a b.ts\': "/x y/z"', 'open \'a b.ts\': "z"'],
    ['another writer is at work in /srv/dvr/news', 'another writer is at work in news'],
    ['(/a/b) "/a/c" /a/d, /a/e; </a/f>', '(b) "c" d, e; <f>'],
    ['it is in /', 'it is in /'],
  ])('%j becomes %j', (text, told) => expect(withoutPaths(text)).toBe(told));

  it.each([
    'nothing came from http://host/live/a.ts within 5 s',
    'nothing came from http://[::1]:80/live/a.ts?x=1: HTTP 404',
    'tcp://host:1234: connect ECONNREFUSED 10.0.0.1:1234',
    'stream a/b cannot be while there is a: no code is the beginning of another',
    'udp://@239.0.0.1:5000?interface=10.0.0.1 is 5/7',
    'source ***@host/x and https://***@host/x/y',
  ])('%j stays', (text) => expect(withoutPaths(text)).toBe(text));

  it('knows paths with blanks when it is told them', () => {
    expect(withoutPaths("open '/srv/my films/in a.ts' failed", ['/srv/my films/in a.ts'])).toBe("open 'in a.ts' failed");
  });

  it('leaves no folder of any path, whatever stands around it', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9_.+-]{1,12}$/);
    const around = fc.constantFrom('', ' ', '"', "'", '(', ': ', ', ', 'in ', 'file:', 'file://', '=', '<');
    fc.assert(
      fc.property(around, fc.array(word, { minLength: 1, maxLength: 5 }), around, (before, words, after) => {
        const told = withoutPaths(`${before}/MARKER/${words.join('/')}${after}`);
        expect(told).not.toContain('MARKER');
      }),
    );
  });
});

describe('publicMessage (D10)', () => {
  it('of what failed inside says what failed, and nothing of the message', () => {
    for (const code of ERROR_CODES.filter((one) => TOLD[one] !== undefined)) {
      expect(publicMessage(new LivetapeError(code, 'MARKER'))).toMatch(/; the log says more$/);
      expect(publicMessage(new LivetapeError(code, 'MARKER'))).not.toContain('MARKER');
    }
  });

  it('stands in for the message of every error of 5xx that is not about the other side, or the client', () => {
    const passed = ERROR_CODES.filter((code) => HTTP_STATUS[code] >= 500 && TOLD[code] === undefined);
    expect(passed.sort()).toEqual(['CLOSED', 'HOOK_FAILED', 'LIMIT_REACHED', 'SOURCE_FAILED', 'SOURCE_NOT_TS']);
  });

  it('names files by their last part, those of the system’s error too', () => {
    const cause = Object.assign(new Error('ENOENT'), { path: '/srv/my films/a.ts' });
    const error = new LivetapeError('SOURCE_NOT_FOUND', "source file:/srv/my films/a.ts: ENOENT, open '/srv/my films/a.ts'", { cause });
    expect(publicMessage(error)).toBe("source file:a.ts: ENOENT, open 'a.ts'");
    const wrong = new LivetapeError('CONFIG_INVALID', '/etc/my server/x.yaml:1:2: no', { context: { path: '/etc/my server/x.yaml' } });
    expect(publicMessage(wrong)).toBe('x.yaml:1:2: no');
  });
});

describe('shownSource (D10)', () => {
  it.each([
    ['http://a:b@h/x?token=1&y=2', 'http://***@h/x?token=***&y=2', 'http://***@h/x?token=***&y=2'],
    ['file:/srv/in/a.ts?loop=1', 'file:/srv/in/a.ts?loop=1', 'file:a.ts?loop=1'],
    ['file:in/a.ts', 'file:in/a.ts', 'file:a.ts'],
    ['', '', ''],
    ['udp://@239.0.0.1:5000', 'udp://@239.0.0.1:5000', 'udp://@239.0.0.1:5000'],
  ])('%s is %s to an admin and %s to others', (source, admin, others) => {
    expect([shownSource(source, true), shownSource(source, false)]).toEqual([admin, others]);
  });
});
