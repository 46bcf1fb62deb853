/**
 * The tiles, of which only those are there that are seen, and two rows on each side (docs/design/page.md, G4): a tall box, so that the scrollbar tells the truth. It is a
 * list for those who do not see it; arrow keys, Home and End move between tiles.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { left } from './choice';
import { layOut, moved, rowsSeen, tilesThere, type Rows } from './layout';
import { closeMenu } from './menu';
import { Tile } from './Tile';

export function Grid({ codes }: { readonly codes: readonly string[] }) {
  const box = useRef<HTMLUListElement>(null);
  const width = useSignal(0);
  const seen = useSignal<Rows>({ first: 0, last: -1 });
  const focused = useSignal<string | undefined>(undefined);
  const wanted = useRef<number | undefined>(undefined);
  const layout = layOut(codes.length, width.value);
  const latest = useRef(layout);
  latest.current = layout;

  /** Looks where the box is now. */
  const look = (): void => {
    const { current } = box;
    if (current === null) return;
    const rect = current.getBoundingClientRect();
    width.value = Math.floor(rect.width);
    const rows = rowsSeen(layOut(codes.length, width.peek()), rect.top, innerHeight);
    const { first, last } = seen.peek();
    if (rows.first !== first || rows.last !== last) seen.value = rows;
  };
  const looking = useRef(look);
  looking.current = look;

  useLayoutEffect(look, [codes.length, layout.columns, layout.rowHeight]);
  useEffect(() => {
    let frame = 0;
    const soon = (): void => {
      if (frame !== 0) return;
      frame = requestAnimationFrame(() => {
        frame = 0;
        looking.current();
      });
    };
    const sizes = new ResizeObserver(soon);
    if (box.current) sizes.observe(box.current);
    const gone = new AbortController();
    addEventListener('scroll', soon, { passive: true, signal: gone.signal });
    addEventListener('resize', soon, { signal: gone.signal });
    return () => {
      gone.abort();
      sizes.disconnect();
      cancelAnimationFrame(frame);
    };
  }, []);

  // As it was left: at the same height, and the tile that had been opened has the focus again.
  const isLaid = layout.tileWidth > 0;
  useLayoutEffect(() => {
    if (!isLaid) return;
    const { scrollY: height, code } = left;
    if (height > 0) scrollTo(0, height);
    const index = code === undefined ? -1 : codes.indexOf(code);
    if (index >= 0) {
      focused.value = code;
      wanted.current = index;
    }
    left.code = undefined;
    const onScroll = (): void => void (left.scrollY = window.scrollY);
    addEventListener('scroll', onScroll, { passive: true });
    return () => removeEventListener('scroll', onScroll);
  }, [isLaid]);

  // A key led to a tile that may not have been there.
  useLayoutEffect(() => {
    if (wanted.current === undefined) return;
    const link = box.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"] a`);
    if (!link) return;
    wanted.current = undefined;
    link.focus();
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const from = indexOf(event.target);
    const to = from === undefined ? undefined : moved(event.key, from, codes.length, latest.current.columns);
    if (to === undefined) return;
    event.preventDefault();
    closeMenu(false);
    wanted.current = to;
    focused.value = codes[to];
  };

  const focusedIndex = focused.value === undefined ? undefined : codes.indexOf(focused.value);
  const there = tilesThere(layout, codes.length, seen.value, focusedIndex);
  return (
    <ul
      role="list"
      class={layout.isNarrow ? 'wall-grid narrow' : 'wall-grid'}
      aria-label="Streams"
      ref={box}
      style={{ height: `${layout.height}px` }}
      onKeyDown={onKeyDown}
      onFocusIn={({ target }) => {
        const index = indexOf(target);
        if (index !== undefined) focused.value = codes[index];
      }}
      onFocusOut={({ relatedTarget }) => {
        if (indexOf(relatedTarget) === undefined) focused.value = undefined;
      }}
      onClick={({ target }) => {
        const index = target instanceof Element && target.closest('a') ? indexOf(target) : undefined;
        if (index !== undefined) left.code = codes[index];
      }}
    >
      {isLaid &&
        there.map((index) => {
          const row = Math.floor(index / layout.columns);
          const code = codes[index] ?? '';
          return (
            <Tile
              key={code}
              code={code}
              index={index}
              count={codes.length}
              x={(index % layout.columns) * layout.columnWidth}
              y={row * layout.rowHeight}
              width={layout.tileWidth}
              height={layout.tileHeight}
              pictureWidth={layout.pictureWidth}
              isSeen={row >= seen.value.first && row <= seen.value.last}
            />
          );
        })}
    </ul>
  );
}

function indexOf(target: EventTarget | null): number | undefined {
  const tile = target instanceof Element ? target.closest('[data-index]') : null;
  return tile === null ? undefined : Number(tile.getAttribute('data-index'));
}
