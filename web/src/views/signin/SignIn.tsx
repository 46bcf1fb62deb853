/** The way in where the server asks for a token (docs/design/page.md, G11). */
import { Eye, EyeOff, LogIn } from 'lucide';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Button } from '../../parts/Button';
import { Field } from '../../parts/Field';
import { refusal, signIn } from '../../state/session';
import './SignIn.css';

export function SignIn() {
  const [token, setToken] = useState('');
  const [isShown, setShown] = useState(false);
  const [remember, setRemember] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const [isEmpty, setEmpty] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);

  const submit = async (): Promise<void> => {
    const tried = token.trim();
    setEmpty(tried === '');
    if (tried === '' || !(await attempt(tried))) input.current?.focus();
  };
  const attempt = async (tried: string): Promise<boolean> => {
    setAsking(true);
    try {
      return await signIn(tried, remember);
    } finally {
      setAsking(false);
    }
  };
  const error = isEmpty
    ? 'A token is needed.'
    : isAsking || refusal.value === undefined
      ? undefined
      : `That token opens nothing: ${refusal.value}.`;
  return (
    <main class="signin">
      <form
        class="panel"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isAsking) void submit();
        }}
      >
        <h1>Sign in</h1>
        <Field label="Token" error={error}>
          {(ids) => (
            <div class="row">
              <input
                {...ids}
                ref={input}
                class="mono"
                {...(isShown ? { type: 'text' as const } : { type: 'password' as const })}
                name="token"
                value={token}
                placeholder="lt_…"
                autocomplete="current-password"
                autocapitalize="off"
                spellcheck={false}
                onInput={({ currentTarget }) => setToken(currentTarget.value)}
              />
              <Button
                icon={isShown ? EyeOff : Eye}
                label={isShown ? 'Hide the token' : 'Show the token'}
                pressed={isShown}
                onClick={() => setShown(!isShown)}
              />
            </div>
          )}
        </Field>
        <label class="check">
          <input type="checkbox" checked={remember} onChange={({ currentTarget }) => setRemember(currentTarget.checked)} />
          Keep me signed in on this browser
        </label>
        <Button type="submit" kind="main" icon={LogIn} disabled={isAsking}>
          {isAsking ? 'Asking the server …' : 'Sign in'}
        </Button>
        <div class="where hint">
          <p>
            The first token lies on the server, in the file <code>admin-token</code> of its state folder (<code>.livetape</code> in the
            folder of the recordings); its log says where. Others are made on the System page, or by <code>livetape token create</code>.
          </p>
          <p>Without “Keep me signed in” it is forgotten when this tab is closed.</p>
        </div>
      </form>
    </main>
  );
}
