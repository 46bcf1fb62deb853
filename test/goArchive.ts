/**
 * Archives as the Go system writes them, with its defects, from real media: what Livetape takes over. Its playlist is EVENT without sequence
 * tags, also when its head was pruned; date-times stand at discontinuities alone; after a restart it counts from `segment_count`, which a prune has
 * lowered, so that numbers collide and files are left that no entry names; and a time in which it was not running is no gap.
 */
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SegmentProbe } from '../src/archive/probe.js';
import { DEMO } from './recoveryLab.js';

/** What an archive is made of. */
export interface GoArchive {
  /** Segments pruned from the head of the first run. */
  readonly pruned: number;
  /** Runs, each with its number of segments and how long nothing ran before it. */
  readonly runs: readonly { readonly segments: number; readonly downSec: number }[];
  /** After a restart, count from `segment_count` as the system does; else go on above. */
  readonly collides: boolean;
  /** Leave out index.json. */
  readonly noIndex?: boolean;
}

/** What was written. */
export interface WrittenGoArchive {
  readonly playlist: string;
  /** Numbers of the entries, in order. */
  readonly numbers: readonly number[];
  /** When each entry begins; UTC milliseconds. */
  readonly startsMs: readonly number[];
  readonly highest: number;
}

/** The demo's segments: from keyframe to keyframe, two seconds each. */
const SEGMENTS: readonly Buffer[] = (() => {
  const probe = new SegmentProbe();
  probe.push(DEMO);
  // PAT and PMT stand right before each.
  const cuts = probe.end().keyframes.map(({ offsetBytes }) => offsetBytes - 376);
  return cuts.map((at, i) => DEMO.subarray(at, cuts[i + 1]));
})();
const SEGMENT_SEC = 2;

/** Writes one into `folder`, its newest segment ending at `endMs`. */
export async function writeGoArchive(folder: string, archive: GoArchive, endMs: number): Promise<WrittenGoArchive> {
  await mkdir(folder, { recursive: true });
  const files = new Map<number, Buffer>();
  const numbers: number[] = [];
  const startsMs: number[] = [];
  const lines = ['#EXTM3U', '#EXT-X-VERSION:3', '#EXT-X-TARGETDURATION:2', '#EXT-X-PLAYLIST-TYPE:EVENT'];
  const totalSec = archive.runs.reduce((sum, { segments, downSec }) => sum + segments * SEGMENT_SEC + downSec, 0);
  let atMs = endMs - totalSec * 1000;
  let next = 0;
  let made = 0;
  for (const [r, { segments, downSec }] of archive.runs.entries()) {
    atMs += downSec * 1000;
    if (r > 0 && archive.collides) next = numbers.length;
    for (let i = 0; i < segments; i++, atMs += SEGMENT_SEC * 1000, made++) {
      const number = next++;
      if (r === 0 && i < archive.pruned) continue;
      const media = SEGMENTS[made % SEGMENTS.length] ?? Buffer.alloc(0);
      // What is there is not overwritten, and then no entry names what the number stood for before.
      const taken = numbers.indexOf(number);
      if (taken >= 0) {
        lines.splice(lines.indexOf(`${String(number).padStart(6, '0')}.ts`) - 1, 2);
        numbers.splice(taken, 1);
        startsMs.splice(taken, 1);
      }
      files.set(number, media);
      if (r > 0 && i === 0) lines.push('#EXT-X-DISCONTINUITY', `#EXT-X-PROGRAM-DATE-TIME:${goTime(atMs)}`);
      else if (r === 0 && i === 0) lines.push(`#EXT-X-PROGRAM-DATE-TIME:${goTime(atMs)}`);
      lines.push('#EXTINF:2.000,', `${String(number).padStart(6, '0')}.ts`);
      numbers.push(number);
      startsMs.push(atMs);
    }
  }
  // A segment that was stored when the system died, and one that lost its entry.
  const highest = Math.max(...files.keys()) + 1;
  files.set(highest, SEGMENTS[1] ?? Buffer.alloc(0));
  const playlist = `${lines.join('\n')}\n`;
  await writeFile(join(folder, 'playlist.m3u8'), playlist);
  for (const [number, media] of files) {
    const path = join(folder, `${String(number).padStart(6, '0')}.ts`);
    await writeFile(path, media);
    const at = numbers.indexOf(number);
    const writtenMs = at < 0 ? endMs : (startsMs[at] ?? endMs) + SEGMENT_SEC * 1000;
    await utimes(path, writtenMs / 1000, writtenMs / 1000);
  }
  const index = {
    stream_code: 'news',
    started_at: goTime(startsMs[0] ?? endMs),
    last_segment_at: goTime(endMs),
    segment_count: numbers.length,
    total_size_bytes: numbers.reduce((sum, number) => sum + (files.get(number)?.length ?? 0), 0),
    gaps: null,
  };
  if (archive.noIndex !== true) await writeFile(join(folder, 'index.json'), JSON.stringify(index, null, 2));
  return { playlist, numbers, startsMs, highest };
}

/** RFC 3339 with Go's nine decimals and a zone. */
function goTime(ms: number): string {
  return new Date(ms + 3 * 3_600_000).toISOString().replace('Z', '000000+03:00');
}
