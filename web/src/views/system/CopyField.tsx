/** A text that is to be taken along, with a button that copies it. */
import { Check, Copy } from 'lucide';
import { useRef, useState } from 'preact/hooks';
import { Button } from '../../parts/Button';
import { Field } from '../../parts/Field';

export function CopyField({ label, text }: { readonly label: string; readonly text: string }) {
  const [isCopied, setCopied] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const copy = async (): Promise<void> => {
    input.current?.select();
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      // A page that came over http:// may not: it is selected, and can be copied by the keyboard.
      input.current?.focus();
    }
  };
  return (
    <Field label={label}>
      {(ids) => (
        <div class="row">
          <input {...ids} ref={input} class="mono wide" readOnly value={text} onFocus={({ currentTarget }) => currentTarget.select()} />
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
