/**
 * Finds a keyframe in a segment's bytes and takes its picture out of them. The transport stream is read by the same reader as when it was recorded, so
 * a keyframe is here what it was there; the bytes may skip from the tables at the segment's beginning to where the keyframe is known to be.
 */
import { PACKET_SIZE, PictureReader, TsReader, readPid, type CodedPicture, type Program, type Unit } from '../../mpegts/index.js';

/** A keyframe that was come upon. */
export interface SeenKeyframe {
  /** From the segment's first byte to the access unit's first packet. */
  readonly offsetBytes: number;
  /** Raw 33-bit ticks; NaN without. */
  readonly pts90k: number;
  /** The first time stamp of the track in the segment. */
  readonly first90k: number;
}

/** Whether a keyframe's picture is the one: `skip` passes it over; `take` takes it, and ends; `perhaps` takes it until another is taken; `stop` ends with what was taken. */
export type Choice = 'skip' | 'take' | 'perhaps' | 'stop';

/** Reads one segment. */
export class PictureScan {
  readonly #choose: (keyframe: SeenKeyframe) => Choice;
  readonly #reader: TsReader;
  #pictures: PictureReader | undefined;
  #pid = -1;
  #first90k: number | undefined;
  /** What the offset in the segment is ahead of the position in the reader. */
  #ahead = 0;
  #chosen: SeenKeyframe | undefined;
  #stopped = false;
  /** The picture under way is the one. */
  #isDecided = false;

  constructor(choose: (keyframe: SeenKeyframe) => Choice) {
    this.#choose = choose;
    // A file holds what was chosen when it was recorded: all of it counts.
    this.#reader = new TsReader({
      program: 'all',
      sink: { program: (program) => this.#program(program), unit: (unit) => this.#unit(unit) },
    });
  }

  /** PAT and PMT were read. */
  get hasProgram(): boolean {
    return this.#reader.program !== undefined;
  }

  /** Nothing more need be read. */
  get isOver(): boolean {
    return this.#stopped || (this.#isDecided && this.#pictures?.isOver === true);
  }

  /** Takes the next bytes; they are copied. */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes, 0);
    this.#take(this.#reader.heldFrom);
  }

  /** The next bytes are those from `offsetBytes` of the segment on. */
  skipTo(offsetBytes: number): void {
    this.#reader.resetSync();
    this.#take(this.#reader.position);
    this.#ahead = offsetBytes - this.#reader.position;
  }

  /** The picture of the keyframe that was taken; undefined where there is none, or it cannot be decoded from what was read. */
  end(): { readonly picture: CodedPicture; readonly keyframe: SeenKeyframe } | undefined {
    if (!this.#stopped) {
      this.#reader.resetSync();
      this.#take(this.#reader.position);
      this.#pictures?.end();
    }
    const picture = this.#pictures?.picture;
    return picture && this.#chosen && { picture, keyframe: this.#chosen };
  }

  #program(program: Program): void {
    const track = program.tracks.find(({ pid }) => pid === program.referencePid);
    const codec = track?.codec;
    if (codec !== 'h264' && codec !== 'h265') {
      this.#pictures = undefined;
      this.#pid = -1;
    } else if (this.#pictures?.codec !== codec || this.#pid !== track?.pid) {
      this.#pictures = new PictureReader(codec);
      this.#pid = track?.pid ?? -1;
    }
  }

  #unit(unit: Unit): void {
    if (!unit.reference || unit.role !== 'video' || this.#stopped || this.#isDecided) return;
    if (!Number.isNaN(unit.pts90k)) this.#first90k ??= unit.pts90k;
    if (!unit.randomAccess || this.#pictures === undefined) return;
    const offsetBytes = unit.unitPosition + this.#ahead;
    const keyframe = { offsetBytes, pts90k: unit.pts90k, first90k: this.#first90k ?? unit.pts90k };
    const choice = this.#choose(keyframe);
    if (choice === 'skip') return;
    this.#take(unit.unitPosition);
    if (choice === 'stop') {
      this.#pictures.end();
      this.#stopped = true;
      return;
    }
    this.#chosen = keyframe;
    this.#isDecided = choice === 'take';
    this.#pictures.begin();
  }

  #take(position: number): void {
    this.#reader.take(position, (bytes, release) => {
      for (let at = 0; at + PACKET_SIZE <= bytes.length; at += PACKET_SIZE) {
        if (readPid(bytes, at) === this.#pid) this.#pictures?.packet(bytes, at);
      }
      release();
    });
  }
}
