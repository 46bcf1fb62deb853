/** Runs a TsReader over bytes and keeps what it says: for tests of this room and of those that listen to it. */
import { TsReader, type Program, type Unit } from '../src/mpegts/index.js';

/** All that came out. */
export interface Scanned {
  readonly reader: TsReader;
  readonly bytes: Uint8Array;
  readonly units: (Unit & { readonly head: Uint8Array | undefined })[];
  readonly programs: { readonly program: Program; readonly position: number; readonly changed: boolean }[];
}

/** Scans `input` in chunks of `chunkSize` (a number, or one after another from a list that is repeated), with the end of input at the end. */
export function scan(input: Uint8Array, chunkSize: number | readonly number[] = 1316, program?: number | 'all'): Scanned {
  const units: Scanned['units'] = [];
  const programs: Scanned['programs'] = [];
  const reader = new TsReader({
    program,
    sink: {
      program: (told, position, changed) => programs.push({ program: told, position, changed }),
      unit: (unit) => units.push({ ...unit, tables: undefined, head: unit.tables?.render() }),
    },
  });
  const sizes = typeof chunkSize === 'number' ? [chunkSize] : chunkSize;
  for (let at = 0, turn = 0; at < input.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1316;
    reader.push(input.subarray(at, at + size), 0);
    at += size;
  }
  reader.resetSync();
  const bytes = new Uint8Array(reader.position);
  let at = 0;
  reader.take(reader.position, (span, release) => {
    bytes.set(span, at);
    at += span.length;
    release();
  });
  return { reader, bytes, units, programs };
}
