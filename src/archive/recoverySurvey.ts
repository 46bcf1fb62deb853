/** What a writer does on opening an archive before it writes: reads what there is, heals it, and enters what a crash left behind. */
import { isLivetapeError, type Clock, type Logger } from '../base/index.js';
import type { StreamStorage } from '../storage/index.js';
import { Healing, type Healed } from './healed.js';
import { NewestGaps } from './reader.js';
import { recoverSegments } from './recovery.js';
import { removeLeftovers, type Patient } from './recoveryJournal.js';
import { survey, type Survey } from './survey.js';

/** So many of the newest entries are compared with their files. */
const COMPARED = 8;

/** What there is after healing, and what was healed. */
export interface Recovered extends Survey {
  /** One more than any before (K7). */
  readonly epoch: number;
  readonly healed: readonly Healed[];
}

/** For the owner of the place alone. A rejection leaves an archive that the next try opens. */
export async function recover(options: {
  readonly storage: StreamStorage;
  readonly clock: Clock;
  readonly log: Logger;
}): Promise<Recovered> {
  const { storage, clock, log } = options;
  const healing = new Healing(storage.location, log);
  const patient = { storage, clock, healing };
  const found = await survey(patient, log);
  await removeLeftovers(patient, found.journal.hasEntries);
  await compareNewest(patient, found);
  const epoch = found.epoch + 1;
  const { journal, last, recoverFrom: fromIndex, cutOff } = found;
  if (fromIndex === undefined) return { ...found, epoch, healed: healing.list };
  const entered = await recoverSegments({ ...patient, journal, last, fromIndex, cutOff, epoch });
  const gaps = new NewestGaps(found.gaps);
  for (const { gap } of entered) if (gap !== undefined) gaps.add(gap);
  return {
    ...found,
    last: entered.at(-1) ?? last,
    segmentCount: found.segmentCount + entered.length,
    sizeBytes: found.sizeBytes + entered.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    startedAtMs: found.startedAtMs ?? entered[0]?.wallMs,
    gaps: gaps.list(),
    epoch,
    healed: healing.list,
  };
}

/** Files that entries name and that are missing or short: nothing can be done about them here, and recording goes on. */
async function compareNewest({ storage, healing }: Patient, { tail }: Survey): Promise<void> {
  for (const { uri, facts } of tail.slice(-COMPARED)) {
    if (facts === undefined) continue;
    const size = await sizeOf(storage, uri);
    if (size === facts.sizeBytes) continue;
    if (size === undefined) {
      healing.note({ found: 'listed_segment_missing', done: 'left', file: uri, detail: 'the playlist names it and it is not there' });
      continue;
    }
    const detail = `the playlist says ${facts.sizeBytes} bytes`;
    healing.note({ found: 'listed_segment_short', done: 'left', file: uri, sizeBytes: size, detail });
  }
}

/** A damaged entry can name anything. */
async function sizeOf(storage: StreamStorage, uri: string): Promise<number | undefined> {
  try {
    return await storage.size(uri);
  } catch (error) {
    if (isLivetapeError(error, 'PATH_OUTSIDE_ROOT') || isLivetapeError(error, 'ARGUMENT_INVALID')) return undefined;
    throw error;
  }
}
