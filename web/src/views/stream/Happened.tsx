/** What happened to the stream, as a list beside the timeline: gaps, counted errors, events as they come. A click, or Enter, plays from just before it. */
import { useComputed, useSignal, type ReadonlySignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { Button } from '../../parts/Button';
import { now, nowMs } from '../../state/clock';
import { zone } from '../../state/settings';
import { streams } from '../../state/streams';
import { clockText, momentText } from '../../time/format';
import type { LoadTimeline } from '../../timeline/contract';
import './Happened.css';
import { HappenedLog } from './happenedLog';
import { byDay, isMoment, itemLength, nearestKey, newestFirst, openGapItem, type HappenedItem, type HappenedKind } from './whatHappened';

interface HappenedProps {
  readonly code: string;
  readonly load: LoadTimeline;
  /** Counts what makes facts old, as the timeline's. */
  readonly revision: ReadonlySignal<number>;
  /** The item nearest to it is marked. */
  readonly positionMs: ReadonlySignal<number | undefined>;
  onSeek(ms: number): void;
}

/** So many are shown at first, and more for each time that is asked for. */
const PAGE = 200;

const FILTERS: readonly (readonly [filter: HappenedKind | 'all', words: string, none: string])[] = [
  ['all', 'All', 'Nothing happened: no gap and no error in what is recorded.'],
  ['gap', 'Gaps', 'No gap in what is recorded.'],
  ['errors', 'Errors', 'No error was counted in what is recorded.'],
  ['event', 'Events', 'Nothing was heard since this page was opened.'],
];

export function Happened({ code, load, revision, positionMs, onSeek }: HappenedProps) {
  const log = useMemo(() => new HappenedLog({ load, nowMs }), []);
  useEffect(() => {
    log.open();
    const unlisten = streams.listen((event) => {
      if (event.type === 'reset' || event.stream_code === code) log.hear(event);
    });
    let isFirst = true;
    const unwatch = revision.subscribe(() => {
      if (!isFirst) log.refreshSoon();
      isFirst = false;
    });
    return () => {
      unlisten();
      unwatch();
      log.close();
    };
  }, []);

  const filter = useSignal<HappenedKind | 'all'>('all');
  const limit = useSignal(PAGE);
  const all = useComputed(() => {
    const open = streams.stream(code)?.status.open_gap;
    return open && isMoment(Date.parse(open.from)) ? newestFirst(log.items.value, [openGapItem(open)]) : log.items.value;
  });
  const chosen = useComputed(() => (filter.value === 'all' ? all.value : all.value.filter(({ kind }) => kind === filter.value)));
  const shown = useComputed(() => chosen.value.slice(0, limit.value));
  const current = useComputed(() => (positionMs.value === undefined ? undefined : nearestKey(shown.value, positionMs.value)));
  const more = chosen.value.length - shown.value.length;

  return (
    <section class="happened panel" aria-label="What happened">
      <header class="happened-head">
        <h2>What happened</h2>
        <div class="happened-filters" role="group" aria-label="Show">
          {FILTERS.map(([name, words]) => (
            <Button key={name} kind="plain" pressed={filter.value === name} onClick={() => ([filter.value, limit.value] = [name, PAGE])}>
              {words}
            </Button>
          ))}
        </div>
      </header>
      <p class="unseen" aria-live="polite">
        {log.said}
      </p>
      {log.problem.value !== undefined && (
        <div class="happened-problem">
          <p class="wrong">The archive’s gaps and errors could not be read. {log.problem}</p>
          <Button onClick={() => void log.refresh()}>Try again</Button>
        </div>
      )}
      <HappenedList shown={shown} current={current} onSeek={onSeek} />
      {chosen.value.length === 0 && log.problem.value === undefined && (
        <p class="happened-none quiet">
          {log.isLoaded.value ? FILTERS.find(([name]) => name === filter.value)?.[2] : 'Reading what happened …'}
          {log.isLoaded.value && log.hasOlder.value && filter.value !== 'event' && ' This is of the last 30 days.'}
        </p>
      )}
      {(more > 0 || (log.hasOlder.value && filter.value !== 'event')) && (
        <Button
          class="happened-more"
          disabled={log.isLoading.value}
          onClick={() => {
            limit.value += PAGE;
            if (more < PAGE && log.hasOlder.value) void log.loadOlder();
          }}
        >
          {log.isLoading.value ? 'Reading …' : 'Show older'}
        </Button>
      )}
    </section>
  );
}

interface ListProps {
  readonly shown: ReadonlySignal<readonly HappenedItem[]>;
  readonly current: ReadonlySignal<string | undefined>;
  onSeek(ms: number): void;
}

/** One stop for Tab; arrow keys go from item to item. */
function HappenedList({ shown, current, onSeek }: ListProps) {
  const list = useRef<HTMLDivElement>(null);
  const stop = useSignal<string | undefined>(undefined);
  // Where the stop is not shown (any more) it is the first.
  const stopKey = useComputed(() => (shown.value.some(({ key }) => key === stop.value) ? stop.value : shown.value[0]?.key));

  const move = (event: KeyboardEvent): void => {
    const buttons = [...(list.current?.querySelectorAll<HTMLButtonElement>('.happened-item') ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    // The page's own keys mean something else.
    event.stopPropagation();
    buttons[Math.max(0, Math.min(to, buttons.length - 1))]?.focus();
  };

  return (
    <div class="happened-list" ref={list} onKeyDown={move}>
      {byDay(shown.value, zone.value).map(({ day, items }) => (
        <div key={day}>
          <h3 class="happened-day">{day}</h3>
          <ol aria-label={day}>
            {items.map((item) => (
              <Row key={item.key} item={item} current={current} stopKey={stopKey} onFocus={() => (stop.value = item.key)} onSeek={onSeek} />
            ))}
          </ol>
        </div>
      ))}
    </div>
  );
}

interface RowProps {
  readonly item: HappenedItem;
  readonly current: ReadonlySignal<string | undefined>;
  readonly stopKey: ReadonlySignal<string | undefined>;
  onFocus(): void;
  onSeek(ms: number): void;
}

function Row({ item, current, stopKey, onFocus, onSeek }: RowProps) {
  const isCurrent = useComputed(() => (current.value === item.key ? 'true' : undefined));
  const tab = useComputed(() => (stopKey.value === item.key ? 0 : -1));
  // Only what goes on is told anew each second.
  const length = itemLength(item, item.goesOn ? now.value : 0);
  return (
    <li>
      <button
        type="button"
        class={`happened-item ${item.tone}`}
        aria-current={isCurrent.value}
        tabIndex={tab.value}
        title={`Play from ${momentText(item.seekMs, zone.value)}`}
        onFocus={onFocus}
        onClick={() => onSeek(item.seekMs)}
      >
        <time dateTime={new Date(item.atMs).toISOString()}>{clockText(item.atMs, zone.value)}</time>
        <span class="happened-words">
          {item.words}
          {item.detail !== '' && <span class="happened-detail">{item.detail}</span>}
        </span>
        {length !== '' && <span class="happened-length number">{length}</span>}
      </button>
    </li>
  );
}
