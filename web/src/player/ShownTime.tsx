/** When the frame that is shown was, and how far behind live that is; a click copies the moment as RFC 3339. */
import { useComputed, type ReadonlySignal } from '@preact/signals';
import { now } from '../state/clock';
import { zone } from '../state/settings';
import { sayDone, sayError } from '../state/toasts';
import { clockText, dayText, lengthText, zoneName } from '../time/format';
import type { Player } from './contract';

interface ShownTimeProps {
  readonly player: Player;
  /** It is being recorded: there is a live to be behind of. */
  readonly isOnAir: ReadonlySignal<boolean>;
}

export function ShownTime({ player, isOnAir }: ShownTimeProps) {
  // Tenths: drawn ten times a second at most, however many frames there are.
  const tenths = useComputed(() => {
    const ms = player.positionMs.value;
    return ms === undefined ? undefined : Math.floor(ms / 100) * 100;
  });
  const behind = useComputed(() => {
    if (tenths.value === undefined || !isOnAir.value) return '';
    if (player.isLive.value) return 'live';
    return `${lengthText(Math.max(0, Math.round((now.value - tenths.value) / 1000) * 1000))} behind live`;
  });
  const ms = tenths.value;
  if (ms === undefined) return <p class="player-time quiet">No picture yet</p>;

  const copy = async (): Promise<void> => {
    const text = new Date(player.positionMs.peek() ?? ms).toISOString();
    try {
      await navigator.clipboard.writeText(text);
      sayDone(`Copied: ${text}`);
    } catch {
      // A browser gives the clipboard to pages that came by HTTPS, or from this machine.
      sayError(`The browser does not let this page copy. The moment is ${text}`);
    }
  };
  return (
    <p class="player-time">
      <button type="button" class="player-moment" title="Copy this moment" onClick={() => void copy()}>
        <span class="unseen">Shown: </span>
        <span>{dayText(ms, zone.value)}</span>
        <time dateTime={new Date(ms).toISOString()}>
          {clockText(ms, zone.value)}.{(ms / 100) % 10}
        </time>
        <span class="quiet">{zoneName(ms, zone.value)}</span>
      </button>
      <span class="quiet number">{behind}</span>
    </p>
  );
}
