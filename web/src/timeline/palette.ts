/** The colours of the canvas, as the style sheet has them for the theme (styles/tokens.css), and the hatching of gaps. */

/** Colours that are drawn with. */
export interface Palette {
  readonly font: string;
  readonly panel: string;
  readonly raised: string;
  readonly line: string;
  readonly text: string;
  readonly quiet: string;
  readonly media: string;
  readonly gapGround: string;
  readonly gapLine: string;
  readonly keep: string;
  readonly errors: string;
  readonly mark: string;
  readonly live: string;
  readonly hatch: CanvasPattern | string;
}

/** The distance between the lines of the hatching; CSS pixels. */
const HATCH_PX = 7;

/** @param ratio - device pixels for a CSS pixel */
export function readPalette(context: CanvasRenderingContext2D, ratio: number): Palette {
  const style = getComputedStyle(context.canvas);
  const get = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const [gapGround, gapLine] = [get('gap-ground'), get('gap-line')];
  return {
    font: `11px ${get('font')}`,
    panel: get('panel'),
    raised: get('raised'),
    line: get('line'),
    text: get('text'),
    quiet: get('quiet'),
    media: get('media'),
    gapGround,
    gapLine,
    keep: get('keep'),
    errors: get('errors'),
    mark: get('mark'),
    live: get('live'),
    hatch: hatchOf(context, gapGround, gapLine, ratio),
  };
}

function hatchOf(context: CanvasRenderingContext2D, ground: string, line: string, ratio: number): CanvasPattern | string {
  const size = Math.round(HATCH_PX * ratio);
  const tile = new OffscreenCanvas(size, size);
  const paint = tile.getContext('2d');
  if (paint === null) return line;
  paint.fillStyle = ground;
  paint.fillRect(0, 0, size, size);
  paint.strokeStyle = line;
  paint.lineWidth = 1.6 * ratio;
  paint.beginPath();
  for (const x of [-size, 0, size]) {
    paint.moveTo(x - 1, size + 1);
    paint.lineTo(x + size + 1, -1);
  }
  paint.stroke();
  const pattern = context.createPattern(tile, 'repeat');
  // The tile is of device pixels, what is drawn of CSS pixels.
  pattern?.setTransform(new DOMMatrix().scale(1 / ratio));
  return pattern ?? line;
}
