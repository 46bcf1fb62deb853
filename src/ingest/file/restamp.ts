/**
 * Makes a file that is played over and over one stream without a seam: time stamps and continuity counters of each round go on where those of
 * the round before ended. A round lasts from the first frame of the video track (else of an audio track, else of any) to one frame after its last, so that
 * track shows no seam at all; others are off by the difference of their lengths, which is a fraction of a frame in a file that was cut well.
 *
 * Time stamps within sections (SCTE-35) stay as they are, as do the arrival times of M2TS and the Reed-Solomon bytes of 204-byte packets.
 */
import { PTS_MODULUS, ptsDelta } from '../../model/index.js';
import {
  NULL_PID,
  PID_COUNT,
  addToTimestamps,
  hasPayload,
  payloadStart,
  readCounter,
  readPesTimes,
  readPid,
  startsUnit,
  writeCounter,
} from '../../mpegts/index.js';

const UNKNOWN = 0xff;
/** Different distances between frames that are told apart, to find the most common. */
const MAX_DISTANCES = 64;

/** The time line of one PID, in the file's own time stamps. */
interface Track {
  /** 0 video, 1 audio, 2 anything else: which one tells the length. */
  readonly rank: number;
  readonly first90k: number;
  last90k: number;
  /** Distances between its frames in ticks, and how often each was seen. */
  readonly distances: Map<number, number>;
}

/** Changes the packets of a looped file in place. */
export class LoopRestamper {
  #offset90k = 0;
  #isFirstRound = true;
  #length90k: number | undefined;
  readonly #tracks = new Map<number, Track>();
  /** Counter of the last packet of each PID, as sent. */
  readonly #counter = new Uint8Array(PID_COUNT).fill(UNKNOWN);
  /** What is added to the counters of each PID in this round; unknown until its first packet. */
  readonly #shift = new Uint8Array(PID_COUNT);

  /** Restamps the packet whose sync byte is at `at`. To be called with every packet, in order. */
  packet(bytes: Uint8Array, at: number): void {
    if (this.#isFirstRound) this.#measure(bytes, at);
    else addToTimestamps(bytes, at, this.#offset90k);
    const pid = readPid(bytes, at);
    if (pid === NULL_PID) return; // its counter says nothing (2.4.3.3)
    let shift = this.#shift[pid] ?? 0;
    if (shift === UNKNOWN) {
      const before = this.#counter[pid] ?? UNKNOWN;
      // a packet without payload repeats the counter of the one before
      shift = before === UNKNOWN ? 0 : (before + (hasPayload(bytes, at) ? 1 : 0) - readCounter(bytes, at)) & 0x0f;
      this.#shift[pid] = shift;
    }
    const counter = (readCounter(bytes, at) + shift) & 0x0f;
    writeCounter(bytes, at, counter);
    this.#counter[pid] = counter;
  }

  /** The file begins again. False when it cannot: it has no time stamps to go on with. */
  nextRound(): boolean {
    this.#length90k ??= this.#measuredLength();
    if (this.#length90k === undefined) return false;
    this.#isFirstRound = false;
    this.#offset90k = (this.#offset90k + this.#length90k) % PTS_MODULUS;
    this.#shift.fill(UNKNOWN);
    return true;
  }

  #measure(bytes: Uint8Array, at: number): void {
    if (!startsUnit(bytes, at)) return;
    const dts90k = readPesTimes(bytes, at)?.dts90k ?? Number.NaN;
    if (Number.isNaN(dts90k)) return;
    const pid = readPid(bytes, at);
    const track = this.#tracks.get(pid);
    if (!track) {
      this.#tracks.set(pid, {
        rank: rankOf(bytes[payloadStart(bytes, at) + 3] ?? 0),
        first90k: dts90k,
        last90k: dts90k,
        distances: new Map(),
      });
      return;
    }
    const distance = ptsDelta(track.last90k, dts90k);
    track.last90k = dts90k;
    const count = track.distances.get(distance);
    if (distance > 0 && (count !== undefined || track.distances.size < MAX_DISTANCES)) track.distances.set(distance, (count ?? 0) + 1);
  }

  /**
   * From the first frame to one frame after the last; undefined without a track that has two. Jumps within the file are no matter: what counts is that the first
   * time stamp of a round follows on the last of the one before.
   */
  #measuredLength(): number | undefined {
    let best: Track | undefined;
    for (const track of this.#tracks.values()) {
      if (track.distances.size > 0 && (!best || track.rank < best.rank)) best = track;
    }
    if (!best) return undefined;
    let frame90k = 0;
    let most = 0;
    for (const [distance, count] of best.distances) {
      if (count > most) [frame90k, most] = [distance, count];
    }
    const length90k = ptsDelta(best.first90k, best.last90k) + frame90k;
    return ((length90k % PTS_MODULUS) + PTS_MODULUS) % PTS_MODULUS;
  }
}

/** By stream_id (2.4.3.7, table 2-22). */
function rankOf(streamId: number): number {
  if (streamId >= 0xe0 && streamId <= 0xef) return 0;
  // private_stream_1 is AC-3, DTS, Opus; but subtitles and teletext too, which come last
  return streamId >= 0xc0 && streamId <= 0xdf ? 1 : 2;
}
