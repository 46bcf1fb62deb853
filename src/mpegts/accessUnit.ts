/**
 * Finds out from the bitstream whether decoding can begin at an access unit: units between start codes (H.264 and H.265, annex B;
 * H.262, 6.2.1) are taken apart across packets, as few as decide. What the units mean is said by h264.ts, h265.ts and mpeg2.ts.
 */

/** Whether decoding can begin here; undefined as long as it cannot be said. */
export type Verdict = boolean | undefined;

/** What is known of an access unit while it is being read. */
export interface AccessUnitFacts {
  /** random_access_indicator of its first packet. */
  indicator: boolean;
  /** Its parameter sets' essential fields, as text to be compared. */
  format: string | undefined;
  /** Decoding may begin at its pictures although they are not instantaneous refreshes (a recovery point, a sequence header). */
  recovery: boolean;
}

/** How a codec's units are read. */
export interface CodecRules {
  /** How many bytes of a unit that begins with `header` are to be looked at; 0 for none. */
  wanted(header: number): number;
  /** Looks at the first `length` bytes of a unit and notes in `facts` what it learns. */
  look(unit: Uint8Array, length: number, facts: AccessUnitFacts): Verdict;
}

/** The most bytes of a unit that are ever looked at. */
const MAX_UNIT = 2048;
/** What is not decided within so many packets of its PID is left to the indicator. */
const MAX_PACKETS = 64;

/** Reads access units of one track, one after another. */
export class AccessUnitReader {
  readonly #rules: CodecRules;
  readonly #unit = new Uint8Array(MAX_UNIT);
  #length = 0;
  #wanted = 0;
  /** The next byte is the first of a unit. */
  #starting = false;
  #zeros = 0;
  #packets = 0;
  readonly facts: AccessUnitFacts = { indicator: false, format: undefined, recovery: false };

  constructor(rules: CodecRules) {
    this.#rules = rules;
  }

  /** An access unit begins. */
  begin(indicator: boolean): void {
    this.facts.indicator = indicator;
    this.facts.format = undefined;
    this.facts.recovery = false;
    this.#packets = 0;
    this.broken();
  }

  /** Bytes are missing here: the unit under way is given up. */
  broken(): void {
    this.#length = this.#wanted = this.#zeros = 0;
    this.#starting = false;
  }

  /** Takes the payload [from, to) of one packet. */
  feed(bytes: Uint8Array, from: number, to: number): Verdict {
    let zeros = this.#zeros;
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      if (byte === 1 && zeros >= 2) {
        this.#zeros = zeros;
        zeros = 0;
        const verdict = this.#endUnit();
        if (verdict !== undefined) return verdict;
        this.#starting = true;
        continue;
      }
      zeros = byte === 0 ? zeros + 1 : 0;
      if (this.#starting) {
        this.#starting = false;
        this.#wanted = Math.min(MAX_UNIT, this.#rules.wanted(byte));
        this.#length = 0;
      }
      if (this.#wanted === 0) continue;
      this.#unit[this.#length++] = byte;
      if (this.#length < this.#wanted) continue;
      const verdict = this.#rules.look(this.#unit, this.#length, this.facts);
      this.#wanted = 0;
      if (verdict !== undefined) return verdict;
    }
    this.#zeros = zeros;
    return ++this.#packets >= MAX_PACKETS ? this.facts.indicator : undefined;
  }

  /** The access unit is over: what is known by now, else what the indicator says. */
  finish(): boolean {
    return this.#endUnit() ?? this.facts.indicator;
  }

  #endUnit(): Verdict {
    if (this.#wanted === 0) return undefined;
    // zeros before a start code are not the unit's own
    const length = this.#length - Math.min(this.#zeros, this.#length);
    this.#wanted = 0;
    return length === 0 ? undefined : this.#rules.look(this.#unit, length, this.facts);
  }
}
