/**
 * A process that takes and releases a folder over and over, for test/ownership.test.ts. While it owns it, it leaves its process id in a file there, which must
 * not hold that of another living process. It says how often it owned, and what was wrong.
 *
 *   node --import tsx test/ownershipWorker.ts FOLDER
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLivetapeError, silentLogger, systemClock } from '../src/base/index.js';
import { openFolder } from '../src/storage/index.js';

const folder = process.argv[2] ?? '';
const place = openFolder(folder, { clock: systemClock, log: silentLogger });
const marker = join(folder, 'marker');

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie was killed and is not waited for yet.
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function markerPid(): number | undefined {
  try {
    return Number(readFileSync(marker, 'utf8'));
  } catch {
    return undefined;
  }
}

for (let owned = 0; ;) {
  try {
    const ownership = await place.own();
    const other = markerPid();
    if (other !== undefined && other !== process.pid && alive(other)) process.send?.({ wrong: `${other} owned it too` });
    writeFileSync(marker, String(process.pid));
    for (let i = 0; i < 3; i++) await ownership.check();
    if (markerPid() !== process.pid) process.send?.({ wrong: `${markerPid()} came in` });
    rmSync(marker, { force: true });
    await ownership.release();
    process.send?.({ owned: ++owned });
  } catch (error) {
    if (!isLivetapeError(error, 'STREAM_OWNED')) process.send?.({ wrong: String(error) });
  }
  await new Promise((resolve) => setImmediate(resolve));
}
