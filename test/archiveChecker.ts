/**
 * A judge of archives: reads a stream's folder as a stranger would (its playlist with {@link PlaylistChecker}, its media packet by packet,
 * index.json as JSON) and names each invariant of docs/design/data-format.md that does not hold. It shares no code with src/, and needs a
 * recording that is not being written just then.
 */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { TsFile } from './archiveCheckerTs.js';
import { PlaylistChecker, type Violation } from './playlistChecker.js';
import { readPlaylist, type CheckedEntry } from './playlistCheckerText.js';

/** What is known of the recording. */
export interface ArchiveExpectation {
  /** All programs were kept (`program=all`), so PATs name several. */
  readonly allPrograms?: boolean;
}

interface IndexFile {
  readonly format: number;
  readonly stream_code: string;
  readonly status: string;
  readonly started_at?: string;
  readonly last_segment_at?: string;
  readonly segment_count: number;
  readonly total_size_bytes: number;
  readonly next_index: number;
  readonly epoch?: number;
  readonly gaps: readonly { readonly from: string; readonly to: string; readonly duration: number; readonly reason: string }[];
}

const TICKS = 2 ** 33;

/** What is wrong with the archive in `folder`; empty when nothing is. */
export async function checkArchive(folder: string, expectation: ArchiveExpectation = {}): Promise<Violation[]> {
  const text = await readFile(join(folder, 'playlist.m3u8'), 'utf8');
  const violations = new PlaylistChecker().see(text);
  const fault = (clause: string, message: string): void => void violations.push({ clause, message });
  const playlist = readPlaylist(text);
  for (const entry of playlist.entries) await checkMedia(folder, entry, expectation, fault);
  for (const entry of playlist.entries) checkNumber(entry, fault);

  const listed = new Set(playlist.entries.map((entry) => entry.uri));
  const known = /^(playlist\.m3u8|index\.json|.*\.corrupt-.*)$/;
  for (const name of await readdir(folder)) {
    if (!listed.has(name) && !known.test(name) && !name.startsWith('.')) fault('F6', `${name} is in the folder and not in the playlist`);
  }
  await checkIndex(folder, playlist.entries, playlist.ended, fault);
  return violations;
}

type Fault = (clause: string, message: string) => void;

/** One file beside its entry: sizes, checksum, F1 to F4, time stamps. */
async function checkMedia(folder: string, entry: CheckedEntry, expectation: ArchiveExpectation, fault: Fault): Promise<void> {
  const { uri, facts } = entry;
  const bytes = await readFile(join(folder, uri)).catch(() => undefined);
  if (!bytes) return fault('F8', `${uri} is in the playlist and not in the folder`);
  if (bytes.length !== Number(facts.get('size')))
    fault('data-format', `${uri} has ${bytes.length} bytes, and its entry says ${facts.get('size')}`);
  const crc = crc32(bytes).toString(16).padStart(8, '0');
  if (crc !== facts.get('crc')) fault('data-format', `${uri} has CRC ${crc}, and its entry says ${facts.get('crc')}`);
  if (bytes.length === 0 || bytes.length % 188 !== 0) return fault('F1', `${uri} is ${bytes.length} bytes long: not whole packets`);
  for (let at = 0; at < bytes.length; at += 188)
    if (bytes[at] !== 0x47) return fault('F1', `${uri}: the packet at ${at} does not begin with 0x47`);

  const ts = new TsFile(bytes);
  const begin = ts.tables();
  if (typeof begin === 'string') return fault('F3', `${uri}: ${begin}`);
  if (begin.programs !== 1 && !expectation.allPrograms) fault('F2', `${uri}: its PAT names ${begin.programs} programs`);
  const head = Number(facts.get('head') ?? 0);
  const inserted = ts.pids(0, head);
  if (head % 188 !== 0 || head > begin.end || inserted.some((pid) => pid !== 0 && !begin.pmtPids.includes(pid))) {
    fault('F3', `${uri}: head=${head} is not a PAT and PMT in front`);
  }
  if (head > 0 && !facts.has('cc')) {
    for (const pid of inserted) {
      if (!ts.countersJoin(pid, head)) fault('F3', `${uri}: the counters of the tables in front (PID ${pid}) do not lead into the next`);
    }
  }
  checkKeys(entry, ts, begin.videoPid, fault);
  if (begin.videoPid !== undefined && !facts.has('cut')) {
    const why = ts.noRandomAccess(begin.videoPid);
    if (why) fault('F4', `${uri}: ${why}`);
  }
  const [first, end] = (facts.get('pts') ?? '').split('-').map(Number);
  if (first !== undefined && end !== undefined) {
    const lastsSec = ((end - first + TICKS) % TICKS) / 90_000;
    if (Math.abs(lastsSec - entry.durationSec) > 0.001)
      fault('data-format', `${uri}: pts=${facts.get('pts')} is ${lastsSec} s, EXTINF ${entry.durationSec} s`);
  }
}

