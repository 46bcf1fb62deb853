/**
 * A judge of media playlists: fed the successive versions of one playlist as a client would see them, it names every rule of RFC 8216 and
 * rfc8216bis, section 6.2 (and of section 4, and of docs/design/data-format.md) that does not hold. Every test that records runs it.
 */
import { judgePair, readPlaylist, type CheckedEntry, type CheckedPlaylist, type Violation } from './playlistCheckerText.js';

export type { Violation } from './playlistCheckerText.js';

/** Watches one playlist. A version that is the same as the last is no news. */
export class PlaylistChecker {
  #last: CheckedPlaylist | undefined;
  #lastText = '';
  #changedAtMs: number | undefined;
  /** Every entry ever seen, by its sequence number: what was removed does not come back as something else. */
  readonly #known = new Map<number, CheckedEntry>();
  readonly #sequenceOf = new Map<string, number>();

  /**
   * Judges the next version.
   * @param text - the whole playlist
   * @param atMs - when it was read; versions that come with it must not come too late (6.2.1). Leave it out where the source is not live.
   * @param life - of the journal, where the text does not say it
   * @returns what is wrong with it by itself, and as what follows the version before
   */
  see(text: string, atMs?: number, life?: number): Violation[] {
    if (text === this.#lastText) return [];
    const read = readPlaylist(text);
    const violations = [...read.violations];
    const now = this.#whole({ ...read, life: read.life ?? life }, violations);
    const rfc = (section: string, message: string): void => void violations.push({ clause: `RFC 8216, ${section}`, message });
    const before = this.#last;
    if (before) {
      if (now.life !== undefined && before.life !== undefined && now.life > before.life) this.#judgeNewLife(before, now, rfc);
      else this.#judgeSameLife(before, now, rfc);
      this.#judgeRemoval(before, now, rfc);
      if (atMs !== undefined && this.#changedAtMs !== undefined) judgePace(before, now, atMs - this.#changedAtMs, rfc);
    }
    this.#judgeEntries(now, rfc);
    this.#last = now;
    this.#lastText = text;
    if (now.entries.at(-1)?.mediaSequence !== before?.entries.at(-1)?.mediaSequence) this.#changedAtMs = atMs;
    return violations;
  }

  /** As a client makes it: with the entries that EXT-X-SKIP stands for, which it must have from the version before (rfc8216bis, 6.3.7). */
  #whole(now: CheckedPlaylist, violations: Violation[]): CheckedPlaylist {
    if (now.skipped === 0) return now;
    const fault = (clause: string, message: string): void => void violations.push({ clause, message });
    const behind = now.mediaSequence + now.skipped;
    const skipped = (this.#last?.entries ?? []).filter(({ mediaSequence }) => mediaSequence >= now.mediaSequence && mediaSequence < behind);
    const last = skipped.at(-1);
    if (skipped.length !== now.skipped || last === undefined) {
      fault(
        'rfc8216bis, 6.3.7',
        `${now.skipped} segments from number ${now.mediaSequence} on are skipped, and the client has ${skipped.length} of them`,
      );
      return now;
    }
    let discontinuities = last.discontinuitySequence;
    const entries = now.entries.map((entry) => {
      discontinuities += entry.discontinuity ? 1 : 0;
      return { ...entry, discontinuitySequence: discontinuities };
    });
    if (entries[0]) judgePair(last, entries[0], false, fault);
    return { ...now, entries: [...skipped, ...entries] };
  }

  /** Within a life: what may change, and what may not (6.2.1, 4.3.3.5). */
  #judgeSameLife(before: CheckedPlaylist, now: CheckedPlaylist, rfc: Rfc): void {
    if (now.life !== before.life) rfc('6.2.1', `its life went from ${before.life} to ${now.life}`);
    if (before.ended) rfc('6.2.1', 'it had ended (EXT-X-ENDLIST), and has changed since');
    if (now.targetDuration !== before.targetDuration) {
      rfc('6.2.1', `EXT-X-TARGETDURATION went from ${before.targetDuration} to ${now.targetDuration} within a life`);
    }
    // stopping writes an open playlist as VOD, with ENDLIST; nothing else changes a type
    const stopped = now.type === 'VOD' && now.ended && before.type !== 'VOD';
    if (now.type !== before.type && !stopped) rfc('4.3.3.5', `EXT-X-PLAYLIST-TYPE went from ${before.type} to ${now.type} within a life`);
    // no tag of the header comes or goes while clients reload it; where it begins may change with what is first in it
    if (now.serverControl !== before.serverControl)
      rfc('6.2.1', `EXT-X-SERVER-CONTROL went from ${before.serverControl} to ${now.serverControl}`);
    const sameHead = now.mediaSequence === before.mediaSequence && before.entries.length > 0;
    if ((now.start === undefined) !== (before.start === undefined) || (sameHead && now.start !== before.start))
      rfc('6.2.1', `EXT-X-START went from ${before.start} to ${now.start}`);
    if (before.type === 'EVENT' && now.entries[0]?.mediaSequence !== before.entries[0]?.mediaSequence && before.entries.length > 0) {
      rfc('4.3.3.5', 'entries left an EVENT playlist');
    }
  }

  /** A new life may have another target and type, and its ENDLIST goes; it begins when what was there had ended. */
  #judgeNewLife(before: CheckedPlaylist, now: CheckedPlaylist, rfc: Rfc): void {
    const sameEntries = now.entries.at(-1)?.mediaSequence === before.entries.at(-1)?.mediaSequence;
    if (!now.ended && sameEntries && before.ended && now.entries.length > 0)
      rfc('6.2.1', 'it had ended, and is open again without a new segment');
  }

