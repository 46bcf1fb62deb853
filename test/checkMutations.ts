/** Everything that can be wrong with an archive, one by one, for check to find and repair to mend: what it brings about, the file it names, how. */
import { copyFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FindingKind } from '../src/archive/index.js';
import { alter, edit } from './checkLab.js';

const FLIP_BYTE = (at: number) => (bytes: Buffer) => {
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  return bytes;
};

/** Every kind, what brings it about, and what the finding names. */
export const MUTATIONS: readonly (readonly [FindingKind, string, (folder: string) => unknown])[] = [
  ['playlist_missing', 'playlist.m3u8', (folder) => rmSync(join(folder, 'playlist.m3u8'))],
  ['playlist_newer', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('format=1', 'format=2'))],
  ['playlist_unreadable', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('#EXTM3U', '#EXTM4U'))],
  ['playlist_unreadable', 'playlist.m3u8', (folder) => writeFileSync(join(folder, 'playlist.m3u8'), '')],
  ['playlist_unreadable', 'playlist.m3u8', (folder) => writeFileSync(join(folder, 'playlist.m3u8'), new Uint8Array(300_000))],
  [
    'header_wrong',
    'playlist.m3u8',
    (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('MEDIA-SEQUENCE:0', 'MEDIA-SEQUENCE:3')),
  ],
  ['header_wrong', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('#EXT-X-ENDLIST\n', ''))],
  ['header_wrong', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('-TYPE:VOD', '-TYPF:VOD'))],
  ['header_wrong', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace(/#livetape format=.*\n/, ''))],
  ['entry_unreadable', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('n=4 ', 'n=x '))],
  [
    'entry_unreadable',
    'playlist.m3u8',
    (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('\n000004.ts\n', '\n000004.ts\0')),
  ],
  ['entry_torn', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.slice(0, -30))],
  [
    'entry_incomplete',
    'playlist.m3u8',
    (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('#livetape n=4', '#livetbpe n=4')),
  ],
  ['entry_incomplete', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace(/#livetape n=4.*\n/, ''))],
  [
    'entry_incomplete',
    'playlist.m3u8',
    (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace(/(n=3[^#]*\n)#EXT-X-PROGRAM-DATE-TIME:.*\n/, '$1')),
  ],
  ['sequence_wrong', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('n=4 seq=4', 'n=4 seq=5'))],
  ['sequence_wrong', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('#EXT-X-DISCONTINUITY\n', ''))],
  [
    'sums_wrong',
    'playlist.m3u8',
    (folder) =>
      edit(folder, 'playlist.m3u8', (text) =>
        text.replace(/(n=4 .* end=)(\d)/, (_, key: string, digit: string) => `${key}${(Number(digit) % 9) + 1}`),
      ),
  ],
  ['number_wrong', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('n=4 ', 'n=3 '))],
  ['number_wrong', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('\n000004.ts', '\n000003.ts'))],
  ['time_wrong', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace(/ gap=\d+ why=signal/, ''))],
  [
    'time_wrong',
    'playlist.m3u8',
    (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace(/(n=3[^#]*\n#EXT-X-PROGRAM-DATE-TIME:)20/, '$121')),
  ],
  ['time_wrong', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace(/gap=(\d)/, 'gap=9'))],
  ['duration_wrong', 'playlist.m3u8', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('#EXTINF:1.', '#EXTINF:9.'))],
  [
    'duration_wrong',
    'playlist.m3u8',
    (folder) =>
      edit(folder, 'playlist.m3u8', (text) =>
        text.replace(/(n=4 .* pts=)(\d+)/, (_, key: string, first: string) => `${key}${Number(first) + 900}`),
      ),
  ],
  ['segment_missing', '000004.ts', (folder) => rmSync(join(folder, '000004.ts'))],
  ['segment_missing', '../000004.ts', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace('\n000004.ts', '\n../000004.ts'))],
  ['segment_size', '000004.ts', (folder) => alter(folder, '000004.ts', (bytes) => bytes.subarray(0, 1880))],
  ['segment_size', '000004.ts', (folder) => alter(folder, '000004.ts', (bytes) => bytes.subarray(0, 0))],
  ['segment_crc', '000004.ts', (folder) => alter(folder, '000004.ts', FLIP_BYTE(2000))],
  ['segment_packets', '000004.ts', (folder) => alter(folder, '000004.ts', FLIP_BYTE(1880))],
  ['segment_packets', '000004.ts', (folder) => alter(folder, '000004.ts', (bytes) => bytes.subarray(0, 2000))],
  ['segment_tables', '000004.ts', (folder) => alter(folder, '000004.ts', (bytes) => bytes.subarray(188))],
  [
    'segment_keyframe',
    '000004.ts',
    (folder) => alter(folder, '000004.ts', (bytes) => Buffer.concat([bytes.subarray(0, 376), bytes.subarray(188 * 12)])),
  ],
  ['segment_times', '000004.ts', (folder) => copyFileSync(join(folder, '000003.ts'), join(folder, '000004.ts'))],
  ['segment_keys', '000004.ts', (folder) => edit(folder, 'playlist.m3u8', (text) => text.replace(/(n=4 .* keys=)(\d+)/, '$1752'))],
  ['segment_unlisted', '000099.ts', (folder) => copyFileSync(join(folder, '000003.ts'), join(folder, '000099.ts'))],
  ['part_left', '000099.ts.part', (folder) => copyFileSync(join(folder, '000003.ts'), join(folder, '000099.ts.part'))],
  ['index_missing', 'index.json', (folder) => rmSync(join(folder, 'index.json'))],
  ['index_unreadable', 'index.json', (folder) => writeFileSync(join(folder, 'index.json'), '{')],
  [
    'index_wrong',
    'index.json',
    (folder) => edit(folder, 'index.json', (text) => text.replace(/"segment_count": \d/, '"segment_count": 9')),
  ],
  ['index_wrong', 'index.json', (folder) => edit(folder, 'index.json', (text) => text.replace('"signal"', '"disk"'))],
  ['index_wrong', 'index.json', (folder) => edit(folder, 'index.json', (text) => text.replace(/"next_index": \d+/, '"next_index": 2'))],
  [
    'set_aside',
    '000099.ts.corrupt-20260101T000000.000Z',
    (folder) => renameSync(join(folder, '000004.ts'), join(folder, '000099.ts.corrupt-20260101T000000.000Z')),
  ],
  ['tmp_left', 'index.json.tmp', (folder) => writeFileSync(join(folder, 'index.json.tmp'), '')],
  ['foreign_file', 'notes.txt', (folder) => writeFileSync(join(folder, 'notes.txt'), '')],
];
