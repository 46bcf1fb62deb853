/**
 * Watches an archive through kills: every version of its playlist, and every file from the moment it is listed. At the end it says what each kill
 * cost, from the time stamps of what is stored and what had been sent.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlaylistChecker } from '../playlistChecker.js';
import { readPlaylist, type CheckedEntry } from '../playlistCheckerText.js';

/** What is promised: received media is with the archive within a second; and a frame, since time stamps count whole ones. */
const MAX_LOST_MS = 1000 + 40;
/** Media missing for less is a discontinuity without a gap (docs/design/time.md). */
const MIN_GAP_MS = 1000;

/** One run of the recorder, in time stamps of the channel. */
export interface Run {
  readonly how: string;
  /** What had been sent when it said that it records; undefined when it was killed before. */
  readonly from90k: number | undefined;
  /** What had been sent when it was killed. */
  readonly to90k: number;
  /** The first keyframe sent from `from90k` on. */
  readonly firstKey90k: number;
}

interface Listed {
  readonly uri: string;
  readonly hash: string;
}

/** The judge of one campaign. */
export class KillJudge {
  readonly #folder: string;
  readonly #checker = new PlaylistChecker();
  /** Every entry ever listed, by its sequence number. */
  readonly #entries = new Map<number, CheckedEntry>();
  /** Those that are listed now. */
  readonly #listed = new Map<number, Listed>();
  #lastText = '';
  #looks: Promise<void> = Promise.resolve();
  readonly broken: string[] = [];
  versions = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get segments(): number {
    return this.#entries.size;
  }

  /** Looks at the playlist, after all looks that were asked for before. */
  look(): Promise<void> {
    this.#looks = this.#looks.then(() => this.#look());
    return this.#looks;
  }

  /** Every listed file is what it was when it was listed first. */
  async compare(when: string): Promise<void> {
    await this.look();
    for (const { uri, hash } of this.#listed.values()) {
      const now = await this.#hash(uri);
      if (now !== hash) this.broken.push(`${when}: ${uri} ${now === undefined ? 'is gone' : 'has changed'} while it is listed`);
    }
  }

  /** What each run lost in milliseconds, undefined where nothing was received; and whether the archive says so. */
  losses(runs: readonly Run[]): (number | undefined)[] {
    const entries = [...this.#entries.values()]
      .sort((a, b) => a.mediaSequence - b.mediaSequence)
      .map((entry) => ({ entry, ...spanOf(entry) }));
    let epoch = 0;
    for (const { entry, first90k } of entries) {
      const own = Number(entry.facts.get('epoch') ?? 0);
      if (own < epoch) this.broken.push(`${entry.uri} is of epoch ${own}, after ${epoch}`);
      epoch = own;
      if (Number.isNaN(first90k)) this.broken.push(`${entry.uri} has no time stamps`);
    }
    for (const [i, { entry, first90k }] of entries.entries()) {
      const before = entries[i - 1];
      if (before && first90k < before.end90k) this.broken.push(`${entry.uri} begins before ${before.entry.uri} ends`);
      if (before && first90k > before.end90k && !entry.discontinuity)
        this.broken.push(`${entry.uri} does not go on from ${before.entry.uri}`);
    }
    return runs.map((run, i) => this.#loss(run, i, entries));
  }

  #loss(run: Run, i: number, entries: readonly { entry: CheckedEntry; first90k: number; end90k: number }[]): number | undefined {
    const name = `kill ${i + 1} (${run.how})`;
    const before = entries.filter(({ first90k }) => first90k < run.to90k).at(-1);
    const after = entries.find(({ first90k }) => first90k >= run.to90k);
    if (before && after) {
      const missingMs = (after.entry.dateMs ?? 0) - ((before.entry.dateMs ?? 0) + before.entry.durationSec * 1000);
      if (!after.entry.discontinuity) this.broken.push(`${name}: ${after.entry.uri} has no discontinuity`);
      if (missingMs > MIN_GAP_MS && after.entry.facts.get('why') !== 'restart') {
        this.broken.push(`${name}: ${missingMs} ms before ${after.entry.uri} are no gap with reason restart`);
      }
    }
    if (run.from90k === undefined) return undefined;
    const lostMs = Math.max(0, run.to90k - Math.max(before?.end90k ?? 0, run.firstKey90k)) / 90;
    if (lostMs > MAX_LOST_MS) this.broken.push(`${name}: ${Math.round(lostMs)} ms of received media were lost`);
    return lostMs;
  }

  async #look(): Promise<void> {
    const text = await readFile(join(this.#folder, 'playlist.m3u8'), 'utf8').catch(() => undefined);
    // A reader may come between the bytes of an entry: what has no newline at its end is not there yet.
    if (text === undefined || text === this.#lastText || !text.endsWith('\n')) return;
    this.#lastText = text;
    this.versions += 1;
    for (const { clause, message } of this.#checker.see(text)) this.broken.push(`${clause}: ${message}`);
    const { entries } = readPlaylist(text);
    const first = entries[0]?.mediaSequence ?? 0;
    for (const [sequence, { uri }] of this.#listed) {
      if (sequence < first) this.#listed.delete(sequence);
      else if (!entries.some((entry) => entry.uri === uri)) this.broken.push(`${uri} was listed and is not any more`);
    }
    for (const entry of entries) {
      if (this.#entries.has(entry.mediaSequence)) continue;
      this.#entries.set(entry.mediaSequence, entry);
      const hash = await this.#hash(entry.uri);
      if (hash === undefined) this.broken.push(`${entry.uri} is listed and not there`);
      else this.#listed.set(entry.mediaSequence, { uri: entry.uri, hash });
    }
  }

  async #hash(uri: string): Promise<string | undefined> {
    const bytes = await readFile(join(this.#folder, uri)).catch(() => undefined);
    return bytes && createHash('sha1').update(bytes).digest('hex');
  }
}

function spanOf(entry: CheckedEntry): { first90k: number; end90k: number } {
  const [first90k = NaN, end90k = NaN] = (entry.facts.get('pts') ?? '').split('-').map(Number);
  return { first90k, end90k };
}
