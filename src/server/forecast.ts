/**
 * When a disk will be full (docs/design/page.md, G12): computed from what the streams on it record and what their retention lets them keep, not drawn on from samples of the free space, so that a
 * disk whose archives have come to their limits is known to hold. Pure.
 */

/** Retention by age prunes in batches (docs/design/keeping.md, K9): so much more than it says is kept at most. */
const AGE_SLACK = 1 + 1 / 64;
/** What takes longer than a hundred years is not going to happen to this disk. */
const FAR_SEC = 100 * 365.25 * 86_400;

/** A stream that is being recorded. */
export interface GrowingArchive {
  readonly sizeBytes: number;
  /** What it records; undefined when nothing of it was recorded yet. */
  readonly bytesPerSec: number | undefined;
  /** 0 keeps all. */
  readonly retentionSec: number;
  /** 0 keeps all. */
  readonly maxBytes: number;
}

/** A disk with what is recorded on it. */
export interface FillingDisk {
  /** Bytes that can still be written before it counts as full; less than 0 when it is short of space. */
  readonly roomBytes: number;
  readonly growing: readonly GrowingArchive[];
  /** Bytes of archives that nobody records. */
  readonly stillBytes: number;
}

/** What becomes of a disk. */
export interface Forecast {
  /** `holds`: retention ends the growth before the disk is full. `unknown`: nothing has been recorded yet. */
  readonly forecast: 'fills' | 'holds' | 'unknown';
  /** From now; undefined unless it fills. */
  readonly fullInSec: number | undefined;
  /** What retention lets the archives grow to; undefined where it does not bound all of them. */
  readonly heldBytes: number | undefined;
}

/** A stream's growth: at its rate, until its retention holds it. */
interface Growth {
  readonly bytesPerSec: number;
  /** Seconds from now; without end where nothing bounds it. */
  readonly untilSec: number;
}

/** Looks ahead. */
export function forecastDisk({ roomBytes, growing, stillBytes }: FillingDisk): Forecast {
  const bounds = growing.map(boundOf);
  const held = bounds.reduce((sum, bound) => sum + bound, stillBytes);
  const heldBytes = Number.isFinite(held) ? Math.round(held) : undefined;
  const growths = growing.map((archive, at) => growthOf(archive, bounds[at] ?? Infinity)).filter((growth) => growth !== undefined);
  const isUnknown = growths.length === 0 && (growing.length > 0 || stillBytes === 0);
  if (isUnknown) return { forecast: 'unknown', fullInSec: undefined, heldBytes };
  const fullInSec = secondsToGrow(growths, roomBytes);
  if (fullInSec > FAR_SEC) return { forecast: 'holds', fullInSec: undefined, heldBytes };
  return { forecast: 'fills', fullInSec, heldBytes };
}

/** The most that retention lets it be. Without a rate its age says no size. */
function boundOf({ bytesPerSec, retentionSec, maxBytes }: GrowingArchive): number {
  const byAge = retentionSec === 0 || bytesPerSec === undefined ? Infinity : retentionSec * bytesPerSec * AGE_SLACK;
  return Math.min(byAge, maxBytes === 0 ? Infinity : maxBytes);
}

/** Undefined where the rate is not known. */
function growthOf({ sizeBytes, bytesPerSec }: GrowingArchive, boundBytes: number): Growth | undefined {
  if (bytesPerSec === undefined) return undefined;
  const untilSec = bytesPerSec === 0 ? 0 : Math.max(0, boundBytes - sizeBytes) / bytesPerSec;
  return { bytesPerSec, untilSec };
}

/** When all of them together have grown by so much; without end when they never have. What is short of room already waits for nothing but growth. */
function secondsToGrow(growths: readonly Growth[], roomBytes: number): number {
  const inOrder = growths.filter(({ untilSec }) => untilSec > 0).sort((a, b) => a.untilSec - b.untilSec);
  let rate = inOrder.reduce((sum, { bytesPerSec }) => sum + bytesPerSec, 0);
  let [atSec, leftBytes] = [0, Math.max(0, roomBytes)];
  for (const { bytesPerSec, untilSec } of inOrder) {
    const grown = (untilSec - atSec) * rate;
    if (grown >= leftBytes) return atSec + leftBytes / rate;
    [atSec, leftBytes] = [untilSec, leftBytes - grown];
    rate -= bytesPerSec;
  }
  return Infinity;
}
