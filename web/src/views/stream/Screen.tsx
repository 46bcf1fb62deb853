/**
 * The picture with its controls and the timeline: what fills the screen when that is asked for. There the controls lie over the picture, and go after a while in
 * which nobody moves, touches or types; with the pointer or the focus on them they stay.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/** After so long without a hand the controls go. */
const REST_MS = 3000;

export function Screen({ screen, children }: { readonly screen: RefObject<HTMLDivElement | null>; readonly children: ComponentChildren }) {
  const isAtRest = useSignal(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const wake = (): void => {
      isAtRest.value = false;
      clearTimeout(timer);
      if (document.fullscreenElement !== null) timer = setTimeout(() => (isAtRest.value = true), REST_MS);
    };
    const gone = new AbortController();
    for (const name of ['pointermove', 'pointerdown', 'keydown', 'fullscreenchange'])
      document.addEventListener(name, wake, { signal: gone.signal });
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, []);
  return (
    <div ref={screen} class={isAtRest.value ? 'stream-screen panel at-rest' : 'stream-screen panel'}>
      {children}
    </div>
  );
}
