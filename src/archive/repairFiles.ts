/**
 * What a repair does to files: puts renamed and swapped ones back, cuts off half packets, sets aside what cannot be used. No packet is ever
 * removed. Files are told by size and CRC, which the journal has of each segment.
 */
import type { PlaylistEntry } from '../hls/index.js';
import { PACKET_SIZE } from '../mpegts/index.js';
import { PART_SUFFIX, setAside, type StreamStorage } from '../storage/index.js';
import type { CheckedSegment } from './check.js';
import type { Finding, FindingKind } from './checkFindings.js';
import { numberOf } from './checkFolder.js';
import { probeFile, type Probe } from './probe.js';
import type { RepairAction } from './repairActions.js';
import { segmentName } from './survey.js';

/** Ends the name of a file that is on its way to another; one that a crash leaves behind is found by its CRC like any other. */
const MOVING_SUFFIX = '.moving';

/** What {@link RepairFiles} is given. */
export interface RepairFilesOptions {
  readonly storage: StreamStorage;
  /** Asked before each change. */
  readonly check: () => Promise<void>;
  readonly nowMs: () => number;
  readonly tell: (action: RepairAction) => void;
}

interface Move {
  readonly from: string;
  readonly to: string;
}

/** Changes to files of a place that is owned. */
export class RepairFiles {
  readonly #options: RepairFilesOptions;
  /** Of files that no entry names. */
  readonly #probes = new Map<string, Probe | undefined>();

  constructor(options: RepairFilesOptions) {
    this.#options = options;
  }

  /** The media of a file that no entry names; read once. */
  async probe(name: string): Promise<Probe | undefined> {
    if (!this.#probes.has(name)) this.#probes.set(name, await probeFile(this.#options.storage, name));
    return this.#probes.get(name);
  }

  /**
   * Gives segments that are found under another name their own again. Answers with the entries whose URI is what is wrong, and their
   * file's real name; and whether anything was renamed.
   */
  async putBack(wrong: readonly CheckedSegment[], strays: readonly Finding[]): Promise<{ uris: Map<number, string>; moved: boolean }> {
    const pool = new Map<string, string[]>();
    const offer = (name: string, probe: Probe | undefined): void => {
      if (probe === undefined || probe.sizeBytes === 0) return;
      const key = `${probe.sizeBytes}:${probe.crc32}`;
      pool.set(key, [...(pool.get(key) ?? []), name]);
    };
    const wanting = wrong.filter(({ kinds }) => kinds.has('segment_missing') || kinds.has('segment_size') || kinds.has('segment_crc'));
    const uris = new Map<number, string>();
    if (wanting.length === 0) return { uris, moved: false };
    for (const { entry, probe } of wanting) offer(entry.uri, probe);
    for (const { file } of strays) offer(file, await this.probe(file));
    const moves: Move[] = [];
    for (const { entry, fromByte } of wanting) {
      const { facts, uri } = entry;
      const names = facts && pool.get(`${facts.sizeBytes}:${facts.crc32}`);
      if (!facts || !names || names.length === 0) continue;
      const own = segmentName(facts.index);
      const name = names.includes(own) ? own : (names[0] ?? own);
      names.splice(names.indexOf(name), 1);
      if (name === own && uri !== own) uris.set(fromByte, own);
      else if (name !== uri) moves.push({ from: name, to: numberOf(uri) === undefined ? own : uri });
    }
    await this.#move(moves);
    return { uris, moved: moves.length > 0 };
  }

  /** Gives files the numbers that their time stamps say. */
  async renumber(numbers: ReadonlyMap<number, number>): Promise<void> {
    await this.#move([...numbers].map(([from, to]) => ({ from: segmentName(from), to: segmentName(to) })));
  }

  /**
   * Two may want each other's names, so all leave theirs before any takes its new one. What lies where another belongs gets the name that
   * this one leaves: most likely the two were swapped.
   */
  async #move(moves: readonly Move[]): Promise<void> {
    const { storage, check, tell } = this.#options;
    const movers = new Set(moves.map(({ from }) => from));
    const targets = new Set(moves.map(({ to }) => to));
    const all = [...moves];
    for (const { from, to } of moves) {
      if (movers.has(to) || (await storage.files.stat(to)) === undefined) continue;
      if (numberOf(from) !== undefined && !targets.has(from)) all.push({ from: to, to: from });
      else await this.setAside(to, 'another file has its name');
    }
    const ready: (Move & { between: string })[] = [];
    for (const { from, to } of all) {
      await check();
      const between = await this.#freeName(to + MOVING_SUFFIX);
      await storage.files.rename(from, between);
      ready.push({ from, to, between });
    }
    for (const { from, to, between } of ready) {
      await check();
      await storage.files.rename(between, to);
      this.#probes.delete(from);
      this.#probes.delete(to);
      tell({ action: 'file_renamed', file: to, message: `${to}: it was found as ${from}, and has its name again` });
    }
  }

