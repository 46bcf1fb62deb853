/**
 * What archives hold and how fast they grow, of all streams, for the disks' sake (docs/design/page.md, G12). From the first entry, the first of the last day and the last: each says how many bytes there were up to it, so
 * that nothing is added up, however deep the archive is. Kept for a minute.
 */
import { isLivetapeError, type Clock } from '../base/index.js';
import type { Playback, Timeline } from '../playback/index.js';

/** So long what was found holds. */
const HOLDS_MS = 60_000;
/** Archives that are looked at side by side. */
const AT_ONCE = 8;
/** How often one is looked at again because it was pruned meanwhile. */
const MAX_TRIES = 3;
const DAY_MS = 86_400_000;

/** An archive as the disk sees it. */
export interface ArchiveSize {
  readonly sizeBytes: number;
  /** Of the last day, from its first entry to its last, gaps between them counted as time; 0 when there is none. Undefined when nothing is recorded, or it cannot be read. */
  readonly bytesPerSec: number | undefined;
}

interface Looked {
  /** Monotonic milliseconds. */
  readonly atMs: number;
  readonly size: ArchiveSize;
}

const NOTHING: ArchiveSize = { sizeBytes: 0, bytesPerSec: undefined };

/** Looks at archives. */
export class ArchiveGrowth {
  readonly #playback: Pick<Playback, 'timelines' | 'status'>;
  readonly #clock: Clock;
  #found: ReadonlyMap<string, Looked> = new Map();
  #looking: Promise<unknown> = Promise.resolve();

  constructor(playback: Pick<Playback, 'timelines' | 'status'>, clock: Clock) {
    this.#playback = playback;
    this.#clock = clock;
  }

  /** Those of all streams there are; others are forgotten. One archive that cannot be read keeps nobody from the others. */
  async of(codes: readonly string[]): Promise<ReadonlyMap<string, ArchiveSize>> {
    // who asks meanwhile finds what the one before him found
    const looked = this.#looking.then(() => this.#look(codes));
    this.#looking = looked.catch(() => undefined);
    return looked;
  }

  async #look(codes: readonly string[]): Promise<ReadonlyMap<string, ArchiveSize>> {
    const nowMs = this.#clock.monotonicMs();
    const found = new Map<string, Looked>();
    const due: string[] = [];
    for (const code of codes) {
      const known = this.#found.get(code);
      if (known !== undefined && nowMs - known.atMs < HOLDS_MS) found.set(code, known);
      else due.push(code);
    }
    const lookAtSome = async (): Promise<void> => {
      for (let code = due.pop(); code !== undefined; code = due.pop()) found.set(code, { atMs: nowMs, size: await this.#sizeOf(code) });
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lookAtSome));
    this.#found = found;
    return new Map([...found].map(([code, { size }]) => [code, size]));
  }

  async #sizeOf(code: string): Promise<ArchiveSize> {
    for (let tries = 1; ; tries++) {
      try {
        const timeline = await this.#playback.timelines.timeline(code);
        return (await fromEntries(timeline, this.#clock.nowMs())) ?? (await this.#fromStatus(code));
      } catch (error) {
        if (!isLivetapeError(error, 'WINDOW_EXPIRED') || tries >= MAX_TRIES) return NOTHING;
      }
    }
  }

  /** Of another system, whose entries do not say their sizes: the mean over all there is. */
  async #fromStatus(code: string): Promise<ArchiveSize> {
    const { totalSizeBytes, startedAtMs, lastSegmentAtMs } = await this.#playback.status(code);
    return { sizeBytes: totalSizeBytes, bytesPerSec: rate(totalSizeBytes, lastSegmentAtMs - startedAtMs) };
  }
}

async function fromEntries(timeline: Timeline, nowMs: number): Promise<ArchiveSize | undefined> {
  const { firstSequence, endSequence, endMs } = timeline;
  const since = await timeline.at(nowMs - DAY_MS);
  const [first, last] = await Promise.all([timeline.entry(firstSequence), timeline.entry(endSequence - 1)]);
  const newest = since === endSequence ? undefined : since === firstSequence ? first : await timeline.entry(since);
  const upTo = last.cumulativeBytes;
  const before = ({ cumulativeBytes, sizeBytes }: typeof first): number | undefined =>
    cumulativeBytes === undefined || sizeBytes === undefined ? undefined : cumulativeBytes - sizeBytes;
  const [beforeAll, beforeDay] = [before(first), newest && before(newest)];
  if (upTo === undefined || beforeAll === undefined) return undefined;
  const sizeBytes = Math.max(0, upTo - beforeAll);
  if (newest === undefined) return { sizeBytes, bytesPerSec: 0 };
  return beforeDay === undefined ? undefined : { sizeBytes, bytesPerSec: rate(upTo - beforeDay, endMs - newest.wallMs) };
}

/** Of what took no time nothing is known. */
function rate(bytes: number, ms: number): number | undefined {
  return ms > 0 ? (Math.max(0, bytes) * 1000) / ms : undefined;
}
