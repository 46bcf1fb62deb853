/** D11: what looks like a credential is not logged, all else is as it was. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scrub } from './scrub.js';

it.each([
  ['lt_abcd1234_0123456789-_abcdefghijklmnopqrstuvwxyzABCDEFG is wrong', 'lt_abcd1234_*** is wrong'],
  ['{"url":"http://me:word@h/x"}', '{"url":"http://***@h/x"}'],
  ['GET /t/eyJhbGciOi.eyJzdWIi.abc-_/news/index.m3u8', 'GET /t/***/news/index.m3u8'],
  ['eyJhbGciOi.eyJzdWIi.abc-_', '***'],
  ['/news/index.m3u8?dvr=60&token=abc&x=1', '/news/index.m3u8?dvr=60&token=***&x=1'],
  ['Authorization: Bearer abc.def', 'Authorization: Bearer ***'],
  ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw failed', 'whsec_*** failed'],
  ['{"url":"https://h:8080/t/ann-7361/news/index.m3u8"}', '{"url":"https://h:8080/t/***/news/index.m3u8"}'],
  ['{"path":"/srv/t/dvr/.livetape/admin-token"}', '{"path":"/srv/t/dvr/.livetape/admin-token"}'],
  ['tcp://h:1 lost; udp://@239.0.0.1:5000; a@b', 'tcp://h:1 lost; udp://@239.0.0.1:5000; a@b'],
])('%j is logged as %j', (text, scrubbed) => expect(scrub(text)).toBe(scrubbed));

it('leaves a line of JSON a line of JSON, whatever it says', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('http://a:b@c', '?token=x"y', 'Bearer a\\b', '/t/"/x', 'eyJ.".'));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom('err', 'url', 'message', 'n'), fc.array(text)), (fields) => {
      const line = scrub(JSON.stringify(fields));
      expect(Object.keys(JSON.parse(line) as object)).toEqual(Object.keys(fields));
      expect(line).not.toContain('\n');
    }),
  );
});
