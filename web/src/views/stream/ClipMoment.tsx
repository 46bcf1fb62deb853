/** A mark of a clip as text that can be changed: Enter, or leaving the field, moves the mark; Escape puts back what was there. */
import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { nowMs } from '../../state/clock';
import { zone } from '../../state/settings';
import { parseMoment } from '../../time/parse';
import { fieldText } from './clip';

interface ClipMomentProps {
  /** `In`. */
  readonly label: string;
  readonly ms: number;
  onChange(ms: number): void;
}

export function ClipMoment({ label, ms, onChange }: ClipMomentProps) {
  const id = useId();
  /** What is being typed; undefined while nothing is. */
  const typed = useSignal<string | undefined>(undefined);
  const isWrong = useSignal(false);

  const take = (): void => {
    if (typed.value === undefined) return;
    const found = parseMoment(typed.value, nowMs(), zone.value);
    isWrong.value = found === undefined;
    if (found === undefined) return;
    typed.value = undefined;
    onChange(found);
  };

  return (
    <span class="clip-moment">
      <label class="unseen" for={id}>
        {label}
      </label>
      <input
        id={id}
        class="mono"
        size={21}
        autocomplete="off"
        spellcheck={false}
        aria-invalid={isWrong.value || undefined}
        aria-describedby={isWrong.value ? `${id}-wrong` : undefined}
        value={typed.value ?? fieldText(ms, zone.value)}
        onInput={({ currentTarget }) => ([typed.value, isWrong.value] = [currentTarget.value, false])}
        onBlur={take}
        onKeyDown={(event) => {
          if (event.key === 'Enter') take();
          else if (event.key === 'Escape') [typed.value, isWrong.value] = [undefined, false];
        }}
      />
      {isWrong.value && (
        <span id={`${id}-wrong`} class="hint wrong" role="alert">
          No date and time: 03:12:07, or yesterday 03:12.
        </span>
      )}
    </span>
  );
}
