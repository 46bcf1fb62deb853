/** The messages at the edge of the page (state/toasts.ts); told to those who do not see them, too. */
import { X } from 'lucide';
import { closeToast, toasts } from '../state/toasts';
import { Button } from './Button';

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, kind, text }) => (
        <div key={id} class={`toast ${kind}`}>
          <p>{text}</p>
          <Button icon={X} label="Close" kind="plain" onClick={() => closeToast(id)} />
        </div>
      ))}
    </div>
  );
}
