/** The judge must find each fault, and find none where there is none: every rule is broken here once by a small change to a good playlist. */
import { beforeEach, describe, expect, it } from 'vitest';
import { PlaylistChecker } from './playlistChecker.js';

const START_MS = Date.UTC(2026, 0, 1);

interface Made {
  readonly from?: number;
  readonly to: number;
  readonly type?: 'EVENT' | 'VOD' | 'none';
  readonly target?: number;
  readonly life?: number;
  readonly ended?: boolean;
  /** Entries before which a gap of 10 s lies. */
  readonly gaps?: readonly number[];
  /** Header values other than the right ones. */
  readonly mediaSequence?: number;
  readonly discontinuitySequence?: number;
}

/** A playlist of entries [from, to) of 4 s, right in every way. */
function make({ from = 0, to, type = 'EVENT', target = 6, life = 1, ended = false, gaps = [], ...header }: Made): string {
  const entries: string[] = [];
  let dseq = 0;
  let first = 0;
  for (let n = 0; n < to; n++) {
    const gap = gaps.includes(n);
    const wallMs = START_MS + n * 4000 + gaps.filter((at) => at <= n).length * 10_000;
    if (gap) dseq += 1;
    if (n === from) first = dseq - (gap ? 1 : 0);
    if (n < from) continue;
    if (gap) entries.push('#EXT-X-DISCONTINUITY');
    entries.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(wallMs).toISOString()}`, '#EXTINF:4.000000,');
    const facts = `n=${n} seq=${n} dseq=${dseq} size=188 end=${188 * (n + 1)} crc=0c1d2e3f pts=${n * 360_000}-${(n + 1) * 360_000} keys=0@${n * 360_000}`;
    entries.push(`#livetape ${facts}${gap ? ` gap=${wallMs - 10_000} why=signal` : ''}`, `${String(n).padStart(6, '0')}.ts`);
  }
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${target}`,
    `#EXT-X-MEDIA-SEQUENCE:${header.mediaSequence ?? from}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${header.discontinuitySequence ?? first}`,
    ...(type === 'none' ? [] : [`#EXT-X-PLAYLIST-TYPE:${type}`]),
    `#livetape format=1 life=${life}`,
    ...entries,
    ...(ended ? ['#EXT-X-ENDLIST'] : []),
    '',
  ].join('\n');
}

let checker: PlaylistChecker;
beforeEach(() => {
  checker = new PlaylistChecker();
});
/** Clauses that do not hold, each once. */
const clauses = (...args: Parameters<PlaylistChecker['see']>): string[] => [...new Set(checker.see(...args).map(({ clause }) => clause))];

