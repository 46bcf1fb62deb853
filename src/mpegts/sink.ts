/**
 * What the scanner tells about a transport stream: facts, in stream order, through direct calls. The
 * segmenter is the one that listens; nothing here knows what a segment is.
 *
 * Positions count stored bytes (188-byte packets of the chosen program) since the reader was made.
 */

/** What a track carries, as far as cutting is concerned. */
export type TrackRole = 'video' | 'audio' | 'data';

/** One elementary stream of the chosen program. */
export interface Track {
  readonly pid: number;
  readonly role: TrackRole;
  /** stream_type, ISO/IEC 13818-1, table 2-34 */
  readonly streamType: number;
  /** `h264`, `h265`, `mpeg2video`, `aac`, `aac_latm`, `mp2`, `ac3`, `eac3`, `dts`, `opus`, `dvbsub`, `teletext`, `scte35`, `id3`, `private` … */
  readonly codec: string;
  /** ISO 639-2, where a descriptor gives it. */
  readonly language: string | undefined;
}

/** The program that is being recorded. */
export interface Program {
  /** program_number; -1 when all programs are kept. */
  readonly number: number;
  readonly pmtPid: number;
  readonly pcrPid: number;
  readonly tracks: readonly Track[];
  /** PID of the track whose units decide where to cut: the first video track, else the first audio track; undefined when there is neither. */
  readonly referencePid: number | undefined;
}

/**
 * Copies of the latest PAT and PMT, to be put in front of a segment that has none. Whoever only carries it
 * about needs to know no more than that it is bytes.
 */
export interface Tables {
  /** Renders whole packets: PAT, then PMT. The last packet of each has the counter of the latest real one, those before it count up to it. */
  render(): Uint8Array;
}

/** An access unit's beginning. The scanner reuses one object: copy what is to be kept. */
export interface Unit {
  /** Where a segment that begins with this unit begins: at the PAT right before it when there is one, else at its first packet. */
  readonly position: number;
  /** Where the unit's own first packet is; at or after `position`. */
  readonly unitPosition: number;
  /** What to put in front when a segment begins here; undefined when the real tables are there. Set on units of the reference track only. */
  readonly tables: Tables | undefined;
  readonly pid: number;
  readonly role: TrackRole;
  /** Whether it belongs to the reference track. */
  readonly reference: boolean;
  /** Raw 33-bit ticks, as received. NaN when the PES header has no PTS. */
  readonly pts90k: number;
  /** Raw 33-bit ticks; the PTS where the header has no DTS. */
  readonly dts90k: number;
  /** Decoding can begin here. Audio units always are; of video other than the reference track the multiplexer's indicator is believed; data never is. */
  readonly randomAccess: boolean;
  /** The codec's parameters (profile, resolution, chroma format, bit depth) differ from those of the track's units before: seen at random access points of the reference track only. */
  readonly formatChanged: boolean;
  /** Wall time of the arrival of the bytes it began in; UTC milliseconds. */
  readonly arrivalMs: number;
}

/**
 * Who is told. Calls are synchronous, inside `TsReader.push` and `TsReader.resetSync`; `position` never decreases from call to call of `unit` of one track. Units
 * of different tracks may come out of order by as long as one is undecided, never below `TsReader.heldFrom`.
 */
export interface ScannerSink {
  /** The program was chosen, or what its PMT says (version aside) has changed. `changed` is false for the first. */
  program(program: Program, position: number, changed: boolean): void;
  /** An access unit began. For the reference track told once its random access is decided, which may be some packets later. */
  unit(unit: Unit): void;
}

/** What went wrong, counted since the reader was made. A reader of them takes differences. */
export interface ScanErrors {
  /** continuity_counter errors (2.4.3.3): packets missing or out of order */
  continuity: number;
  /** packets with transport_error_indicator */
  transportError: number;
  /** bytes skipped while looking for sync */
  syncSkippedBytes: number;
  /** packets with transport_scrambling_control other than 00 */
  scrambled: number;
  /** sections whose CRC did not match */
  crc: number;
}
