/** Which pictures lie along the line, and how moments are snapped so that neighbours and zooms share them (docs/design/page.md, G6 and G8). Pure. */
import { gapAt, type GapFact } from './facts';
import { toMs, toX, type Scale, type Span } from './scale';

/** How wide a picture of the line is; CSS pixels. */
export const TILE_PX = 74;

/** A picture of the line: of which moment, and where it begins. */
export interface Tile {
  readonly atMs: number;
  readonly x: number;
}

/** The step of two to which pictures that lie so many pixels apart are snapped; milliseconds, a second at least. */
export const stepForPixels = ({ perPixel }: Scale, pixels: number): number =>
  1000 * 2 ** Math.max(0, Math.ceil(Math.log2((pixels * perPixel) / 1000)));

/** The moments of the pictures along the line: only of those with media, never more than fit. */
export function tilesOf(scale: Scale, known: readonly Span[], gaps: readonly GapFact[], oldestMs: number, newestMs: number): Tile[] {
  const stepMs = stepForPixels(scale, TILE_PX + 2);
  const tiles: Tile[] = [];
  const lastMs = Math.min(scale.view.toMs, newestMs);
  for (let atMs = Math.floor(scale.view.fromMs / stepMs) * stepMs; atMs < lastMs; atMs += stepMs) {
    const isKnown = known.some(({ fromMs, toMs: endMs }) => atMs >= fromMs && atMs < endMs);
    if (isKnown && atMs >= oldestMs && gapAt(gaps, atMs) === undefined) tiles.push({ atMs, x: Math.round(toX(scale, atMs)) });
  }
  return tiles;
}

/** The moment whose picture is shown for a pixel: snapped, and yet within the media that is there. Undefined where there is none. */
export function pictureMoment(scale: Scale, x: number, gaps: readonly GapFact[], oldestMs: number, newestMs: number): number | undefined {
  const ms = toMs(scale, x);
  if (ms < oldestMs || ms > newestMs || gapAt(gaps, ms) !== undefined) return undefined;
  const stepMs = stepForPixels(scale, 4);
  const snapped = Math.max(Math.floor(ms / stepMs) * stepMs, oldestMs);
  return gapAt(gaps, snapped)?.toMs ?? snapped;
}
