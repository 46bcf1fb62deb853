/** A text that is to be taken elsewhere, an address or a token: shown, selected as it is focused, and copied by a button. */
import { useSignal } from '@preact/signals';
import { Check, Copy } from 'lucide';
import { useRef } from 'preact/hooks';
import { sayError } from '../state/toasts';
import { Button } from './Button';
import './CopyField.css';
import { Field } from './Field';

interface CopyFieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
}

export function CopyField({ label, hint, value }: CopyFieldProps) {
  const input = useRef<HTMLInputElement>(null);
  const copied = useSignal<string | undefined>(undefined);
  const isCopied = copied.value === value;

  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(value);
      copied.value = value;
    } catch {
      // A browser gives the clipboard to pages that came by HTTPS, or from this machine.
      input.current?.select();
      sayError('The browser does not let this page copy: the text is selected, copy it with the keyboard.');
    }
  };

  return (
    <Field label={label} hint={hint}>
      {(ids) => (
        <div class="copy">
          <input {...ids} ref={input} class="mono" readOnly value={value} onFocus={(event) => event.currentTarget.select()} />
          <Button icon={isCopied ? Check : Copy} onClick={() => void copy()}>
            {isCopied ? 'Copied' : 'Copy'}
          </Button>
          <span class="unseen" role="status">
            {isCopied && 'Copied'}
          </span>
        </div>
      )}
    </Field>
  );
}
