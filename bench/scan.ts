/**
 * What a packet costs: TsReader over a sample in memory, in chunks of 1316 bytes (a datagram) and 64 KiB (a TCP read), beside a plain copy of the same
 * bytes in the same chunks. Run: npx tsc -p tsconfig.json --noEmit false --outDir OUT, then node OUT/bench/scan.js [FILE]; without FILE a
 * stream is made.
 */
import { readFileSync } from 'node:fs';
import { TsReader } from '../src/mpegts/index.js';
import { TsBuilder } from '../test/tsBuilder.js';

const ROUNDS = 15;
/** Stored bytes are let go of in pieces of about the size in which a recording writes them. */
const GATHERED = 200_000;

function sample(): Uint8Array {
  const builder = new TsBuilder();
  builder.stream({ seconds: 60, bFrames: 2, frameBytes: 24_000, keyframeBytes: 120_000 });
  return builder.bytes();
}

function copy(input: Uint8Array, chunkSize: number): void {
  const block = new Uint8Array(262_072);
  let fill = 0;
  for (let at = 0; at < input.length; at += chunkSize) {
    const chunk = input.subarray(at, at + chunkSize);
    if (fill + chunk.length > block.length) fill = 0;
    block.set(chunk, fill);
    fill += chunk.length;
  }
}

function scan(input: Uint8Array, chunkSize: number): number {
  let units = 0;
  const reader = new TsReader({ sink: { program: () => undefined, unit: () => units++ } });
  let dropped = 0;
  for (let at = 0; at < input.length; at += chunkSize) {
    reader.push(input.subarray(at, at + chunkSize), 0);
    if (reader.position - dropped < GATHERED) continue;
    dropped = reader.heldFrom;
    reader.drop(dropped);
  }
  return units;
}

/** Nanoseconds per packet of the quickest round. */
function measure(input: Uint8Array, run: () => unknown): number {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    run();
    best = Math.min(best, Number(process.hrtime.bigint() - start));
  }
  return best / (input.length / 188);
}

const path = process.argv[2];
const input = path === undefined ? sample() : new Uint8Array(readFileSync(path));
console.log(`${(input.length / 1e6).toFixed(1)} MB, ${input.length / 188} packets, ${scan(input, 1316)} units`);
for (const chunkSize of [1316, 65_536]) {
  const copied = measure(input, () => copy(input, chunkSize));
  const scanned = measure(input, () => scan(input, chunkSize));
  const beyond = (scanned - copied).toFixed(1);
  console.log(
    `${chunkSize}-byte chunks: copy ${copied.toFixed(1)} ns/packet, TsReader ${scanned.toFixed(1)} ns/packet, ${beyond} beyond, ratio ${(scanned / copied).toFixed(2)}`,
  );
}
