/**
 * What the parts of a stream's page share: the player, the view of time, the marks, what is kept, and the address in which the moment stands (docs/design/page.md, G1 and
 * G7). Made when a stream is opened, closed when it is left. All times are UTC milliseconds.
 */
import { computed, effect, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import { api, type Gap, type Keep, type ServerEvent } from '../../api';
import type { Player } from '../../player/contract';
import { openPlayer } from '../../player/openPlayer';
import { go, note, route, type Route } from '../../route';
import { nowMs } from '../../state/clock';
import { streams } from '../../state/streams';
import { sayDone, sayError } from '../../state/toasts';
import { MAX_VIEW_MS, MIN_VIEW_MS, type LoadTimeline, type Marks, type View } from '../../timeline/contract';
import { TimelineData } from '../../timeline/data';
import { withMark } from './clip';

/** Shown at first. */
const VIEW_MS = 3_600_000;
/** What is to come, beside what is live; of the view. */
const AHEAD = 0.08;
/** How often the address follows what is shown. */
const NOTE_MS = 1000;

type StreamRoute = Route & { readonly view: 'stream' };

/** The page of one stream. */
export class StreamPage {
  readonly code: string;
  readonly view: Signal<View>;
  readonly marks: Signal<Marks>;
  /** Counts what makes facts old. */
  readonly revision: ReadonlySignal<number>;
  readonly keeps: ReadonlySignal<readonly Keep[]>;
  /** End of what is recorded. */
  readonly edgeMs: ReadonlySignal<number | undefined>;
  readonly openGap: ReadonlySignal<{ readonly fromMs: number; readonly reason: Gap['reason'] } | undefined>;
  readonly player: ReadonlySignal<Player | undefined>;
  readonly positionMs: ReadonlySignal<number | undefined>;
  readonly isLive: ReadonlySignal<boolean>;
  readonly load: LoadTimeline;
  /** What is known of the archive, for the timeline and the jumps to gaps. */
  readonly data: TimelineData;
  readonly #player = signal<Player | undefined>(undefined);
  readonly #revision = signal(0);
  readonly #keeps = signal<readonly Keep[]>([]);
  readonly #heardEdge = signal<number | undefined>(undefined);
  readonly #ends: (() => void)[] = [];
  #isOwnStep = false;

  constructor(code: string, at: StreamRoute) {
    this.code = code;
    this.view = signal(viewOf(at));
    this.marks = signal({ inMs: at.inMs, outMs: at.outMs });
    this.revision = this.#revision;
    this.keeps = this.#keeps;
    this.player = this.#player;
    this.positionMs = computed(() => this.#player.value?.positionMs.value);
    this.isLive = computed(() => this.#player.value?.isLive.value ?? false);
    this.edgeMs = computed(() => {
      const last = streams.archive(code)?.dvr_range?.last_segment_at;
      const told = last === undefined ? undefined : Date.parse(last);
      const heard = this.#heardEdge.value;
      return told === undefined || (heard !== undefined && heard > told) ? heard : told;
    });
    this.openGap = computed(() => {
      const gap = streams.stream(code)?.status.open_gap;
      return gap ? { fromMs: Date.parse(gap.from), reason: gap.reason } : undefined;
    });
    this.load = (fromMs, toMs, points, aborted) => api.timeline(code, fromMs, toMs, points, aborted);
    this.data = new TimelineData(this.load);
  }

  /** Begins to play in a video element, at the moment that the address names. */
  open(video: HTMLVideoElement): void {
    this.#player.value = openPlayer(this.code, video, { atMs: this.#route().atMs });
    this.#ends.push(streams.listen((event) => this.#hear(event)));
    // Back, forward, and links to other moments of the same stream.
    let isFirst = true;
    this.#ends.push(
      effect(() => {
        const to = route.value;
        if (!isFirst && !this.#isOwnStep && to.view === 'stream' && to.code === this.code) this.#follow(to);
        isFirst = false;
      }),
    );
    const timer = setInterval(() => note(this.#here()), NOTE_MS);
    this.#ends.push(() => clearInterval(timer));
    void this.refreshKeeps();
  }

  close(): void {
    this.#ends.splice(0).forEach((end) => end());
    this.#player.value?.close();
    this.#player.value = undefined;
    this.data.close();
  }

  /** A person goes to a moment: a step that Back goes back. */
  seek(ms: number): void {
    const edge = this.edgeMs.peek();
    // What is not recorded yet is live.
    if (edge !== undefined && ms >= edge && streams.stream(this.code)?.status.recording) return this.goLive();
    this.#player.peek()?.seek(ms);
    this.#step({ ...this.#here(), atMs: ms });
  }

  goLive(): void {
    this.#player.peek()?.goLive();
    this.#step({ ...this.#here(), atMs: undefined });
  }

  /** On or back from what is shown. */
  skip(byMs: number): void {
    const at = this.positionMs.peek();
    if (at !== undefined) this.seek(at + byMs);
  }

  /** Shortly before the next or previous gap. */
  async toGap(which: 'previous' | 'next'): Promise<void> {
    const at = this.positionMs.peek();
    if (at === undefined) return;
    const stop = await this.data.findGap(which, at);
    if (stop === undefined) sayDone(which === 'next' ? 'No gap after this.' : 'No gap before this.');
    else this.seek(stop.seekMs);
  }

  mark(which: 'in' | 'out'): void {
    const at = this.positionMs.peek();
    if (at !== undefined) this.marks.value = withMark(this.marks.peek(), which, at);
  }

  async refreshKeeps(): Promise<void> {
    try {
      this.#keeps.value = await api.keeps(this.code);
    } catch (error) {
      sayError(error);
    }
  }

  #route(): StreamRoute {
    const at = route.peek();
    return at.view === 'stream' && at.code === this.code ? at : { view: 'stream', code: this.code };
  }

  /** Where the page is, as it is written. */
  #here(): StreamRoute {
    const { fromMs, toMs } = this.view.peek();
    const zoomMs = Math.round((toMs - fromMs) / 1000) * 1000;
    const at = this.positionMs.peek();
    const atMs = this.isLive.peek() || at === undefined ? this.#atBefore() : Math.floor(at);
    const { inMs, outMs } = this.marks.peek();
    return { view: 'stream', code: this.code, atMs, zoomMs: zoomMs === VIEW_MS ? undefined : zoomMs, inMs, outMs };
  }

  /** Before there is a picture it is what the address says. */
  #atBefore(): number | undefined {
    return this.isLive.peek() ? undefined : this.#route().atMs;
  }

  #step(to: StreamRoute): void {
    // What is left is remembered as it was when it was left.
    note(this.#here());
    this.#isOwnStep = true;
    go(to);
    this.#isOwnStep = false;
  }

  #follow(to: StreamRoute): void {
    if (to.atMs === undefined) this.#player.peek()?.goLive();
    else this.#player.peek()?.seek(to.atMs);
    this.view.value = viewOf(to);
    this.marks.value = { inMs: to.inMs, outMs: to.outMs };
  }

  #hear(event: ServerEvent): void {
    if (event.type === 'reset') {
      this.#revision.value += 1;
      void this.refreshKeeps();
    }
    if (event.stream_code !== this.code) return;
    const { segment } = event;
    if (segment) {
      this.#heardEdge.value = Date.parse(segment.started_at) + segment.duration_sec * 1000;
      // A gap of another reason than silence is told by the segment after it alone.
      if (segment.gap !== null) this.#revision.value += 1;
    } else if (event.type !== 'gap.opened') this.#revision.value += 1;
  }
}

function viewOf({ atMs, zoomMs = VIEW_MS }: StreamRoute): View {
  const spanMs = Math.min(Math.max(zoomMs, MIN_VIEW_MS), MAX_VIEW_MS);
  const toMs = atMs === undefined ? nowMs() + AHEAD * spanMs : atMs + spanMs / 2;
  return { fromMs: toMs - spanMs, toMs };
}