/** `keys` names packets in which units of the video begin, with their time stamps. */
function checkKeys(entry: CheckedEntry, ts: TsFile, videoPid: number | undefined, fault: Fault): void {
  const text = entry.facts.get('keys');
  if (text === undefined || videoPid === undefined) return;
  let before = -1;
  for (const key of text.split(',')) {
    const [offset = NaN, pts] = key.split('@').map(Number);
    if (offset <= before) fault('data-format', `${entry.uri}: keys are not in order`);
    before = offset;
    const found = ts.unitAt(videoPid, offset);
    if (found === undefined) fault('data-format', `${entry.uri}: no unit of the video begins at ${offset}`);
    else if (found !== pts) fault('data-format', `${entry.uri}: the unit at ${offset} has PTS ${found}, and keys says ${pts}`);
  }
}

/** Archives of ours name a file after its number (F5). */
function checkNumber(entry: CheckedEntry, fault: Fault): void {
  const name = /^(\d{6,})\.ts$/.exec(entry.uri)?.[1];
  if (name === undefined || Number(name) !== Number(entry.facts.get('n'))) fault('F5', `${entry.uri} is number ${entry.facts.get('n')}`);
}

/** index.json is a cache: what it says follows from the playlist. */
async function checkIndex(folder: string, entries: readonly CheckedEntry[], ended: boolean, fault: Fault): Promise<void> {
  const text = await readFile(join(folder, 'index.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return fault('index', 'index.json is missing');
  const index = JSON.parse(text) as IndexFile;
  const same = (name: string, is: unknown, shouldBe: unknown): void => {
    if (is !== shouldBe) fault('index', `${name} is ${String(is)}, and by the playlist it is ${String(shouldBe)}`);
  };
  const [first, last] = [entries[0], entries.at(-1)];
  const number = (entry: CheckedEntry | undefined, key: string): number => Number(entry?.facts.get(key) ?? NaN);
  same('format', index.format, 1);
  same('status', index.status, ended ? 'stopped' : 'recording');
  same('segment_count', index.segment_count, entries.length);
  same(
    'total_size_bytes',
    index.total_size_bytes,
    entries.reduce((sum, entry) => sum + number(entry, 'size'), 0),
  );
  // a keep lies in .keeps/CODE/NAME
  const place = folder.replaceAll('\\', '/').replace(/(\/\.keeps\/.*)\/[^/]+$/, '$1');
  if (!place.endsWith(`/${index.stream_code}`)) fault('index', `stream_code is ${index.stream_code} in ${folder}`);
  if (last && !(index.next_index > number(last, 'n'))) fault('F5', `next_index is ${index.next_index}, and ${last.uri} is there`);
  const epoch = Number(last?.facts.get('epoch') ?? 0);
  if (index.epoch !== undefined && epoch > index.epoch) fault('index', `epoch is ${index.epoch}, and the newest entry is of ${epoch}`);
  same('started_at', index.started_at && Date.parse(index.started_at), first?.dateMs);
  const endMs = Date.parse(index.last_segment_at ?? '');
  if (last?.dateMs !== undefined && !(Math.abs(endMs - (last.dateMs + last.durationSec * 1000)) <= 1)) {
    fault(
      'index',
      `last_segment_at is ${index.last_segment_at}, and ${last.uri} ends at ${new Date(last.dateMs + last.durationSec * 1000).toISOString()}`,
    );
  }
  const gaps = entries.flatMap((entry) => {
    const from = entry.facts.get('gap');
    return from === undefined ? [] : [{ fromMs: Number(from), toMs: entry.dateMs ?? NaN, reason: entry.facts.get('why') }];
  });
  same('the number of gaps', index.gaps.length, Math.min(gaps.length, 1000));
  for (const [at, gap] of gaps.slice(-1000).entries()) {
    const told = index.gaps[at];
    if (!told) continue;
    same('a gap begins', Date.parse(told.from), gap.fromMs);
    same('a gap ends', Date.parse(told.to), gap.toMs);
    same('a gap lasts (ns)', told.duration, (gap.toMs - gap.fromMs) * 1e6);
    same("a gap's reason", told.reason, gap.reason);
  }
}
