/** A field for a moment, typed ("yesterday 03:12") or chosen in the browser's own calendar; what was understood is shown while it is typed (docs/design/page.md, G7). */
import { useSignal } from '@preact/signals';
import { CalendarDays } from 'lucide';
import { useId, useRef } from 'preact/hooks';
import { Button } from '../parts/Button';
import { nowMs } from '../state/clock';
import { zone } from '../state/settings';
import { momentText, zoneName } from '../time/format';
import { parseMoment } from '../time/parse';
import './MomentField.css';

interface MomentFieldProps {
  onGo(ms: number): void;
}

export function MomentField({ onGo }: MomentFieldProps) {
  const id = useId();
  const calendar = useRef<HTMLInputElement>(null);
  const typed = useSignal('');
  const found = typed.value.trim() === '' ? undefined : parseMoment(typed.value, nowMs(), zone.value);
  const isFuture = found !== undefined && found > nowMs();
  const isWrong = typed.value.trim() !== '' && (found === undefined || isFuture);

  const go = (): void => {
    // Asked anew: "5 min ago" is later than when it was typed.
    const ms = parseMoment(typed.value, nowMs(), zone.value);
    if (ms === undefined || ms > nowMs()) return;
    typed.value = '';
    onGo(ms);
  };
  const openCalendar = (): void => {
    const input = calendar.current;
    if (!input) return;
    input.value = fieldValue(nowMs());
    try {
      input.showPicker();
    } catch {
      // A browser without one: the field can be typed into.
      input.focus();
    }
  };
  return (
    <form
      class="moment"
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      <label class="unseen" for={id}>
        Go to a date and time
      </label>
      <input
        id={id}
        class="moment-text"
        placeholder="Go to: yesterday 03:12"
        autocomplete="off"
        spellcheck={false}
        aria-describedby={`${id}-hint`}
        aria-invalid={isWrong ? true : undefined}
        value={typed.value}
        onInput={(event) => (typed.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          typed.value = '';
          event.currentTarget.blur();
        }}
      />
      <span class="moment-calendar">
        <Button icon={CalendarDays} label="Choose in a calendar" onClick={openCalendar} />
        <input
          ref={calendar}
          type="datetime-local"
          step={1}
          tabIndex={-1}
          aria-hidden="true"
          onChange={(event) => {
            const ms = parseMoment(event.currentTarget.value, nowMs(), zone.value);
            if (ms !== undefined) onGo(ms);
          }}
        />
      </span>
      <p id={`${id}-hint`} class={isWrong ? 'hint wrong moment-hint' : 'hint moment-hint'} aria-live="polite">
        {typed.value.trim() === ''
          ? ''
          : found === undefined
            ? 'A time, a day, or both: 03:12, monday 8pm, 22 nov 03:12, 5 min ago'
            : `${momentText(found, zone.value)} ${zoneName(found, zone.value)}${isFuture ? ' is still to come' : ', Enter goes there'}`}
      </p>
    </form>
  );
}

/** As `datetime-local` has it, which knows no zone. */
function fieldValue(ms: number): string {
  const shown = zone.peek() === 'utc' ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(shown).toISOString().slice(0, 19);
}
