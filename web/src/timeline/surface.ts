/** The canvas of the timeline (docs/design/page.md, G6): as sharp as the screen, as wide as it has room, drawn once a frame and only when something changed. */
import { drawScene, type DrawnTile } from './draw';
import { readPalette, type Palette } from './palette';
import type { Scene } from './scene';

/** What is drawn. */
export interface Drawing {
  readonly scene: Scene;
  readonly tiles: readonly DrawnTile[];
}

/** A canvas that fills its parent; `close` ends it. */
export class Surface {
  readonly #canvas: HTMLCanvasElement;
  readonly #paint: CanvasRenderingContext2D | null;
  readonly #draw: (width: number) => Drawing;
  readonly #observer: ResizeObserver;
  readonly #scheme = matchMedia('(prefers-color-scheme: light)');
  #palette: Palette | undefined;
  #width = 0;
  #ratio = 1;
  #frame: number | undefined;

  /** @param draw - called once for each frame that is drawn, with the width in CSS pixels */
  constructor(canvas: HTMLCanvasElement, draw: (width: number) => Drawing) {
    this.#canvas = canvas;
    this.#paint = canvas.getContext('2d');
    this.#draw = draw;
    this.#observer = new ResizeObserver(this.changed);
    this.#observer.observe(canvas.parentElement ?? canvas);
    this.#scheme.addEventListener('change', this.recolour);
  }

  /** Something changed: it is drawn anew with the next frame. */
  readonly changed = (): void => {
    this.#frame ??= requestAnimationFrame(this.#onFrame);
  };

  /** The theme is another. */
  readonly recolour = (): void => {
    this.#palette = undefined;
    this.changed();
  };

  close(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#observer.disconnect();
    this.#scheme.removeEventListener('change', this.recolour);
  }

  readonly #onFrame = (): void => {
    this.#frame = undefined;
    const width = this.#canvas.parentElement?.clientWidth ?? 0;
    if (width === 0 || this.#paint === null) return;
    const { scene, tiles } = this.#draw(width);
    this.#fit(width, scene.rows.height);
    this.#palette ??= readPalette(this.#paint, this.#ratio);
    this.#paint.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0);
    drawScene(this.#paint, scene, tiles, this.#palette);
  };

  #fit(width: number, height: number): void {
    const ratio = devicePixelRatio;
    if (ratio !== this.#ratio) this.#palette = undefined;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== w || this.#canvas.height !== h || this.#width !== width || this.#ratio !== ratio) {
      [this.#canvas.width, this.#canvas.height] = [w, h];
      this.#canvas.style.width = `${width}px`;
      this.#canvas.style.height = `${height}px`;
      [this.#width, this.#ratio] = [width, ratio];
    }
  }
}
