/** What can be done to a stream: a menu beside the button of its tile. Arrow keys move within it; Escape, a click elsewhere and scrolling close it. */
import { Pencil, Play, Square, Trash2, type IconNode } from 'lucide';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Stream } from '../../api';
import { Icon } from '../../parts/Icon';
import { closeMenu } from './menu';

/** What was chosen. */
export type TileAction = 'edit' | 'start' | 'stop' | 'delete';

interface TileMenuProps {
  readonly stream: Stream;
  /** The button that opened it. */
  readonly by: HTMLElement;
  readonly onAction: (action: TileAction, stream: Stream) => void;
}

/** Between the menu and the edge of what is seen. */
const EDGE = 8;

export function TileMenu({ stream, by, onAction }: TileMenuProps) {
  const box = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return;
    const button = by.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = current;
    const isBelow = button.bottom + height + EDGE <= innerHeight;
    current.style.left = `${Math.max(EDGE, Math.min(button.right, innerWidth - EDGE) - width)}px`;
    current.style.top = `${isBelow ? button.bottom + 4 : Math.max(EDGE, button.top - height - 4)}px`;
    current.querySelector('button')?.focus({ preventScroll: true });
  }, [by]);

  useEffect(() => {
    const gone = new AbortController();
    const { signal } = gone;
    const outside = ({ target }: Event): void => {
      if (target instanceof Node && !box.current?.contains(target) && !by.contains(target)) closeMenu(false);
    };
    addEventListener('pointerdown', outside, { signal, capture: true });
    addEventListener('focusin', outside, { signal });
    addEventListener('scroll', () => closeMenu(false), { signal, passive: true });
    addEventListener('resize', () => closeMenu(false), { signal });
    return () => gone.abort();
  }, [by]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' || event.key === 'Tab') closeMenu(true);
    const items = [...(box.current?.querySelectorAll('button') ?? [])];
    const at = items.findIndex((item) => item === document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined && event.key !== 'Escape') return;
    event.preventDefault();
    if (to !== undefined) items.at(to % items.length)?.focus();
  };

  const item = (action: TileAction, icon: IconNode, words: string) => (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      class={action === 'delete' ? 'danger' : undefined}
      onClick={() => {
        closeMenu(true);
        onAction(action, stream);
      }}
    >
      <Icon of={icon} />
      {words}
    </button>
  );

  return (
    <div class="wall-items" role="menu" aria-label={`Actions for ${stream.title || stream.code}`} ref={box} onKeyDown={onKeyDown}>
      {stream.status.configured && item('edit', Pencil, 'Edit …')}
      {stream.status.configured &&
        (stream.dvr?.enabled === true ? item('stop', Square, 'Stop recording') : item('start', Play, 'Start recording'))}
      {item('delete', Trash2, stream.status.configured ? 'Delete …' : 'Delete the archive …')}
    </div>
  );
}
