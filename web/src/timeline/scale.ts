/** Time to pixels and back, and what lies too near together to be drawn apart (docs/design/page.md, G6). Pure. */
import type { View } from './contract';

/** A span of time; UTC milliseconds. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A view over so many CSS pixels. */
export interface Scale {
  readonly view: View;
  readonly width: number;
  /** Milliseconds. */
  readonly perPixel: number;
}

export const scaleOf = (view: View, width: number): Scale => ({ view, width, perPixel: (view.toMs - view.fromMs) / Math.max(1, width) });
export const toX = ({ view, perPixel }: Scale, ms: number): number => (ms - view.fromMs) / perPixel;
export const toMs = ({ view, perPixel }: Scale, x: number): number => view.fromMs + x * perPixel;

/** Neighbours that are drawn as one: `items[first]` to `items[last]`. */
export interface Joined {
  readonly x0: number;
  readonly x1: number;
  readonly first: number;
  readonly last: number;
}

/** What is drawn outside is drawn no further than this; pixels. */
const OUTSIDE = 8;

/**
 * Where spans are drawn: on whole pixels, none thinner than `least`, and those that would touch as one, so that none is lost however many there are.
 * @param items - by their beginning
 * @param apart - pixels that have to be between two for both to be drawn
 */
export function joinByPixel(items: readonly Span[], scale: Scale, least: number, apart = 0): Joined[] {
  const joined: { x0: number; x1: number; first: number; last: number }[] = [];
  for (const [i, { fromMs, toMs: endMs }] of items.entries()) {
    if (endMs < scale.view.fromMs || fromMs > scale.view.toMs) continue;
    const x0 = Math.max(-OUTSIDE, Math.floor(toX(scale, fromMs)));
    const x1 = Math.min(scale.width + OUTSIDE, Math.max(Math.ceil(toX(scale, endMs)), x0 + least));
    const before = joined.at(-1);
    if (before !== undefined && x0 < before.x1 + apart) {
      before.x1 = Math.max(before.x1, x1);
      before.last = i;
    } else joined.push({ x0, x1, first: i, last: i });
  }
  return joined;
}

/** The one at a pixel, or the nearest within `slack` of it. */
export function hitJoined(joined: readonly Joined[], x: number, slack: number): Joined | undefined {
  let nearest: Joined | undefined;
  let least = slack;
  for (const one of joined) {
    const away = x < one.x0 ? one.x0 - x : Math.max(0, x - one.x1);
    if (away <= least) {
      if (away === 0) return one;
      [nearest, least] = [one, away];
    }
  }
  return nearest;
}