  /** An earlier repair may have ended in the middle. */
  async #freeName(name: string): Promise<string> {
    for (let n = 1; ; n++) {
      const free = n === 1 ? name : `${name}-${n}`;
      if ((await this.#options.storage.files.stat(free)) === undefined) return free;
    }
  }

  /**
   * Makes of a file what can be listed: half packets at its end are cut off, an unfinished one gets its name. Undefined when it cannot be
   * used; then it was set aside.
   */
  async usable(name: string, probe: Probe | undefined): Promise<{ name: string; probe: Probe } | undefined> {
    const { storage, check, tell } = this.#options;
    if (probe === undefined) return undefined;
    let media: Probe | undefined = probe;
    const half = probe.sizeBytes - probe.wholeBytes;
    if (probe.wholeBytes > 0 && half > 0 && half < PACKET_SIZE) {
      await check();
      await storage.files.trim(name, probe.wholeBytes);
      tell({ action: 'file_trimmed', file: name, message: `${name}: ${half} bytes of a packet that is not complete were cut off its end` });
      media = await probeFile(storage, name);
    }
    if (media === undefined || media.program === undefined || media.wholeBytes === 0) {
      await this.setAside(name, 'nothing in it can be played');
      return undefined;
    }
    if (!name.endsWith(PART_SUFFIX)) return { name, probe: media };
    const whole = name.slice(0, -PART_SUFFIX.length);
    if ((await storage.files.stat(whole)) !== undefined) {
      await this.setAside(name, 'its segment is there');
      return undefined;
    }
    await check();
    await storage.files.rename(name, whole);
    tell({ action: 'file_renamed', file: whole, message: `${whole}: it was left as ${name}` });
    return { name: whole, probe: media };
  }

  async setAside(name: string, why: string): Promise<void> {
    const { storage, check, nowMs, tell } = this.#options;
    await check();
    const kept = await setAside(storage.files, name, nowMs());
    tell({ action: 'file_set_aside', file: name, message: `${name}: ${why}; it is kept as ${kept}` });
  }
}

/** Whether this is the segment of which the entry tells. */
export function isOf(entry: PlaylistEntry | undefined, probe: Probe): boolean {
  return entry?.facts !== undefined && entry.facts.sizeBytes === probe.sizeBytes && entry.facts.crc32 === probe.crc32;
}

/** What of a segment's media stays wrong when it is entered as it is, for its entry to say. */
export function lastingDamage(kinds: ReadonlySet<FindingKind>, probe: Probe): FindingKind[] {
  const lasting: FindingKind[] = [];
  if (kinds.has('segment_crc') || kinds.has('segment_size')) lasting.push(kinds.has('segment_size') ? 'segment_size' : 'segment_crc');
  if (probe.wholeBytes !== probe.sizeBytes) lasting.push('segment_packets');
  if (!probe.startsWithTables) lasting.push('segment_tables');
  return lasting;
}
