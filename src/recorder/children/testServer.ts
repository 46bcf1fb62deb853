/**
 * A server process for a test to kill: a pool of two that records streams, and says `ready` on its standard output once it does.
 *
 *   node --import tsx src/recorder/children/testServer.ts ROOT SOURCE STREAM...
 */
import { silentLogger, systemClock } from '../../base/index.js';
import { ChildProcessDvrService } from './childProcessDvrService.js';

const [root = '', source = '', ...streams] = process.argv.slice(2);
const pool = await ChildProcessDvrService.open({
  ...{ root, recorders: 2, version: 'test', logLevel: 'silent', clock: systemClock, log: silentLogger },
  limits: { orphanMs: 30_000 },
});
for (const code of streams) {
  if (!pool.isRecording(code)) {
    await pool.startRecording(code, '', { enabled: true, segmentDuration: 1, retentionSec: 0, maxSizeGb: 0, storagePath: '' });
  }
  await pool.connect(source, code);
}
process.stdout.write('ready\n');
