/** What a stream's dialog sends (G5). */
import { describe, expect, it } from 'vitest';
import type { Stream } from '../api';
import { changedStream, formOf, formProblems, madeStream } from './streamForm';

const stream = {
  code: 'news',
  source: 'http://***@host/news.ts',
  title: 'The news',
  template: null,
  dvr: { enabled: true, segment_duration: 4, retention_sec: 100, max_size_gb: 0, storage_path: '/disk2' },
  status: {},
} as unknown as Stream;

describe('G5: what is sent to make a stream', () => {
  const form = { ...formOf(), source: ' udp://@239.0.0.1:5000 ', code: 'news' };

  it('is what is not as the server has it anyway', () => {
    expect(madeStream(form)).toEqual({ source: 'udp://@239.0.0.1:5000', dvr: { enabled: true, retention_sec: 604_800 } });
  });
  it('is all that was said', () => {
    const said = {
      ...form,
      title: ' News ',
      keep: 'custom',
      keepCount: '1,5',
      keepUnit: 'hours' as const,
      maxGb: '0.5',
      segment: '2',
      enabled: false,
    };
    expect(formProblems(said)).toEqual({});
    expect(madeStream(said)).toEqual({
      source: 'udp://@239.0.0.1:5000',
      title: 'News',
      dvr: { enabled: false, retention_sec: 5400, max_size_gb: 0.5, segment_duration: 2 },
    });
  });
  it('is nothing while a field is wrong', () => {
    const wrong = { ...form, source: ' ', keep: 'custom', keepCount: 'x', maxGb: '-1', segment: '0' };
    expect(Object.keys(formProblems(wrong)).sort()).toEqual(['max_size_gb', 'retention_sec', 'segment_duration', 'source']);
    expect(formProblems({ ...form, keep: 'custom', keepCount: '0' })).toHaveProperty('retention_sec');
  });
});

describe('G5: what is sent to change a stream', () => {
  const form = formOf(stream);

  it('is nothing where nothing changed, whatever number of seconds is kept', () => {
    expect(form).toMatchObject({ keep: 'custom', keepUnit: 'minutes' });
    expect(formProblems(form, stream)).toEqual({});
    expect(changedStream(stream, form)).toBeUndefined();
  });
  it('is what changed alone: a source with hidden secrets stays unless another is written', () => {
    expect(changedStream(stream, { ...form, title: '', keep: '0', enabled: false })).toEqual({
      title: '',
      dvr: { enabled: false, retention_sec: 0 },
    });
    expect(changedStream(stream, { ...form, source: 'http://a:b@host/news.ts' })).toEqual({ source: 'http://a:b@host/news.ts' });
  });
  it('is never a source with some secrets hidden', () => {
    expect(formProblems({ ...form, source: 'http://***@other/news.ts' }, stream)).toHaveProperty('source');
  });
});
