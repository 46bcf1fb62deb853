/** A button: words, an icon, or both; with an icon alone `label` is its name and what is shown when it is pointed at. */
import type { IconNode } from 'lucide';
import type { ComponentChildren, TargetedMouseEvent } from 'preact';
import { Icon } from './Icon';

interface ButtonProps {
  readonly icon?: IconNode;
  readonly label?: string;
  /** `plain`: no frame; `main`: what the dialog is there for; `danger`: what cannot be undone. */
  readonly kind?: 'plain' | 'main' | 'danger';
  readonly type?: 'button' | 'submit';
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  /** As `aria-keyshortcuts`; shown with the label. */
  readonly keys?: string;
  readonly class?: string;
  readonly children?: ComponentChildren;
  readonly onClick?: (event: TargetedMouseEvent<HTMLButtonElement>) => void;
}

export function Button({ icon, label, kind, type = 'button', disabled, pressed, keys, class: more, children, onClick }: ButtonProps) {
  const title = label === undefined ? undefined : keys === undefined ? label : `${label} (${keys})`;
  return (
    <button
      type={type}
      class={['button', kind, children === undefined ? 'bare' : '', more].filter(Boolean).join(' ')}
      disabled={disabled}
      aria-pressed={pressed}
      aria-label={label}
      aria-keyshortcuts={keys}
      title={title}
      onClick={onClick}
    >
      {icon && <Icon of={icon} />}
      {children}
    </button>
  );
}
