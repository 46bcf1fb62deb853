/**
 * Packets in, facts out: the one pass over every packet. The fast path compares a packet's 4-byte header with what its PID is to look like and goes
 * on; whatever differs (a unit begins, PSI, a counter out of step, an error flag) takes the slow path. Packets that are not stored are closed up
 * in place. No object is made per packet (bench/scan.ts measures what one costs).
 */
import type { Block, BlockStore } from './blocks.js';
import { FIRST_FREE_PID, NULL_PID, PACKET_SIZE, PAT_PID, PID_COUNT, SYNC_BYTE } from './packet.js';
import { adaptationFlags, hasPayload, payloadStart, readCounter, readPid, readTimestamp, startsUnit } from './packet.js';
import { ProgramTables, type ProgramChange } from './programs.js';
import { SectionAssembler, isCurrent, lastSectionNumber, rewritePatPacket, sectionNumber } from './psi.js';
import type { Program, ScanErrors, ScannerSink, Tables } from './sink.js';
import { carriesPes } from './streamTypes.js';
import { TableSnapshot } from './tables.js';
import { Stage, TrackState } from './track.js';
import { UnitTracker } from './unitTracker.js';

/** What a PID is to us. */
const KEEP = 0x01;
/** May lie between the tables and the access unit that they are right before. */
const NEUTRAL = 0x02;
const PSI = 0x04;
/** A unit of it is not told yet: its packets are read on. */
const PENDING = 0x08;
/** Shifted left by 8 it is payload_unit_start_indicator's bit of the header word. */
const PES = 0x40;

/** Bits of the header word, little-endian. */
const UNIT_START = 0x4000;
const TRANSPORT_ERROR = 0x8000;
const PAYLOAD = 0x10000000;
const ADAPTATION = 0x20000000;
const SCRAMBLED = 0xc0000000;
/** What must read PAYLOAD alone for the fast path: transport error, scrambling, payload. */
const FAST_MASK = SCRAMBLED | PAYLOAD | TRANSPORT_ERROR | 0;

/** next[pid]: the counter expected, with this bit after a duplicate, of which one is legal (2.4.3.3). */
const DUPLICATE = 0x10;
const UNKNOWN = 0xff;

/** PAT and PMT are no longer "right before" a unit when more than this lies between, so that null packets alone hold no memory. */
const MAX_RUN_BYTES = 512 * PACKET_SIZE;
/** PSI held until a program is chosen; more is forgotten. */
const MAX_HELD_BYTES = 348 * PACKET_SIZE;

const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const swap = (word: number): number => (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);

/** Scans packets where they lie. */
export class Scanner {
  readonly #store: BlockStore;
  readonly #sink: ScannerSink;
  readonly #tables: ProgramTables;
  readonly #all: boolean;
  readonly #flags = new Uint8Array(PID_COUNT);
  readonly #next = new Uint8Array(PID_COUNT).fill(UNKNOWN);
  /** Counter of the latest packet of each PID that carries PSI. */
  readonly #tableCounters = new Uint8Array(PID_COUNT);
  readonly #assemblers = new Map<number, SectionAssembler>();
  #tracks = new Map<number, TrackState>();
  readonly #units: UnitTracker;
  readonly #snapshot = (): Tables | undefined => this.snapshot();
  /** Position of the PAT that begins a run of PSI/SI and null packets; -1 when there is none. */
  #run = -1;
  #runHasPat = false;
  #runHasPmt = false;
  #packetPosition = 0;

  readonly errors: ScanErrors = { continuity: 0, transportError: 0, syncSkippedBytes: 0, scrambled: 0, crc: 0 };
  /** Bytes after the stored ones that are held until a program is chosen: the latest PAT and the PSI since. */
  heldBytes = 0;

