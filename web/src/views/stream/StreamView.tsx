/** The page of a stream (docs/design/page.md, G6 to G9): the player above the timeline and the clip, beside them what happened and what is kept. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { pictures } from '../../pictures';
import { KeysDialog } from '../../player/KeysDialog';
import { MomentField } from '../../player/MomentField';
import { PlayerBar } from '../../player/PlayerBar';
import { playerAction } from '../../player/keys';
import { parseRoute } from '../../route';
import { streams } from '../../state/streams';
import { sayError } from '../../state/toasts';
import { Timeline } from '../../timeline/Timeline';
import { ClipBar } from './ClipBar';
import { Happened } from './Happened';
import { Keeps } from './Keeps';
import { Over } from './Over';
import { pageActions } from './pageActions';
import { Screen } from './Screen';
import { StreamHead } from './StreamHead';
import { StreamPage } from './streamPage';
import './StreamView.css';

export function StreamView({ code }: { readonly code: string }) {
  const stream = streams.stream(code);
  if (stream === undefined) {
    return (
      <main>
        {streams.isLoaded.value ? (
          <>
            <h1>There is no stream {code}</h1>
            <p>
              It may have been deleted, or never have been there. <a href="#/">All streams</a>
            </p>
          </>
        ) : (
          <p class="quiet" aria-busy="true">
            Asking the server …
          </p>
        )}
      </main>
    );
  }
  return (
    <main class="stream">
      <StreamHead stream={stream} />
      <StreamBody code={code} />
    </main>
  );
}

function StreamBody({ code }: { readonly code: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const screen = useRef<HTMLDivElement>(null);
  const isKeysAsked = useSignal(false);
  const page = useMemo(() => {
    const at = parseRoute(location.hash);
    return new StreamPage(code, at.view === 'stream' ? at : { view: 'stream', code });
  }, []);
  const actions = useMemo(() => pageActions(page, { screen, video, askKeys: () => (isKeysAsked.value = true) }), []);

  useEffect(() => {
    if (video.current) page.open(video.current);
    const onKey = (event: KeyboardEvent): void => {
      const focused = document.activeElement;
      const focus =
        focused instanceof HTMLElement
          ? { tag: focused.tagName, role: focused.getAttribute('role'), isEditable: focused.isContentEditable }
          : undefined;
      const { key, shiftKey, ctrlKey, metaKey, altKey, defaultPrevented } = event;
      const action = playerAction({ key, shiftKey, ctrlKey, metaKey, altKey, defaultPrevented, focus });
      // Behind a dialog nothing moves.
      if (action === undefined || document.querySelector('dialog[open]')) return;
      event.preventDefault();
      actions.carryOut(action);
    };
    document.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('keydown', onKey);
      page.close();
    };
  }, []);

  const isOnAir = useComputed(() => streams.stream(code)?.status.recording !== null);
  // What is not recorded has an end, and nothing live.
  const isLive = useComputed(() => page.isLive.value && isOnAir.value);
  const player = page.player.value;
  const seek = (ms: number): void => page.seek(ms);
  return (
    <>
      <div class="stream-main">
        <Screen screen={screen}>
          <div class="stream-picture" onDblClick={actions.full}>
            <video ref={video} playsInline aria-label={`Picture of ${code}`} onClick={() => player?.togglePlay()} />
            <Over code={code} page={page} video={video} />
          </div>
          <div class="stream-controls">
            {player !== undefined && (
              <PlayerBar
                player={player}
                video={video}
                isOnAir={isOnAir}
                onSkip={(byMs) => page.skip(byMs)}
                onLive={() => page.goLive()}
                onGap={(which) => void page.toGap(which).catch(sayError)}
                onFull={actions.full}
                onKeys={() => (isKeysAsked.value = true)}
              >
                <MomentField onGo={seek} />
              </PlayerBar>
            )}
            <Timeline
              code={code}
              data={page.data}
              pictures={pictures}
              view={page.view}
              positionMs={page.positionMs}
              isLive={isLive}
              edgeMs={page.edgeMs}
              openGap={page.openGap}
              keeps={page.keeps}
              marks={page.marks}
              revision={page.revision}
              onSeek={seek}
            />
          </div>
        </Screen>
        <ClipBar
          code={code}
          marks={page.marks}
          positionMs={page.positionMs}
          edgeMs={page.edgeMs}
          load={page.load}
          onKept={() => void page.refreshKeeps()}
        />
      </div>
      <div class="stream-side">
        <Happened code={code} load={page.load} revision={page.revision} positionMs={page.positionMs} onSeek={seek} />
        <Keeps code={code} keeps={page.keeps} onSeek={seek} onChanged={() => void page.refreshKeeps()} />
      </div>
      {isKeysAsked.value && <KeysDialog onClose={() => (isKeysAsked.value = false)} />}
    </>
  );
}
