/**
 * Playlist text: exact bytes, every stretch of it readable, other systems' playlists too, and no text that
 * throws anything but a LivetapeError.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LivetapeError, isLivetapeError } from '../base/index.js';
import { GAP_REASONS } from '../model/index.js';
import {
  ENDLIST,
  parseEntries,
  parseHeader,
  renderEntry,
  renderHeader,
  type EntryFacts,
  type PlaylistEntry,
  type PlaylistHeader,
} from './index.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const header: PlaylistHeader = {
  version: 3,
  targetDurationSec: 6,
  mediaSequence: 0,
  discontinuitySequence: 0,
  type: 'EVENT',
  life: 1,
  unknownTags: [],
  unknownKeys: [],
};
const facts: EntryFacts = {
  index: 0,
  mediaSequence: 0,
  discontinuitySequence: 0,
  sizeBytes: 512112,
  cumulativeBytes: 512112,
  crc32: 0x0c1d2e3f,
  pts: { first90k: 126000, end90k: 486000 },
  keyframes: [{ offsetBytes: 0, pts90k: 126000 }],
  headBytes: 0,
  forced: false,
  lostBytes: 0,
  errors: { continuity: 0, transportError: 0, syncSkippedBytes: 0, scrambled: 0 },
  gap: undefined,
  epoch: 1,
  unknownKeys: [],
};
const entry: PlaylistEntry = {
  discontinuity: true,
  wallMs: Date.UTC(2026, 0, 1),
  durationUs: 4_000_000,
  uri: '000000.ts',
  facts,
  unknownTags: [],
};

/** The two examples of docs/design/data-format.md. */
const HEADER_TEXT = `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:EVENT
#livetape format=1 life=1
`;
const ENTRY_TEXT = `#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:4.000000,
#livetape n=0 seq=0 dseq=0 size=512112 end=512112 crc=0c1d2e3f pts=126000-486000 keys=0@126000 epoch=1
000000.ts
`;

