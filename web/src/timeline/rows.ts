/** What lies above what in the timeline, in CSS pixels (docs/design/page.md, G6). Pure. */

/** A layer. */
export interface Row {
  readonly y: number;
  readonly height: number;
}

/** The layers, from the top. */
export interface Rows {
  readonly height: number;
  readonly pictures: Row | undefined;
  readonly axis: Row;
  readonly keeps: Row;
  readonly band: Row;
  readonly errors: Row;
}

/** Narrower has no room for pictures; a finger needs more of the band. */
const NARROW_PX = 560;

/** @param hasPictures - some can be decoded */
export function rowsOf(width: number, hasPictures: boolean): Rows {
  if (width < NARROW_PX) return rows(undefined, 40);
  return hasPictures ? rows({ y: 0, height: 42 }, 26) : rows(undefined, 30);
}

function rows(pictures: Row | undefined, bandHeight: number): Rows {
  const axis = { y: pictures ? pictures.height + 4 : 0, height: 20 };
  const keeps = { y: axis.y + axis.height + 1, height: 14 };
  const band = { y: keeps.y + keeps.height, height: bandHeight };
  const errors = { y: band.y + bandHeight + 2, height: 14 };
  return { height: errors.y + errors.height + 1, pictures, axis, keeps, band, errors };
}
