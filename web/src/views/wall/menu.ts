/** The one menu of the wall: of which tile it is, and the button that opened it. */
import { signal } from '@preact/signals';

export const menu = signal<{ readonly code: string; readonly by: HTMLElement } | undefined>(undefined);

/** Closes it, and gives the focus back to its button where it was within. */
export function closeMenu(giveBack: boolean): void {
  const { by } = menu.peek() ?? {};
  menu.value = undefined;
  if (giveBack) by?.focus();
}