function thrown(run: () => unknown): LivetapeError {
  try {
    run();
  } catch (error) {
    if (error instanceof LivetapeError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('rendering', () => {
  it('writes the examples of the data format', () => {
    expect(renderHeader(header)).toBe(HEADER_TEXT);
    expect(renderEntry(entry)).toBe(ENTRY_TEXT);
  });

  it('writes every key, in the order of the table', () => {
    const text = renderEntry({
      ...entry,
      discontinuity: false,
      durationUs: 12_000_007,
      unknownTags: ['#EXT-X-MAP:URI="i.mp4"'],
      facts: {
        ...facts,
        keyframes: [
          { offsetBytes: 376, pts90k: 1 },
          { offsetBytes: 752, pts90k: 2 },
        ],
        headBytes: 376,
        forced: true,
        lostBytes: 5,
        errors: { continuity: 1, transportError: 2, syncSkippedBytes: 3, scrambled: 4 },
        gap: { fromMs: 1767225590000, reason: 'signal' },
        epoch: 7,
        unknownKeys: ['later=x'],
      },
    });
    expect(text).toBe(`#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXT-X-MAP:URI="i.mp4"
#EXTINF:12.000007,
#livetape n=0 seq=0 dseq=0 size=512112 end=512112 crc=0c1d2e3f pts=126000-486000 keys=376@1,752@2 head=376 cut=forced lost=5 cc=1 tei=2 sync=3 scr=4 gap=1767225590000 why=signal epoch=7 later=x
000000.ts
`);
  });
});

const count = fc.integer({ min: 0, max: 2 ** 40 });
const word = fc.stringMatching(/^[a-z]{1,8}$/);
const unknownKeys = fc.uniqueArray(word, { maxLength: 3 }).map((words) => words.map((name) => `x${name}=${name}`));
const unknownTags = fc.array(
  fc.stringMatching(/^[ -~à-ü漢😀]{0,20}$/u).map((text) => `#EXT-X-OTHER:${text}`),
  { maxLength: 3 },
);
const uri = fc.stringMatching(/^[a-zé漢0-9][a-zé漢0-9/ ._-]{0,20}$/u);
const anyFacts: fc.Arbitrary<EntryFacts> = fc.record({
  index: count,
  mediaSequence: count,
  discontinuitySequence: count,
  sizeBytes: count,
  cumulativeBytes: count,
  crc32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  pts: fc.option(fc.record({ first90k: count, end90k: count }), { nil: undefined }),
  keyframes: fc.array(fc.record({ offsetBytes: count, pts90k: count }), { maxLength: 4 }),
  headBytes: count,
  forced: fc.boolean(),
  lostBytes: count,
  errors: fc.record({ continuity: count, transportError: count, syncSkippedBytes: count, scrambled: count }),
  gap: fc.option(fc.record({ fromMs: count, reason: fc.constantFrom(...GAP_REASONS) }), { nil: undefined }),
  epoch: count,
  unknownKeys,
});
const anyEntry: fc.Arbitrary<PlaylistEntry> = fc.record({
  discontinuity: fc.boolean(),
  wallMs: fc.option(fc.integer({ min: 0, max: Date.UTC(9999, 0, 1) }), { nil: undefined }),
  durationUs: fc.integer({ min: 0, max: 1e12 }),
  uri,
  facts: fc.option(anyFacts, { nil: undefined }),
  unknownTags,
});
const anyHeader: fc.Arbitrary<PlaylistHeader> = fc
  .record({
    version: count,
    targetDurationSec: count,
    mediaSequence: count,
    discontinuitySequence: count,
    type: fc.constantFrom(undefined, 'EVENT' as const, 'VOD' as const),
    life: fc.option(count, { nil: undefined }),
    unknownTags,
    unknownKeys,
  })
  .map((made) => (made.life === undefined ? { ...made, unknownKeys: [] } : made));

describe('parsing what was rendered', () => {
  it('gives it back, unknown tags and keys too (F9)', () => {
    fc.assert(
      fc.property(
        anyHeader,
        fc.array(anyEntry, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        fc.boolean(),
        (head, entries, ended, crlf) => {
          // Without the line of ours, an unknown tag right before the first entry cannot be told from one of the header.
          const first = head.life === undefined ? [{ ...entries[0]!, discontinuity: true }, ...entries.slice(1)] : entries;
          let text = renderHeader(head) + first.map(renderEntry).join('') + (ended ? ENDLIST : '');
          if (crlf) text = text.replaceAll('\n', '\r\n');
          const parsed = parseHeader(bytes(text), true)!;
          expect(parsed.header).toEqual(head);
          const chunk = parseEntries(bytes(text).subarray(parsed.toByte), true);
          expect(chunk.entries.map((located) => located.entry)).toEqual(first);
          expect(chunk.ended).toBe(ended);
          expect(chunk.tornBytes).toBe(0);
        },
      ),
    );
  });

  it('finds the complete entries of any stretch, cut at any byte (F6)', () => {
    fc.assert(
      fc.property(fc.array(anyEntry, { minLength: 1, maxLength: 5 }), fc.nat(), fc.nat(), (entries, a, b) => {
        const texts = entries.map((one) => bytes(renderEntry(one)));
        const whole = bytes(entries.map(renderEntry).join(''));
        const [x, y] = [a % (whole.length + 1), b % (whole.length + 1)];
        const [from, to] = [Math.min(x, y), Math.max(x, y)];
        const chunk = parseEntries(whole.subarray(from, to), from === 0, { byte: from });
        const expected: { fromByte: number; toByte: number; entry: PlaylistEntry }[] = [];
        // Unless it begins with an entry, a stretch tells of the entries behind the first URI line behind its first newline.
        const firstLineTo = from === 0 ? 0 : whole.indexOf(10, from) + 1;
        let found = from === 0;
        let at = 0;
        let end = 0;
        texts.forEach((text, i) => {
          at += text.length;
          if (at > to || at - bytes(entries[i]!.uri).length - 1 < firstLineTo) return;
          if (found) expected.push({ fromByte: end, toByte: at - from, entry: entries[i]! });
          found = true;
          end = at - from;
        });
        expect(chunk.entries).toEqual(expected);
        expect(chunk.toByte).toBe(end);
      }),
      { numRuns: 500 },
    );
  });

  it('goes on where it stopped, at any block size', () => {
    const entries = Array.from({ length: 50 }, (_, i) => ({ ...entry, uri: `é${i}.ts`, facts: { ...facts, index: i } }));
    const whole = bytes(entries.map(renderEntry).join('') + ENDLIST);
    for (const block of [250, 333, 1000]) {
      const seen: number[] = [];
      let at = 0;
      let line = 1;
      let ended = false;
      while (!ended) {
        const chunk = parseEntries(whole.subarray(at, at + block), true, { line, byte: at });
        seen.push(...chunk.entries.map((located) => located.entry.facts!.index));
        at += chunk.toByte;
        line += chunk.lines;
        ended = chunk.ended;
      }
      expect(seen).toEqual(entries.map((_, i) => i));
      expect(line).toBe(1 + 50 * 5);
    }
  });
});

describe('parsing what others wrote', () => {
  it("reads the Go system's playlists: no #livetape lines, date-times only at discontinuities", () => {
    const text =
      '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEPENDENT-SEGMENTS\n\n' +
      '#EXT-X-PROGRAM-DATE-TIME:2026-01-01T03:00:00.123456789+0300\n#EXTINF:4.000,\n000000.ts\n' +
      '#EXTINF:3.9996,title, with commas\n000001.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:4\n000002.ts\n#EXT-X-ENDLIST';
    const head = parseHeader(bytes(text), true)!;
    expect(head.header).toEqual({
      ...header,
      targetDurationSec: 4,
      life: undefined,
      unknownTags: ['#EXT-X-INDEPENDENT-SEGMENTS'],
    });
    const chunk = parseEntries(bytes(text).subarray(head.toByte), true);
    expect(chunk.ended).toBe(true);
    expect(chunk.entries.map(({ entry: e }) => [e.uri, e.durationUs, e.wallMs, e.discontinuity, e.facts])).toEqual([
      ['000000.ts', 4_000_000, Date.UTC(2026, 0, 1, 0, 0, 0, 123), false, undefined],
      ['000001.ts', 3_999_600, undefined, false, undefined],
      ['000002.ts', 4_000_000, undefined, true, undefined],
    ]);
  });

  it('ends a foreign header at the first tag of a segment, and ours after its own line', () => {
    const foreign = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI="i.mp4"\n#EXTINF:4,\na.m4s\n';
    expect(parseHeader(bytes(foreign), true)!.toByte).toBe(foreign.indexOf('#EXT-X-MAP'));
    const own = `${HEADER_TEXT}#EXT-X-OTHER\n${ENTRY_TEXT}`;
    const head = parseHeader(bytes(own), true)!;
    expect([head.toByte, head.lines]).toEqual([HEADER_TEXT.length, 7]);
    expect(parseEntries(bytes(own).subarray(head.toByte), true).entries[0]!.entry.unknownTags).toEqual(['#EXT-X-OTHER']);
  });

  it('asks for more when the header does not end in what it was given', () => {
    expect(parseHeader(bytes('#EXTM3U\n#EXT-X-TARGETDURATION:4\n'), false)).toBeUndefined();
    expect(parseHeader(bytes('#EXTM3U\n#EXT-X-TARGETDURATION:4\n'), true)!.header.targetDurationSec).toBe(4);
  });
});

describe('what cannot be read', () => {
  it.each([
    ['', 1, 'EXTM3U'],
    ['\0\0\0\n', 1, 'EXTM3U'],
    ['#EXTM3U\n#EXT-X-VERSION:x\n', 2, 'whole number'],
    ['#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:LIVE\n', 3, 'EVENT or VOD'],
    ['#EXTM3U\n#EXTINF:4,\na.ts\n', 2, 'TARGETDURATION'],
    ['#EXTM3U\n#EXT-X-TARGETDURATION:4\n#livetape format=1\n', 3, 'life'],
    ['#EXTM3U\n#EXT-X-TARGETDURATION:4\n#livetape format=0 life=1\n', 3, 'format'],
  ])('header %j: ARCHIVE_CORRUPT in line %i', (text, line, why) => {
    const error = thrown(() => parseHeader(bytes(text), true));
    expect([error.code, error.context.line]).toEqual(['ARCHIVE_CORRUPT', line]);
    expect(error.message).toContain(why);
  });

  it('a newer format: ARCHIVE_FORMAT_NEWER', () => {
    expect(thrown(() => parseHeader(bytes(HEADER_TEXT.replace('format=1', 'format=2')), true)).code).toBe('ARCHIVE_FORMAT_NEWER');
  });

  it.each([
    ['#EXTINF:', '#EXTINF:x', 12, 'duration'],
    ['2026-01-01T', '2026-13-01T', 11, 'time'],
    ['n=0 ', 'n=-1 ', 13, '"n"'],
    ['size=512112 ', '', 13, '"size"'],
    ['crc=0c1d2e3f', 'crc=xyz', 13, 'crc'],
    ['keys=0@126000', 'keys=0', 13, 'keys'],
    ['pts=126000-486000', 'pts=126000', 13, 'pts'],
    ['keys=0@126000', 'gap=5', 13, 'gap'],
    ['keys=0@126000', 'gap=5 why=weather', 13, 'why'],
    ['keys=0@126000', 'cut=odd', 13, 'cut'],
    ['keys=0@126000', 'n=1', 13, 'twice'],
    ['keys=0@126000', 'keys', 13, 'key=value'],
    ['000000.ts', '0000\0.ts', 14, 'control'],
    ['#EXTINF:4.000000,\n', '', 13, 'EXTINF'],
  ])('entry with %j replaced by %j: ARCHIVE_CORRUPT in line %i', (from, to, line, why) => {
    expect(ENTRY_TEXT).toContain(from);
    const error = thrown(() => parseEntries(bytes(ENTRY_TEXT.replace(from, to)), true, { line: 10 }));
    expect([error.code, error.context.line]).toEqual(['ARCHIVE_CORRUPT', line]);
    expect(error.message).toContain(why);
  });

  it('says at which byte when the line is not known', () => {
    const error = thrown(() => parseEntries(bytes(ENTRY_TEXT + ENTRY_TEXT.replace('crc=0', 'crc=z')), true, { byte: 1000 }));
    expect(error.context).toEqual({ line: undefined, byte: 1000 + ENTRY_TEXT.length + ENTRY_TEXT.indexOf('#livetape') });
  });

  it('is not an error in what is torn off at the end (F6)', () => {
    for (const torn of ['#EXTINF:x\n', '#EXTINF:4.0', '\0\0\0\0', '#livetape n=\n#EXT', '000001.ts']) {
      const chunk = parseEntries(bytes(ENTRY_TEXT + torn), true);
      expect([chunk.entries.length, chunk.toByte, chunk.ended, chunk.tornBytes]).toEqual([1, ENTRY_TEXT.length, false, torn.length]);
    }
  });

  it('never throws anything but a LivetapeError, whatever the text (fuzz)', () => {
    const line = fc.oneof(
      fc.constantFrom(...HEADER_TEXT.split('\n'), ...ENTRY_TEXT.split('\n'), '#EXT-X-ENDLIST', '#livetape ', '#livetape =', '\r'),
      fc.string(),
    );
    const text = fc.array(line).map((lines) => bytes(lines.join('\n')));
    const read = (input: Uint8Array, run: () => unknown): void => {
      try {
        run();
      } catch (error) {
        expect(isLivetapeError(error), `${String(error)} for ${JSON.stringify([...input])}`).toBe(true);
      }
    };
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          fc.uint8Array(),
          text.map((input) => bytes(HEADER_TEXT + new TextDecoder().decode(input))),
        ),
        fc.boolean(),
        (input, flag) => {
          read(input, () => parseHeader(input, flag));
          read(input, () => parseEntries(input, flag));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
