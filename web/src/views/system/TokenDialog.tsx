/** Makes a token: whose it is, what it opens, of which streams, until when. Its secret is shown here, this once. */
import { useRef, useState } from 'preact/hooks';
import { api, ApiError, type Scope } from '../../api';
import '../../dialogs/dialogs.css';
import { formErrors, type FormErrors } from '../../dialogs/formErrors';
import { Button } from '../../parts/Button';
import { CopyField } from '../../parts/CopyField';
import { Dialog } from '../../parts/Dialog';
import { Field } from '../../parts/Field';
import { nowMs } from '../../state/clock';
import { EXPIRIES, expiryOf, patternsOf, patternsProblem, SCOPES } from './accessForm';

interface TokenDialogProps {
  onClose(): void;
  onMade(): void;
}

const FIELDS = ['name', 'scopes', 'streams', 'expires_at'] as const;
type TokenErrors = FormErrors<(typeof FIELDS)[number]>;

export function TokenDialog({ onClose, onMade }: TokenDialogProps) {
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>(['playback']);
  const [streams, setStreams] = useState('*');
  const [days, setDays] = useState(0);
  const [errors, setErrors] = useState<TokenErrors>({});
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<string>();
  const element = useRef<HTMLFormElement>(null);

  const show = (wrong: TokenErrors): void => {
    setErrors(wrong);
    requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"], .failure')?.focus());
  };
  const make = async (): Promise<void> => {
    const patterns = patternsOf(streams);
    const badPatterns = patterns.length === 0 ? 'Say which; * is all of them.' : patternsProblem(patterns);
    const wrong: TokenErrors = {
      ...(name.trim() === '' ? { name: 'A name is needed.' } : {}),
      ...(scopes.length === 0 ? { scopes: 'Choose one at least.' } : {}),
      ...(badPatterns === undefined ? {} : { streams: badPatterns }),
    };
    if (Object.keys(wrong).length > 0) return show(wrong);
    setMaking(true);
    try {
      const { token } = await api.makeToken({ name: name.trim(), scopes, streams: patterns, expires_at: expiryOf(days, nowMs()) });
      setMade(token);
      onMade();
    } catch (error) {
      show(error instanceof ApiError ? formErrors(error, FIELDS) : { form: String(error) });
    } finally {
      setMaking(false);
    }
  };

  if (made !== undefined) {
    return (
      <Dialog title={`The token “${name.trim()}”`} onClose={onClose}>
        <div class="body">
          <p role="alert">Copy it now: it is shown this once, and nobody can read it again.</p>
          <CopyField label="Token" value={made} />
          <div class="actions">
            <Button kind="main" onClick={onClose}>
              I have it
            </Button>
          </div>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title="Make a token" onClose={onClose}>
      <form
        ref={element}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isMaking) void make();
        }}
      >
        <Field label="Name" hint="Whose it is, for people: “Set-top boxes”." error={errors.name}>
          {(ids) => (
            <input {...ids} value={name} maxLength={100} autocomplete="off" onInput={({ currentTarget }) => setName(currentTarget.value)} />
          )}
        </Field>
        <fieldset class="choices" aria-describedby={errors.scopes === undefined ? undefined : 'scopes-wrong'}>
          <legend>It opens</legend>
          {SCOPES.map(([scope, means]) => (
            <label key={scope} class="check">
              <input
                type="checkbox"
                checked={scopes.includes(scope)}
                aria-invalid={errors.scopes === undefined ? undefined : true}
                onChange={({ currentTarget }) =>
                  setScopes(currentTarget.checked ? [...scopes, scope] : scopes.filter((other) => other !== scope))
                }
              />
              <span>
                <code>{scope}</code> <span class="quiet">{means}</span>
              </span>
            </label>
          ))}
          {errors.scopes !== undefined && (
            <p id="scopes-wrong" class="hint wrong">
              {errors.scopes}
            </p>
          )}
        </fieldset>
        {!scopes.includes('admin') && (
          <Field label="Of the streams" hint="Codes, or patterns: “news, sport/*”. “*” is all of them." error={errors.streams}>
            {(ids) => (
              <input
                {...ids}
                class="mono"
                value={streams}
                spellcheck={false}
                onInput={({ currentTarget }) => setStreams(currentTarget.value)}
              />
            )}
          </Field>
        )}
        <Field label="It ends" error={errors.expires_at}>
          {(ids) => (
            <select {...ids} value={String(days)} onChange={({ currentTarget }) => setDays(Number(currentTarget.value))}>
              {EXPIRIES.map(([count, words]) => (
                <option key={count} value={String(count)}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
        {errors.form !== undefined && (
          <p class="wrong failure" role="alert" tabIndex={-1}>
            {errors.form}
          </p>
        )}
        <div class="actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" kind="main" disabled={isMaking}>
            Make it
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
