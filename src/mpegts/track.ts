/** A track of the chosen program while it is being scanned, and the access unit of it that is not told yet. */
import { AccessUnitReader, type CodecRules } from './accessUnit.js';
import { h264Rules } from './h264.js';
import { h265Rules } from './h265.js';
import { mpeg2Rules } from './mpeg2.js';
import { PES_TIMES_SIZE, type PesHeader } from './packet.js';
import type { Tables, Track } from './sink.js';

/** How the bitstream of each codec that can be read is read. */
export const RULES: Readonly<Record<string, CodecRules>> = {
  h264: h264Rules,
  h265: h265Rules,
  mpeg2video: mpeg2Rules,
  mpeg1video: mpeg2Rules,
};

/** How far the unit under way is known. */
export enum Stage {
  /** It was told, or there is none. */
  None,
  /** Its PES header goes on in the next packet. */
  Header,
  /** Whether decoding can begin at it is not decided. */
  Undecided,
}

/** One track's state. */
export class TrackState {
  readonly track: Track;
  readonly reference: boolean;
  /** Reads the bitstream of the reference track, where its codec is one of those that can be read. */
  readonly units: AccessUnitReader | undefined;
  /** The codec's parameters at the latest random access point. */
  format: string | undefined;

  stage = Stage.None;
  position = 0;
  unitPosition = 0;
  tables: Tables | undefined;
  indicator = false;
  arrivalMs = 0;
  readonly pes: PesHeader = { streamId: 0, pts90k: Number.NaN, dts90k: Number.NaN, headerSize: 0, scrambled: false };
  /** Bytes of the PES header that lie beyond the packets seen. */
  skip = 0;
  readonly header = new Uint8Array(PES_TIMES_SIZE);
  headerLength = 0;

  constructor(track: Track, reference: boolean) {
    this.track = track;
    this.reference = reference;
    const rules = reference && track.role === 'video' ? RULES[track.codec] : undefined;
    this.units = rules && new AccessUnitReader(rules);
  }
}
