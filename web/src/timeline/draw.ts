/** Draws the timeline on a canvas (docs/design/page.md, G6): what is alike is drawn in one go, so that a thousand gaps cost as much as ten. */
import { lengthText } from '../time/format';
import { reasonText } from '../time/reasons';
import type { Palette } from './palette';
import type { Row } from './rows';
import { toX, type Joined } from './scale';
import type { Scene, Stretch } from './scene';
import { TILE_PX, type Tile } from './strip';

/** A picture of the line, when there is one. */
export interface DrawnTile extends Tile {
  readonly bitmap: ImageBitmap | undefined;
}

/** Room beside words; CSS pixels. */
const PAD = 6;

type Paint = CanvasRenderingContext2D;

/** Draws it all, in CSS pixels. */
export function drawScene(paint: Paint, scene: Scene, tiles: readonly DrawnTile[], palette: Palette): void {
  const { rows, scale } = scene;
  paint.clearRect(0, 0, scale.width, rows.height);
  paint.font = palette.font;
  paint.textBaseline = 'middle';
  if (rows.pictures) drawTiles(paint, rows.pictures, tiles, palette);
  drawAxis(paint, scene, palette);
  drawBand(paint, scene, palette);
  drawKeeps(paint, scene, palette);
  drawErrors(paint, scene, palette);
  drawMarks(paint, scene, palette);
  drawLive(paint, scene, palette);
  drawPosition(paint, scene, palette);
}

function drawTiles(paint: Paint, { y, height }: Row, tiles: readonly DrawnTile[], palette: Palette): void {
  paint.fillStyle = palette.raised;
  paint.beginPath();
  for (const { x, bitmap } of tiles) if (bitmap === undefined) paint.rect(x, y, TILE_PX, height);
  paint.globalAlpha = 0.5;
  paint.fill();
  paint.globalAlpha = 1;
  for (const { x, bitmap } of tiles) {
    if (bitmap === undefined) continue;
    // All of the tile, cut where the picture is of another shape.
    const zoom = Math.max(TILE_PX / bitmap.width, height / bitmap.height);
    const [w, h] = [TILE_PX / zoom, height / zoom];
    paint.drawImage(bitmap, (bitmap.width - w) / 2, (bitmap.height - h) / 2, w, h, x, y, TILE_PX, height);
  }
}

function drawAxis(paint: Paint, { rows, scale, ticks, date }: Scene, palette: Palette): void {
  const { y, height } = rows.axis;
  const bottom = y + height;
  paint.fillStyle = palette.line;
  for (const ms of ticks.minor) paint.fillRect(Math.round(toX(scale, ms)), bottom - 3, 1, 3);
  paint.fillStyle = palette.quiet;
  for (const { ms } of ticks.labelled) paint.fillRect(Math.round(toX(scale, ms)), bottom - 6, 1, 6);
  const left = dateRight(paint, date);
  for (const { ms, label, isDay } of ticks.labelled) {
    const x = Math.round(toX(scale, ms)) + 4;
    if (x < left + PAD || x + paint.measureText(label).width > scale.width) continue;
    paint.fillStyle = isDay ? palette.text : palette.quiet;
    paint.fillText(label, x, y + 9);
  }
  paint.fillStyle = palette.panel;
  paint.fillRect(0, y, left, height - 6);
  paint.fillStyle = palette.text;
  paint.fillText(date, PAD, y + 9);
}

const dateRight = (paint: Paint, date: string): number => paint.measureText(date).width + 2 * PAD;

function drawBand(paint: Paint, scene: Scene, palette: Palette): void {
  const { y, height } = scene.rows.band;
  // Time in which nothing is recorded: a thin line.
  paint.fillStyle = palette.line;
  paint.fillRect(0, y + height / 2, scene.scale.width, 1);
  fill(paint, scene.unknown, y, height, palette.raised);
  fill(paint, scene.media, y, height, palette.media);
  fill(paint, scene.gapBoxes, y, height, palette.hatch);
  // Thin ones are all line: the hatching of two pixels would be seen as nothing.
  const thin = scene.gapBoxes.filter(({ x0, x1 }) => x1 - x0 < 5);
  fill(paint, thin, y, height, palette.gapLine);
  const edges = scene.gapBoxes
    .filter(({ x0, x1 }) => x1 - x0 >= 5)
    .flatMap(({ x0, x1 }) => [x0, x1 - 1].map((x) => ({ x0: x, x1: x + 1 })));
  fill(paint, edges, y, height, palette.gapLine);
  for (const box of scene.gapBoxes) drawReason(paint, scene, box, palette);
}

function fill(paint: Paint, stretches: readonly Stretch[], y: number, height: number, style: string | CanvasPattern): void {
  paint.fillStyle = style;
  paint.beginPath();
  for (const { x0, x1 } of stretches) paint.rect(x0, y, x1 - x0, height);
  paint.fill();
}

