/** What is said over the picture: why there is none, that it stands still since the signal is lost, or that there is sound alone. */
import { useComputed, useSignal } from '@preact/signals';
import { Volume2 } from 'lucide';
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import { Icon } from '../../parts/Icon';
import { streamState } from '../../parts/streamState';
import { now } from '../../state/clock';
import { zone } from '../../state/settings';
import { streams } from '../../state/streams';
import type { StreamPage } from './streamPage';

interface OverProps {
  readonly code: string;
  readonly page: StreamPage;
  readonly video: RefObject<HTMLVideoElement | null>;
}

export function Over({ code, page, video }: OverProps) {
  const isSoundAlone = useSoundAlone(video);
  const problem = useComputed(() => page.player.value?.problem.value);
  const isWaiting = useComputed(() => page.player.value?.isWaiting.value ?? true);
  const stream = streams.stream(code);
  const state = stream && streamState(stream, now.value, zone.value);
  const isStill = page.isLive.value && isWaiting.value && state !== undefined && state.tone !== 'ok';
  const words = problem.value?.message ?? (isStill ? [state.word, state.detail].filter(Boolean).join(' ') : undefined);
  if (words !== undefined) {
    return (
      <p class="over" role="status">
        {words}
      </p>
    );
  }
  if (isWaiting.value) return <span class="stream-waiting" role="status" aria-label="Loading" />;
  return isSoundAlone ? (
    <p class="stream-sound">
      <Icon of={Volume2} size={40} />
      Sound alone: this stream has no pictures
    </p>
  ) : null;
}

/** What plays has no pictures: a radio. */
function useSoundAlone(video: RefObject<HTMLVideoElement | null>): boolean {
  const isSoundAlone = useSignal(false);
  useEffect(() => {
    const { current } = video;
    const look = (): void =>
      void (isSoundAlone.value = current !== null && current.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && current.videoWidth === 0);
    const gone = new AbortController();
    for (const name of ['loadeddata', 'resize', 'emptied']) current?.addEventListener(name, look, { signal: gone.signal });
    return () => gone.abort();
  }, []);
  return isSoundAlone.value;
}
