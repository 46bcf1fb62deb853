/** The judge of archives must find each fault: a good archive is built by hand, each invariant is broken once, and must be named. */
import { mkdtempSync, mkdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkArchive } from './archiveChecker.js';
import { TsBuilder } from './tsBuilder.js';

const START_MS = Date.UTC(2026, 0, 1);
const VIDEO_PID = 0x101;

let root: string;
let folder: string;
const path = (name: string): string => join(folder, name);

/** Three segments of 4 s; tables come every 1.5 s, so the second and third have copies in front. A gap of 10 s lies before the third. */
function build(): void {
  const builder = new TsBuilder();
  const units = builder.stream({ seconds: 12, tables: 1500 });
  const bytes = Buffer.from(builder.bytes());
  const keys = units.filter((unit) => unit.pid === VIDEO_PID && unit.key);
  const cuts = keys.filter((_, index) => index % 4 === 0);
  const entries: string[] = [];
  let total = 0;
  for (const [n, cut] of cuts.entries()) {
    const [from, to] = [n === 0 ? 0 : cut.offset, cuts[n + 1]?.offset ?? bytes.length];
    const head = n === 0 ? Buffer.alloc(0) : latestTables(bytes, from);
    const file = Buffer.concat([head, bytes.subarray(from, to)]);
    total += file.length;
    const gap = n === 2;
    const wallMs = START_MS + n * 4000 + (gap ? 10_000 : 0);
    const lies = keys
      .filter(({ offset }) => offset >= from && offset < to)
      .map((key) => `${key.offset - from + head.length}@${key.pts90k}`);
    if (gap) entries.push('#EXT-X-DISCONTINUITY');
    entries.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(wallMs).toISOString()}`, '#EXTINF:4.000000,');
    const crc = crc32(file).toString(16).padStart(8, '0');
    entries.push(
      `#livetape n=${n} seq=${n} dseq=${gap ? 1 : 0} size=${file.length} end=${total} crc=${crc} pts=${cut.pts90k}-${cut.pts90k + 360_000}` +
        ` keys=${lies.join(',')}${head.length ? ` head=${head.length}` : ''}${gap ? ` gap=${wallMs - 10_000} why=signal` : ''} epoch=1`,
      `00000${n}.ts`,
    );
    writeFileSync(path(`00000${n}.ts`), file);
  }
  const header = ['#EXTM3U', '#EXT-X-VERSION:3', '#EXT-X-TARGETDURATION:5', '#EXT-X-MEDIA-SEQUENCE:0', '#EXT-X-DISCONTINUITY-SEQUENCE:0'];
  writeFileSync(path('playlist.m3u8'), [...header, '#EXT-X-PLAYLIST-TYPE:EVENT', '#livetape format=1 life=1', ...entries, ''].join('\n'));
  const at = (ms: number): string => new Date(START_MS + ms).toISOString();
  const index = {
    format: 1,
    stream_code: 'news',
    status: 'recording',
    started_at: at(0),
    last_segment_at: at(22_000),
    segment_count: 3,
    total_size_bytes: total,
    next_index: 3,
    epoch: 1,
    gaps: [{ from: at(8000), to: at(18_000), duration: 10e9, reason: 'signal' }],
  };
  writeFileSync(path('index.json'), JSON.stringify(index));
}

/** The last PAT and PMT before `until`. */
function latestTables(bytes: Buffer, until: number): Buffer {
  const last = (pid: number): Buffer => {
    let found = 0;
    for (let at = 0; at < until; at += 188) if ((bytes.readUInt16BE(at + 1) & 0x1fff) === pid) found = at;
    return bytes.subarray(found, found + 188);
  };
  return Buffer.concat([last(0), last(0x100)]);
}

/** Changes a file of media, and its entry so that size and checksum agree again. */
function changeMedia(n: number, change: (bytes: Buffer) => Buffer): void {
  const name = `00000${n}.ts`;
  const bytes = change(readFileSync(path(name)));
  writeFileSync(path(name), bytes);
  const crc = crc32(bytes).toString(16).padStart(8, '0');
  changeText('playlist.m3u8', (text) =>
    text.replace(new RegExp(`(n=${n} .*?)size=\\d+( end=\\d+) crc=\\w+`), `$1size=${bytes.length}$2 crc=${crc}`),
  );
}

function changeText(name: string, change: (text: string) => string): void {
  const before = readFileSync(path(name), 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(path(name), after);
}

const clauses = async (): Promise<string[]> => [...new Set((await checkArchive(folder)).map(({ clause }) => clause))];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'livetape-checker-'));
  folder = join(root, 'news');
  mkdirSync(folder);
  build();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The bytes with one of them changed. */
const poke = (at: number, value: number) => (bytes: Buffer) => {
  const changed = Buffer.from(bytes);
  changed[at] = value;
  return changed;
};

