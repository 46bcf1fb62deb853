/**
 * A window for whoever was sent a signed link, and has no token (docs/design/page.md, G9): its picture, its timeline, and the window as a file. All that it asks for goes
 * through the link's token, which opens playback of that window and nothing else.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiError } from '../../api';
import { Button } from '../../parts/Button';
import type { Route } from '../../route';
import { zone } from '../../state/settings';
import { linkProblem, type LinkProblem } from './linkProblem';
import { loadStatus, type RecordingStatus, type SignedWindow } from './signedWindow';
import { WatchPlayer } from './WatchPlayer';
import './WatchView.css';
import { windowText } from './windowText';

export function WatchView({ route }: { readonly route: Route & { readonly view: 'watch' } }) {
  const { code, token, inMs: fromMs, outMs: toMs } = route;
  const window: SignedWindow = { code, token, fromMs, toMs };
  const status = useSignal<RecordingStatus | undefined>(undefined);
  const problem = useSignal<LinkProblem | undefined>(undefined);
  /** Counts tries. */
  const asked = useSignal(0);

  useEffect(() => {
    const ends = new AbortController();
    problem.value = undefined;
    loadStatus(window, ends.signal).then(
      (told) => (status.value = told),
      (error: unknown) => {
        if (!ends.signal.aborted) problem.value = linkProblem(error instanceof ApiError ? error : { code: '', message: String(error) });
      },
    );
    return () => ends.abort();
  }, [asked.value, code, token, fromMs, toMs]);

  return (
    <main class="watch">
      <div class="watch-head">
        <h1>{code}</h1>
        <p class="quiet number">{windowText(fromMs, toMs, zone.value)}</p>
      </div>
      {problem.value === undefined ? (
        status.value === undefined ? (
          <p class="quiet" aria-busy="true">
            Asking the server …
          </p>
        ) : (
          <WatchPlayer window={window} status={status.value} onProblem={(found) => (problem.value = found)} />
        )
      ) : (
        <section class="watch-problem panel" role="alert">
          <h2>{problem.value.title}</h2>
          <p>{problem.value.text}</p>
          {problem.value.isPassing && <Button onClick={() => (asked.value += 1)}>Try again</Button>}
        </section>
      )}
    </main>
  );
}
