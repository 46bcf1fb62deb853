/**
 * `npm run campaign:disk`: a 64 MB disk that fills while two streams record on it, with and without --min-free, and a third stream on another disk that is to
 * notice nothing. Needs Linux, root, loop devices and ffmpeg. LIVETAPE_SECONDS is how long each round takes (90).
 */
import { faultsOf, fullDiskRound, type StreamReport } from './fullDiskRound.js';
import { whyNoLoopDisk } from './powerCutDisk.js';

const seconds = Number(process.env['LIVETAPE_SECONDS'] ?? 90);
// so that a disk is unmounted whatever ends this
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
const missing = await whyNoLoopDisk();
if (missing !== undefined) console.log(`skipped: it ${missing}`);
let wrong = 0;
for (const minFreeMb of missing === undefined ? [0, 16] : []) {
  console.log(`64 MB, ${minFreeMb === 0 ? 'without min free' : `${minFreeMb} MB to be kept free`}, ${seconds} s:`);
  const report = await fullDiskRound({ megabytes: 64, minFreeMb, seconds, bitrate: 10_000_000 });
  for (const stream of [...report.small, report.other]) console.log(said(stream));
  console.log(
    `  least free: ${(report.leastFreeBytes / 1e6).toFixed(1)} MB; after room was made ${report.wentOn ? 'all went on' : 'NOT ALL WENT ON'}`,
  );
  for (const fault of faultsOf(report, minFreeMb > 0)) {
    wrong += 1;
    console.log(`  WRONG: ${fault}`);
  }
}
if (missing === undefined) console.log(wrong === 0 ? 'as it should be' : `${wrong} faults`);
process.exitCode = wrong === 0 ? 0 : 1;

function said(stream: StreamReport): string {
  const { code, segments, listed, pruned, graceSkipped, failed, recovered, gaps, droppedBytes, longestMs } = stream;
  return `  ${code.padEnd(5)} ${segments} segments written, ${listed} listed, ${pruned} pruned (${graceSkipped} files without grace), failed ${failed}, recovered ${recovered}, gaps [${gaps.join(', ')}], dropped ${droppedBytes} bytes, longest wait ${Math.round(longestMs)} ms`;
}
