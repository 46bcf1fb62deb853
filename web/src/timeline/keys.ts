/** What the keys of the focused timeline do (docs/design/page.md, G6). Pure. */

/** `by`: the position moves by so much; `page`: by so much of the view; `zoom`: shows so many times as much. */
export type KeyAction =
  | { readonly kind: 'by'; readonly ms: number }
  | { readonly kind: 'step' | 'page'; readonly sign: 1 | -1 }
  | { readonly kind: 'oldest' | 'live' }
  | { readonly kind: 'zoom'; readonly factor: number }
  | { readonly kind: 'gap'; readonly which: 'previous' | 'next' };

/** What of a KeyboardEvent counts. */
export interface Key {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

const SMALL_MS = 10_000;
const LARGE_MS = 60_000;

/** @returns undefined for a key that is not the timeline's */
export function keyAction({ key, shiftKey, ctrlKey, altKey, metaKey }: Key): KeyAction | undefined {
  if (altKey || metaKey) return undefined;
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    const sign = key === 'ArrowRight' ? 1 : -1;
    return ctrlKey ? { kind: 'step', sign } : { kind: 'by', ms: sign * (shiftKey ? LARGE_MS : SMALL_MS) };
  }
  // The browser's own: its zoom among them.
  if (ctrlKey) return undefined;
  switch (key) {
    case 'PageUp':
      return { kind: 'page', sign: 1 };
    case 'PageDown':
      return { kind: 'page', sign: -1 };
    case 'Home':
      return { kind: 'oldest' };
    case 'End':
      return { kind: 'live' };
    case '+':
    case '=':
      return { kind: 'zoom', factor: 0.5 };
    case '-':
      return { kind: 'zoom', factor: 2 };
    case '[':
      return { kind: 'gap', which: 'previous' };
    case ']':
      return { kind: 'gap', which: 'next' };
    default:
      return undefined;
  }
}
