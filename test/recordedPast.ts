/**
 * A recording with a past, made in seconds: real media recorded by the real recorder under a clock that is moved by hand, so that an archive of many
 * minutes, with its gaps, restarts and prunes, ends now.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ManualClock } from '../src/base/index.js';
import { createLivetape } from '../src/index.js';
import { PCR_HZ, readPcr } from '../src/mpegts/index.js';
import { output, waitFor } from './lab.js';

/** What is recorded, in order. */
export type Part =
  /** Media comes. */
  | { readonly kind: 'media'; readonly seconds: number }
  /** Nothing comes. */
  | { readonly kind: 'silence'; readonly seconds: number }
  /** The recorder is not running. */
  | { readonly kind: 'restart'; readonly seconds: number };

/** How it is recorded. */
export interface PastOptions {
  readonly root: string;
  readonly code: string;
  readonly parts: readonly Part[];
  readonly retentionSec?: number;
  readonly segmentDuration?: number;
  /** Where the past ends; default now. */
  readonly endMs?: number;
}

/** Media is handed over in pieces of so long. */
const STEP_MS = 250;

/** Records it. Answers with when it began. */
export async function recordPast(options: PastOptions): Promise<number> {
  const { root, code, parts, retentionSec = 0, segmentDuration = 4, endMs = Date.now() } = options;
  const total = parts.reduce((sum, { seconds }) => sum + seconds, 0);
  const startMs = endMs - total * 1000;
  const clock = new ManualClock(startMs);
  const media = await piecesOf(root, total);
  let at = 0;
  const open = async (): Promise<Awaited<ReturnType<typeof createLivetape>>> => {
    const livetape = await createLivetape({ root, clock });
    await livetape.dvr.startRecording(code, '', { enabled: true, segmentDuration, retentionSec, maxSizeGb: 0, storagePath: '' });
    return livetape;
  };
  let livetape = await open();
  for (const part of parts) {
    const steps = Math.round((part.seconds * 1000) / STEP_MS);
    if (part.kind === 'restart') {
      await livetape.close();
      clock.advance(part.seconds * 1000);
      at += steps;
      livetape = await open();
      continue;
    }
    for (let step = 0; step < steps; step++) {
      const piece = media[at++];
      if (part.kind === 'media' && piece) livetape.buffers.open(code).write(piece);
      clock.advance(STEP_MS);
      await settled(livetape, code);
    }
  }
  await livetape.close();
  return startMs;
}

/** What was handed over has gone through the recorder's queues. */
async function settled(livetape: Awaited<ReturnType<typeof createLivetape>>, code: string): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
  await waitFor('the recorder to keep up', () => (livetape.dvr.status(code)?.session?.queuedBytes ?? 0) === 0);
}

/** Pictures and a tone, with B-frames and a keyframe every two seconds, cut by their own clock. */
async function piecesOf(folder: string, seconds: number): Promise<Uint8Array[]> {
  const path = join(folder, `.past-${process.pid}.ts`);
  const inputs = [`testsrc2=size=320x180:rate=25:duration=${seconds + 1}`, `sine=frequency=440:sample_rate=48000:duration=${seconds + 1}`];
  const video = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-bf',
    '2',
    '-g',
    '50',
    '-keyint_min',
    '50',
    '-sc_threshold',
    '0',
    '-b:v',
    '300k',
  ];
  const sources = inputs.flatMap((input) => ['-f', 'lavfi', '-i', input]);
  const args = [
    '-nostdin',
    '-v',
    'error',
    '-y',
    ...sources,
    ...video,
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
    '-b:a',
    '64k',
    '-f',
    'mpegts',
    path,
  ];
  await output('ffmpeg', args, 120_000);
  const bytes = await readFile(path);
  await rm(path);
  const pieces: Uint8Array[] = [];
  let first = NaN;
  let from = 0;
  for (let at = 0; at + 188 <= bytes.length; at += 188) {
    const pcr = readPcr(bytes, at);
    if (Number.isNaN(pcr)) continue;
    if (Number.isNaN(first)) first = pcr;
    while (((pcr - first) / PCR_HZ) * 1000 >= (pieces.length + 1) * STEP_MS) {
      pieces.push(bytes.subarray(from, at));
      from = at;
    }
  }
  return pieces;
}
