/** An icon of Lucide's, drawn by us: 24 x 24, as large as the text. Always beside words, or within a button that is named, so nobody hears of it. */
import type { IconNode } from 'lucide';
import { h } from 'preact';

export function Icon({ of, size = 18 }: { readonly of: IconNode; readonly size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {of.map(([tag, attributes]) => h(tag, attributes as Record<string, string>))}
    </svg>
  );
}
