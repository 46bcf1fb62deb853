/**
 * What a recorder promised before the power was cut, and what of it is there afterwards. There are two kinds of promise: a `segment.written`
 * event says that the segment and its entry are durable; an entry that a reader saw says that the segment is (F8), while the entry itself may still have been on its
 * way to the disk. Both are kept over all rounds: what was durable once has to be there after every later cut.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { readPlaylist } from '../playlistCheckerText.js';

interface Promised {
  readonly uri: string;
  readonly size: number;
  readonly crc: string;
  /** Its entry is durable too. */
  listed: boolean;
  /** The lines of its entry as they were seen, once they were. */
  lines?: string;
}

/** What one look after a cut found. */
export interface Judgement {
  /** Entries that every promise made so far amounts to. */
  readonly promised: number;
  /** Promises that were broken, and listed segments that are not there, one a line. */
  readonly broken: readonly string[];
  /** Entries that a reader saw, which were not durable yet: their segments are there. */
  readonly early: number;
}

/** One stream's promises. */
export class PowerCutJudge {
  readonly #folder: string;
  readonly #retentionSec: number;
  readonly #promised = new Map<string, Promised>();
  #seenText = '';

  /** @param retentionSec - 0 when nothing may leave */
  constructor(folder: string, retentionSec: number) {
    this.#folder = folder;
    this.#retentionSec = retentionSec;
  }

  /** The recorder said that a segment is written. */
  written(uri: string, size: number, crc: string): void {
    const known = this.#promised.get(uri);
    if (known) known.listed = true;
    else this.#promised.set(uri, { uri, size, crc, listed: true });
  }

  /** Looks at the playlist as a reader does. What is read while `over` answers true is not taken: it may never have been on the disk. */
  async look(over: () => boolean): Promise<void> {
    const text = await this.#playlist();
    if (over() || text === this.#seenText) return;
    this.#seenText = text;
    for (const { uri, lines, facts } of readPlaylist(text).entries) {
      const known = this.#promised.get(uri);
      const promised = known ?? { uri, size: Number(facts.get('size')), crc: facts.get('crc') ?? '', listed: false };
      promised.lines ??= lines.join('\n');
      if (!known) this.#promised.set(uri, promised);
    }
  }

  /** After the cut, before anybody writes again. @param cutMs - when it was cut */
  async judge(cutMs: number): Promise<Judgement> {
    const broken: string[] = [];
    const { entries } = readPlaylist(await this.#playlist());
    const listed = new Map(entries.map((entry) => [entry.uri, entry]));
    for (const { uri, facts } of entries) {
      const why = await this.#whyBroken(uri, Number(facts.get('size')), facts.get('crc') ?? '');
      if (why) broken.push(`${uri} is listed and ${why}`);
    }
    let early = 0;
    for (const promise of this.#promised.values()) {
      const entry = listed.get(promise.uri);
      if (entry) {
        if (promise.lines !== undefined && promise.lines !== entry.lines.join('\n')) broken.push(`the entry of ${promise.uri} has changed`);
        if (entry.facts.get('crc') !== promise.crc) broken.push(`${promise.uri} has become another segment`);
        promise.listed = true;
        continue;
      }
      if (this.#mayBePruned(promise, entries[0]?.uri, cutMs)) {
        this.#promised.delete(promise.uri);
        continue;
      }
      const why = await this.#whyBroken(promise.uri, promise.size, promise.crc);
      if (why) broken.push(`${promise.uri} was ${promise.listed ? 'written' : 'seen'} and ${why}`);
      else if (promise.listed) broken.push(`${promise.uri} was written, and its entry is gone`);
      else early += 1;
    }
    return { promised: this.#promised.size, broken, early };
  }

  async #playlist(): Promise<string> {
    return readFile(join(this.#folder, 'playlist.m3u8'), 'utf8').catch(() => '');
  }

  async #whyBroken(uri: string, size: number, crc: string): Promise<string | undefined> {
    const bytes = await readFile(join(this.#folder, uri)).catch(() => undefined);
    if (bytes === undefined) return 'its file is gone';
    if (bytes.length !== size) return `its file has ${bytes.length} of ${size} bytes`;
    const is = crc32(bytes).toString(16).padStart(8, '0');
    return is === crc ? undefined : `its file has the CRC ${is}, not ${crc}`;
  }

  /** Retention may take it: from the head only, and not before its time. */
  #mayBePruned({ uri, lines = '' }: Promised, first: string | undefined, cutMs: number): boolean {
    if (this.#retentionSec === 0 || first === undefined || Number.parseInt(uri) >= Number.parseInt(first)) return false;
    const beganMs = Date.parse(/^#EXT-X-PROGRAM-DATE-TIME:(.*)$/m.exec(lines)?.[1] ?? '');
    return beganMs + 1000 * this.#retentionSec < cutMs;
  }
}