  /** Entries leave from the head, in order, and are counted (6.2.2, 4.3.3.2). */
  #judgeRemoval(before: CheckedPlaylist, now: CheckedPlaylist, rfc: Rfc): void {
    const [was, is] = [before.entries[0]?.mediaSequence, now.entries[0]?.mediaSequence];
    const [wasLast, isLast] = [before.entries.at(-1)?.mediaSequence, now.entries.at(-1)?.mediaSequence];
    if (was === undefined) return;
    if (is === undefined || isLast === undefined || wasLast === undefined) return rfc('6.2.2', 'all of its entries are gone');
    if (is < was) rfc('6.2.2', `EXT-X-MEDIA-SEQUENCE went back from ${was} to ${is}`);
    if (isLast < wasLast)
      rfc('6.2.1', `entries are gone from its end, or more were removed than counted: ${wasLast} was the last, now ${isLast} is`);
    const lengthSec = now.entries.reduce((sum, entry) => sum + entry.durationSec, 0);
    if (is > was && !now.ended && lengthSec < 3 * now.targetDuration) {
      rfc('6.2.2', `removing left ${lengthSec.toFixed(3)} s, less than three target durations of ${now.targetDuration} s`);
    }
  }

  /** What a sequence number stands for never changes (6.2.1, 6.2.2), and no URI stands for two. */
  #judgeEntries(now: CheckedPlaylist, rfc: Rfc): void {
    for (const entry of now.entries) {
      const known = this.#known.get(entry.mediaSequence);
      const sequence = this.#sequenceOf.get(entry.uri);
      if (known && known.uri !== entry.uri) rfc('6.2.2', `number ${entry.mediaSequence} was ${known.uri} and is ${entry.uri}`);
      else if (known && known.lines.join('\n') !== entry.lines.join('\n')) rfc('6.2.1', `the tags of ${entry.uri} have changed`);
      if (known && known.discontinuitySequence !== entry.discontinuitySequence) {
        rfc(
          '6.2.2',
          `${entry.uri} had discontinuity sequence number ${known.discontinuitySequence} and has ${entry.discontinuitySequence}: ` +
            'EXT-X-DISCONTINUITY-SEQUENCE does not count the tags that were removed',
        );
      }
      if (sequence !== undefined && sequence !== entry.mediaSequence)
        rfc('6.2.2', `${entry.uri} was number ${sequence} and is ${entry.mediaSequence}`);
      this.#known.set(entry.mediaSequence, entry);
      this.#sequenceOf.set(entry.uri, entry.mediaSequence);
    }
  }
}

type Rfc = (section: string, message: string) => void;

/** A playlist that has not ended gets a new segment within 1.5 target durations, unless there was nothing to enter: a gap. */
function judgePace(before: CheckedPlaylist, now: CheckedPlaylist, waitedMs: number, rfc: Rfc): void {
  const last = before.entries.at(-1);
  const next = now.entries.find((entry) => last !== undefined && entry.mediaSequence === last.mediaSequence + 1);
  if (!next || before.ended || next.discontinuity || next.facts.has('gap')) return;
  if (waitedMs > before.targetDuration * 1500) {
    rfc('6.2.1', `${next.uri} came ${(waitedMs / 1000).toFixed(1)} s after the segment before it: later than 1.5 target durations`);
  }
}
