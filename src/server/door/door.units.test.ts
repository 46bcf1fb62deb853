/** The parts of the door that need no server: where a credential stands, which Host is ours, which window is opened. */
import fc from 'fast-check';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { isLivetapeError, ManualClock } from '../../base/index.js';
import { ANONYMOUS, coversPattern, LOCAL, matchesAny, openSignedTokens, type Grant, type SigningKey } from '../../access/index.js';
import type { Playback, StreamRequest } from '../../playback/index.js';
import { TestConfig } from '../testConfig.js';
import { MemoryTokens } from '../testDoor.js';
import { credentialOf, takeFromPath, withTokenInPath } from './credential.js';
import { Door } from './door.js';
import { refuseForeignHost } from './host.js';
import { askedWindow, checkKeyframe, checkReach, checkWindow } from './windows.js';

const request = (url: string, authorization?: string): IncomingMessage => ({ url, headers: { authorization } }) as IncomingMessage;

describe('D4: a credential', () => {
  it('is taken off the path, and off nothing that only looks like it', () => {
    const taken = request('/t/abc.DEF-1_~/sport/1/index.m3u8?from=5');
    expect(takeFromPath(taken)).toBe('/sport/1/index.m3u8?from=5');
    expect(credentialOf(taken)).toEqual({ text: 'abc.DEF-1_~', from: 'path' });
    for (const url of [
      '/t/abc',
      '/t//x',
      '/T/abc/news/index.m3u8',
      '/%74/abc/x',
      '/t/a%2Fb/x',
      '/t/a b/x',
      '/tt/abc/x',
      '/x/t/abc/y',
      '//t/abc/x',
    ]) {
      const other = request(url);
      expect(takeFromPath(other), url).toBe(url);
      expect(credentialOf(other), url).toBeUndefined();
    }
  });

  it('stands in a whole address as it does in a path', () => {
    for (const [url, path, token] of [
      ['http://tv.example/t/abc/news/index.m3u8?from=5', '/news/index.m3u8?from=5', 'abc'],
      ['HTTPS://user@tv.example:1/news/index.m3u8?token=abc', '/news/index.m3u8?token=abc', 'abc'],
      ['http://tv.example', '/', undefined],
      ['http://tv.example?token=abc', '/?token=abc', 'abc'],
      ['http:///t/abc/x', '/x', 'abc'],
      ['*', '*', undefined],
      ['/http://tv.example/t/abc/x', '/http://tv.example/t/abc/x', undefined],
    ] as const) {
      const asked = request(url);
      asked.url = takeFromPath(asked);
      expect([asked.url, credentialOf(asked)?.text], url).toEqual([path, token]);
    }
  });

  it('of the path goes before that of the header, and that before that of the query', () => {
    const all = request('/t/one/news/index.m3u8?token=three', 'Bearer two');
    takeFromPath(all);
    expect(credentialOf(all)?.text).toBe('one');
    expect(credentialOf(request('/news/index.m3u8?token=three', 'bearer  two '))).toEqual({ text: 'two', from: 'header' });
    expect(credentialOf(request('/news/index.m3u8?a=b&token=three', 'Basic two'))).toEqual({ text: 'three', from: 'query' });
    expect(credentialOf(request('/news/index.m3u8?token=', 'Bearer'))).toBeUndefined();
  });

  it('of a query becomes the path’s, and all else of the query stays as it was written', () => {
    expect(withTokenInPath('/a/index.m3u8?from=2026-01-01T00:00:00%2B01:00&token=xyz&dur=5', 'xyz')).toBe(
      '/t/xyz/a/index.m3u8?from=2026-01-01T00:00:00%2B01:00&dur=5',
    );
    expect(withTokenInPath('/a/index.m3u8?token=xyz', 'xyz')).toBe('/t/xyz/a/index.m3u8');
  });
});

