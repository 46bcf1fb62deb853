/** Where the tiles of the wall lie, which of them are seen, and where an arrow key leads (docs/design/page.md, G4: a window of rows over a tall box). Pure; CSS pixels. */

/** Between tiles. */
const GAP = 16;
const GAP_NARROW = 10;
/** Below this, one tile is as wide as the page, with its picture at the side. */
const NARROW = 620;
const TILE_MIN = 270;
/** Few streams have larger pictures, to this; what is left of the row stays free. */
const TILE_MAX = 480;
/** What a tile says below its picture. */
const TEXT_HEIGHT = 146;
const NARROW_HEIGHT = 146;
/** Rows that are there beside those that are seen, on each side: what the Tab key reaches, and what is scrolled to next. */
export const SPARE_ROWS = 2;

/** How the tiles lie. */
export interface Layout {
  readonly columns: number;
  readonly rows: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  /** From the top of a row to that of the next. */
  readonly rowHeight: number;
  readonly columnWidth: number;
  readonly isNarrow: boolean;
  /** Of the picture. */
  readonly pictureWidth: number;
  /** Of all rows. */
  readonly height: number;
}

/** Rows, both included; `last` is before `first` when there is none. */
export interface Rows {
  readonly first: number;
  readonly last: number;
}

/** Lays out so many tiles in a box of a width. */
export function layOut(count: number, width: number): Layout {
  const isNarrow = width < NARROW;
  const gap = isNarrow ? GAP_NARROW : GAP;
  const fitting = isNarrow ? 1 : Math.max(1, Math.floor((width + gap) / (TILE_MIN + gap)));
  const columns = Math.max(1, Math.min(count, fitting));
  const shared = Math.max(0, Math.floor((width - gap * (columns - 1)) / columns));
  const tileWidth = isNarrow ? shared : Math.min(TILE_MAX, shared);
  const pictureWidth = isNarrow ? Math.round(tileWidth * 0.4) : tileWidth;
  const tileHeight = isNarrow ? NARROW_HEIGHT : Math.round((tileWidth * 9) / 16) + TEXT_HEIGHT;
  const rows = Math.ceil(count / columns);
  const rowHeight = tileHeight + gap;
  return {
    columns,
    rows,
    tileWidth,
    tileHeight,
    rowHeight,
    columnWidth: tileWidth + gap,
    isNarrow,
    pictureWidth,
    height: Math.max(0, rows * rowHeight - gap),
  };
}

/** The rows of which something is seen. @param top - of the box, from the top of what is seen of the page: negative when scrolled */
export function rowsSeen({ rows, rowHeight }: Layout, top: number, viewHeight: number): Rows {
  const first = Math.max(0, Math.floor(-top / rowHeight));
  const last = Math.min(rows - 1, Math.floor((viewHeight - top) / rowHeight));
  return { first, last };
}

/** Indices of the tiles that are to be there: of the rows that are seen, of those beside them, and of the one that has the focus, which is not lost by scrolling. */
export function tilesThere({ columns, rows }: Layout, count: number, seen: Rows, focused: number | undefined): number[] {
  const first = Math.max(0, seen.first - SPARE_ROWS);
  const last = Math.min(rows - 1, seen.last + SPARE_ROWS);
  const there: number[] = [];
  for (let i = first * columns; i < Math.min(count, (last + 1) * columns); i++) there.push(i);
  if (focused === undefined || focused < 0 || focused >= count) return there;
  if (there.length === 0 || focused > (there.at(-1) ?? 0)) there.push(focused);
  else if (focused < (there[0] ?? 0)) there.unshift(focused);
  return there;
}

/** Where a key leads from a tile; undefined when it leads nowhere. */
export function moved(key: string, index: number, count: number, columns: number): number | undefined {
  const to =
    key === 'ArrowRight'
      ? index + 1
      : key === 'ArrowLeft'
        ? index - 1
        : key === 'ArrowDown'
          ? // The last row may be shorter: its end is below all that is above it.
            Math.floor(index / columns) < Math.floor((count - 1) / columns)
            ? Math.min(index + columns, count - 1)
            : index
          : key === 'ArrowUp'
            ? index - columns
            : key === 'Home'
              ? 0
              : key === 'End'
                ? count - 1
                : index;
  return to === index || to < 0 || to >= count ? undefined : to;
}
