/** Who may come in: the tokens there are, making one, taking one back; and what it means when none is asked for. */
import { KeyRound, Plus } from 'lucide';
import { useState } from 'preact/hooks';
import { api, type Token } from '../../api';
import { ConfirmDialog } from '../../dialogs';
import { Button } from '../../parts/Button';
import { Icon } from '../../parts/Icon';
import { nowMs } from '../../state/clock';
import { zone } from '../../state/settings';
import { sayDone } from '../../state/toasts';
import { dayText } from '../../time/format';
import { usePolled } from './polled';
import { TokenDialog } from './TokenDialog';

export function Tokens({ isGuarded }: { readonly isGuarded: boolean }) {
  const tokens = usePolled(api.tokens);
  const [isMaking, setMaking] = useState(false);
  const [revoked, setRevoked] = useState<Token>();
  return (
    <section aria-labelledby="tokens">
      <div class="split">
        <h2 id="tokens">Tokens</h2>
        <Button icon={Plus} onClick={() => setMaking(true)}>
          Make a token
        </Button>
      </div>
      {!isGuarded && (
        <p class="panel unguarded">
          <Icon of={KeyRound} />
          <span>
            Nobody is asked for a token: whoever reaches this server may do all. To ask, write <code>auth: {'{ enabled: true }'}</code> in{' '}
            <code>livetape.yaml</code>; the first admin’s token is then made by itself, and the server’s log says where it lies.
          </span>
        </p>
      )}
      {tokens.error !== undefined && <p class="wrong">{tokens.error}</p>}
      {tokens.value?.length === 0 && <p class="quiet">There is none yet.</p>}
      {tokens.value !== undefined && tokens.value.length > 0 && (
        <ul class="panel rows">
          {tokens.value.map((token) => (
            <li key={token.id}>
              <div>
                <h3>{token.name}</h3>
                <p class="quiet">
                  <code>{token.id}</code> · {token.scopes.join(', ')}
                  {token.scopes.includes('admin') ? '' : ` of ${token.streams.join(', ')}`}
                </p>
                <p class="quiet">
                  Made on {dayText(Date.parse(token.created_at), zone.value)}, <Ending token={token} />
                </p>
              </div>
              <Button kind="danger" label={`Revoke ${token.name}`} onClick={() => setRevoked(token)}>
                Revoke
              </Button>
            </li>
          ))}
        </ul>
      )}
      {isMaking && <TokenDialog onClose={() => setMaking(false)} onMade={() => void tokens.refresh()} />}
      {revoked && (
        <ConfirmDialog
          title={`Revoke “${revoked.name}”?`}
          action="Revoke"
          onClose={() => setRevoked(undefined)}
          onConfirm={async () => {
            await api.revokeToken(revoked.id);
            sayDone(`“${revoked.name}” is revoked.`);
            await tokens.refresh();
          }}
        >
          <p>It opens nothing any more, at once and for good. Who is watching with it is cut off within 5 seconds.</p>
          {isGuarded && <p class="hint">Should it be the one that you are signed in with, you are asked for another.</p>}
        </ConfirmDialog>
      )}
    </section>
  );
}

function Ending({ token: { expires_at: at } }: { readonly token: Token }) {
  if (at === null) return <>never ends</>;
  const ms = Date.parse(at);
  if (ms <= nowMs()) return <strong class="wrong">ended on {dayText(ms, zone.value)}</strong>;
  return <>ends on {dayText(ms, zone.value)}</>;
}
