/** One stream on the wall. Drawn again only when what is said of it changes: what ticks or grows is text that is computed beside it. */
import { useComputed } from '@preact/signals';
import { Archive, Check, EllipsisVertical, TriangleAlert } from 'lucide';
import { Icon } from '../../parts/Icon';
import { streamState } from '../../parts/streamState';
import { routeText } from '../../route';
import { now } from '../../state/clock';
import { zone } from '../../state/settings';
import { streams } from '../../state/streams';
import { archiveText, gapsText, inputText } from './facts';
import { closeMenu, menu } from './menu';
import { Sparkline } from './Sparkline';
import { TilePicture } from './TilePicture';

interface TileProps {
  readonly code: string;
  /** Its place among all that are shown, from 0. */
  readonly index: number;
  readonly count: number;
  /** Where it lies in the box; CSS pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly pictureWidth: number;
  readonly isSeen: boolean;
}

export function Tile({ code, index, count, x, y, width, height, pictureWidth, isSeen }: TileProps) {
  const stream = streams.stream(code);
  const gaps = useComputed(() => gapsText(streams.archive(code)));
  const hasGaps = useComputed(() => (streams.archive(code)?.last_day.gaps ?? 0) > 0);
  const held = useComputed(() => archiveText(streams.archive(code)));
  const detail = useComputed(() => told(code)?.detail ?? '');
  const tone = useComputed(() => told(code)?.tone ?? 'off');
  const word = useComputed(() => told(code)?.word ?? '');
  const isOpen = useComputed(() => menu.value?.code === code);
  const style = { transform: `translate(${x}px, ${y}px)`, width: `${width}px`, height: `${height}px` };
  const place = { style, 'data-index': index, 'aria-setsize': count, 'aria-posinset': index + 1 };
  if (stream === undefined) return <li class="wall-tile panel" {...place} />;
  const { title, status } = stream;
  const input = inputText(status);
  return (
    <li class="wall-tile panel" {...place}>
      <TilePicture code={code} width={pictureWidth} isSeen={isSeen} isFresh={status.signal === 'present'} detail={detail} />
      <div class="wall-said">
        <div class="wall-name">
          <h2>
            <a href={routeText({ view: 'stream', code })}>{title || code}</a>
          </h2>
          <button
            type="button"
            class="button bare plain wall-more"
            aria-haspopup="menu"
            aria-expanded={isOpen}
            aria-label={`Actions for ${title || code}`}
            onClick={({ currentTarget }) => (menu.peek()?.code === code ? closeMenu(true) : (menu.value = { code, by: currentTarget }))}
          >
            <Icon of={EllipsisVertical} />
          </button>
        </div>
        {title !== '' && title !== code && <p class="wall-code mono quiet">{code}</p>}
        <p class={`state ${tone.value}`}>{word}</p>
        <ul class="wall-facts">
          {input !== '' && (
            <li>
              <span class="unseen">comes with </span>
              <span class="number">{input}</span>
              <Sparkline values={status.input?.history ?? []} />
            </li>
          )}
          {held.value !== '' && (
            <li>
              <span class="unseen">archive </span>
              <Icon of={Archive} size={14} />
              <span class="number">{held}</span>
            </li>
          )}
          {gaps.value !== '' && (
            <li class={hasGaps.value ? 'wall-gaps' : undefined}>
              <Icon of={hasGaps.value ? TriangleAlert : Check} size={14} />
              <span class="number">{gaps}</span>
            </li>
          )}
        </ul>
      </div>
    </li>
  );
}

function told(code: string): ReturnType<typeof streamState> | undefined {
  const stream = streams.stream(code);
  if (stream === undefined) return undefined;
  // Only of one that does badly does the time matter, and only then is it followed.
  const { tone } = streamState(stream, 0, zone.value);
  return streamState(stream, tone === 'ok' || tone === 'off' ? 0 : now.value, zone.value);
}