describe('what is right', () => {
  it.each([
    ['an event that grows, with a gap', [make({ to: 1 }), make({ to: 2 }), make({ to: 4, gaps: [3] }), make({ to: 5, gaps: [3] })]],
    ['an event that is stopped', [make({ to: 3 }), make({ to: 3, type: 'VOD', ended: true })]],
    [
      'a life after a stop',
      [
        make({ to: 3, type: 'VOD', ended: true }),
        make({ to: 4, gaps: [3], life: 2, target: 8 }),
        make({ to: 5, gaps: [3], life: 2, target: 8 }),
      ],
    ],
    ['pruning', [make({ to: 8, type: 'none' }), make({ from: 2, to: 9, type: 'none' }), make({ from: 4, to: 9, type: 'none' })]],
    ['pruning over discontinuities', [2, 3, 4, 5].map((from) => make({ from, to: 9 + from, type: 'none', gaps: [2, 4] }))],
    ['pruning what is stopped', [make({ to: 8, type: 'VOD', ended: true }), make({ from: 6, to: 8, type: 'VOD', ended: true, life: 2 })]],
    ['an empty one', [make({ to: 0 }), make({ to: 1 })]],
    ['a torn last entry', [make({ to: 2 }), make({ to: 3 }).slice(0, -4), make({ to: 3 })]],
    ['no word of ours', [make({ to: 2 }).replace(/#livetape.*\n/g, ''), make({ to: 3 }).replace(/#livetape.*\n/g, '')]],
  ])('%s', (_name, versions) => {
    for (const version of versions) expect(checker.see(version)).toEqual([]);
  });
});

describe('one text', () => {
  const good = make({ to: 3, gaps: [1] });
  it.each<[string, (text: string) => string, string]>([
    ['no EXTM3U', (text) => text.slice(8), 'RFC 8216, 4.3.1.1'],
    ['a byte order mark', (text) => `\ufeff${text}`, 'RFC 8216, 4.1'],
    ['a control character', (text) => text.replace('000001', '00\u0000001'), 'RFC 8216, 4.1'],
    ['a carriage return', (text) => text.replaceAll('\n', '\r\n'), 'data-format'],
    ['no target duration', (text) => text.replace(/#EXT-X-TARGETDURATION.*\n/, ''), 'RFC 8216, 4.3.3.1'],
    ['a target duration with a fraction', (text) => text.replace('TARGETDURATION:6', 'TARGETDURATION:6.5'), 'RFC 8216, 4.3.3.1'],
    ['a segment that is too long', (text) => text.replace('TARGETDURATION:6', 'TARGETDURATION:3'), 'RFC 8216, 4.3.3.1 (F12)'],
    ['two target durations', (text) => text.replace('#EXT-X-VERSION:3', '#EXT-X-TARGETDURATION:6\n#EXT-X-VERSION:3'), 'RFC 8216, 4.3.3'],
    ['two versions', (text) => text.replace('#EXT-X-VERSION:3', '#EXT-X-VERSION:3\n#EXT-X-VERSION:3'), 'RFC 8216, 4.3.1.2'],
    ['fractions before version 3', (text) => text.replace('VERSION:3', 'VERSION:2'), 'RFC 8216, 7'],
    ['byte ranges before version 4', (text) => text.replace('#EXTINF', '#EXT-X-BYTERANGE:188@0\n#EXTINF'), 'RFC 8216, 7'],
    ['no EXTINF', (text) => text.replace(/#EXTINF.*\n/, ''), 'RFC 8216, 4.3.2.1'],
    ['an EXTINF without a comma', (text) => text.replace('4.000000,', '4.000000'), 'RFC 8216, 4.3.2.1'],
    ['an EXTINF of milliseconds', (text) => text.replace('4.000000,', '4.000,'), 'data-format'],
    ['two EXTINF', (text) => text.replace('#EXTINF:4.000000,', '#EXTINF:4.000000,\n#EXTINF:4.000000,'), 'RFC 8216, 4.3.2'],
    ['a bad date-time', (text) => text.replace('2026-01-01T', '2026-01-01 '), 'RFC 8216, 4.3.2.6'],
    ['no date-time', (text) => text.replace(/#EXT-X-PROGRAM.*\n/, ''), 'data-format'],
    ['lines of an entry out of order', (text) => text.replace(/(#EXT-X-PROG.*\n)(#EXTINF.*\n)/, '$2$1'), 'data-format'],
    ['a media sequence after a segment', (text) => `${text}#EXT-X-MEDIA-SEQUENCE:0\n`, 'RFC 8216, 4.3.3.2'],
    ['a discontinuity sequence after a segment', (text) => `${text}#EXT-X-DISCONTINUITY-SEQUENCE:0\n`, 'RFC 8216, 4.3.3.3'],
    ['a type that is none', (text) => text.replace('EVENT', 'LIVE'), 'RFC 8216, 4.3.3.5'],
    ['a VOD without an end', (text) => text.replace('EVENT', 'VOD'), 'RFC 8216, 4.3.3.5'],
    ['a segment after the end', (text) => text.replace(/000002.ts\n$/, '#EXT-X-ENDLIST\n000002.ts\n'), 'RFC 8216, 4.3.3.4'],
    ['an end after half an entry', (text) => text.replace(/000002.ts\n$/, '#EXT-X-ENDLIST\n'), 'RFC 8216, 4.3.2'],
    [
      'a tag of a multivariant playlist',
      (text) => text.replace('#EXT-X-VERSION', '#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-VERSION'),
      'RFC 8216, 4.1',
    ],
    ['a URI twice', (text) => text.replace('000002.ts', '000000.ts'), 'F5'],
    ['a number twice', (text) => text.replace('n=2 ', 'n=1 '), 'F5'],
    ['a date-time that goes back', (text) => text.replace('00:00:18.000Z', '00:00:13.000Z'), 'F11'],
    ['an overlap of 4 ms', (text) => text.replace('00:00:18.000Z', '00:00:17.996Z'), 'F11'],
    ['4 ms too late without a discontinuity', (text) => text.replace('00:00:18.000Z', '00:00:18.004Z'), 'F11'],
    ['an overlap across a discontinuity', (text) => text.replace('00:00:14.000Z', '00:00:03.000Z'), 'F11'],
    ['a gap that is not named', (text) => text.replace(/ gap=\d+ why=signal/, ''), 'time'],
    ['a gap that begins elsewhere', (text) => text.replace(/gap=(\d+)000 /, 'gap=$1050 '), 'time'],
    ['a gap without a discontinuity', (text) => text.replace('#EXT-X-DISCONTINUITY\n', ''), 'time'],
    ['a gap without a reason', (text) => text.replace(' why=signal', ''), 'data-format'],
    ['a reason that is none', (text) => text.replace('why=signal', 'why=bad'), 'data-format'],
    ['a forced cut by another name', (text) => text.replace('keys=0@0', 'keys=0@0 cut=hard'), 'data-format'],
    ['a zero that is not absent', (text) => text.replace('keys=0@0', 'keys=0@0 cc=0'), 'data-format'],
    ['keys that are none', (text) => text.replace('keys=0@0', 'keys=0'), 'data-format'],
    ['a time stamp that is none', (text) => text.replace('pts=0-', 'pts=-'), 'data-format'],
    ['a checksum that is none', (text) => text.replace('crc=0c1d2e3f', 'crc=C1D2E3F'), 'data-format'],
    ['no size', (text) => text.replace(' size=188', ''), 'data-format'],
    ['a size that is none', (text) => text.replace(' size=188', ' size=1.5'), 'data-format'],
    ['a sum that is none', (text) => text.replace('end=376', 'end=377'), 'data-format'],
    ['a header of another format', (text) => text.replace('format=1', 'format=2'), 'data-format'],
    ['a wrong sequence number', (text) => text.replace('seq=1', 'seq=2'), 'F10'],
    ['a wrong discontinuity sequence number', (text) => text.replace('dseq=1', 'dseq=0'), 'F10'],
    ['sequence numbers of the files', () => make({ from: 2, to: 6, mediaSequence: 0 }), 'F10'],
    ['a window that counts its own tag', () => make({ from: 1, to: 6, gaps: [1], discontinuitySequence: 1 }), 'F10'],
  ])('%s', (_name, change, clause) => {
    const changed = change(good);
    expect(changed).not.toBe(good);
    expect(clauses(changed)).toContain(clause);
  });
});

/** A playlist for viewers of entries [from, to), with more lines in its header; those before `skip` left out. */
function served(made: Made, header: readonly string[] = [], skip = made.from ?? 0): string {
  const version = skip > (made.from ?? 0) ? 9 : 3;
  const text = make({ type: 'none', ...made })
    .replace(/#livetape.*\n/g, '')
    .replace('VERSION:3', `VERSION:${version}`);
  const at = text.search(/#EXT-X-(DISCONTINUITY\n|PROGRAM)/);
  const entries = text.slice(at).replace(new RegExp(`^[^]*${String(skip - 1).padStart(6, '0')}.ts\n`), '');
  return text.slice(0, at) + header.map((line) => `${line}\n`).join('') + entries;
}
const CONTROL = '#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=36.0';
const START = '#EXT-X-START:TIME-OFFSET=2.500,PRECISE=YES';
const skipped = (count: number): string => `#EXT-X-SKIP:SKIPPED-SEGMENTS=${count}`;

describe('what viewers are sent', () => {
  it('is right, whole and in part, over prunes and gaps', () => {
    expect(checker.see(served({ to: 30, gaps: [5, 25] }, [CONTROL]))).toEqual([]);
    expect(checker.see(served({ from: 1, to: 31, gaps: [5, 25] }, [CONTROL, skipped(20)], 21))).toEqual([]);
    expect(checker.see(served({ from: 6, to: 33, gaps: [5, 25, 32] }, [CONTROL, skipped(17)], 23))).toEqual([]);
    expect(checker.see(served({ from: 6, to: 34, gaps: [5, 25, 32] }, [CONTROL]))).toEqual([]);
  });

  it.each<[string, (text: string) => string, string]>([
    ['a skip without a number', (text) => text.replace('SEGMENTS=5', 'SEGMENTS=x'), 'rfc8216bis, 4.4.5.2'],
    ['a skip after a segment', (text) => text.replace(`${skipped(5)}\n`, '') + `${skipped(5)}\n`, 'rfc8216bis, 4.4.5.2'],
    ['two skips', (text) => text.replace(skipped(5), `${skipped(5)}\n${skipped(5)}`), 'RFC 8216, 4.3.3'],
    ['a skip before version 9', (text) => text.replace('VERSION:9', 'VERSION:8'), 'rfc8216bis, 8'],
    ['a skip that is not offered', (text) => text.replace(`${CONTROL}\n`, ''), 'rfc8216bis, 6.2.5.1'],
    ['a skip of too much', (text) => text.replace('UNTIL=36.0', 'UNTIL=60.0'), 'rfc8216bis, 6.2.5.1'],
    ['a boundary within six target durations', (text) => text.replace('UNTIL=36.0', 'UNTIL=35.9'), 'rfc8216bis, 4.4.3.8'],
    ['a boundary that is none', (text) => text.replace('UNTIL=36.0', 'UNTIL=soon'), 'rfc8216bis, 4.4.3.8'],
    ['two boundaries', (text) => text.replace(CONTROL, `${CONTROL}\n${CONTROL}`), 'RFC 8216, 4.3.3'],
    ['segments skipped that the client never had', (text) => text.replace('SEGMENTS=5', 'SEGMENTS=6'), 'RFC 8216, 6.2.2'],
    ['a hole behind what is skipped', (text) => text.replace(/(SEGMENTS=5\n)[^]*?000005.ts\n/, '$1'), 'F11'],
    ['a media sequence of what is behind the skip', (text) => text.replace('MEDIA-SEQUENCE:0', 'MEDIA-SEQUENCE:5'), 'RFC 8216, 6.2.2'],
  ])('%s', (_name, change, clause) => {
    const delta = served({ to: 17 }, [CONTROL, skipped(5)], 5);
    expect(change(delta)).not.toBe(delta);
    expect(checker.see(served({ to: 16 }, [CONTROL]))).toEqual([]);
    expect(clauses(change(delta))).toContain(clause);
  });

  it('a part for a client that has nothing', () => {
    expect(clauses(served({ to: 17 }, [CONTROL, skipped(5)], 5))).toEqual(['rfc8216bis, 6.3.7']);
  });

  it.each([
    ['a start without an offset', '#EXT-X-START:PRECISE=YES'],
    ['an offset that is none', '#EXT-X-START:TIME-OFFSET=now'],
    ['half precise', '#EXT-X-START:TIME-OFFSET=1,PRECISE=MAYBE'],
    ['a start behind the end', '#EXT-X-START:TIME-OFFSET=12.001,PRECISE=YES'],
  ])('%s', (_name, line) => {
    expect(clauses(served({ to: 3 }, [line]))).toEqual(['RFC 8216, 4.3.5.2']);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ['a start that comes', [], [START]],
    ['a start that goes', [START], []],
    ['a start that moves', [START], [START.replace('2.5', '1.5')]],
    ['a control that comes', [], [CONTROL]],
    ['a control that goes', [CONTROL], []],
  ])('%s', (_name, before, after) => {
    expect(checker.see(served({ to: 5 }, before))).toEqual([]);
    expect(clauses(served({ to: 6 }, after))).toEqual(['RFC 8216, 6.2.1']);
  });

  it('a start that moves with the head', () => {
    expect(checker.see(served({ to: 8 }, [START]))).toEqual([]);
    expect(checker.see(served({ from: 1, to: 8 }, [START.replace('2.5', '0.0')]))).toEqual([]);
  });

  it('gap entries, from version 8 on', () => {
    const text = served({ to: 3 }).replace(/(#EXT-X-PROGRAM[^]*?)(#EXTINF)/, '#EXT-X-GAP\n$1$2');
    expect(clauses(text)).toEqual(['rfc8216bis, 8']);
    expect(new PlaylistChecker().see(text.replace('VERSION:3', 'VERSION:8'))).toEqual([]);
  });

  it('a new life, where the text does not say it', () => {
    expect(checker.see(served({ to: 3 }), undefined, 1)).toEqual([]);
    expect(checker.see(served({ to: 4, target: 8 }), undefined, 2)).toEqual([]);
    expect(checker.see(served({ to: 5, target: 9 }), undefined, 2).map(({ clause }) => clause)).toEqual(['RFC 8216, 6.2.1']);
  });
});

describe('one version after another', () => {
  it.each<[string, string, string, string]>([
    ['a target that changes', make({ to: 3 }), make({ to: 4, target: 7 }), 'RFC 8216, 6.2.1'],
    ['a type that comes', make({ to: 3, type: 'none' }), make({ to: 4, type: 'EVENT' }), 'RFC 8216, 4.3.3.5'],
    ['a type that goes', make({ to: 3 }), make({ to: 4, type: 'none' }), 'RFC 8216, 4.3.3.5'],
    ['an event that is pruned', make({ to: 9 }), make({ from: 1, to: 9 }), 'RFC 8216, 4.3.3.5'],
    ['a change after the end', make({ to: 3, type: 'VOD', ended: true }), make({ to: 4, type: 'VOD', ended: true }), 'RFC 8216, 6.2.1'],
    ['an end that goes', make({ to: 3, type: 'VOD', ended: true }), make({ to: 3 }), 'RFC 8216, 6.2.1'],
    [
      'an end that goes in a new life without a segment',
      make({ to: 3, type: 'VOD', ended: true }),
      make({ to: 3, life: 2 }),
      'RFC 8216, 6.2.1',
    ],
    ['a life that goes back', make({ to: 3, life: 2 }), make({ to: 4, life: 1 }), 'RFC 8216, 6.2.1'],
    ['an entry that goes from the end', make({ to: 3 }), make({ to: 2 }), 'RFC 8216, 6.2.1'],
    [
      'an entry that goes from the middle',
      make({ to: 9 }),
      make({ to: 9 }).replace(/(000003.ts\n)[^]*?000004.ts\n/, '$1'),
      'RFC 8216, 6.2.2',
    ],
    ['all entries gone', make({ to: 3 }), make({ to: 0 }), 'RFC 8216, 6.2.2'],
    ['entries that come back', make({ from: 2, to: 9, type: 'none' }), make({ from: 1, to: 9, type: 'none' }), 'RFC 8216, 6.2.2'],
    [
      'a removal that is not counted',
      make({ to: 8, type: 'none' }),
      make({ from: 2, to: 9, type: 'none', mediaSequence: 1 }),
      'RFC 8216, 6.2.2',
    ],
    ['a removal of too much', make({ to: 8, type: 'none' }), make({ from: 4, to: 8, type: 'none' }), 'RFC 8216, 6.2.2'],
    [
      'a discontinuity that is not counted',
      make({ to: 9, type: 'none', gaps: [1] }),
      make({ from: 2, to: 9, type: 'none', gaps: [1], discontinuitySequence: 0 }),
      'RFC 8216, 6.2.2',
    ],
    ['a URI that changes', make({ to: 3 }), make({ to: 4 }).replace('000001.ts', '900001.ts'), 'RFC 8216, 6.2.2'],
    ['a URI that moves', make({ to: 3 }), make({ from: 1, to: 4, mediaSequence: 0 }), 'RFC 8216, 6.2.2'],
    ['tags that change', make({ to: 3 }), make({ to: 4 }).replace('crc=0c1d2e3f', 'crc=0c1d2e30'), 'RFC 8216, 6.2.1'],
    [
      'tags that change in a new life',
      make({ to: 3 }),
      make({ to: 4, life: 2 }).replace('crc=0c1d2e3f', 'crc=0c1d2e30'),
      'RFC 8216, 6.2.1',
    ],
  ])('%s', (_name, before, after, clause) => {
    expect(checker.see(before)).toEqual([]);
    expect(clauses(after)).toContain(clause);
  });

  it('a removed number does not come back as something else, many versions later', () => {
    expect(checker.see(make({ to: 9, type: 'none' }))).toEqual([]);
    expect(checker.see(make({ from: 3, to: 9, type: 'none' }))).toEqual([]);
    expect(clauses(make({ from: 2, to: 9, type: 'none' }).replace('000002.ts', '000042.ts'))).toContain('RFC 8216, 6.2.2');
  });

  it('a segment that comes too late, where it is told the time', () => {
    expect(checker.see(make({ to: 3 }), 0)).toEqual([]);
    expect(checker.see(make({ to: 4 }), 9000)).toEqual([]);
    expect(clauses(make({ to: 5 }), 18_100)).toEqual(['RFC 8216, 6.2.1']);
    expect(checker.see(make({ to: 6, gaps: [5] }), 100_000)).toEqual([]);
    expect(checker.see(make({ to: 7, gaps: [5] }))).toEqual([]);
  });
});
