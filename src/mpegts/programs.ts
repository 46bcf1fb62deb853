/**
 * Which program is recorded, and which PIDs belong to it: what the PAT and the PMTs say, the choice among several programs, and the PAT that is
 * stored in the place of the received one. Knows sections, not packets.
 */
import { FIRST_FREE_PID, NULL_PID, PAT_PID, PID_COUNT } from './packet.js';
import {
  buildPat,
  caPids,
  isCurrent,
  lastSectionNumber,
  parsePat,
  parsePmt,
  sameBytes,
  samePmt,
  sectionNumber,
  tableExtension,
  tableId,
  versionNumber,
  type PatEntry,
  type Pmt,
} from './psi.js';
import type { Program, Track } from './sink.js';
import { describeTrack } from './streamTypes.js';

/** After so many receptions of one PMT those that never came are no longer waited for. */
const PATIENCE = 3;

/** A program whose PMT was received. */
interface KnownProgram extends PatEntry {
  section: Uint8Array;
  pmt: Pmt;
  received: number;
}

/** What happened to the chosen program. */
export type ProgramChange = 'none' | 'tables' | 'chosen' | 'changed';

/** Follows PAT and PMTs and chooses. */
export class ProgramTables {
  readonly #wanted: number | 'all' | undefined;
  #patSections: (Uint8Array | undefined)[] = [];
  #received: Uint8Array[] = [];
  #entries: PatEntry[] = [];
  readonly #known = new Map<number, KnownProgram>();
  #chosen: KnownProgram | undefined;
  #rewritten: Uint8Array | undefined;

  /** The program that is recorded; undefined until there was enough to choose by. */
  program: Program | undefined;

  constructor(wanted: number | 'all' | undefined) {
    this.#wanted = wanted;
  }

  /** The numbers of the programs that the latest PAT names. */
  get numbers(): readonly number[] {
    return this.#entries.map((entry) => entry.number);
  }

  /** The section that PAT packets are to carry instead of what they do; undefined where they stay. */
  get rewrittenPat(): Uint8Array | undefined {
    return this.#rewritten;
  }

  /** The PAT as it is stored: the rewritten section, or those received. */
  get storedPat(): readonly Uint8Array[] {
    return this.#rewritten ? [this.#rewritten] : this.#received;
  }

  /** PMT sections to begin a segment with, by PID. */
  get storedPmts(): readonly { readonly pid: number; readonly section: Uint8Array }[] {
    const kept = this.#wanted === 'all' ? [...this.#known.values()] : this.#chosen ? [this.#chosen] : [];
    return kept.map(({ pmtPid, section }) => ({ pid: pmtPid, section }));
  }

