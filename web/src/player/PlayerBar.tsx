/** The controls under the picture (docs/design/page.md, G7), and what time it was in the frame that is shown. */
import { useComputed, useSignal, type ReadonlySignal } from '@preact/signals';
import {
  Keyboard,
  Maximize,
  Minimize,
  Pause,
  PictureInPicture2,
  Play,
  SkipBack,
  SkipForward,
  StepBack,
  StepForward,
  Volume2,
  VolumeX,
} from 'lucide';
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import { Button } from '../parts/Button';
import type { Player } from './contract';
import { LONG_SKIP_MS, SKIP_MS } from './keys';
import { ShownTime } from './ShownTime';
import './PlayerBar.css';

interface PlayerBarProps {
  readonly player: Player;
  readonly video: RefObject<HTMLVideoElement | null>;
  /** It is being recorded: there is a live to be behind of. */
  readonly isOnAir: ReadonlySignal<boolean>;
  /** The field for a moment. */
  readonly children?: ComponentChildren;
  onSkip(byMs: number): void;
  onLive(): void;
  onGap(which: 'previous' | 'next'): void;
  onFull(): void;
  onKeys(): void;
}

/** How fast it can be played. */
export const RATES = [0.25, 0.5, 1, 1.5, 2, 4, 8];

export function PlayerBar({ player, video, isOnAir, children, onSkip, onLive, onGap, onFull, onKeys }: PlayerBarProps) {
  const isFull = useSignal(false);
  // Only this: the bar is drawn anew when there begins or ceases to be a picture, and not with each frame.
  const isNowhere = useComputed(() => player.positionMs.value === undefined);
  useEffect(() => {
    const look = (): void => void (isFull.value = document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', look);
    return () => document.removeEventListener('fullscreenchange', look);
  }, []);
  const isPaused = player.isPaused.value;
  const skip = (label: string, keys: string, text: string, byMs: number) => (
    // Who speaks to the page says what is seen: the name has it, too.
    <Button
      class="player-skip"
      kind="plain"
      label={`${text}: ${label}`}
      keys={keys}
      disabled={isNowhere.value}
      onClick={() => onSkip(byMs)}
    >
      {text}
    </Button>
  );
  return (
    <div class="player-bar" role="group" aria-label="Player">
      <div class="player-row">
        <Button
          icon={isPaused ? Play : Pause}
          kind="main"
          label={isPaused ? 'Play' : 'Pause'}
          keys="k"
          onClick={() => player.togglePlay()}
        />
        <div class="player-set">
          {skip('1 minute back', 'Shift+j', '−1 min', -LONG_SKIP_MS)}
          {skip('10 seconds back', 'j', '−10 s', -SKIP_MS)}
          {skip('10 seconds on', 'l', '+10 s', SKIP_MS)}
          {skip('1 minute on', 'Shift+l', '+1 min', LONG_SKIP_MS)}
        </div>
        <div class="player-set">
          <Button
            icon={SkipBack}
            kind="plain"
            label="The previous gap"
            keys="["
            disabled={isNowhere.value}
            onClick={() => onGap('previous')}
          />
          <Button icon={SkipForward} kind="plain" label="The next gap" keys="]" disabled={isNowhere.value} onClick={() => onGap('next')} />
        </div>
        <LiveButton player={player} isOnAir={isOnAir} onLive={onLive} />
        <div class="player-set player-end">
          <select
            class="player-rate"
            aria-label="Speed"
            title="Speed"
            value={String(player.rate.value)}
            onChange={(event) => player.setRate(Number(event.currentTarget.value))}
          >
            {RATES.map((rate) => (
              <option key={rate} value={String(rate)} disabled={rate > 1 && player.isLive.value}>
                {rate}×
              </option>
            ))}
          </select>
          <Volume player={player} onMute={() => player.setMuted(!player.isMuted.peek())} />
          {document.pictureInPictureEnabled && (
            <Button
              class="player-inset"
              icon={PictureInPicture2}
              kind="plain"
              label="Picture in picture"
              onClick={() => void togglePicture(video.current)}
            />
          )}
          <Button
            icon={isFull.value ? Minimize : Maximize}
            kind="plain"
            label={isFull.value ? 'Leave full screen' : 'Full screen'}
            keys="f"
            onClick={onFull}
          />
          <Button class="player-keys" icon={Keyboard} kind="plain" label="Keys" keys="?" onClick={onKeys} />
        </div>
      </div>
      <div class="player-row">
        <div class="player-set player-steps">
          <Button icon={StepBack} kind="plain" label="One frame back" keys="," disabled={isNowhere.value} onClick={() => player.step(-1)} />
          <Button icon={StepForward} kind="plain" label="One frame on" keys="." disabled={isNowhere.value} onClick={() => player.step(1)} />
        </div>
        <ShownTime player={player} isOnAir={isOnAir} />
        {children}
      </div>
    </div>
  );
}

interface LiveButtonProps {
  readonly player: Player;
  readonly isOnAir: ReadonlySignal<boolean>;
  onLive(): void;
}

/** Says whether what is shown is live, by a filled dot and in words, and goes there; of what is not recorded any more it goes to the end. */
function LiveButton({ player, isOnAir, onLive }: LiveButtonProps) {
  if (!isOnAir.value) {
    return (
      <Button class="player-live" label="Go to the end of what is recorded" keys="0" onClick={onLive}>
        End
      </Button>
    );
  }
  const isLive = player.isLive.value;
  return (
    <Button class={isLive ? 'player-live is-live' : 'player-live'} label={isLive ? 'This is live' : 'Go to live'} keys="0" onClick={onLive}>
      <span class="player-dot" />
      Live
    </Button>
  );
}

function Volume({ player, onMute }: { readonly player: Player; readonly onMute: () => void }) {
  const isSilent = player.isMuted.value || player.volume.value === 0;
  return (
    <span class="player-volume">
      <Button icon={isSilent ? VolumeX : Volume2} kind="plain" label={isSilent ? 'Sound on' : 'Sound off'} keys="m" onClick={onMute} />
      <input
        type="range"
        min={0}
        max={1}
        step={0.05}
        aria-label="Volume"
        value={isSilent ? 0 : player.volume.value}
        onInput={(event) => player.setVolume(Number(event.currentTarget.value))}
      />
    </span>
  );
}

async function togglePicture(video: HTMLVideoElement | null): Promise<void> {
  try {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else await video?.requestPictureInPicture();
  } catch {
    // there is no picture yet, or the browser does not want to
  }
}
