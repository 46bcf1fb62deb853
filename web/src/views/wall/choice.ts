/** What has been chosen on the wall: it stays while one is at a stream and comes back. */
import { computed, signal, untracked } from '@preact/signals';
import { nowMs } from '../../state/clock';
import { streams } from '../../state/streams';
import { arrange, wallLine, type Group, type Sort } from './arrange';

export const search = signal('');
export const group = signal<Group | undefined>(undefined);
export const sort = signal<Sort>('name');

/** How far the wall was scrolled when it was left, and the tile that had been opened; CSS pixels. */
export const left: { scrollY: number; code: string | undefined } = { scrollY: 0, code: undefined };

/** Of all streams, made anew with each answer of the server. */
const lines = computed(() => {
  void streams.revision.value;
  const codes = streams.codes.value;
  // An event that changes one of them does not put all in order again.
  return untracked(() => {
    const at = nowMs();
    return codes.flatMap((code) => {
      const stream = streams.stream(code);
      return stream === undefined ? [] : [wallLine(stream, streams.archive(code), at)];
    });
  });
});

/** What is shown, and in which order. */
export const arranged = computed(() => arrange(lines.value, { search: search.value, group: group.value, sort: sort.value }));
