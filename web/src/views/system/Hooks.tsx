/** Who is told of what happens: webhooks, how they do, trying one, sending again what failed. */
import { Plus } from 'lucide';
import { useState } from 'preact/hooks';
import { api, type Hook } from '../../api';
import { ConfirmDialog } from '../../dialogs';
import { Button } from '../../parts/Button';
import { now } from '../../state/clock';
import { zone } from '../../state/settings';
import { sayDone, sayError } from '../../state/toasts';
import { countText, nearText } from '../../time/format';
import { HookDialog } from './HookDialog';
import { hookState } from './hookState';
import { usePolled } from './polled';

/** What is asked about a webhook; `new` for one that is not there yet. */
type Open = { readonly what: 'edit' | 'delete'; readonly hook: Hook } | { readonly what: 'new' };

export function Hooks() {
  const hooks = usePolled(api.hooks);
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  return (
    <section aria-labelledby="hooks">
      <div class="split">
        <h2 id="hooks">Webhooks</h2>
        <Button icon={Plus} onClick={() => setOpen({ what: 'new' })}>
          Add a webhook
        </Button>
      </div>
      {hooks.error !== undefined && <p class="wrong">{hooks.error}</p>}
      {hooks.value?.length === 0 && <p class="quiet">There is none: no other program is told of what happens here.</p>}
      {hooks.value !== undefined && hooks.value.length > 0 && (
        <ul class="panel rows">
          {hooks.value.map((hook) => (
            <HookRow key={hook.id} hook={hook} onOpen={setOpen} refresh={hooks.refresh} />
          ))}
        </ul>
      )}
      {open !== undefined && open.what !== 'delete' && (
        <HookDialog
          hook={open.what === 'edit' ? open.hook : undefined}
          present={hooks.value?.map(({ id }) => id) ?? []}
          onClose={close}
          onSaved={() => {
            close();
            void hooks.refresh();
          }}
        />
      )}
      {open?.what === 'delete' && (
        <ConfirmDialog
          title={`Delete the webhook ${open.hook.id}?`}
          action="Delete"
          onClose={close}
          onConfirm={async () => {
            await api.deleteHook(open.hook.id);
            sayDone(`The webhook ${open.hook.id} is deleted.`);
            await hooks.refresh();
          }}
        >
          <p>
            Nothing more is sent to it.
            {open.hook.status.queued + open.hook.status.dead > 0 &&
              ` The ${countText(open.hook.status.queued + open.hook.status.dead)} events that wait or failed are gone for it.`}
          </p>
        </ConfirmDialog>
      )}
    </section>
  );
}

interface HookRowProps {
  readonly hook: Hook;
  onOpen(open: Open): void;
  refresh(): Promise<void>;
}

function HookRow({ hook, onOpen, refresh }: HookRowProps) {
  const [isBusy, setBusy] = useState(false);
  const { id, url, events, streams, has_secret: isSigned, restricted, status } = hook;
  const { tone, word } = hookState(status);
  const doing = async (what: () => Promise<string>): Promise<void> => {
    setBusy(true);
    try {
      sayDone(await what());
    } catch (error) {
      sayError(error);
    } finally {
      setBusy(false);
      void refresh();
    }
  };
  const test = (): Promise<void> =>
    doing(async () => {
      const answer = await api.testHook(id);
      return `${id} took the test: status ${answer.status} after ${answer.duration_ms} ms.`;
    });
  const retry = (): Promise<void> =>
    doing(async () => {
      const { queued } = await api.retryHook(id);
      return queued === 0 ? `What waits for ${id} is sent now.` : `${countText(queued)} events are sent to ${id} again.`;
    });
  return (
    <li>
      <div>
        <h3>
          {id} <span class={`state ${tone}`}>{word}</span>
        </h3>
        <p class="mono address">{url}</p>
        <p class="quiet">
          {events === null ? 'All events' : events.join(', ')} of {streams === null ? 'all streams' : streams.join(', ')};{' '}
          {isSigned ? 'signed' : 'not signed'}
          {restricted && '; public addresses only'}
        </p>
        <p class="quiet number">
          {countText(status.sent)} sent, {countText(status.queued)} waiting, {countText(status.dead)} given up
          {status.last_success_at !== null && `; last taken at ${nearText(Date.parse(status.last_success_at), now.value, zone.value)}`}
        </p>
        {status.last_error !== null && tone !== 'ok' && (
          <p>
            Last error at {nearText(Date.parse(status.last_error.at), now.value, zone.value)}: {status.last_error.message}
          </p>
        )}
      </div>
      <div class="buttons">
        <Button label={`Test ${id}: one event is sent now`} disabled={isBusy} onClick={() => void test()}>
          Test
        </Button>
        {status.queued + status.dead > 0 && (
          <Button label={`Send again to ${id} what failed and what waits`} disabled={isBusy} onClick={() => void retry()}>
            Send again
          </Button>
        )}
        <Button label={`Change ${id}`} onClick={() => onOpen({ what: 'edit', hook })}>
          Change
        </Button>
        <Button kind="danger" label={`Delete ${id}`} onClick={() => onOpen({ what: 'delete', hook })}>
          Delete
        </Button>
      </div>
    </li>
  );
}
