/** When a disk will be full (docs/design/page.md, G12), and the same against a simulation in steps. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forecastDisk, type Forecast, type GrowingArchive } from './forecast.js';

const DAY = 86_400;
const GB = 1e9;
/** What retention by age keeps more than it says (K9). */
const SLACK = 65 / 64;

const grows = (bytesPerSec: number | undefined, more: Partial<GrowingArchive> = {}): GrowingArchive => ({
  sizeBytes: 0,
  bytesPerSec,
  retentionSec: 0,
  maxBytes: 0,
  ...more,
});
const look = (roomBytes: number, growing: readonly GrowingArchive[], stillBytes = 0): Forecast =>
  forecastDisk({ roomBytes, growing, stillBytes });

describe('G12: a disk', () => {
  it('fills at the rate of all streams that keep everything', () => {
    expect(look(100 * GB, [grows(1e6)])).toEqual({ forecast: 'fills', fullInSec: 100_000, heldBytes: undefined });
    expect(look(100 * GB, [grows(1e6), grows(3e6, { sizeBytes: 50 * GB })], 7 * GB).fullInSec).toBe(25_000);
  });

  it('holds where retention by age ends the growth, and says at how much', () => {
    const week = grows(1e6, { retentionSec: 7 * DAY });
    const held = Math.round(7 * DAY * 1e6 * SLACK);
    expect(look(700 * GB, [week])).toEqual({ forecast: 'holds', fullInSec: undefined, heldBytes: held });
    expect(look(600 * GB, [week])).toEqual({ forecast: 'fills', fullInSec: 600_000, heldBytes: held });
    // the batch that prunes a 64th at once may be what is too much
    expect(look(7 * DAY * 1e6, [week]).forecast).toBe('fills');
    expect(look(7 * DAY * 1e6 * SLACK + 1, [week]).forecast).toBe('holds');
    // what is there already has its room
    expect(look(200 * GB, [{ ...week, sizeBytes: 500 * GB }]).forecast).toBe('holds');
  });

  it('is bounded by age or by size, whichever is less', () => {
    const both = (maxBytes: number): Forecast => look(1e15, [grows(1e6, { retentionSec: DAY, maxBytes })]);
    expect(both(10 * GB).heldBytes).toBe(10 * GB);
    expect(both(1000 * GB).heldBytes).toBe(Math.round(DAY * 1e6 * SLACK));
    expect(look(1e15, [grows(1e6, { maxBytes: 3 * GB })], 2 * GB)).toMatchObject({ forecast: 'holds', heldBytes: 5 * GB });
  });

  it('goes on filling with one stream when another has come to its limit', () => {
    // 2 MB/s for 1000 s, then 1 MB/s
    const growing = [grows(1e6, { maxBytes: 1 * GB }), grows(1e6)];
    expect(look(1.5 * GB, growing)).toMatchObject({ forecast: 'fills', fullInSec: 750 });
    expect(look(3 * GB, growing)).toEqual({ forecast: 'fills', fullInSec: 2000, heldBytes: undefined });
  });

  it('is full now when it is short of space and something grows; not when nothing does', () => {
    expect(look(-GB, [grows(1e6)])).toMatchObject({ forecast: 'fills', fullInSec: 0 });
    expect(look(0, [grows(1e6, { sizeBytes: 2 * GB, maxBytes: 2 * GB })])).toMatchObject({ forecast: 'holds' });
    // retention that was made narrower lets it shrink
    expect(look(-GB, [grows(1e6, { sizeBytes: 9 * GB, maxBytes: 2 * GB })])).toMatchObject({ forecast: 'holds', heldBytes: 2 * GB });
  });

  it('is not known where nothing has been recorded yet', () => {
    expect(look(GB, [])).toEqual({ forecast: 'unknown', fullInSec: undefined, heldBytes: 0 });
    expect(look(GB, [grows(undefined)])).toEqual({ forecast: 'unknown', fullInSec: undefined, heldBytes: undefined });
    expect(look(GB, [grows(undefined, { maxBytes: 2 * GB })])).toMatchObject({ forecast: 'unknown', heldBytes: 2 * GB });
    // of two, the one that is known says when at the latest
    expect(look(GB, [grows(undefined), grows(1e6)])).toMatchObject({ forecast: 'fills', fullInSec: 1000 });
  });

  it('holds where nothing is recorded any more, and where nothing comes', () => {
    expect(look(GB, [], 5 * GB)).toEqual({ forecast: 'holds', fullInSec: undefined, heldBytes: 5 * GB });
    expect(look(GB, [grows(0)])).toMatchObject({ forecast: 'holds' });
    expect(look(0, [grows(0)])).toMatchObject({ forecast: 'holds' });
  });

  it('that would be full in more than a hundred years holds', () => {
    expect(look(1e15, [grows(1e-3)])).toMatchObject({ forecast: 'holds', fullInSec: undefined });
  });

  it('is as a simulation in steps has it', () => {
    const archive = fc.record({
      sizeBytes: fc.nat(1000),
      bytesPerSec: fc.option(fc.nat(50), { nil: undefined }),
      retentionSec: fc.oneof(fc.constant(0), fc.nat(100)),
      maxBytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3000 })),
    });
    let [fills, holds] = [0, 0];
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 10_000 }), fc.array(archive, { minLength: 1, maxLength: 6 }), (room, growing) => {
        // growth is a multiple of a 64th: none is just as much as there is room, which rounding would decide
        const roomBytes = room + 1 / 128;
        const known = growing.filter(({ bytesPerSec }) => bytesPerSec !== undefined);
        const found = look(roomBytes, growing);
        const full = simulated(roomBytes, known as SimulatedArchive[]);
        if (known.length === 0) expect(found.forecast).toBe('unknown');
        else if (full === undefined) {
          holds += 1;
          expect(found).toMatchObject({ forecast: 'holds', fullInSec: undefined });
        } else {
          fills += 1;
          expect(found.forecast).toBe('fills');
          expect(Math.abs((found.fullInSec ?? Infinity) - full)).toBeLessThanOrEqual(STEP_SEC + 1e-6);
        }
      }),
      { numRuns: 500 },
    );
    expect(Math.min(fills, holds)).toBeGreaterThan(20);
  });
});

type SimulatedArchive = GrowingArchive & { readonly bytesPerSec: number };

const STEP_SEC = 0.25;
/** The least rate fills the largest room in this time. */
const END_SEC = 10_001;

/** In small steps; when the disk is full, if ever. */
function simulated(roomBytes: number, archives: readonly SimulatedArchive[]): number | undefined {
  const sizes = archives.map(({ sizeBytes }) => sizeBytes);
  let grown = 0;
  for (let atSec = 0; atSec <= END_SEC; atSec += STEP_SEC) {
    let step = 0;
    archives.forEach(({ bytesPerSec, retentionSec, maxBytes }, at) => {
      const limits = [retentionSec * bytesPerSec * SLACK, maxBytes].filter((limit, i) => (i === 0 ? retentionSec : maxBytes) > 0);
      const size = sizes[at] ?? 0;
      const next = Math.max(size, Math.min(size + bytesPerSec * STEP_SEC, ...limits));
      step += next - size;
      sizes[at] = next;
    });
    if (step === 0) return undefined;
    grown += step;
    if (grown >= Math.max(0, roomBytes)) return atSec;
  }
  return undefined;
}
