/** What a probe found, in words (G5). */
import { describe, expect, it } from 'vitest';
import type { ProbeReport, ProbeTrack } from '../api';
import { errorsText, recordedBitrate, recordedPrograms, trackText, warnings } from './findings';

const track = (fields: Partial<ProbeTrack>): ProbeTrack => ({
  ...{ pid: 256, role: 'video', codec: 'h264', language: null, bitrate: null, width: null, height: null, frame_rate: null },
  ...{ scrambled_packets: 0, gop: null },
  ...fields,
});
const report = (...programs: (readonly [number, ...ProbeTrack[]])[]): ProbeReport => ({
  ...{ source: '', detail: '', duration_sec: 5, bitrate: 30e6, errors: {} },
  programs: programs.map(([number, ...tracks]) => ({ number, tracks })),
});
const video = track({ bitrate: 4e6, width: 1920, height: 1080, frame_rate: 29.97003, gop: { keyframes: 3, mean_sec: 2, max_sec: 2.04 } });
const audio = track({ role: 'audio', codec: 'aac', language: 'deu', bitrate: 192e3 });

describe('G5: what is in a source', () => {
  it('a track is told by what is known of it', () => {
    expect(trackText(video)).toBe('1920 × 1080, 29.97 fps, 4.00 Mbit/s, keyframe every 2 s');
    expect(trackText(audio)).toBe('deu, 192 kbit/s');
    expect(trackText(track({ gop: { keyframes: 3, mean_sec: 2, max_sec: 4 } }))).toBe('keyframe every 2 s (4 s at most)');
    expect(trackText(track({ gop: { keyframes: 1, mean_sec: null, max_sec: null } }))).toBe('one keyframe seen');
    expect(trackText(track({}))).toBe('');
  });
  it('errors are counted', () => {
    expect(errorsText({ continuity: 1200, crc: 0, rtp_lost: 1, unheard_of: 2 })).toBe(
      '1,200 continuity errors, 1 RTP packet lost, 2 unheard_of',
    );
    expect(errorsText({ continuity: 0 })).toBe('');
  });
});

describe('G5: what would be recorded', () => {
  const two = report([1, audio], [2, video, audio], [3, video]);
  it('the first program with video, the one that is named, or all', () => {
    const numbers = (source: string): number[] => recordedPrograms(two, source).map(({ number }) => number);
    expect(numbers('udp://@239.0.0.1:5000')).toEqual([2]);
    expect(numbers('udp://@239.0.0.1:5000?interface=1.2.3.4&program=3')).toEqual([3]);
    expect(numbers('udp://@239.0.0.1:5000?program=all')).toEqual([1, 2, 3]);
    expect(numbers('udp://@239.0.0.1:5000?program=9')).toEqual([]);
    expect(recordedPrograms(report([7, audio]), '')).toHaveLength(1);
  });
  it('at the bitrate of that program', () => {
    expect(recordedBitrate(two, '')).toBe(4_192_000);
    expect(recordedBitrate(report([1, video]), '')).toBe(30e6);
    expect(recordedBitrate(two, '?program=9')).toBeUndefined();
  });
});

describe('G5: what is worth knowing before it is saved', () => {
  it('nothing of H.264 with AAC and keyframes in time', () => expect(warnings(report([1, video, audio]), '', 4)).toEqual([]));
  it('codecs that browsers commonly do not play, of what is recorded', () => {
    const odd = report(
      [1, track({ codec: 'h265' }), track({ role: 'audio', codec: 'ac3' }), track({ role: 'data', codec: 'teletext' })],
      [2, video],
    );
    expect(warnings(odd, '', 4)).toEqual([
      'Browsers commonly do not play HEVC (H.265) and AC-3. It is recorded all the same, and other players play it.',
    ]);
    expect(warnings(odd, '?program=2', 4)).toEqual([]);
  });
  it('keyframes further apart than a segment', () => {
    const slow = report([1, track({ gop: { keyframes: 2, mean_sec: 9.6, max_sec: 9.6 } })]);
    expect(warnings(slow, '', 4)).toEqual([expect.stringContaining('up to 9.6 s apart')]);
    expect(warnings(slow, '', 10)).toEqual([]);
  });
  it('scrambling, no program, another program', () => {
    expect(warnings(report([1, track({ scrambled_packets: 9 })]), '', 4)).toEqual([expect.stringContaining('scrambled')]);
    expect(warnings(report(), '', 4)).toEqual([expect.stringContaining('No program')]);
    expect(warnings(report([1, video]), '?program=9', 4)).toEqual([expect.stringContaining('not in it')]);
  });
});