describe('checkArchive', () => {
  it('finds nothing in a good archive', async () => {
    expect(await checkArchive(folder)).toEqual([]);
  });

  it.each<[string, () => void, string]>([
    ['a file that is missing', () => unlinkSync(path('000001.ts')), 'F8'],
    ['a file that is short', () => writeFileSync(path('000001.ts'), readFileSync(path('000001.ts')).subarray(0, -188)), 'data-format'],
    ['a byte that has changed', () => writeFileSync(path('000001.ts'), poke(1000, 1)(readFileSync(path('000001.ts')))), 'data-format'],
    ['half a packet', () => changeMedia(1, (bytes) => bytes.subarray(0, -100)), 'F1'],
    ['a packet without sync', () => changeMedia(1, poke(188 * 5, 0x48)), 'F1'],
    ['two programs', () => changeMedia(0, () => twoPrograms()), 'F2'],
    ['no PAT in front', () => changeMedia(0, (bytes) => bytes.subarray(188)), 'F3'],
    ['no PMT in front', () => changeMedia(0, (bytes) => Buffer.concat([bytes.subarray(0, 188), bytes.subarray(376)])), 'F3'],
    ['a PMT with a wrong CRC', () => changeMedia(0, poke(188 + 20, 0x55)), 'F3'],
    ['a head that is not tables', () => changeText('playlist.m3u8', (text) => text.replace('head=376', 'head=564')), 'F3'],
    ['a head whose counters do not lead on', () => changeMedia(1, poke(3, 0x1c)), 'F3'],
    ['a beginning that is no keyframe', () => changeMedia(0, (bytes) => withoutFirstUnit(bytes)), 'F4'],
    [
      'keys that lie elsewhere',
      () => changeText('playlist.m3u8', (text) => text.replace(/keys=(\d+)@/, (_, at) => `keys=${Number(at) + 188}@`)),
      'data-format',
    ],
    ['keys at another time', () => changeText('playlist.m3u8', (text) => text.replace(/keys=(\d+)@\d/, 'keys=$1@7')), 'data-format'],
    [
      'time stamps that are not its length',
      () => changeText('playlist.m3u8', (text) => text.replace(/pts=(\d+)-\d/, 'pts=$1-7')),
      'data-format',
    ],
    ['a name that is not the number', () => changeText('playlist.m3u8', (text) => text.replace('n=2 ', 'n=3 ')), 'F5'],
    ['a file that nobody listed', () => writeFileSync(path('000003.ts'), ''), 'F6'],
    ['a part that was left', () => writeFileSync(path('000003.ts.part'), ''), 'F6'],
    ['a sequence number that jumps', () => changeText('playlist.m3u8', (text) => text.replace('seq=2', 'seq=3')), 'F10'],
    ['date-times that do not join', () => changeText('playlist.m3u8', (text) => text.replace('00:00:04.000Z', '00:00:04.100Z')), 'F11'],
    [
      'a target that is too small',
      () => changeText('playlist.m3u8', (text) => text.replace('DURATION:5', 'DURATION:3')),
      'RFC 8216, 4.3.3.1 (F12)',
    ],
    ['no index.json', () => unlinkSync(path('index.json')), 'index'],
    ['a number to be used again', () => changeText('index.json', (text) => text.replace('"next_index":3', '"next_index":2')), 'F5'],
    ...(
      [
        ['"segment_count":3', '"segment_count":2'],
        ['"status":"recording"', '"status":"stopped"'],
        ['"stream_code":"news"', '"stream_code":"olds"'],
        ['"epoch":1', '"epoch":0'],
        ['"total_size_bytes":', '"total_size_bytes":1'],
        ['00:00:00.000Z', '00:00:01.000Z'],
        ['00:00:22.000Z', '00:00:21.000Z'],
        ['10000000000', '10000'],
        ['"from":"2026-01-01T00:00:08', '"from":"2026-01-01T00:00:07'],
        ['"reason":"signal"', '"reason":"disk"'],
      ] as const
    ).map(([was, is]): [string, () => void, string] => [
      `index.json: ${is}`,
      () => changeText('index.json', (text) => text.replace(was, is)),
      'index',
    ]),
  ])('finds %s', async (_name, change, clause) => {
    change();
    expect(await clauses()).toContain(clause);
  });

  it('takes the beginning of a segment that was cut by force as it is', async () => {
    changeMedia(0, (bytes) => withoutFirstUnit(bytes));
    changeText('playlist.m3u8', (text) => text.replace(/ keys=\S+/, ' cut=forced'));
    expect(await clauses()).not.toContain('F4');
  });
});

function twoPrograms(): Buffer {
  const builder = new TsBuilder();
  builder.stream({ seconds: 4, otherPrograms: 1 });
  return Buffer.from(builder.bytes());
}

function withoutFirstUnit(bytes: Buffer): Buffer {
  const starts: number[] = [];
  for (let at = 0; at < bytes.length; at += 188) {
    if ((bytes.readUInt16BE(at + 1) & 0x1fff) === VIDEO_PID && bytes.readUInt8(at + 1) & 0x40) starts.push(at);
  }
  return Buffer.concat([bytes.subarray(0, 376), bytes.subarray(starts[1])]);
}
