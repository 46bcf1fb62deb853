/** What a repair tells of what it did: one line each, with a stable name. docs/guide/check.md has the same list, and a test compares the two. */

/** Everything a repair does. Names are never changed and never reused. */
export const REPAIR_ACTIONS = {
  file_renamed: 'a segment was found under another name, or two had changed places: it has its own name again',
  file_trimmed: 'a packet that was not complete was cut off the end of a file',
  file_set_aside: 'a file that cannot be used was renamed, so that nothing reads or overwrites it',
  entry_kept_damaged: 'a segment whose bytes had changed stays in the playlist, as it is now',
  entry_corrected: 'an entry was set right by its media and its neighbours',
  entry_added: 'a segment that no entry named was entered',
  entry_removed: 'an entry whose media is gone left the playlist',
  gap_added: 'what was lost is a gap now',
  playlist_rebuilt: 'the playlist was written anew: a new life',
  index_rebuilt: 'index.json was written anew from the playlist',
} as const;

/** A kind of action. */
export type RepairActionKind = keyof typeof REPAIR_ACTIONS;

/**
 * Where the wall time of an entry comes from: it stood in an entry; from the neighbour whose time stamps go on; from index.json; from the
 * file's time of modification; or, where nothing says it, it begins where what is before it ends.
 */
export type WallTimeSource = 'entry' | 'neighbour' | 'index.json' | 'file time' | 'order';

/** Something that a repair did. */
export interface RepairAction {
  readonly action: RepairActionKind;
  readonly file: string;
  /** For people; names the file. */
  readonly message: string;
  readonly wallTimeFrom?: WallTimeSource | undefined;
}
