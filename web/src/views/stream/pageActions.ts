/** What keys, and buttons that have one, do on a stream's page. */
import { RATES } from '../../player/PlayerBar';
import type { PlayerAction } from '../../player/keys';
import { sayError } from '../../state/toasts';
import type { StreamPage } from './streamPage';

/** What is done beyond the player. */
export interface PageSurroundings {
  /** What fills the screen. */
  readonly screen: { readonly current: HTMLElement | null };
  readonly video: { readonly current: HTMLVideoElement | null };
  askKeys(): void;
}

/** The actions of a page. */
export interface PageActions {
  carryOut(action: PlayerAction): void;
  full(): void;
}

export function pageActions(page: StreamPage, { screen, video, askKeys }: PageSurroundings): PageActions {
  const full = (): void => {
    // On an iPhone a video alone can fill the screen, with the system's own controls.
    if (!document.fullscreenEnabled) {
      const alone: AppleVideo | null = video.current;
      return alone?.webkitEnterFullscreen?.();
    }
    const done = document.fullscreenElement ? document.exitFullscreen() : screen.current?.requestFullscreen();
    done?.catch(sayError);
  };
  const carryOut = (action: PlayerAction): void => {
    const player = page.player.peek();
    switch (action.kind) {
      case 'skip':
        return page.skip(action.byMs);
      case 'step':
        return player?.step(action.frames);
      case 'play':
        return player?.togglePlay();
      case 'live':
        return page.goLive();
      case 'mute':
        return player?.setMuted(!player.isMuted.peek());
      case 'full':
        return full();
      case 'previousGap':
      case 'nextGap':
        return void page.toGap(action.kind === 'nextGap' ? 'next' : 'previous').catch(sayError);
      case 'in':
      case 'out':
        return page.mark(action.kind);
      case 'faster':
      case 'slower':
        return player?.setRate(nextRate(player.rate.peek(), action.kind === 'faster' ? 1 : -1));
      case 'moment':
        return document.querySelector<HTMLInputElement>('.moment-text')?.focus();
      case 'keys':
        return askKeys();
    }
  };
  return { carryOut, full };
}

interface AppleVideo extends HTMLVideoElement {
  webkitEnterFullscreen?(): void;
}

/** The next that can be chosen. */
function nextRate(rate: number, by: 1 | -1): number {
  const next = by > 0 ? RATES.find((one) => one > rate) : RATES.findLast((one) => one < rate);
  return next ?? rate;
}
