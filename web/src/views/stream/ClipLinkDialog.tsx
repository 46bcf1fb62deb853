/** A link to a clip: to this page, and where credentials are asked for a signed one, which opens this window alone for whoever has it (docs/design/page.md, G9). */
import { useSignal } from '@preact/signals';
import { api, windowUrl } from '../../api';
import { Button } from '../../parts/Button';
import { CopyField } from '../../parts/CopyField';
import { Dialog } from '../../parts/Dialog';
import { Field } from '../../parts/Field';
import { routeText } from '../../route';
import { isGuarded, may } from '../../state/session';
import { zone } from '../../state/settings';
import { momentText } from '../../time/format';
import { EXPIRIES, type Clip } from './clip';
import { windowProblem } from './windowProblem';

interface ClipLinkDialogProps {
  readonly code: string;
  readonly clip: Clip;
  onClose(): void;
}

const pageLink = (fragment: string): string => `${location.origin}${location.pathname}${fragment}`;

export function ClipLinkDialog({ code, clip, onClose }: ClipLinkDialogProps) {
  const { fromMs, toMs } = clip;
  const here = pageLink(routeText({ view: 'stream', code, atMs: fromMs, inMs: fromMs, outMs: toMs }));
  return (
    <Dialog title="Link to this clip" onClose={onClose}>
      <div class="body">
        <CopyField
          label="This page, at this clip"
          hint={isGuarded.value ? 'For those who can sign in here.' : 'For whoever reaches this server.'}
          value={here}
        />
        {!isGuarded.value && (
          <CopyField label="For players" value={`${location.origin}${windowUrl(code, fromMs, (toMs - fromMs) / 1000)}`} />
        )}
        {isGuarded.value && may('playback') && <Signed code={code} clip={clip} />}
      </div>
    </Dialog>
  );
}

interface Made {
  readonly page: string;
  readonly player: string | undefined;
  readonly expiresMs: number;
}

function Signed({ code, clip: { fromMs, toMs } }: Pick<ClipLinkDialogProps, 'code' | 'clip'>) {
  const expirySec = useSignal<number>(EXPIRIES[1].sec);
  const made = useSignal<Made | undefined>(undefined);
  const problem = useSignal<string | undefined>(undefined);
  const isBusy = useSignal(false);

  const make = async (): Promise<void> => {
    [isBusy.value, problem.value] = [true, undefined];
    try {
      const { token, path, expires_at: expiresAt } = await api.sign(code, fromMs, toMs, expirySec.value);
      made.value = {
        page: pageLink(routeText({ view: 'watch', code, token, inMs: fromMs, outMs: toMs })),
        player: path === null ? undefined : `${location.origin}${path}`,
        expiresMs: Date.parse(expiresAt),
      };
    } catch (error) {
      problem.value = windowProblem(error);
    }
    isBusy.value = false;
  };

  return (
    <>
      <form
        class="clip-sign"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <Field label="A link for whoever has no token: opens this clip for">
          {(ids) => (
            <select
              {...ids}
              onChange={({ currentTarget }) => {
                // What was made holds for another time.
                [expirySec.value, made.value] = [Number(currentTarget.value), undefined];
              }}
            >
              {EXPIRIES.map(({ words, sec }) => (
                <option key={sec} value={sec} selected={sec === expirySec.value}>
                  {words}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Button type="submit" kind="main" disabled={isBusy.value}>
          Make the link
        </Button>
      </form>
      <div class="clip-made" aria-live="polite">
        {problem.value !== undefined && <p class="wrong">{problem}</p>}
        {made.value !== undefined && (
          <>
            <CopyField label="To watch in a browser" value={made.value.page} />
            {made.value.player !== undefined && <CopyField label="For players" value={made.value.player} />}
            <p class="hint">
              It expires on {momentText(made.value.expiresMs, zone.value)}, and cannot be taken back before. Whoever has it can watch this
              clip.
            </p>
          </>
        )}
      </div>
    </>
  );
}
