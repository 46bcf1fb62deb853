/** Adds a webhook, or changes one (docs/guide/webhooks.md). A secret that is there is never shown: it stays unless another is written. */
import { useRef, useState } from 'preact/hooks';
import { api, ApiError, type Hook } from '../../api';
import '../../dialogs/dialogs.css';
import { formErrors, type FormErrors } from '../../dialogs/formErrors';
import { Button } from '../../parts/Button';
import { Dialog } from '../../parts/Dialog';
import { Field } from '../../parts/Field';
import { sayDone } from '../../state/toasts';
import { HOOK_EVENTS, HOOK_FIELDS, hookEditOf, hookFormOf, hookProblems, newSecret, type HookField, type HookForm } from './accessForm';

interface HookDialogProps {
  /** The one that is changed; without it one is added. */
  readonly hook?: Hook | undefined;
  /** Ids that are there. */
  readonly present: readonly string[];
  onClose(): void;
  onSaved(): void;
}

export function HookDialog({ hook, present, onClose, onSaved }: HookDialogProps) {
  const [form, setForm] = useState<HookForm>(() => hookFormOf(hook));
  const [errors, setErrors] = useState<FormErrors<HookField>>({});
  const [isSaving, setSaving] = useState(false);
  const element = useRef<HTMLFormElement>(null);

  const change = (fields: Partial<HookForm>): void => {
    setForm({ ...form, ...fields });
    setErrors({});
  };
  const show = (wrong: FormErrors<HookField>): void => {
    setErrors(wrong);
    requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"], .failure')?.focus());
  };
  const save = async (): Promise<void> => {
    const wrong = hookProblems(form, present, hook);
    if (Object.keys(wrong).length > 0) return show(wrong);
    setSaving(true);
    try {
      await api.putHook(form.id, hookEditOf(form, hook));
      sayDone(hook === undefined ? `The webhook ${form.id} is added.` : `The webhook ${form.id} is saved.`);
      onSaved();
    } catch (error) {
      show(error instanceof ApiError ? formErrors(error, HOOK_FIELDS) : { form: String(error) });
    } finally {
      setSaving(false);
    }
  };
  return (
    <Dialog title={hook === undefined ? 'Add a webhook' : `Change ${hook.id}`} onClose={onClose}>
      <form
        ref={element}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isSaving) void save();
        }}
      >
        <div class="pair">
          <Field label="Name" hint={hook === undefined ? 'As in livetape.yaml: “desk”.' : undefined} error={errors.id}>
            {(ids) => (
              <input
                {...ids}
                class="mono"
                value={form.id}
                readOnly={hook !== undefined}
                autocomplete="off"
                spellcheck={false}
                onInput={({ currentTarget }) => change({ id: currentTarget.value })}
              />
            )}
          </Field>
          <Field label="Of the streams" hint="Codes, or patterns: “news, sport/*”. Empty: all." error={errors.streams}>
            {(ids) => (
              <input
                {...ids}
                class="mono"
                value={form.streams}
                spellcheck={false}
                onInput={({ currentTarget }) => change({ streams: currentTarget.value })}
              />
            )}
          </Field>
        </div>
        <Field label="Address" hint="Events are sent there by POST." error={errors.url}>
          {(ids) => (
            <input
              {...ids}
              class="mono"
              value={form.url}
              placeholder="https://desk.example/livetape"
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              onInput={({ currentTarget }) => change({ url: currentTarget.value })}
            />
          )}
        </Field>
        <fieldset class="choices" aria-describedby={errors.events === undefined ? undefined : 'events-wrong'}>
          <legend>It is sent</legend>
          <label class="check">
            <input
              type="checkbox"
              checked={form.allEvents}
              onChange={({ currentTarget }) => change({ allEvents: currentTarget.checked })}
            />
            All events, those that are to come in later versions too
          </label>
          {!form.allEvents && (
            <div class="events">
              {HOOK_EVENTS.map((name) => (
                <label key={name} class="check">
                  <input
                    type="checkbox"
                    checked={form.events.includes(name)}
                    aria-invalid={errors.events === undefined ? undefined : true}
                    onChange={({ currentTarget }) =>
                      change({ events: currentTarget.checked ? [...form.events, name] : form.events.filter((other) => other !== name) })
                    }
                  />
                  <code>{name}</code>
                </label>
              ))}
            </div>
          )}
          {errors.events !== undefined && (
            <p id="events-wrong" class="hint wrong">
              {errors.events}
            </p>
          )}
        </fieldset>
        <Field
          label="Secret"
          hint={
            hook?.has_secret === true
              ? 'What is sent is signed. Empty: the secret that is there stays.'
              : 'Signs what is sent, so that the receiver knows it is from here. Copy it to the receiver: it is not shown again.'
          }
          error={errors.secret}
        >
          {(ids) => (
            <div class="row">
              <input
                {...ids}
                class="mono wide"
                value={form.secret}
                disabled={form.dropsSecret}
                placeholder="whsec_…"
                autocomplete="off"
                spellcheck={false}
                onInput={({ currentTarget }) => change({ secret: currentTarget.value })}
              />
              <Button disabled={form.dropsSecret} onClick={() => change({ secret: newSecret() })}>
                Make one
              </Button>
            </div>
          )}
        </Field>
        {hook?.has_secret === true && (
          <label class="check">
            <input
              type="checkbox"
              checked={form.dropsSecret}
              onChange={({ currentTarget }) => change({ dropsSecret: currentTarget.checked })}
            />
            Take the secret away: what is sent is signed no more
          </label>
        )}
        {errors.form !== undefined && (
          <p class="wrong failure" role="alert" tabIndex={-1}>
            {errors.form}
          </p>
        )}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="main" disabled={isSaving}>
            {hook === undefined ? 'Add' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
