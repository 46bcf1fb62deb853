/** What the timeline is given by the page (docs/design/page.md, G6). All times are UTC milliseconds. */
import type { ReadonlySignal, Signal } from '@preact/signals';
import type { Gap, Keep } from '../api';
import type { Pictures } from '../pictures/contract';
import type { Marks, View } from './contract';
import type { TimelineData } from './data';

/** What the timeline is given. It is of one stream for good: another one is another timeline (`key`). */
export interface TimelineProps {
  readonly code: string;
  /** What is known, `new TimelineData(load)`: made and closed by the page, whose buttons ask it for the next gap (`findGap`). */
  readonly data: TimelineData;
  readonly pictures: Pictures;
  /** Written by the timeline (zooming, moving, following the position) and by the page, which says what is seen first. */
  readonly view: Signal<View>;
  readonly positionMs: ReadonlySignal<number | undefined>;
  readonly isLive: ReadonlySignal<boolean>;
  /** The end of what is recorded, as events tell it before the server is asked again; undefined while nothing is known. */
  readonly edgeMs: ReadonlySignal<number | undefined>;
  /** The gap that goes on now. */
  readonly openGap: ReadonlySignal<{ readonly fromMs: number; readonly reason: Gap['reason'] } | undefined>;
  readonly keeps: ReadonlySignal<readonly Keep[]>;
  readonly marks: Signal<Marks>;
  /** Counts what makes facts old (a gap closed, segments pruned): when it changes, what is seen is asked for again. */
  readonly revision: ReadonlySignal<number>;
  /** A moment at or behind `edgeMs` (the key End) is live. */
  onSeek(ms: number): void;
}
