import { describe, expect, it } from 'vitest';
import { codecName, isOutage, troubleOf, waitMs, type PlaybackError } from './trouble';

const URL = 'http://127.0.0.1:8080/news/index.m3u8';
const network = (status: number, body?: unknown): PlaybackError => ({
  type: 'networkError',
  details: 'manifestLoadError',
  fatal: true,
  response: { code: status },
  networkDetails: { responseType: '', responseText: typeof body === 'string' ? body : JSON.stringify(body ?? '') },
});
const refused = (status: number, code: string): PlaybackError => network(status, { error: { code, message: `${code} it is.` } });

describe('troubleOf', () => {
  it.each([
    [404, 'WINDOW_IN_GAP', 'next'],
    [410, 'WINDOW_EXPIRED', 'oldest'],
    [404, 'WINDOW_BEFORE_ARCHIVE', 'oldest'],
    [404, 'WINDOW_IN_FUTURE', 'live'],
    [404, 'STREAM_NOT_FOUND', 'wait'],
    [401, 'UNAUTHENTICATED', 'wait'],
  ])('%i %s: %s, in the words of the server', (status, code, remedy) => {
    expect(troubleOf(refused(status, code), URL)).toEqual({ remedy, problem: { code, message: `${code} it is.` } });
  });

  it('nothing recorded yet is waited for', () => {
    expect(troubleOf(refused(404, 'NOTHING_RECORDED'), URL)).toMatchObject({ remedy: 'wait', problem: { code: 'NOTHING_RECORDED' } });
    const empty = { ...network(200), details: 'levelEmptyError', fatal: false };
    expect(troubleOf(empty, URL)).toMatchObject({ remedy: 'wait', problem: { code: 'NOTHING_RECORDED' } });
  });

  it.each([network(0), network(502, '<html>Bad Gateway</html>'), network(503, { error: 'no' }), { ...network(0), networkDetails: null }])(
    'a server that does not answer, or for which a proxy does (%#)',
    (error) => expect(troubleOf(error, URL)).toMatchObject({ remedy: 'wait', problem: { code: 'UNREACHABLE' } }),
  );

  it('an answer that is not the server’s', () => {
    expect(troubleOf(network(404, 'not here'), URL)).toMatchObject({ remedy: 'wait', problem: { code: 'ANSWER_INVALID' } });
  });

  it('the error of a segment comes as bytes', () => {
    const response = new TextEncoder().encode(JSON.stringify({ error: { code: 'SEGMENT_NOT_FOUND', message: 'pruned' } })).buffer;
    const error = { ...network(404), details: 'fragLoadError', networkDetails: { responseType: 'arraybuffer', response } };
    expect(troubleOf(error, URL).problem).toEqual({ code: 'SEGMENT_NOT_FOUND', message: 'Pruned.' });
  });

  it('what cannot be decoded is tried again; a codec that no decoder is there for is named, with what to do instead', () => {
    const media = { type: 'mediaError', details: 'bufferAppendError', fatal: true };
    expect(troubleOf(media, URL)).toMatchObject({ remedy: 'recover', problem: { code: 'MEDIA_FAILED' } });
    const { remedy, problem } = troubleOf({ ...media, details: 'bufferAddCodecError', mimeType: 'video/mp4;codecs=hvc1.1.6.L93.B0' }, URL);
    expect([remedy, problem.code]).toEqual(['give up', 'CODEC_UNSUPPORTED']);
    expect(problem.message).toContain('H.265');
    expect(problem.message).toContain(URL);
  });

  it.each([
    ['video/mp4;codecs=hvc1.1.6.L93.B0', 'H.265 (HEVC)'],
    ['audio/mp4;codecs=ec-3', 'Dolby Digital Plus (E-AC-3)'],
    ['audio/mp4;codecs=ac-3', 'Dolby Digital (AC-3)'],
    ['Unsupported EC-3 in M2TS found', 'Dolby Digital Plus (E-AC-3)'],
    ['mpeg2video', 'MPEG-2 video'],
    ['mp2', 'MPEG audio of layer I or II'],
    ['video/mp4;codecs=avc1.6e0028', 'this kind of H.264'],
  ])('%s is %s', (text, name) => expect(codecName(text)).toBe(name));
});

it('waitMs grows, and stays bounded', () =>
  expect([0, 1, 2, 3, 4, 5, 1000].map(waitMs)).toEqual([1000, 1000, 2000, 4000, 8000, 8000, 8000]));

it('isOutage: asked and not answered, and not given up by who asked', () => {
  expect(isOutage({ ...network(0), fatal: false })).toBe(true);
  expect(isOutage({ ...network(503), fatal: false })).toBe(true);
  expect(isOutage({ type: 'networkError', details: 'levelLoadTimeOut', fatal: false })).toBe(true);
  expect(isOutage({ ...network(404), fatal: false })).toBe(false);
  expect(isOutage({ type: 'networkError', details: 'aborted', fatal: false })).toBe(false);
  expect(isOutage({ type: 'mediaError', details: 'bufferStalledError', fatal: false })).toBe(false);
});
