/**
 * What a check can find, each kind with a stable name and a sentence; docs/guide/check.md has the same list, and a test compares
 * the two. A `damage` is what a repair would change or what is lost; a `note` is worth knowing and no fault of the archive as it is.
 */

/** Every kind of finding: what it is, and whether it is damage or worth a note. Names are never changed and never reused. */
export const FINDINGS = {
  // the playlist
  playlist_missing: ['damage', 'there are segments, and no playlist names them'],
  playlist_newer: ['damage', 'a newer Livetape wrote the playlist; nothing else was looked at'],
  playlist_unreadable: ['damage', 'the header of the playlist cannot be read'],
  header_wrong: ['damage', 'the header of the playlist does not fit its entries'],
  entry_unreadable: ['damage', 'lines of the playlist cannot be read'],
  entry_torn: ['damage', 'the playlist ends in the middle of an entry'],
  entry_incomplete: ['damage', 'an entry lacks what every entry of Livetape has, or a name in it is misspelt'],
  // an entry
  sequence_wrong: ['damage', "an entry's sequence numbers do not follow on"],
  sums_wrong: ['damage', "an entry's cumulative size is not its predecessor's plus its own"],
  number_wrong: ['damage', "a segment's number is not above its predecessor's, or a file is named twice"],
  time_wrong: [
    'damage',
    'a date-time does not follow on from the entry before (F11), or the gap before it is missing or does not begin where that ends',
  ],
  duration_wrong: ['damage', 'EXTINF is above the target duration (F12), or not what the time stamps in the entry say'],
  // a segment, beside its entry
  segment_missing: ['damage', 'an entry names a file that is not there'],
  segment_unreadable: ['damage', 'a file cannot be read from the medium'],
  segment_size: ['damage', 'a file does not have the size that its entry says'],
  segment_crc: ['damage', 'the bytes of a file are not those that were recorded'],
  segment_packets: ['damage', 'a file does not consist of whole packets (F1)'],
  segment_tables: ['damage', 'a file does not begin with PAT and PMT (F3)'],
  segment_keyframe: ['damage', 'a file does not begin at a random access point, and its entry does not say so (F4)'],
  segment_times: ['damage', 'the time stamps in a file are not those that its entry says'],
  segment_keys: ['damage', 'an entry names keyframes that are not in its file'],
  segment_unlisted: ['damage', 'a segment that no entry names'],
  part_left: ['damage', 'what is left of a segment that was being written'],
  // index.json
  index_missing: ['damage', 'there is no index.json'],
  index_unreadable: ['damage', 'index.json cannot be read'],
  index_wrong: ['damage', 'index.json says something else than the playlist'],
  // worth knowing
  segment_damaged: ['note', 'a segment was damaged and entered as it is by a repair'],
  remains: ['note', 'a segment that was pruned, and whose file was not removed yet'],
  set_aside: ['note', 'a file that could not be used and was set aside'],
  tmp_left: ['note', 'a temporary file; the next recording removes it'],
  foreign_file: ['note', 'a file that is not part of the archive'],
} as const satisfies Record<string, readonly ['damage' | 'note', string]>;

/** A kind of finding. */
export type FindingKind = keyof typeof FINDINGS;

/** Something that a check found. */
export interface Finding {
  readonly kind: FindingKind;
  readonly severity: 'damage' | 'note';
  /** The file it is about: a segment, `playlist.m3u8`, `index.json`. */
  readonly file: string;
  /** The entry's number, where it is about an entry. */
  readonly entry?: number | undefined;
  /** Line of the playlist, from 1. */
  readonly line?: number | undefined;
  /** For people; names the file. */
  readonly message: string;
  readonly expected?: string | undefined;
  readonly seen?: string | undefined;
}

/** Where a finding is, and what should be there. */
export type FindingDetail = Omit<Finding, 'kind' | 'severity'>;

/** A finding of a kind. */
export function finding(kind: FindingKind, detail: FindingDetail): Finding {
  return { kind, severity: FINDINGS[kind][0], ...detail };
}