  constructor(store: BlockStore, sink: ScannerSink, program: number | 'all' | undefined) {
    this.#store = store;
    this.#sink = sink;
    this.#all = program === 'all';
    this.#tables = new ProgramTables(program);
    this.#units = new UnitTracker(sink, (pid, pending) => {
      this.#flags[pid] = (this.#flags[pid]! & ~PENDING) | (pending ? PENDING : 0);
    });
    this.#assemble();
  }

  /** Access units under way. */
  get units(): UnitTracker {
    return this.#units;
  }

  get program(): Program | undefined {
    return this.#tables.program;
  }

  /** The programs there are to choose from. */
  get programs(): readonly number[] {
    return this.#tables.numbers;
  }

  /** The earliest position that may still be named. */
  get heldFrom(): number {
    let from = this.#store.position;
    if (this.#run >= 0 && this.#run < from) from = this.#run;
    return this.#units.heldFrom(from);
  }

  snapshot(): Tables | undefined {
    if (!this.program) return undefined;
    return new TableSnapshot(this.#tables.storedPat, this.#tables.storedPmts, this.#tableCounters);
  }

  /** What came before and what follows do not join. */
  reset(): void {
    for (const state of this.#units.pending) this.#units.conclude(state, false);
    this.#next.fill(UNKNOWN);
    for (const assembler of this.#assemblers.values()) assembler.reset();
    this.#run = -1;
    this.heldBytes = 0;
  }

  /**
   * Scans the packets in [read, end) of the current block, `stride` bytes apart, and closes up those that are stored. Answers where it
   * stopped: at a packet that is not complete, or does not begin with the sync byte.
   */
  scan(read: number, end: number, stride: number): number {
    const at = this.program ? read : this.#awaitProgram(read, end, stride);
    return this.program ? this.#pass(at, end, stride) : at;
  }

  #pass(from: number, end: number, stride: number): number {
    const block = this.#store.current;
    const { bytes, words, base } = block;
    const flags = this.#flags;
    const next = this.#next;
    const last = end - PACKET_SIZE;
    let write = block.stored;
    let run = this.#run;
    let deadline = this.#units.deadline;
    let read = from;
    for (; read <= last; read += stride) {
      const word = LITTLE_ENDIAN ? words[read >>> 2]! : swap(words[read >>> 2]!);
      if ((word & 0xff) !== SYNC_BYTE) break;
      const pid = (word & 0x1f00) | ((word >>> 16) & 0xff);
      let flag = flags[pid]!;
      const counter = (word >>> 24) & 15;
      // Null packets have no counter (2.4.3.3), and a multiplex of constant rate is full of them.
      if (
        pid !== NULL_PID &&
        (((word & FAST_MASK) ^ PAYLOAD) | (counter ^ next[pid]!) | (flag & (PSI | PENDING)) | (word & (flag << 8) & UNIT_START)) !== 0
      ) {
        block.stored = write;
        this.#run = run;
        this.#slow(block, read, word, pid);
        run = this.#run;
        deadline = this.#units.deadline;
        flag = flags[pid]!;
      } else {
        next[pid] = (counter + 1) & 15;
      }
      if ((flag & KEEP) === 0) continue;
      if ((flag & NEUTRAL) === 0 || base + write - run > MAX_RUN_BYTES) run = -1;
      if (read !== write) bytes.copyWithin(write, read, read + PACKET_SIZE);
      write += PACKET_SIZE;
      if (base + write < deadline) continue;
      block.stored = write;
      this.#run = run;
      this.#units.expire(base + write);
      deadline = this.#units.deadline;
    }
    block.stored = write;
    this.#run = run;
    return read;
  }

  /** All that the fast path is not for. */
  #slow(block: Block, at: number, word: number, pid: number): void {
    const { bytes } = block;
    const flag = this.#flags[pid]!;
    this.#packetPosition = block.base + block.stored;
    if ((flag & KEEP) !== 0) {
      if ((word & TRANSPORT_ERROR) !== 0) this.errors.transportError += 1;
      if ((word & SCRAMBLED) !== 0) this.errors.scrambled += 1;
    }
    const fresh = this.#checkCounter(bytes, at, word, pid, flag);
    if ((word & PAYLOAD) === 0) return;
    if ((flag & PSI) !== 0) this.#psi(bytes, at, word, pid, fresh);
    if (fresh && (flag & (PES | PENDING)) !== 0) {
      const state = this.#tracks.get(pid);
      if (!state) return;
      if ((word & UNIT_START) !== 0)
        this.#units.begin(state, bytes, at, this.#packetPosition, this.#runHasPat && this.#runHasPmt ? this.#run : -1, this.#snapshot);
      else if ((word & SCRAMBLED) !== 0) this.#units.conclude(state, undefined);
      else this.#units.readOn(state, bytes, at);
    }
  }

  /** Follows continuity_counter (2.4.3.3). Answers whether the payload is new: not that of a duplicate. */
  #checkCounter(bytes: Uint8Array, at: number, word: number, pid: number, flag: number): boolean {
    const counter = (word >>> 24) & 15;
    const expected = this.#next[pid]!;
    const after = (counter + 1) & 15;
    if ((word & (PAYLOAD | ADAPTATION)) === 0) return false; // reserved: not to be read
    this.#next[pid] = after;
    if (expected === UNKNOWN) return true;
    const inStep = (word & PAYLOAD) !== 0 ? (expected & 15) === counter : (expected & 15) === after;
    if (inStep) return true;
    if ((adaptationFlags(bytes, at) & 0x80) === 0) {
      if ((word & PAYLOAD) !== 0 && expected === after && !this.#beginsAnother(bytes, at, word, pid)) {
        this.#next[pid] = after | DUPLICATE;
        return false;
      }
      if ((flag & KEEP) !== 0) this.errors.continuity += 1;
    }
    const state = this.#tracks.get(pid);
    if (state?.stage === Stage.Header) this.#units.forget(state);
    else if (state?.stage === Stage.Undecided) state.units?.broken();
    return true;
  }

  /** Whether a packet with its predecessor's counter begins another unit than the latest: then it is no duplicate, 15 packets are missing. */
  #beginsAnother(bytes: Uint8Array, at: number, word: number, pid: number): boolean {
    const state = this.#tracks.get(pid);
    if (!state || (word & UNIT_START) === 0 || (word & SCRAMBLED) !== 0) return false;
    const start = payloadStart(bytes, at);
    if (start + 14 > at + PACKET_SIZE || (bytes[start + 7]! & 0x80) === 0) return false;
    return !Number.isNaN(state.pes.pts90k) && readTimestamp(bytes, start + 9) !== state.pes.pts90k;
  }

  // ---- tables

  #psi(bytes: Uint8Array, at: number, word: number, pid: number, fresh: boolean): void {
    const position = this.#packetPosition;
    this.#tableCounters[pid] = (word >>> 24) & 15;
    if (pid === PAT_PID && (this.#run < 0 || !this.#runHasPat) && beginsTable(bytes, at)) {
      this.#run = position;
      this.#runHasPat = this.#runHasPmt = false;
    }
    if (fresh) this.#assemblers.get(pid)?.push(bytes, at, position);
    const pat = this.#tables.rewrittenPat;
    if (pid !== PAT_PID || !pat) return;
    const whole = rewritePatPacket(bytes, at, pat);
    if (!whole && this.#run === position) this.#run = -1;
  }

  #section(pid: number, section: Uint8Array, firstPosition: number): void {
    const before = this.#tables.rewrittenPat;
    const change = pid === PAT_PID ? this.#tables.pat(section) : this.#tables.pmt(pid, section);
    // the run began with a PAT that names another program
    if (before !== this.#tables.rewrittenPat && this.#run !== this.#packetPosition) this.#run = -1;
    this.#apply(change);
    if (this.#run < 0 || firstPosition < this.#run || !isCurrent(section)) return;
    if (pid === PAT_PID && sectionNumber(section) === lastSectionNumber(section)) this.#runHasPat = true;
    else if (this.#tables.isChosenPmt(pid, section)) this.#runHasPmt = true;
  }

  #apply(change: ProgramChange): void {
    if (change === 'none') return;
    const program = this.program;
    if (program && change !== 'tables') this.#followTracks(program);
    this.#assemble();
    if (program && change !== 'tables') this.#sink.program(program, this.#store.position, change === 'changed');
  }

  #followTracks(program: Program): void {
    const before = this.#tracks;
    this.#tracks = new Map();
    for (const track of program.tracks) {
      if (!carriesPes(track)) continue;
      const reference = track.pid === program.referencePid;
      const known = before.get(track.pid);
      const goesOn = known && known.track.codec === track.codec && known.reference === reference;
      this.#tracks.set(track.pid, goesOn ? known : new TrackState(track, reference));
    }
    for (const state of this.#units.pending) if (this.#tracks.get(state.track.pid) !== state) this.#units.conclude(state, false);
  }

  /** Sets up what each PID is to us. */
  #assemble(): void {
    const wanted = new Set([PAT_PID, ...this.#tables.pmtPids]);
    for (const pid of this.#assemblers.keys()) if (!wanted.has(pid)) this.#assemblers.delete(pid);
    for (const pid of wanted) {
      if (this.#assemblers.has(pid)) continue;
      this.#assemblers.set(pid, new SectionAssembler((section, first) => this.#section(pid, section, first), this.errors));
    }
    const flags = this.#flags;
    flags.set(this.#tables.keptPids());
    for (let pid = 0; pid < FIRST_FREE_PID; pid++) flags[pid] = flags[pid]! | NEUTRAL;
    flags[NULL_PID] = flags[NULL_PID]! | NEUTRAL;
    for (const pid of wanted) flags[pid] = flags[pid]! | PSI;
    for (const pid of this.#all ? wanted : [this.program?.pmtPid ?? PAT_PID]) flags[pid] = flags[pid]! | NEUTRAL;
    for (const [pid, { stage }] of this.#tracks) flags[pid] = (flags[pid]! & ~NEUTRAL) | PES | (stage === Stage.None ? 0 : PENDING);
  }

  /** Before a program is chosen: the latest PAT and the PSI/SI since are held, for a segment may begin with them; nothing is stored. */
  #awaitProgram(from: number, end: number, stride: number): number {
    const block = this.#store.current;
    const { bytes } = block;
    const last = end - PACKET_SIZE;
    let read = from;
    for (; read <= last && bytes[read] === SYNC_BYTE; read += stride) {
      const pid = readPid(bytes, read);
      const isPsi = (this.#flags[pid]! & PSI) !== 0;
      const begins = pid === PAT_PID && beginsTable(bytes, read);
      if (begins || this.heldBytes > MAX_HELD_BYTES) this.heldBytes = 0;
      let at = read;
      if (begins || (this.heldBytes > 0 && (isPsi || pid < FIRST_FREE_PID || pid === NULL_PID))) {
        at = block.stored + this.heldBytes;
        bytes.copyWithin(at, read, read + PACKET_SIZE);
        this.heldBytes += PACKET_SIZE;
      }
      if (!isPsi || !hasPayload(bytes, at)) continue;
      this.#packetPosition = block.base + block.stored;
      this.#tableCounters[pid] = readCounter(bytes, at);
      this.#assemblers.get(pid)?.push(bytes, at, this.#packetPosition);
      if (this.program) {
        this.#scanHeld(block);
        return read + stride;
      }
    }
    return read;
  }

  /** What was held is scanned again, now that it is known what to keep. */
  #scanHeld(block: Block): void {
    const { crc } = this.errors;
    for (const assembler of this.#assemblers.values()) assembler.reset();
    const held = this.heldBytes;
    this.heldBytes = 0;
    this.#run = -1;
    this.#pass(block.stored, block.stored + held, PACKET_SIZE);
    this.errors.crc = crc;
  }
}

/** Whether a section begins in the packet, and it is not a later one of several. */
function beginsTable(bytes: Uint8Array, at: number): boolean {
  const start = payloadStart(bytes, at);
  if (!startsUnit(bytes, at) || start >= at + PACKET_SIZE) return false;
  const section = start + 1 + bytes[start]!;
  return section + 6 >= at + PACKET_SIZE || bytes[section + 6] === 0;
}