function drawReason(paint: Paint, scene: Scene, { x0, x1, first, last }: Joined, palette: Palette): void {
  const [left, right] = [Math.max(0, x0), Math.min(scene.scale.width, x1)];
  const gap = scene.gaps[first];
  if (gap === undefined || right - left < 40) return;
  const reason = last > first || gap.count > 1 ? 'gaps' : reasonText(gap.reason);
  const words = [`${reason}, ${lengthText(gap.toMs - gap.fromMs)}`, reason].slice(reason === 'gaps' ? 1 : 0);
  const found = words.map((text) => ({ text, width: paint.measureText(text).width })).find(({ width }) => width + 4 * PAD <= right - left);
  if (found === undefined) return;
  const { y, height } = scene.rows.band;
  const x = (left + right - found.width) / 2;
  paint.fillStyle = palette.gapGround;
  paint.fillRect(x - PAD, y + height / 2 - 8, found.width + 2 * PAD, 16);
  paint.fillStyle = palette.text;
  paint.fillText(found.text, x, y + height / 2 + 0.5);
}

function drawKeeps(paint: Paint, { rows, keeps, scale }: Scene, palette: Palette): void {
  const { y, height } = rows.keeps;
  const top = y + height - 4;
  let freeFrom = 0;
  paint.fillStyle = palette.keep;
  for (const { x0, x1, name } of keeps) {
    paint.fillRect(x0, top, x1 - x0, 2);
    paint.fillRect(x0, top, 2, 4);
    paint.fillRect(x1 - 2, top, 2, 4);
    const x = Math.max(x0, 2);
    const width = paint.measureText(name).width;
    // A name may be longer than what it names; two do not run into each other.
    if (x < freeFrom || x + width > scale.width) continue;
    paint.fillText(name, x, y + 4.5);
    freeFrom = x + width + PAD;
  }
}

function drawErrors(paint: Paint, { rows, errorBoxes }: Scene, palette: Palette): void {
  const { y, height } = rows.errors;
  paint.fillStyle = palette.errors;
  paint.beginPath();
  for (const { x0, x1, share } of errorBoxes) paint.rect(x0, y, x1 - x0, 3 + share * (height - 3));
  paint.fill();
}

function drawMarks(paint: Paint, { rows, inX, outX, scale }: Scene, palette: Palette): void {
  const { y, height } = rows.band;
  paint.fillStyle = palette.mark;
  if (inX !== undefined && outX !== undefined) {
    const [from, to] = [Math.max(0, inX), Math.min(scale.width, outX)];
    paint.globalAlpha = 0.35;
    if (to > from) paint.fillRect(from, y, to - from, height);
    paint.globalAlpha = 1;
    for (const edge of to > from ? [y, y + height - 2] : []) paint.fillRect(from, edge, to - from, 2);
  }
  const top = rows.keeps.y;
  const bottom = rows.errors.y + rows.errors.height;
  for (const [x, letter, side] of [
    [inX, 'I', -1],
    [outX, 'O', 1],
  ] as const) {
    if (x === undefined || x < -20 || x > scale.width + 20) continue;
    const at = Math.round(x);
    paint.fillStyle = palette.mark;
    paint.fillRect(at - 1, top, 2, bottom - top);
    paint.fillRect(side < 0 ? at - 13 : at, bottom - 16, 13, 16);
    paint.fillStyle = palette.panel;
    const width = paint.measureText(letter).width;
    paint.fillText(letter, (side < 0 ? at - 6.5 : at + 6.5) - width / 2, bottom - 7.5);
  }
}

function drawLive(paint: Paint, { rows, liveX, scale }: Scene, palette: Palette): void {
  if (liveX === undefined || liveX < 0 || liveX > scale.width) return;
  paint.fillStyle = palette.live;
  const x = Math.round(liveX);
  paint.fillRect(x, rows.band.y - 3, 2, rows.band.height + 6);
  // A flag at its top: the edge is told by its shape too.
  paint.beginPath();
  paint.moveTo(x - 4, rows.band.y - 6);
  paint.lineTo(x + 6, rows.band.y - 6);
  paint.lineTo(x + 1, rows.band.y);
  paint.fill();
}

function drawPosition(paint: Paint, { rows, position, pendingX, scale, date }: Scene, palette: Palette): void {
  if (pendingX !== undefined) {
    paint.fillStyle = palette.text;
    for (let at = rows.axis.y; at < rows.band.y + rows.band.height; at += 6) paint.fillRect(Math.round(pendingX), at, 1, 3);
  }
  if (position === undefined || position.x < -1 || position.x > scale.width + 1) return;
  const x = Math.round(position.x);
  const { y } = rows.axis;
  const bottom = rows.band.y + rows.band.height + 2;
  // Light on dark and dark on light, with a rim: it is seen on media, gaps and marks alike.
  paint.fillStyle = palette.panel;
  paint.fillRect(x - 2, y, 4, bottom - y);
  paint.fillStyle = palette.text;
  paint.fillRect(x - 1, y, 2, bottom - y);
  const width = paint.measureText(position.text).width + 2 * PAD;
  // The date stays readable.
  const left = Math.max(dateRight(paint, date), Math.min(x - width / 2, scale.width - width));
  paint.beginPath();
  paint.roundRect(left, y, width, 16, 3);
  paint.fill();
  paint.fillStyle = palette.panel;
  paint.fillText(position.text, left + PAD, y + 8.5);
}