  /** PIDs on which PMTs are to be looked for. */
  get pmtPids(): readonly number[] {
    return [...new Set(this.#entries.map(({ pmtPid }) => pmtPid))];
  }

  /** Takes a PAT section. */
  pat(section: Uint8Array): ProgramChange {
    if (tableId(section) !== 0 || !isCurrent(section)) return 'none';
    const number = sectionNumber(section);
    const before = this.#patSections[number];
    if (before && sameBytes(before, section)) return 'none';
    const other = this.#patSections.find((known) => known !== undefined);
    if (other && (versionNumber(other) !== versionNumber(section) || lastSectionNumber(other) !== lastSectionNumber(section)))
      this.#patSections = [];
    this.#patSections[number] = section.slice();
    const complete: Uint8Array[] = [];
    for (let index = 0; index <= lastSectionNumber(section); index++) {
      const part = this.#patSections[index];
      if (!part) return 'none';
      complete.push(part);
    }
    this.#received = complete;
    this.#entries = complete.flatMap((part) => parsePat(part));
    for (const known of this.#known.values()) if (!this.#entries.some((entry) => same(entry, known))) this.#known.delete(known.number);
    return this.#followPat();
  }

  #followPat(): ProgramChange {
    const chosen = this.#chosen;
    if (!chosen) return 'tables';
    const entry = this.#entries.find(({ number }) => number === chosen.number);
    if (entry) this.#moveChosen(entry);
    else if (this.#wanted === undefined || this.#wanted === 'all') {
      const change = this.#choose();
      if (change !== 'none') return change;
    }
    this.#renderPat();
    return 'tables';
  }

  /** The chosen program's PMT may have gone to another PID: it is awaited there, and holds as it was until it comes. */
  #moveChosen(entry: PatEntry): void {
    const chosen = this.#chosen;
    if (!chosen || !this.program || chosen.pmtPid === entry.pmtPid) return;
    this.#chosen = { ...chosen, pmtPid: entry.pmtPid };
    this.program = { ...this.program, pmtPid: entry.pmtPid };
  }

  /** Takes a section from `pid`, on which the PAT says that PMTs are. */
  pmt(pid: number, section: Uint8Array): ProgramChange {
    if (tableId(section) !== 2 || !isCurrent(section)) return 'none';
    const number = tableExtension(section);
    const entry = this.#entries.find((listed) => listed.number === number && listed.pmtPid === pid);
    if (!entry) return 'none';
    const known = this.#known.get(number);
    if (known && sameBytes(known.section, section)) {
      known.received += 1;
      return this.#chosen && this.#isListed(this.#chosen) ? 'none' : this.#choose();
    }
    const pmt = parsePmt(section);
    if (!pmt) return 'none';
    const fresh = { ...entry, section: section.slice(), pmt, received: (known?.received ?? 0) + 1 };
    this.#known.set(number, fresh);
    if (!this.#chosen || !this.#isListed(this.#chosen)) return max(this.#choose(), 'tables');
    if (number !== this.#chosen.number)
      return this.#wanted === 'all' && !(known && samePmt(known.section, section)) ? this.#adopt(this.#chosen) : 'tables';
    const saysTheSame = samePmt(this.#chosen.section, section);
    if (!saysTheSame) return this.#adopt(fresh);
    this.#chosen = fresh;
    return 'tables';
  }

  /** Whether a section of this table, from this PID, is the PMT of the chosen program. */
  isChosenPmt(pid: number, section: Uint8Array): boolean {
    return tableId(section) === 2 && isCurrent(section) && this.#chosen?.pmtPid === pid && this.#chosen.number === tableExtension(section);
  }

  #isListed(program: PatEntry): boolean {
    return this.#wanted === this.#chosen?.number || this.#entries.some(({ number }) => number === program.number);
  }

  #choose(): ProgramChange {
    const choice = this.#choice();
    return choice ? this.#adopt(choice) : 'none';
  }

  /** The program asked for; else the first with video, else with audio, else the first: among all, or those known when the rest does not come. */
  #choice(): KnownProgram | undefined {
    if (typeof this.#wanted === 'number') return this.#known.get(this.#wanted);
    const known: KnownProgram[] = [];
    let waiting = false;
    let patience = 0;
    for (const { number } of this.#entries) {
      const program = this.#known.get(number);
      if (!program) {
        waiting = true;
        continue;
      }
      if (!waiting && hasRole(program.pmt, 'video')) return program;
      known.push(program);
      patience = Math.max(patience, program.received);
    }
    if (waiting && patience < PATIENCE) return undefined;
    return known.find(({ pmt }) => hasRole(pmt, 'video')) ?? known.find(({ pmt }) => hasRole(pmt, 'audio')) ?? known[0];
  }

  #adopt(chosen: KnownProgram): ProgramChange {
    const first = this.program === undefined;
    this.#chosen = chosen;
    const all = this.#wanted === 'all';
    const own = tracksOf(chosen.pmt);
    const others = all
      ? [...this.#known.values()].filter(({ number }) => number !== chosen.number).flatMap(({ pmt }) => tracksOf(pmt))
      : [];
    const reference = own.find(({ role }) => role === 'video') ?? own.find(({ role }) => role === 'audio');
    this.program = {
      number: all ? -1 : chosen.number,
      pmtPid: chosen.pmtPid,
      pcrPid: chosen.pmt.pcrPid,
      tracks: [...own, ...others.filter(({ pid }) => !own.some((track) => track.pid === pid))],
      referencePid: reference?.pid,
    };
    this.#renderPat();
    return first ? 'chosen' : 'changed';
  }

  #renderPat(): void {
    const first = this.#received[0];
    const chosen = this.#chosen;
    if (!first || !chosen || this.#wanted === 'all') return;
    const alone = this.#entries.length <= 1 && (this.#wanted === undefined || this.#entries[0]?.number === chosen.number);
    const section = alone ? undefined : buildPat(tableExtension(first), versionNumber(first), chosen);
    if (!section || !this.#rewritten || !sameBytes(section, this.#rewritten)) this.#rewritten = section;
  }

  /**
   * Whether packets of each PID are stored (docs/design/data-format.md, F2): those of the chosen program, PSI/SI and null packets; of the rest, what
   * no other program claims, once all programs' claims are known.
   */
  keptPids(): Uint8Array {
    const kept = new Uint8Array(PID_COUNT).fill(1);
    if (this.#wanted === 'all' || !this.#chosen) return kept;
    const chosen = this.#chosen;
    // of a PAT that names one program, another than was chosen so far, the PMT is about to come
    if (this.#wanted === undefined && this.#entries.length <= 1) return kept;
    const others = this.#entries.filter(({ number }) => number !== chosen.number);
    const missing = others.some(({ number }) => !this.#known.has(number));
    if (missing) kept.fill(0, FIRST_FREE_PID);
    for (const { number, pmtPid } of others) {
      kept[pmtPid] = 0;
      const known = this.#known.get(number);
      if (known) for (const pid of claims(known)) kept[pid] = 0;
    }
    kept.fill(1, PAT_PID, FIRST_FREE_PID);
    kept[NULL_PID] = 1;
    for (const pid of claims(chosen)) kept[pid] = 1;
    return kept;
  }
}

const same = (a: PatEntry, b: PatEntry): boolean => a.number === b.number && a.pmtPid === b.pmtPid;
const max = (change: ProgramChange, atLeast: ProgramChange): ProgramChange => (change === 'none' ? atLeast : change);
const tracksOf = (pmt: Pmt): Track[] => pmt.streams.map((stream) => describeTrack(stream, pmt));
const hasRole = (pmt: Pmt, role: 'video' | 'audio'): boolean => tracksOf(pmt).some((track) => track.role === role);
const claims = ({ pmtPid, pmt }: KnownProgram): number[] => [pmtPid, pmt.pcrPid, ...pmt.streams.map(({ pid }) => pid), ...caPids(pmt)];
