/**
 * Reads one text of a media playlist for {@link PlaylistChecker}, and says what is wrong with it by itself: RFC 8216, sections 4 and 7 (the
 * numbers of rfc8216bis, where they differ, are those of section 4.4), and, where the header has our `#livetape` line, docs/design/data-format.md.
 * Shares no code with src/hls on purpose: what it judges was written by somebody else.
 */

/** A rule that does not hold. */
export interface Violation {
  /** `RFC 8216, 4.3.3.1`, or an invariant of data-format.md such as `F11`. */
  readonly clause: string;
  readonly message: string;
}

/** One entry as it stands in the text. */
export interface CheckedEntry {
  readonly uri: string;
  /** All its lines, the URI last. */
  readonly lines: readonly string[];
  readonly mediaSequence: number;
  /** Counted from EXT-X-DISCONTINUITY-SEQUENCE, its own tag included. */
  readonly discontinuitySequence: number;
  readonly discontinuity: boolean;
  readonly durationSec: number;
  readonly dateMs: number | undefined;
  /** The pairs of its `#livetape` line; empty where there is none. */
  readonly facts: ReadonlyMap<string, string>;
}

/** A whole text. */
export interface CheckedPlaylist {
  readonly targetDuration: number;
  readonly type: string | undefined;
  readonly ended: boolean;
  /** Of its first entry, a skipped one too. */
  readonly mediaSequence: number;
  /** Entries that EXT-X-SKIP stands for: `entries` are those behind it, numbered on from them. */
  readonly skipped: number;
  /** EXT-X-START and EXT-X-SERVER-CONTROL, as they stand there. */
  readonly start: string | undefined;
  readonly serverControl: string | undefined;
  /** From the header's `#livetape` line. */
  readonly life: number | undefined;
  readonly entries: readonly CheckedEntry[];
  readonly violations: readonly Violation[];
}

/** Tags that stand once in a media playlist (4.3.1.2, 4.3.3). */
const ONCE = [
  'VERSION',
  'TARGETDURATION',
  'MEDIA-SEQUENCE',
  'DISCONTINUITY-SEQUENCE',
  'PLAYLIST-TYPE',
  'ENDLIST',
  'I-FRAMES-ONLY',
  'START',
  'SERVER-CONTROL',
  'SKIP',
];
/** Tags of a multivariant playlist, which must not stand in a media playlist (4.1). */
const MASTER = ['MEDIA', 'STREAM-INF', 'I-FRAME-STREAM-INF', 'SESSION-DATA', 'SESSION-KEY', 'CONTENT-STEERING'];
/** Tags that apply to the next segment, or from it on (4.3.2). */
const SEGMENT = /^#(EXTINF|EXT-X-(BYTERANGE|DISCONTINUITY|KEY|MAP|PROGRAM-DATE-TIME|DATERANGE|GAP|BITRATE|PART)|livetape)(:| |$)/;
const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$/;
/** Milliseconds by which a date-time may differ from what its predecessor's says: slewing, 0.05 %, and 1 ms of rounding (F11). */
const slack = (durationSec: number): number => durationSec * 1000 * 0.0005 + 1 + 1e-6;
/** A loss of more than this is a gap (docs/design/time.md). */
const GAP_MS = 1000;

