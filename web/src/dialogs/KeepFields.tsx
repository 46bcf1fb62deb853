/** How long and how much a stream keeps: presets, a number and a unit of one's own, a bound, and what that comes to on the disk (G5). */
import { useId } from 'preact/hooks';
import { Field } from '../parts/Field';
import { KEEP_PRESETS, KEEP_UNITS, sizeText, type KeepUnit } from './retention';
import { dvrOf, type StreamField, type StreamForm } from './streamForm';

interface KeepFieldsProps {
  readonly form: StreamForm;
  readonly errors: Partial<Record<StreamField, string>>;
  /** Bits per second; undefined where it is not known. */
  readonly bitrate: number | undefined;
  change(fields: Partial<StreamForm>): void;
}

export function KeepFields({ form, errors, bitrate, change }: KeepFieldsProps) {
  const numberId = useId();
  const dvr = dvrOf(form);
  const size = sizeText(bitrate, dvr.retention_sec, dvr.max_size_gb);
  return (
    <>
      <div class="pair keep">
        <Field label="Keep for" error={errors.retention_sec}>
          {(ids) => (
            <div class="row">
              <select {...ids} value={form.keep} onChange={({ currentTarget }) => change({ keep: currentTarget.value })}>
                {KEEP_PRESETS.map(([sec, words]) => (
                  <option key={sec} value={String(sec)}>
                    {words}
                  </option>
                ))}
                <option value="custom">Another time …</option>
              </select>
              {form.keep === 'custom' && (
                <>
                  <label class="unseen" for={numberId}>
                    Keep for so many
                  </label>
                  <input
                    id={numberId}
                    class="short"
                    inputMode="decimal"
                    value={form.keepCount}
                    aria-invalid={errors.retention_sec === undefined ? undefined : true}
                    onInput={({ currentTarget }) => change({ keepCount: currentTarget.value })}
                  />
                  <select
                    aria-label="Unit"
                    value={form.keepUnit}
                    onChange={({ currentTarget }) => change({ keepUnit: currentTarget.value as KeepUnit })}
                  >
                    {Object.keys(KEEP_UNITS).map((unit) => (
                      <option key={unit}>{unit}</option>
                    ))}
                  </select>
                </>
              )}
            </div>
          )}
        </Field>
        <Field label="And at most (GB)" hint="0 is no bound." error={errors.max_size_gb}>
          {(ids) => (
            <input
              {...ids}
              class="short"
              inputMode="decimal"
              value={form.maxGb}
              onInput={({ currentTarget }) => change({ maxGb: currentTarget.value })}
            />
          )}
        </Field>
      </div>
      <p class="hint size">{size ?? 'How much that is on the disk is said when the source has been looked at.'}</p>
    </>
  );
}
