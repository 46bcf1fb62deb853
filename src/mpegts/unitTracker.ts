/**
 * Access units on their way from the packet in which they begin to the sink: a PES header that is split over packets, and on the reference track whether
 * decoding can begin, take some packets to know. At most one unit of each track is under way.
 */
import { PACKET_SIZE, adaptationFlags, payloadStart, pesTimesSize, readPesHeader } from './packet.js';
import type { ScannerSink, Tables, TrackRole, Unit } from './sink.js';
import { Stage, type TrackState } from './track.js';

/** A unit that is not decided although so much was stored since is told with what is known. */
const MAX_PENDING_BYTES = 5600 * PACKET_SIZE;

type MutableUnit = { -readonly [Key in keyof Unit]: Unit[Key] };

/** Follows the units under way. */
export class UnitTracker {
  readonly #sink: ScannerSink;
  readonly #setPending: (pid: number, pending: boolean) => void;
  readonly #pending: TrackState[] = [];
  readonly #unit = makeUnit();

  /** Position at which the oldest unit under way is told in any case. */
  deadline = Infinity;
  /** Wall time of the bytes being scanned. */
  arrivalMs = 0;
  /** Offset of the packet of which a part arrived earlier, and when; -1 when there is none. */
  carriedAt = -1;
  carriedMs = 0;

  /** @param setPending - is told whether packets of a PID are to come to {@link readOn} */
  constructor(sink: ScannerSink, setPending: (pid: number, pending: boolean) => void) {
    this.#sink = sink;
    this.#setPending = setPending;
  }

  /** The least of `position` and those of the units under way. */
  heldFrom(position: number): number {
    let from = position;
    for (let index = 0; index < this.#pending.length; index++) from = Math.min(from, this.#pending[index]!.position);
    return from;
  }

  /** Those under way, in a list of its own. */
  get pending(): TrackState[] {
    return [...this.#pending];
  }

  /**
   * A packet begins a unit. `tablesAt` is the position of the PAT right before it, -1 where there is none; `tables` then makes copies.
   */
  begin(state: TrackState, bytes: Uint8Array, at: number, position: number, tablesAt: number, tables: () => Tables | undefined): void {
    if (state.stage !== Stage.None) this.conclude(state, undefined);
    const start = payloadStart(bytes, at);
    const have = at + PACKET_SIZE - start;
    const scrambled = bytes[at + 3]! >> 6 !== 0;
    const size = scrambled ? 0 : pesTimesSize(bytes, start, have);
    if (size === 0 && !scrambled) return; // not a PES packet
    const tablesAreThere = state.reference && tablesAt >= 0;
    state.position = tablesAreThere ? tablesAt : position;
    state.unitPosition = position;
    state.tables = state.reference && !tablesAreThere ? tables() : undefined;
    state.indicator = (adaptationFlags(bytes, at) & 0x40) !== 0;
    state.arrivalMs = at === this.carriedAt ? this.carriedMs : this.arrivalMs;
    if (scrambled) {
      state.pes.pts90k = state.pes.dts90k = Number.NaN;
      this.#tell(state, state.track.role === 'audio' || state.indicator, undefined);
    } else if (size > have) {
      state.header.set(bytes.subarray(start, at + PACKET_SIZE));
      state.headerLength = have;
      this.#await(state, Stage.Header);
    } else {
      readPesHeader(bytes, start, state.pes);
      this.#begun(state, bytes, start + state.pes.headerSize, at + PACKET_SIZE);
    }
  }

  /** The PES header is known; the elementary stream's bytes begin at `from`, which may lie beyond `to`, the end of the packet. */
  #begun(state: TrackState, bytes: Uint8Array, from: number, to: number): void {
    const { units, track, pes } = state;
    if (!units || pes.scrambled) {
      this.#tell(state, track.role === 'audio' || (track.role === 'video' && state.indicator), undefined);
      return;
    }
    units.begin(state.indicator);
    state.skip = Math.max(0, from - to);
    const verdict = from < to ? units.feed(bytes, from, to) : undefined;
    if (verdict === undefined) this.#await(state, Stage.Undecided);
    else this.#tell(state, verdict, units.facts.format);
  }

  /** Takes the next packet of a unit that is not told yet. */
  readOn(state: TrackState, bytes: Uint8Array, at: number): void {
    let from = payloadStart(bytes, at);
    const to = at + PACKET_SIZE;
    if (state.stage === Stage.Header) {
      let size = pesTimesSize(state.header, 0, state.headerLength);
      while (state.headerLength < size && from < to) {
        state.header[state.headerLength++] = bytes[from++]!;
        size = pesTimesSize(state.header, 0, state.headerLength);
      }
      if (size === 0) this.forget(state);
      if (size === 0 || state.headerLength < size) return;
      this.forget(state);
      readPesHeader(state.header, 0, state.pes);
      this.#begun(state, bytes, from + state.pes.headerSize - state.headerLength, to);
    } else if (state.stage === Stage.Undecided && state.units) {
      const skip = Math.min(state.skip, to - from);
      state.skip -= skip;
      from += skip;
      const verdict = state.units.feed(bytes, from, to);
      if (verdict === undefined) return;
      this.forget(state);
      this.#tell(state, verdict, state.units.facts.format);
    }
  }

  /** The unit under way is over; `randomAccess` says what it is, or is undefined when what is known of it decides. */
  conclude(state: TrackState, randomAccess: boolean | undefined): void {
    const { stage, units } = state;
    this.forget(state);
    if (stage !== Stage.Undecided || !units) return;
    const verdict = randomAccess ?? units.finish();
    this.#tell(state, verdict, units.facts.format);
  }

  #await(state: TrackState, stage: Stage): void {
    state.stage = stage;
    this.#pending.push(state);
    this.#setPending(state.track.pid, true);
    this.deadline = Math.min(this.deadline, state.unitPosition + MAX_PENDING_BYTES);
  }

  /** Takes the unit off the list of those that are not told. */
  forget(state: TrackState): void {
    const index = this.#pending.indexOf(state);
    if (index < 0) return;
    this.#pending.splice(index, 1);
    state.stage = Stage.None;
    this.#setPending(state.track.pid, false);
    this.deadline = this.#pending.reduce((least, { unitPosition }) => Math.min(least, unitPosition + MAX_PENDING_BYTES), Infinity);
  }

  /** Concludes what has been under way for too long at `position`. */
  expire(position: number): void {
    for (const state of this.pending) if (state.unitPosition + MAX_PENDING_BYTES <= position) this.conclude(state, undefined);
  }

  #tell(state: TrackState, randomAccess: boolean, format: string | undefined): void {
    const unit = this.#unit;
    const { track, pes } = state;
    unit.position = state.position;
    unit.unitPosition = state.unitPosition;
    unit.tables = state.tables;
    unit.pid = track.pid;
    unit.role = track.role;
    unit.reference = state.reference;
    unit.pts90k = pes.pts90k;
    unit.dts90k = pes.dts90k;
    unit.randomAccess = randomAccess;
    unit.formatChanged = randomAccess && format !== undefined && state.format !== undefined && state.format !== format;
    unit.arrivalMs = state.arrivalMs;
    if (randomAccess && format !== undefined) state.format = format;
    state.tables = undefined;
    this.#sink.unit(unit);
  }
}

function makeUnit(): MutableUnit {
  const role: TrackRole = 'data';
  const none = { position: 0, unitPosition: 0, tables: undefined, pid: 0, role, reference: false };
  return { ...none, pts90k: Number.NaN, dts90k: Number.NaN, randomAccess: false, formatChanged: false, arrivalMs: 0 };
}