/** The pairs of a `#livetape` line. */
function pairs(line: string): Map<string, string> {
  const words = line.split(' ').slice(1);
  return new Map(words.map((word): [string, string] => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
}

/** Reads `text` and judges it by itself. A torn last entry is not there (F6), and not a fault while the playlist is open. */
export function readPlaylist(text: string): CheckedPlaylist {
  const violations: Violation[] = [];
  const fault = (clause: string, message: string): void => void violations.push({ clause, message });
  const rfc = (section: string, message: string): void => fault(`RFC 8216, ${section}`, message);

  if (text.startsWith('\ufeff')) rfc('4.1', 'it begins with a byte order mark');
  if (/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f]/.test(text)) rfc('4.1', 'it holds a control character');
  if (text.includes('\r')) fault('data-format', 'its lines do not end in LF alone');
  const lines = text.split('\n');
  // what stands after the last newline is not there yet
  const torn = lines.pop() ?? '';
  if (lines[0] !== '#EXTM3U') rfc('4.3.1.1', 'it does not begin with #EXTM3U');

  const seen = new Map<string, string>();
  let life: number | undefined;
  let ours = false;
  let ended = false;
  let skipped = 0;
  let pending: string[] = [];
  let discontinuities = 0;
  const entries: CheckedEntry[] = [];
  const number = (tag: string, section: string): number => {
    const value = seen.get(tag);
    if (value === undefined) return 0;
    if (!/^\d{1,20}$/.test(value)) rfc(section, `EXT-X-${tag} is not a decimal integer: "${value}"`);
    return Number(value);
  };

  for (const line of lines.slice(1)) {
    if (line === '') continue;
    if (!line.startsWith('#')) {
      const first = entries.length === 0;
      if (first && !seen.has('TARGETDURATION')) rfc('4.3.3.1', 'EXT-X-TARGETDURATION is missing before the first segment');
      const entry = readEntry(line, pending, number('MEDIA-SEQUENCE', '4.3.3.2') + skipped + entries.length, rfc, fault, ours);
      discontinuities += entry.discontinuity ? 1 : 0;
      entries.push({ ...entry, discontinuitySequence: number('DISCONTINUITY-SEQUENCE', '4.3.3.3') + discontinuities });
      if (ended) rfc('4.3.3.4', `the segment ${line} stands after EXT-X-ENDLIST`);
      pending = [];
      continue;
    }
    if (line.startsWith('#livetape') && pending.length === 0 && entries.length === 0 && /(^| )format=/.test(line)) {
      ours = true;
      const header = pairs(line);
      life = Number(header.get('life'));
      if (header.get('format') !== '1' || !Number.isSafeInteger(life) || life < 1)
        fault('data-format', `the header's line is not ours: ${line}`);
      continue;
    }
    const tag = /^#EXT-X-([A-Z-]+)(?::(.*))?$/.exec(line);
    const name = tag?.[1] ?? '';
    if (SEGMENT.test(line)) {
      pending.push(line);
      continue;
    }
    if (MASTER.includes(name)) rfc('4.1', `EXT-X-${name} is a tag of a multivariant playlist`);
    if (!ONCE.includes(name)) {
      // a tag or comment nobody knows goes with the entry it stands in, or with the header
      if (pending.length > 0) pending.push(line);
      continue;
    }
    if (seen.has(name)) rfc(name === 'VERSION' ? '4.3.1.2' : '4.3.3', `EXT-X-${name} stands more than once`);
    seen.set(name, tag?.[2] ?? '');
    if (name === 'ENDLIST') ended = true;
    else if (name === 'SKIP') {
      skipped = Number(/^SKIPPED-SEGMENTS=(\d{1,15})(,|$)/.exec(tag?.[2] ?? '')?.[1] ?? 0);
      if (skipped === 0) fault('rfc8216bis, 4.4.5.2', `EXT-X-SKIP does not say how many segments: "${tag?.[2]}"`);
      if (entries.length > 0 || pending.length > 0) fault('rfc8216bis, 4.4.5.2', 'EXT-X-SKIP stands after a segment');
    } else if (name.endsWith('-SEQUENCE') && (entries.length > 0 || pending.length > 0)) {
      rfc(name === 'MEDIA-SEQUENCE' ? '4.3.3.2' : '4.3.3.3', `EXT-X-${name} stands after the first segment`);
    }
  }

  const targetDuration = number('TARGETDURATION', '4.3.3.1');
  const type = seen.get('PLAYLIST-TYPE');
  if (!seen.has('TARGETDURATION')) rfc('4.3.3.1', 'EXT-X-TARGETDURATION is missing');
  if (type !== undefined && type !== 'EVENT' && type !== 'VOD') rfc('4.3.3.5', `EXT-X-PLAYLIST-TYPE is "${type}"`);
  if (type === 'VOD' && !ended) rfc('4.3.3.5', 'it is VOD and has no EXT-X-ENDLIST: a VOD must not change');
  if (ended && (torn !== '' || pending.length > 0)) rfc('4.3.2', 'it has ended, and its last entry has no URI line');
  const version = number('VERSION', '4.3.1.2') || 1;
  for (const entry of entries) {
    judgeVersion(entry, version, rfc, fault);
    if (Math.round(entry.durationSec) > targetDuration) {
      fault('RFC 8216, 4.3.3.1 (F12)', `${entry.uri} lasts ${entry.durationSec} s, more than the target duration of ${targetDuration} s`);
    }
  }
  for (const [index, entry] of entries.entries()) {
    const before = entries[index - 1];
    if (before) judgePair(before, entry, ours, fault);
    if (ours) judgeFacts(entry, before, fault);
  }
  judgeStart(seen.get('START'), skipped > 0 ? [] : entries, rfc);
  judgeSkipping(seen.get('SERVER-CONTROL'), skipped, targetDuration, entries, fault);
  if (skipped > 0 && version < 9) fault('rfc8216bis, 8', 'EXT-X-SKIP needs version 9');
  const uris = new Set(entries.map((entry) => entry.uri));
  if (uris.size !== entries.length) fault('F5', 'a URI stands in two entries');
  const [mediaSequence, start, serverControl] = [number('MEDIA-SEQUENCE', '4.3.3.2'), seen.get('START'), seen.get('SERVER-CONTROL')];
  return { targetDuration, type, ended, mediaSequence, skipped, start, serverControl, life, entries, violations };
}

export type Fault = (clause: string, message: string) => void;

function readEntry(
  uri: string,
  tags: readonly string[],
  mediaSequence: number,
  rfc: Fault,
  fault: Fault,
  ours: boolean,
): Omit<CheckedEntry, 'discontinuitySequence'> {
  const of = (start: string): string[] => tags.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));
  for (const start of ['#EXTINF:', '#EXT-X-PROGRAM-DATE-TIME:', '#EXT-X-DISCONTINUITY', '#EXT-X-BYTERANGE:', '#livetape ']) {
    if (of(start).length > 1) rfc('4.3.2', `${uri} has ${start} more than once`);
  }
  const [extinf] = of('#EXTINF:');
  if (extinf === undefined) rfc('4.3.2.1', `${uri} has no EXTINF`);
  else if (!/^\d+(\.\d+)?,/.test(extinf)) rfc('4.3.2.1', `${uri} has an EXTINF that is not a decimal number and a comma: "${extinf}"`);
  const [date] = of('#EXT-X-PROGRAM-DATE-TIME:');
  if (date !== undefined && (!DATE.test(date) || Number.isNaN(Date.parse(date))))
    rfc('4.3.2.6', `${uri} has a date-time that is none: "${date}"`);
  if (ours) {
    const order = tags.filter((line) => /^#(EXT-X-DISCONTINUITY$|EXT-X-PROGRAM-DATE-TIME:|EXTINF:|livetape )/.test(line));
    const expected = /^(#EXT-X-DISCONTINUITY\n)?#EXT-X-PROGRAM-DATE-TIME:\S+Z\n#EXTINF:\d+\.\d{6},\n#livetape \S.*$/;
    if (!expected.test(order.join('\n')))
      fault('data-format', `${uri}: its lines are not those of an entry in their order: ${order.join(' | ')}`);
  }
  return {
    uri,
    lines: [...tags, uri],
    mediaSequence,
    discontinuity: tags.includes('#EXT-X-DISCONTINUITY'),
    durationSec: extinf === undefined ? 0 : Number.parseFloat(extinf),
    dateMs: date === undefined ? undefined : Date.parse(date),
    facts: pairs(tags.find((line) => line.startsWith('#livetape ')) ?? ''),
  };
}

/** What needs which EXT-X-VERSION (section 7). */
function judgeVersion(entry: CheckedEntry, version: number, rfc: Fault, fault: Fault): void {
  const has = (start: string): boolean => entry.lines.some((line) => line.startsWith(start));
  if (version < 3 && entry.lines.some((line) => /^#EXTINF:\d+\./.test(line)))
    rfc('7', `${entry.uri}: an EXTINF with a fraction needs version 3`);
  if (version < 4 && has('#EXT-X-BYTERANGE:')) rfc('7', `${entry.uri}: EXT-X-BYTERANGE needs version 4`);
  if (version < 5 && has('#EXT-X-MAP:')) rfc('7', `${entry.uri}: EXT-X-MAP needs version 5`);
  if (version < 8 && has('#EXT-X-GAP')) fault('rfc8216bis, 8', `${entry.uri}: EXT-X-GAP needs version 8`);
}

/** EXT-X-START: its form, and that it lies in the playlist (4.3.5.2). */
function judgeStart(start: string | undefined, entries: readonly CheckedEntry[], rfc: Fault): void {
  if (start === undefined) return;
  const attributes = new Map(
    start.split(',').map((pair): [string, string] => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const offset = attributes.get('TIME-OFFSET') ?? '';
  if (!/^-?\d+(\.\d+)?$/.test(offset)) rfc('4.3.5.2', `EXT-X-START has no TIME-OFFSET that is a number: "${start}"`);
  if (!['YES', 'NO'].includes(attributes.get('PRECISE') ?? 'NO')) rfc('4.3.5.2', `EXT-X-START is neither precise nor not: "${start}"`);
  const lengthSec = entries.reduce((sum, entry) => sum + entry.durationSec, 0);
  if (entries.length > 0 && Math.abs(Number(offset)) > lengthSec) rfc('4.3.5.2', `EXT-X-START lies ${offset} s into ${lengthSec} s`);
}

/** EXT-X-SERVER-CONTROL (rfc8216bis, 4.4.3.8), and what may be skipped (6.2.5.1). */
function judgeSkipping(
  control: string | undefined,
  skipped: number,
  targetDuration: number,
  entries: readonly CheckedEntry[],
  fault: Fault,
): void {
  const until = /(?:^|,)CAN-SKIP-UNTIL=(\d+(?:\.\d+)?)(?:,|$)/.exec(control ?? '')?.[1];
  if (control?.includes('CAN-SKIP-UNTIL') && until === undefined)
    fault('rfc8216bis, 4.4.3.8', `CAN-SKIP-UNTIL is not a number: "${control}"`);
  if (until !== undefined && Number(until) < 6 * targetDuration)
    fault('rfc8216bis, 4.4.3.8', `CAN-SKIP-UNTIL=${until} is less than six target durations`);
  if (skipped === 0) return;
  if (until === undefined) return fault('rfc8216bis, 6.2.5.1', 'segments are skipped, and it does not say CAN-SKIP-UNTIL');
  const lengthSec = entries.reduce((sum, entry) => sum + entry.durationSec, 0);
  if (lengthSec < Number(until) - 1e-6)
    fault('rfc8216bis, 6.2.5.1', `segments within ${until} s of the end are skipped: only ${lengthSec} s are left`);
}

/** Date-times of two entries that follow one another: F11 and, of gaps, docs/design/time.md. */
export function judgePair(before: CheckedEntry, entry: CheckedEntry, ours: boolean, fault: Fault): void {
  if (before.dateMs === undefined || entry.dateMs === undefined) return;
  const offMs = entry.dateMs - (before.dateMs + before.durationSec * 1000);
  const allowedMs = slack(before.durationSec);
  if (entry.dateMs < before.dateMs) fault('F11', `${entry.uri}: its date-time is before that of ${before.uri}`);
  else if (offMs < -allowedMs) fault('F11', `${entry.uri} begins ${(-offMs).toFixed(1)} ms before ${before.uri} has ended`);
  else if (!entry.discontinuity && offMs > allowedMs)
    fault('F11', `${entry.uri} begins ${offMs.toFixed(1)} ms late and has no discontinuity`);
  if (!ours) return;
  const gapFromMs = entry.facts.get('gap');
  if (gapFromMs === undefined) {
    if (offMs > GAP_MS + allowedMs) fault('time', `${entry.uri} begins ${offMs.toFixed(1)} ms late and names no gap`);
    return;
  }
  if (!entry.discontinuity) fault('time', `${entry.uri} has a gap before it and no discontinuity`);
  const fromOffMs = Number(gapFromMs) - (before.dateMs + before.durationSec * 1000);
  if (Math.abs(fromOffMs) > allowedMs)
    fault('time', `${entry.uri}: its gap begins ${fromOffMs.toFixed(1)} ms off the end of ${before.uri}`);
}

const INTEGERS = ['n', 'seq', 'dseq', 'size', 'end', 'head', 'lost', 'cc', 'tei', 'sync', 'scr', 'gap'];
const REASONS = ['signal', 'restart', 'disk', 'overflow', 'clock', 'source_switch'];

/** The `#livetape` line of an entry: its form, and what it says beside its predecessor's. */
function judgeFacts(entry: CheckedEntry, before: CheckedEntry | undefined, fault: Fault): void {
  const { uri, facts } = entry;
  const int = (key: string): number => Number(facts.get(key) ?? NaN);
  for (const key of ['n', 'seq', 'dseq', 'size', 'end', 'crc']) if (!facts.has(key)) fault('data-format', `${uri} has no ${key}`);
  for (const key of INTEGERS) {
    const value = facts.get(key);
    if (value !== undefined && !/^\d+$/.test(value)) fault('data-format', `${uri}: ${key}=${value} is not a number`);
    if (value === '0' && ['head', 'lost', 'cc', 'tei', 'sync', 'scr', 'epoch'].includes(key))
      fault('data-format', `${uri}: ${key} is 0 and not absent`);
  }
  if (!/^[0-9a-f]{8}$/.test(facts.get('crc') ?? '')) fault('data-format', `${uri}: crc=${facts.get('crc')} is not eight hex digits`);
  if (facts.has('pts') && !/^\d+-\d+$/.test(facts.get('pts') ?? '')) fault('data-format', `${uri}: pts=${facts.get('pts')}`);
  if (facts.has('keys') && !/^(\d+@\d+)(,\d+@\d+){0,63}$/.test(facts.get('keys') ?? ''))
    fault('data-format', `${uri}: keys=${facts.get('keys')}`);
  if (facts.has('cut') && facts.get('cut') !== 'forced') fault('data-format', `${uri}: cut=${facts.get('cut')}`);
  if (facts.has('gap') !== facts.has('why')) fault('data-format', `${uri} has one of gap and why`);
  if (facts.has('why') && !REASONS.includes(facts.get('why') ?? '')) fault('data-format', `${uri}: why=${facts.get('why')}`);
  if (int('seq') !== entry.mediaSequence) fault('F10', `${uri}: seq=${facts.get('seq')}, and by the header it is ${entry.mediaSequence}`);
  if (int('dseq') !== entry.discontinuitySequence) {
    fault('F10', `${uri}: dseq=${facts.get('dseq')}, and by the header it is ${entry.discontinuitySequence}`);
  }
  if (!before) return;
  const was = (key: string): number => Number(before.facts.get(key) ?? NaN);
  if (!(int('n') > was('n'))) fault('F5', `${uri}: n=${facts.get('n')} after n=${before.facts.get('n')}`);
  if (int('end') !== was('end') + int('size'))
    fault('data-format', `${uri}: end=${facts.get('end')} is not ${was('end')} + ${facts.get('size')}`);
}
