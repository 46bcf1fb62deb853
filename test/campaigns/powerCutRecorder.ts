/**
 * The recorder whose power is cut: one process that records a looped file into several streams, in real time, and prints what it promises, one JSON
 * object a line. SIGTERM stops the recordings.
 *
 *   node --import tsx test/campaigns/powerCutRecorder.ts ROOT FILE STREAMS
 */
import { writeSync } from 'node:fs';
import { createLivetape } from '../../src/index.js';

/** A stream to record. */
export interface RecordedStream {
  readonly code: string;
  /** Seconds to keep; 0 keeps all. */
  readonly retentionSec: number;
}

/** What it prints. */
export type RecorderLine =
  | { readonly pid: number }
  | { readonly written: string; readonly uri: string; readonly size: number; readonly crc: string }
  | { readonly failed: string; readonly error: string }
  | { readonly pruned: string; readonly count: number };

const [root = '', file = '', streams = '[]'] = process.argv.slice(2);
// Synchronously: a line that was printed is not lost with the process.
const say = (line: RecorderLine): void => void writeSync(1, `${JSON.stringify(line)}\n`);

say({ pid: process.pid });
const livetape = await createLivetape({ root });
livetape.dvr.on('segment.written', ({ streamCode, segment: { uri, sizeBytes, crc32 } }) =>
  say({ written: streamCode, uri, size: sizeBytes, crc: crc32.toString(16).padStart(8, '0') }),
);
livetape.dvr.on('recording.failed', ({ recording, error }) => say({ failed: recording.id, error: `${error.code}: ${error.message}` }));
livetape.dvr.on('segment.pruned', ({ streamCode, count }) => say({ pruned: streamCode, count }));

const recorded = JSON.parse(streams) as RecordedStream[];
process.once('SIGTERM', () => {
  void (async () => {
    for (const { code } of recorded) await livetape.dvr.stopRecording(code);
    await livetape.close();
  })();
});
for (const { code, retentionSec } of recorded) {
  await livetape.dvr.startRecording(code, '', { enabled: true, segmentDuration: 1, retentionSec, maxSizeGb: 0, storagePath: '' });
  livetape.connect(`file:${file}?loop=1`, code);
  // so that they do not all commit at the same moment
  await new Promise((resolve) => setTimeout(resolve, 1000 / recorded.length));
}
