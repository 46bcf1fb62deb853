/**
 * What a writer found wrong on opening an archive and what it did about it: told once, logged line by line, counted. Nothing in
 * it is a reason not to record.
 */
import type { Logger } from '../base/index.js';

/** Something that was not as it should be, and what was done. docs/design/keeping.md says why. */
export interface Healed {
  readonly found:
    | 'torn_entry'
    | 'playlist_tail_unreadable'
    | 'playlist_unreadable'
    | 'playlist_newer'
    | 'playlist_empty'
    | 'playlist_missing'
    | 'index_unreadable'
    | 'index_newer'
    | 'index_missing'
    | 'index_disagrees'
    | 'unlisted_segment'
    | 'upload_remains'
    | 'listed_segment_missing'
    | 'listed_segment_short'
    | 'leftover_file';
  /**
   * - `cut_off`: by the next append, or at once with the whole kept under `keptAs`
   * - `set_aside`: renamed to `keptAs`
   * - `entered`: it is in the playlist now
   * - `rewritten`: a new one takes its place
   * - `removed`: it held nothing that is not elsewhere
   * - `left`: it stays as it is; `livetape check` names it
   */
  readonly done: 'cut_off' | 'set_aside' | 'entered' | 'rewritten' | 'removed' | 'left';
  readonly file: string;
  readonly keptAs?: string;
  /** Bytes that it is about. */
  readonly sizeBytes?: number;
  /** How many files it is about, where more than `file`. */
  readonly count?: number;
  /** For people. */
  readonly detail: string;
}

/** Takes down what is healed. */
export class Healing {
  readonly #list: Healed[] = [];
  readonly #location: string;
  readonly #log: Logger;

  constructor(location: string, log: Logger) {
    this.#location = location;
    this.#log = log;
  }

  get list(): readonly Healed[] {
    return this.#list;
  }

  note(healed: Healed): void {
    this.#list.push(healed);
    const { detail, ...fields } = healed;
    this.#log.warn({ location: this.#location, ...fields }, detail);
  }
}
