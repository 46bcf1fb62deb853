/** A field of a form with its label, what it means and what is wrong with it; `children` is called with the ids that tie them together. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** What the input of a field carries. */
export interface FieldIds {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': boolean | undefined;
}

interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
  readonly class?: string;
  readonly children: (ids: FieldIds) => ComponentChildren;
}

export function Field({ label, hint, error, class: more, children }: FieldProps) {
  const id = useId();
  const hintId = hint === undefined && error === undefined ? undefined : `${id}-hint`;
  return (
    <div class={more === undefined ? 'field' : `field ${more}`}>
      <label for={id}>{label}</label>
      {children({ id, 'aria-describedby': hintId, 'aria-invalid': error === undefined ? undefined : true })}
      {hintId !== undefined && (
        <p id={hintId} class={error === undefined ? 'hint' : 'hint wrong'}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}