describe('D5: patterns', () => {
  it('name a code letter by letter, * any run of characters', () => {
    expect(matchesAny(['news'], 'news')).toBe(true);
    for (const code of ['News', 'news/1', 'new', 'xnews']) expect(matchesAny(['news'], code), code).toBe(false);
    expect(matchesAny(['sport/*'], 'sport/f1/hd')).toBe(true);
    expect(matchesAny(['sport/*'], 'sport')).toBe(false);
    expect(matchesAny(['*/hd'], 'a/hd')).toBe(true);
    expect(matchesAny(['a*a'], 'a')).toBe(false);
    expect(matchesAny(['a*b*c'], 'aXbYc')).toBe(true);
    expect(matchesAny(['a*b*c'], 'aXcYb')).toBe(false);
    expect(matchesAny([], 'news')).toBe(false);
  });

  it('cover another only when all that it names is theirs', () => {
    const letters = fc.stringMatching(/^[ab/*]{1,6}$/);
    fc.assert(
      fc.property(letters, letters, fc.stringMatching(/^[ab/]{1,8}$/), (own, pattern, code) => {
        if (coversPattern([own], pattern) && matchesAny([pattern], code)) expect(matchesAny([own], code)).toBe(true);
      }),
      { numRuns: 5000 },
    );
    expect(coversPattern(['sport/*'], 'sport/f*')).toBe(true);
    expect(coversPattern(['sport/*'], 'sport*')).toBe(false);
    expect(coversPattern(['*'], '*')).toBe(true);
  });
});

describe('D2: the Host', () => {
  it('is loopback, or named', () => {
    for (const host of ['127.0.0.1:8080', 'localhost', 'LOCALHOST:80', '[::1]:8080', '127.9.9.9', 'tv.example.org:80', 'TV.example.org']) {
      expect(() => refuseForeignHost(host, ['tv.example.ORG']), host).not.toThrow();
    }
    for (const host of [
      undefined,
      '',
      'evil.example',
      '10.0.0.1',
      '127.0.0.1.evil.example',
      'localhost.evil',
      '[::2]',
      '0.0.0.0',
      '127.0.0.1@evil',
      'localhost:80:80',
    ]) {
      expect(() => refuseForeignHost(host, ['tv.example.org']), String(host)).toThrow(expect.objectContaining({ code: 'HOST_REFUSED' }));
    }
  });
});

describe('D8: a window', () => {
  const NOW = 1_000_000;
  const playback = {
    spanOf: async (_code: string, name: string) =>
      ({ '000001.ts': { fromMs: 96_000, toMs: 100_000 }, '000002.ts': { fromMs: 100_000, toMs: 104_000 } })[name],
  } as Partial<Playback> as Playback;
  const opens = async (window: { fromMs: number; toMs: number }, asked: StreamRequest): Promise<boolean> => {
    try {
      await checkWindow(window, { playback, code: 'news', asked, nowMs: NOW });
      return true;
    } catch (error) {
      if (!isLivetapeError(error, 'FORBIDDEN')) throw error;
      return false;
    }
  };
  const past = { fromMs: 100_000, toMs: 200_000 };
  const window = (fromMs: number, durationMs: number | undefined): StreamRequest => ({
    kind: 'window',
    fromMs,
    durationMs,
    gaps: 'skip',
    skip: false,
  });

  it('of the past opens what lies in it, and nothing else', async () => {
    expect(await opens(past, window(100_000, 100_000))).toBe(true);
    expect(await opens(past, window(99_999, 5000))).toBe(false);
    expect(await opens(past, window(100_000, 100_001))).toBe(false);
    expect(await opens(past, window(150_000, undefined))).toBe(false);
    expect(await opens(past, { kind: 'export', fromMs: 100_000, durationMs: 100_000 })).toBe(true);
    expect(await opens(past, { kind: 'export', fromMs: 100_000, durationMs: 100_001 })).toBe(false);
    expect(await opens(past, { kind: 'preview', atMs: 99_999 })).toBe(false);
    expect(await opens(past, { kind: 'preview', atMs: 150_000 })).toBe(true);
    expect(await opens(past, { kind: 'segment', name: '000001.ts' })).toBe(false);
    expect(await opens(past, { kind: 'segment', name: '000002.ts' })).toBe(true);
    expect(await opens(past, { kind: 'segment', name: '000003.ts' })).toBe(false);
    expect(await opens(past, { kind: 'status', fromMs: undefined, toMs: undefined, ranges: false })).toBe(false);
    expect(await opens(past, { kind: 'status', fromMs: 100_000, toMs: 150_000, ranges: true })).toBe(true);
    for (const asked of [{ kind: 'live', rewindMs: undefined, skip: false }, { kind: 'archive' }, { kind: 'stream' }] as const) {
      expect(await opens(past, asked), asked.kind).toBe(false);
    }
    expect(await opens(past, { kind: 'delayed', delayMs: 850_000, skip: false })).toBe(true);
    expect(await opens(past, { kind: 'delayed', delayMs: 750_000, skip: false })).toBe(false);
  });

  it('of a moment, as an authoriser grants it, opens the preview of a segment’s first frame', async () => {
    const asked: StreamRequest = { kind: 'preview', atMs: 100_000 };
    const timeline = { endSequence: 1, at: async () => 0, entry: async () => ({ wallMs: 100_000, durationUs: 4_000_000 }) };
    const of = { playback: { timelines: { timeline: async () => timeline } } as never, code: 'news', asked, nowMs: NOW };
    const granted = askedWindow(asked);
    if (granted === undefined) throw new Error('a preview names a moment');
    await checkWindow(granted, of);
    await checkKeyframe(granted, of, 100_000);
    const before = checkKeyframe({ fromMs: 99_000, toMs: 100_000 }, of, 100_000);
    await expect(before).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('that is open at its end opens live, as far back as it begins', async () => {
    const open = { fromMs: NOW - 60_000, toMs: Infinity };
    expect(await opens(open, { kind: 'live', rewindMs: undefined, skip: false })).toBe(true);
    expect(await opens(open, window(NOW - 60_000, undefined))).toBe(true);
    expect(await opens(open, window(NOW - 61_000, undefined))).toBe(false);
    const asked = { playback, code: 'news', asked: { kind: 'live', rewindMs: 3_600_000, skip: false }, nowMs: NOW } as const;
    const answer = { age: 'live', version: '', targetDurationSec: 6, async *body() {} } as const;
    expect(() => checkReach(open, asked, { ...answer, reachMs: 60_000 })).not.toThrow();
    expect(() => checkReach(open, asked, { ...answer, reachMs: 70_000 })).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
  });
});

describe('D3: what was opened', () => {
  const KEYS: SigningKey[] = ['old', 'new'].map((id) => ({ id, secret: `the ${id} key, of more than thirty-two bytes` }));

  it('ends within 5 s when it would not be opened any more: auth came, watching takes a credential, a key is gone, a token was revoked', async () => {
    const clock = new ManualClock();
    const config = new TestConfig();
    const auth = (change: object): void => config.setConfig({ auth: { ...config.state.config.auth, ...change } });
    const tokens = new MemoryTokens(clock);
    let keys = KEYS;
    const signed = openSignedTokens({ keys: () => keys, clock });
    const door = new Door({ config, clock, tokens, signed, authorizer: { ask: async () => undefined } });
    const ended: string[] = [];
    const open = (name: string, grant: Grant, token?: string, isEndless?: boolean): (() => void) =>
      door.whileOpen(
        { grant, ip: '127.0.0.1', raw: request('/x', token === undefined ? undefined : `Bearer ${token}`) },
        () => ended.push(name),
        isEndless,
      );
    const opened = async (name: string, token: string, isEndless?: boolean): Promise<void> => {
      const verdict = tokens.isToken(token) ? tokens.verify(token) : await signed.verify(token, '127.0.0.1');
      if (!('grant' in verdict)) throw new Error(`${name}: ${verdict.refused}`);
      closers.set(name, open(name, verdict.grant, token, isEndless));
    };
    const closers = new Map<string, () => void>();
    /** What has ended since, which is closed by that. */
    const endedNow = async (): Promise<string[]> => {
      clock.advance(2000);
      // the signature is looked at in promises, before the next task
      await new Promise((resolve) => setImmediate(resolve));
      const now = ended.splice(0);
      for (const name of now) closers.get(name)?.();
      return now;
    };

    closers.set('local', open('local', LOCAL));
    expect(await endedNow()).toEqual([]);
    auth({ enabled: true, playback: 'open' });
    closers.set('viewer', open('viewer', { ...ANONYMOUS, scopes: new Set(['playback']), streams: ['*'] }));
    expect(await endedNow()).toEqual(['local']);
    auth({ playback: 'required' });
    expect(await endedNow()).toEqual(['viewer']);

    const token = tokens.make({ name: 'lobby', scopes: ['playback'] });
    const link = await openSignedTokens({ keys: () => KEYS, clock }).sign({
      stream: 'news',
      expiresMs: clock.nowMs() + 3_600_000,
      window: {},
      address: undefined,
    });
    await opened('token', token);
    await opened('link', link);
    expect(await endedNow()).toEqual([]);
    keys = KEYS.slice(1);
    expect(await endedNow()).toEqual(['link']);
    await tokens.revoke(tokens.list()[0]?.id ?? '');
    expect(await endedNow()).toEqual(['token']);

    // a file is sent to its end when what opened it was in time, and not when it was taken away
    await opened('late', tokens.make({ scopes: ['playback'], expiresAt: new Date(clock.nowMs() + 1000) }), false);
    await opened('taken', tokens.make({ name: 'gone', scopes: ['playback'] }), false);
    closers.set('past', open('past', { ...LOCAL, kind: 'authorizer', window: { fromMs: 0, toMs: 1 } }, undefined, false));
    expect(await endedNow()).toEqual([]);
    await tokens.revoke(tokens.list().find(({ name }) => name === 'gone')?.id ?? '');
    expect(await endedNow()).toEqual(['taken']);
  });
});
