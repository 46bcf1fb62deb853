import { expect, test } from 'vitest';
import type { ArchiveLine, Stream, StreamStatus } from '../../api';
import { arrange, wallLine, type Choice, type WallLine } from './arrange';
import { archiveText, gapsText, inputText, isSoundAlone, newestPictureMs } from './facts';

const NOW = Date.parse('2026-11-22T12:00:00Z');
const STATUS: StreamStatus = {
  configured: true,
  recording: { status: 'recording', started_at: '2026-11-22T00:00:00Z', stopped_at: null, segment_dir: null },
  error: null,
  source: null,
  signal: 'present',
  program: null,
  programs: [],
  restricted: false,
  restarts: 0,
  last_gap: null,
  open_gap: null,
  input: { bitrate: 4_200_000, history: [1, 2] },
  errors: null,
  retention: null,
};

function stream(code: string, status: Partial<StreamStatus> = {}, enabled = true): Stream {
  const dvr = { enabled, segment_duration: 4, retention_sec: 0, max_size_gb: 0, storage_path: '' };
  return { code, source: `udp://@239.0.0.1:${code.length}`, title: '', template: null, dvr, status: { ...STATUS, ...status } };
}

function archive(more: Partial<ArchiveLine> = {}): ArchiveLine {
  return {
    stream_code: 'news',
    dvr_range: { started_at: '2026-11-10T08:00:00Z', last_segment_at: '2026-11-22T12:00:00Z' },
    segment_count: 10,
    total_size_bytes: 1.25e12,
    last_day: { gaps: 0, gap_sec: 0 },
    problem: null,
    ...more,
  };
}

const line = (code: string, more: Partial<WallLine> = {}): WallLine => ({
  code,
  title: code,
  source: '',
  group: 'recording',
  bitrate: 0,
  sizeBytes: 0,
  gapSec: 0,
  ...more,
});
const ALL: Choice = { search: '', group: undefined, sort: 'name' };

test('how a stream does decides about its group', () => {
  const group = (status: Partial<StreamStatus>, enabled = true): string => wallLine(stream('a', status, enabled), undefined, NOW).group;
  expect(group({})).toBe('recording');
  expect(group({ signal: 'lost' })).toBe('no-signal');
  expect(group({ recording: null })).toBe('no-signal');
  expect(group({ error: { code: 'STORAGE_FULL', message: 'the disk is full' } })).toBe('failed');
  const source = { url: 'file:x.ts', state: 'ended', detail: 'no such file', received_bytes: 0, connections: 0 } as const;
  expect(group({ signal: 'waiting', source })).toBe('failed');
  expect(group({ signal: 'waiting', source: { ...source, state: 'lost' } })).toBe('no-signal');
  expect(group({ recording: null }, false)).toBe('stopped');
  expect(group({ configured: false, recording: null })).toBe('stopped');
});

test('search finds all words in code, title and source, whatever their case; groups are counted within what is found', () => {
  const lines = [
    line('uk/news', { title: 'The News' }),
    line('uk/sport', { group: 'failed' }),
    line('de/news', { source: 'srt://news.example', group: 'stopped' }),
  ];
  expect(arrange(lines, { ...ALL, search: ' NEWS  uk ' }).codes).toEqual(['uk/news']);
  expect(arrange(lines, { ...ALL, search: 'example' }).codes).toEqual(['de/news']);
  expect(arrange(lines, { ...ALL, search: 'news', group: 'stopped' })).toEqual({
    codes: ['de/news'],
    counts: { recording: 1, 'no-signal': 0, failed: 0, stopped: 1 },
    found: 2,
  });
  expect(arrange(lines, { ...ALL, search: 'nothing' }).codes).toEqual([]);
});

test('orders: names as people count, the worst first, the most first, equal ones by name', () => {
  const lines = [
    line('ch10', { bitrate: 5, sizeBytes: 1, gapSec: 3 }),
    line('ch9', { bitrate: 5, sizeBytes: 7, group: 'stopped' }),
    line('ch1', { bitrate: 1, sizeBytes: 3, group: 'failed' }),
    line('ch2', { bitrate: 9, sizeBytes: 2, group: 'no-signal' }),
  ];
  const by = (sort: Choice['sort']): string => arrange(lines, { ...ALL, sort }).codes.join(' ');
  expect(by('name')).toBe('ch1 ch2 ch9 ch10');
  expect(by('state')).toBe('ch1 ch2 ch10 ch9');
  expect(by('bitrate')).toBe('ch2 ch9 ch10 ch1');
  expect(by('size')).toBe('ch9 ch1 ch2 ch10');
  expect(by('gaps')).toBe('ch10 ch1 ch2 ch9');
});

test('what is said of the archive, the gaps and what comes', () => {
  expect(archiveText(archive())).toBe('12 d 4 h, 1.25 TB');
  expect(archiveText(archive({ dvr_range: null }))).toBe('nothing recorded yet');
  expect(archiveText(archive({ problem: { code: 'INDEX_INVALID', message: 'no' } }))).toBe('cannot be read');
  expect(archiveText(undefined)).toBe('');
  expect(gapsText(archive())).toBe('no gaps in 24 h');
  expect(gapsText(archive({ last_day: { gaps: 3, gap_sec: 125 } }))).toBe('3 gaps, 2 min 5 s in 24 h');
  expect(gapsText(archive({ last_day: { gaps: 1, gap_sec: 2.4 } }))).toBe('1 gap, 2.4 s in 24 h');
  expect(gapsText(archive({ dvr_range: null }))).toBe('');
  expect(inputText(STATUS)).toBe('4.20 Mbit/s');
  expect(inputText({ ...STATUS, input: null })).toBe('');
});

test('a stream with sound and no pictures is told apart from one whose pictures are not known', () => {
  const program = (...roles: ('video' | 'audio')[]) => ({
    number: 1,
    tracks: roles.map((role, i) => ({ pid: 256 + i, role, codec: 'x', language: null })),
  });
  expect(isSoundAlone({ ...STATUS, program: program('audio', 'audio') })).toBe(true);
  expect(isSoundAlone({ ...STATUS, program: program('video', 'audio') })).toBe(false);
  expect(isSoundAlone({ ...STATUS, program: program() })).toBe(false);
  expect(isSoundAlone(STATUS)).toBe(false);
  expect(isSoundAlone(undefined)).toBe(false);
});

test('the newest picture is just before the end of the archive; while that is not known, two segments ago', () => {
  expect(newestPictureMs(stream('a'), archive(), NOW + 60_000)).toBe(NOW - 100);
  expect(newestPictureMs(stream('a'), undefined, NOW + 345)).toBe(NOW - 8000);
  expect(newestPictureMs(stream('a'), archive({ dvr_range: null }), NOW)).toBeUndefined();
  expect(newestPictureMs(stream('a', { signal: 'lost' }), undefined, NOW)).toBeUndefined();
  expect(newestPictureMs(undefined, undefined, NOW)).toBeUndefined();
});
