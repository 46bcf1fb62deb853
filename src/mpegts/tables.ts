/** Copies of PAT and PMT for a segment that has none of its own (docs/design/data-format.md, F3). */
import { PACKET_SIZE, PAT_PID } from './packet.js';
import { packetCount, packetize } from './psi.js';
import type { Tables } from './sink.js';

/** Sections of one PID, and the counter of the latest real packet of it. */
export interface TablePart {
  readonly pid: number;
  readonly sections: readonly Uint8Array[];
  readonly counter: number;
}

/** Sections as they were at some position; they are never changed, so only their counters are copied. */
export class TableSnapshot implements Tables {
  readonly #parts: readonly TablePart[];

  constructor(pat: readonly Uint8Array[], pmts: readonly { readonly pid: number; readonly section: Uint8Array }[], counters: Uint8Array) {
    const parts: TablePart[] = [{ pid: PAT_PID, sections: pat, counter: counters[PAT_PID]! }];
    for (const pid of new Set(pmts.map((pmt) => pmt.pid))) {
      parts.push({ pid, sections: pmts.filter((pmt) => pmt.pid === pid).map(({ section }) => section), counter: counters[pid]! });
    }
    this.#parts = parts;
  }

  render(): Uint8Array {
    const bytes = new Uint8Array(this.#parts.reduce((sum, { sections }) => sum + packetCount(sections) * PACKET_SIZE, 0));
    let at = 0;
    for (const { pid, sections, counter } of this.#parts) at = packetize(bytes, at, pid, sections, counter);
    return bytes;
  }
}
