/** Keeps a clip for good, under a name: retention and the deletion of the stream do not touch it. */
import { useSignal } from '@preact/signals';
import { api, type Keep } from '../../api';
import { Button } from '../../parts/Button';
import { Dialog } from '../../parts/Dialog';
import { Field } from '../../parts/Field';
import { nameProblem, suggestedName, type Clip } from './clip';
import { windowProblem } from './windowProblem';

interface ClipKeepDialogProps {
  readonly code: string;
  readonly clip: Clip;
  onKept(keep: Keep): void;
  onClose(): void;
}

export function ClipKeepDialog({ code, clip, onKept, onClose }: ClipKeepDialogProps) {
  const name = useSignal(suggestedName(clip));
  const problem = useSignal<string | undefined>(undefined);
  const isBusy = useSignal(false);

  const keep = async (): Promise<void> => {
    problem.value = nameProblem(name.value);
    if (problem.value !== undefined || isBusy.value) return;
    isBusy.value = true;
    try {
      onKept(await api.makeKeep(code, name.value, clip.fromMs, clip.toMs));
      onClose();
    } catch (error) {
      problem.value = windowProblem(error);
    }
    isBusy.value = false;
  };

  return (
    <Dialog title="Keep this clip" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void keep();
        }}
      >
        <p>
          It stays whatever retention removes, also when the stream is deleted. It holds whole segments, so a few seconds more at both ends.
        </p>
        <Field label="Name" hint="Letters (a to z), digits, _ and -." error={problem.value}>
          {(ids) => (
            <input
              {...ids}
              value={name.value}
              maxLength={64}
              autocomplete="off"
              spellcheck={false}
              onInput={({ currentTarget }) => ([name.value, problem.value] = [currentTarget.value.trim(), undefined])}
            />
          )}
        </Field>
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="main" disabled={isBusy.value}>
            {isBusy.value ? 'Keeping …' : 'Keep'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
