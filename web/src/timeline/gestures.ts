/** Mouse, pen, fingers and wheel over the timeline, told as what is meant (docs/design/page.md, G6): move, zoom, point, play from here, drag a mark. */
import type { View } from './contract';

/** What is meant. Pixels are CSS pixels from the left of the line. */
export interface Meant {
  /** What is seen now. */
  view(): View;
  /** Shows this; `isMoved`: it was moved rather than zoomed. */
  show(view: View, isMoved: boolean): void;
  /** Shows `factor` times as much, about a pixel. */
  zoom(factor: number, x: number): void;
  /** Plays from here. */
  play(x: number): void;
  /** Points here; undefined: nowhere any more. */
  point(x: number | undefined): void;
  /** The mark that would be held here. */
  markAt(x: number): 'in' | 'out' | undefined;
  dragMark(which: 'in' | 'out', x: number): void;
}

/** So far a pointer may go astray while it clicks; a finger further. CSS pixels. */
const CLICK_PX = 4;
const TAP_PX = 10;
/** A finger that stands so long points; milliseconds. */
const PRESS_MS = 450;
/** Wheel: so many pixels double what is seen; as a pinch on a trackpad (`ctrlKey`) fewer do. */
const WHEEL_PX = 260;
const PINCH_PX = 70;
/** Of a wheel's lines and pages; pixels. */
const LINE_PX = 16;

interface Touching {
  x: number;
  readonly startX: number;
}

/** What the pointers do: nothing yet that counts, moving, pinching, pointing, holding a mark, or nothing any more. */
type Doing = 'maybe' | 'move' | 'pinch' | 'point' | 'in' | 'out' | 'done';

/** Listens on an element. @returns what ends it */
export function listenToGestures(element: HTMLElement, meant: Meant): () => void {
  const pointers = new Map<number, Touching>();
  let doing: Doing = 'done';
  let start = { view: meant.view(), x: 0, distance: 1 };
  let press: ReturnType<typeof setTimeout> | undefined;

  const xOf = (event: MouseEvent): number => event.clientX - element.getBoundingClientRect().left;
  const perPixel = (view: View): number => (view.toMs - view.fromMs) / Math.max(1, element.clientWidth);
  /** From where the pointers are now: moving and zooming are told from there, so that what was under them stays there. */
  const restart = (): void => {
    const xs = [...pointers.values()].map(({ x }) => x);
    const middle = xs.reduce((sum, x) => sum + x, 0) / Math.max(1, xs.length);
    start = { view: meant.view(), x: middle, distance: Math.max(20, Math.abs((xs[1] ?? 0) - (xs[0] ?? 0))) };
  };

  const onDown = (event: PointerEvent): void => {
    if (event.button !== 0 || pointers.size === 2) return;
    element.setPointerCapture(event.pointerId);
    const x = xOf(event);
    pointers.set(event.pointerId, { x, startX: x });
    clearTimeout(press);
    if (pointers.size === 2) doing = 'pinch';
    else {
      doing = meant.markAt(x) ?? 'maybe';
      if (doing === 'maybe' && event.pointerType === 'touch') {
        press = setTimeout(() => {
          if (doing !== 'maybe') return;
          doing = 'point';
          meant.point(pointers.get(event.pointerId)?.x ?? x);
        }, PRESS_MS);
      }
    }
    if (doing !== 'maybe' || event.pointerType === 'touch') meant.point(undefined);
    restart();
  };

  const onMove = (event: PointerEvent): void => {
    const x = xOf(event);
    const pointer = pointers.get(event.pointerId);
    if (pointer === undefined) {
      if (event.pointerType !== 'touch') {
        element.style.cursor = meant.markAt(x) === undefined ? '' : 'ew-resize';
        meant.point(x);
      }
      return;
    }
    pointer.x = x;
    if (doing === 'maybe' && Math.abs(x - pointer.startX) > (event.pointerType === 'touch' ? TAP_PX : CLICK_PX)) {
      doing = 'move';
      clearTimeout(press);
      meant.point(undefined);
      // What was taken hold of stays under the pointer.
      start = { ...start, view: meant.view(), x: pointer.startX };
    }
    if (doing === 'move') {
      const byMs = (start.x - x) * perPixel(start.view);
      meant.show({ fromMs: start.view.fromMs + byMs, toMs: start.view.toMs + byMs }, true);
    } else if (doing === 'pinch') pinch();
    else if (doing === 'point') meant.point(x);
    else if (doing === 'in' || doing === 'out') meant.dragMark(doing, x);
  };

  const pinch = (): void => {
    const [a, b] = [...pointers.values()];
    if (a === undefined || b === undefined) return;
    const before = perPixel(start.view);
    const atMs = start.view.fromMs + start.x * before;
    const now = (before * start.distance) / Math.max(20, Math.abs(a.x - b.x));
    const fromMs = atMs - ((a.x + b.x) / 2) * now;
    meant.show({ fromMs, toMs: fromMs + now * element.clientWidth }, false);
  };

  const onUp = (event: PointerEvent): void => {
    if (!pointers.delete(event.pointerId)) return;
    clearTimeout(press);
    if (doing === 'maybe' && event.type === 'pointerup') meant.play(xOf(event));
    if (doing === 'pinch' && pointers.size === 1) {
      // The finger that stays moves on from where it is.
      doing = 'move';
      restart();
    } else if (pointers.size === 0) {
      if (doing === 'point' || event.pointerType === 'touch') meant.point(undefined);
      doing = 'done';
    }
  };

  const onLeave = (event: PointerEvent): void => {
    if (!pointers.has(event.pointerId)) meant.point(undefined);
  };

  const onWheel = (event: WheelEvent): void => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? LINE_PX : event.deltaMode === 2 ? element.clientWidth : 1;
    const [dx, dy] = [event.deltaX * unit, event.deltaY * unit];
    const sideways = Math.abs(dx) > Math.abs(dy) ? dx : event.shiftKey && !event.ctrlKey ? dy : 0;
    if (sideways !== 0) {
      const view = meant.view();
      const byMs = sideways * perPixel(view);
      meant.show({ fromMs: view.fromMs + byMs, toMs: view.toMs + byMs }, true);
    } else meant.zoom(2 ** (Math.max(-400, Math.min(400, dy)) / (event.ctrlKey ? PINCH_PX : WHEEL_PX)), xOf(event));
    meant.point(xOf(event));
  };

  element.addEventListener('pointerdown', onDown);
  element.addEventListener('pointermove', onMove);
  element.addEventListener('pointerup', onUp);
  element.addEventListener('pointercancel', onUp);
  element.addEventListener('pointerleave', onLeave);
  element.addEventListener('wheel', onWheel, { passive: false });
  return () => {
    clearTimeout(press);
    element.removeEventListener('pointerdown', onDown);
    element.removeEventListener('pointermove', onMove);
    element.removeEventListener('pointerup', onUp);
    element.removeEventListener('pointercancel', onUp);
    element.removeEventListener('pointerleave', onLeave);
    element.removeEventListener('wheel', onWheel);
  };
}
