/** What is above the wall: how many streams there are and how they do, what is searched for, in which order, and the way to another one. */
import { Plus, Search } from 'lucide';
import { useEffect, useRef } from 'preact/hooks';
import { Button } from '../../parts/Button';
import { Icon } from '../../parts/Icon';
import type { StateTone } from '../../parts/streamState';
import { countText } from '../../time/format';
import { GROUPS, type Group, type Sort } from './arrange';
import { arranged, group, search, sort } from './choice';

const WORDS: Readonly<Record<Group, readonly [words: string, tone: StateTone]>> = {
  recording: ['Recording', 'ok'],
  'no-signal': ['No signal', 'waiting'],
  failed: ['Failed', 'bad'],
  stopped: ['Stopped', 'off'],
};

const SORTS: readonly (readonly [sort: Sort, words: string])[] = [
  ['name', 'By name'],
  ['state', 'By state, worst first'],
  ['bitrate', 'By bitrate, highest first'],
  ['size', 'By size, largest first'],
  ['gaps', 'By gaps in 24 h, longest first'],
];

export function Toolbar({ onAdd }: { readonly onAdd: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Most tiles are not there to be found by the browser: its own search is a second press away.
    const onKey = (event: KeyboardEvent): void => {
      const { target } = event;
      const isTyping = target instanceof HTMLElement && target.matches('input, select, textarea, dialog *');
      const isFind = (event.ctrlKey || event.metaKey) && !event.altKey && event.key === 'f' && target !== field.current;
      if (!isFind && (isTyping || event.key !== '/')) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const { counts, found, codes } = arranged.value;
  return (
    <div class="wall-bar">
      <h1>Streams</h1>
      <div class="wall-chips" role="group" aria-label="Show">
        <Button class="wall-chip" pressed={group.value === undefined} onClick={() => (group.value = undefined)}>
          All <span class="number">{countText(found)}</span>
        </Button>
        {GROUPS.map((each) => (
          <Button
            key={each}
            class="wall-chip"
            pressed={group.value === each}
            onClick={() => (group.value = group.value === each ? undefined : each)}
          >
            <span class={`state ${WORDS[each][1]}`}>{WORDS[each][0]}</span> <span class="number">{countText(counts[each])}</span>
          </Button>
        ))}
      </div>
      <label class="wall-search">
        <Icon of={Search} />
        <span class="unseen">Search by title, code or source</span>
        <input
          ref={field}
          type="search"
          placeholder="Search"
          autocomplete="off"
          spellcheck={false}
          aria-keyshortcuts="/ Control+F"
          title="Title, code or source (/)"
          value={search.value}
          onInput={({ currentTarget }) => (search.value = currentTarget.value)}
        />
      </label>
      <label class="wall-sort">
        <span class="unseen">Sort by</span>
        <select value={sort.value} onChange={({ currentTarget }) => (sort.value = currentTarget.value as Sort)} title="Sort by">
          {SORTS.map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <Button icon={Plus} kind="main" onClick={onAdd}>
        Add stream
      </Button>
      <p class="unseen" role="status">
        {search.value !== '' && `${countText(codes.length)} ${codes.length === 1 ? 'stream' : 'streams'} found`}
      </p>
    </div>
  );
}
