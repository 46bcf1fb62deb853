/**
 * What holds the timeline together (docs/design/page.md, G6): puts together what is drawn, moves the view within its limits, follows the position while nobody looks
 * elsewhere, and does what keys and gestures mean. Knows no element: the component gives it what is drawn on.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import { nowMs } from '../state/clock';
import { zone } from '../state/settings';
import { sayDone, sayError } from '../state/toasts';
import type { View } from './contract';
import type { TimelineProps } from './props';
import type { Facts, GapFact } from './facts';
import type { Meant } from './gestures';
import { keyAction, type Key } from './keys';
import { rowsOf } from './rows';
import { scaleOf, toMs } from './scale';
import { endOf, gapsWith, handleAt, movedMarks, sceneOf, type Scene } from './scene';
import { pictureMoment, tilesOf } from './strip';
import type { Drawing } from './surface';
import { stepOf } from './ticks';
import type { TilePictures } from './tilePictures';
import { clampView, followView, isSeen, moveView, wholeView, zoomView, type Limits } from './view';
import { tellPixel, valueText, type Told } from './words';

/** A position that moves by more than this was moved; milliseconds. */
const JUMP_MS = 5000;
/** While it plays, who listens hears of it so often; milliseconds. */
const SAY_MS = 10_000;
/** Keys go on from where the last one led, though the player is not there yet; milliseconds. */
const PENDING_MS = 2000;
/** A gap that has just ended is shown until the server tells of it, if that is soon; milliseconds. */
const CLOSED_MS = 15_000;
/** What ends so near to now is going on: the view may reach now. Milliseconds. */
const GOING_ON_MS = 60_000;

/** What the slider tells who does not see it; the times are in seconds. */
export interface Spoken {
  readonly min: number;
  readonly max: number;
  readonly now: number;
  readonly text: string;
}

/** What is told of the moment that is pointed at. */
export interface Pointed extends Told {
  readonly x: number;
  readonly pictureMs: number | undefined;
}

/** The timeline without its element. */
export class TimelineControl {
  readonly #props: TimelineProps;
  readonly #tiles: TilePictures;
  readonly #pointed = signal<Pointed | undefined>(undefined);
  readonly #spoken = signal<Spoken>({ min: 0, max: 0, now: 0, text: 'nothing is played yet' });
  readonly #isFollowing = signal(true);
  #scene: Scene | undefined;
  #facts: Facts = { known: [], gaps: [], errors: [] };
  #pointX: number | undefined;
  #pending: { readonly ms: number; readonly sinceMs: number } | undefined;
  #open: GapFact | undefined;
  #positionMs: number | undefined;
  #saidLive = false;
  #finding: AbortController | undefined;

  constructor(props: TimelineProps, tiles: TilePictures) {
    this.#props = props;
    this.#tiles = tiles;
  }

  get pointed(): ReadonlySignal<Pointed | undefined> {
    return this.#pointed;
  }
  get spoken(): ReadonlySignal<Spoken> {
    return this.#spoken;
  }
  get isFollowing(): ReadonlySignal<boolean> {
    return this.#isFollowing;
  }

  /** What is to be drawn now. */
  draw(width: number): Drawing {
    const { data, view, edgeMs, keeps, marks, positionMs, isLive } = this.#props;
    const seen = view.peek();
    const scale = scaleOf(seen, width);
    this.#facts = data.facts(seen);
    const scene = sceneOf({
      scale,
      rows: rowsOf(width, this.#tiles.hasAny),
      facts: this.#facts,
      oldestMs: data.oldestMs,
      newestMs: data.newestMs,
      edgeMs: edgeMs.peek(),
      openGap: this.#openGap(),
      nowMs: nowMs(),
      keeps: keeps.peek(),
      marks: marks.peek(),
      positionMs: positionMs.peek(),
      pendingMs: this.#pending?.ms,
      isLive: isLive.peek(),
      zone: zone.peek(),
    });
    this.#scene = scene;
    const tiles =
      scene.rows.pictures && scene.oldestMs !== undefined && scene.endMs !== undefined
        ? this.#tiles.show(tilesOf(scale, scene.known, scene.gaps, scene.oldestMs, Math.min(scene.endMs, this.#edge())))
        : [];
    if (this.#pointX !== undefined) this.#tell(this.#pointX);
    return { scene, tiles };
  }

  /** The position is another, or what is at it. */
  follow(): void {
    const ms = this.#props.positionMs.peek();
    const before = this.#positionMs;
    this.#positionMs = ms;
    if (ms === undefined) return;
    const hasJumped = before === undefined || Math.abs(ms - before) > JUMP_MS;
    if (this.#pending && Math.abs(ms - this.#pending.ms) < PENDING_MS) this.#pending = undefined;
    // Whoever looks elsewhere stays there, until the position is moved.
    if (hasJumped) this.#isFollowing.value = true;
    if (this.#isFollowing.peek()) this.#show(followView(this.#props.view.peek(), ms, this.#limits()));
    const isLive = this.#props.isLive.peek();
    if (hasJumped || isLive !== this.#saidLive || Math.abs(ms / 1000 - this.#spoken.peek().now) * 1000 >= SAY_MS) this.say();
  }

  /** Says where the position is, to who does not see it. */
  readonly say = (): void => {
    const { data, positionMs, isLive, edgeMs } = this.#props;
    const ms = positionMs.peek();
    const [oldestMs, openGap] = [data.oldestMs, this.#openGap()];
    const endMs = endOf({ newestMs: data.newestMs, edgeMs: edgeMs.peek(), openGap });
    this.#saidLive = isLive.peek();
    const max = Math.floor((endMs ?? ms ?? 0) / 1000);
    const min = Math.min(max, Math.floor((oldestMs ?? endMs ?? ms ?? 0) / 1000));
    const text = valueText({ gaps: gapsWith(this.#facts.gaps, openGap), oldestMs, endMs }, ms, isLive.peek(), zone.peek());
    this.#spoken.value = { min, max, now: Math.min(max, Math.max(min, Math.round((ms ?? endMs ?? 0) / 1000))), text };
  };

  readonly zoomBy = (factor: number): void => {
    const view = this.#props.view.peek();
    const ms = this.#props.positionMs.peek();
    const aboutMs = ms !== undefined && isSeen(view, ms) ? ms : (view.fromMs + view.toMs) / 2;
    this.#look(zoomView(view, factor, aboutMs, this.#limits()));
  };
  readonly showAll = (): void => this.#look(wholeView(this.#limits()));

  readonly startFollowing = (): void => {
    const ms = this.#props.positionMs.peek();
    this.#isFollowing.value = true;
    if (ms !== undefined) this.#show(followView(this.#props.view.peek(), ms, this.#limits()));
  };

  /** What gestures mean. @param width - of the line */
  meant(width: () => number): Meant {
    const { view, marks } = this.#props;
    const msAt = (x: number): number => toMs(scaleOf(view.peek(), width()), x);
    return {
      view: () => view.peek(),
      show: (next, isMoved) => this.#look(isMoved ? moveView(next, 0, this.#limits()) : clampView(next, this.#limits())),
      zoom: (factor, x) => this.#look(zoomView(view.peek(), factor, msAt(x), this.#limits())),
      play: (x) => this.#seek(msAt(x)),
      point: (x) => {
        this.#pointX = x;
        if (x === undefined) this.#pointed.value = undefined;
        else this.#tell(x);
      },
      markAt: (x) => (this.#scene ? handleAt(this.#scene, x) : undefined),
      dragMark: (which, x) => {
        marks.value = movedMarks(marks.peek(), which, this.#within(msAt(x)));
      },
    };
  }

  /** Does what a key means. @returns whether it was the timeline's */
  onKey(key: Key, width: number): boolean {
    const action = keyAction(key);
    if (action === undefined) return false;
    const view = this.#props.view.peek();
    const spanMs = view.toMs - view.fromMs;
    switch (action.kind) {
      case 'by':
        this.#seekBy(action.ms);
        break;
      case 'step':
        this.#seekBy(action.sign * stepOf(scaleOf(view, width)));
        break;
      case 'page':
        this.#seekBy((action.sign * spanMs) / 2);
        break;
      case 'oldest':
        this.#seek(-Infinity);
        break;
      case 'live':
        this.#seek(Infinity);
        break;
      case 'zoom':
        this.zoomBy(action.factor);
        break;
      case 'gap':
        void this.#toGap(action.which);
        break;
    }
    return true;
  }

  close(): void {
    this.#finding?.abort();
  }

  /** The gap that goes on, or has just ended and is not told of by the server yet. */
  #openGap(): GapFact | undefined {
    const { openGap, data } = this.#props;
    const open = openGap.peek();
    if (open) this.#open = { fromMs: open.fromMs, toMs: Math.max(open.fromMs, nowMs()), reason: open.reason, count: 1, isOpen: true };
    else if (this.#open) {
      const isTold = (data.newestMs ?? -Infinity) > this.#open.fromMs || nowMs() - this.#open.toMs > CLOSED_MS;
      if (isTold) this.#open = undefined;
      else if (this.#open.isOpen) {
        const { fromMs, toMs, reason, count } = this.#open;
        this.#open = { fromMs, toMs, reason, count };
      }
    }
    return this.#open;
  }

  /** The newest moment with media that is known of. */
  #edge(): number {
    return Math.max(this.#props.data.newestMs ?? -Infinity, this.#props.edgeMs.peek() ?? -Infinity);
  }

  #limits(): Limits {
    const { data } = this.#props;
    const endMs = endOf({ newestMs: data.newestMs, edgeMs: this.#props.edgeMs.peek(), openGap: this.#openGap() });
    const now = nowMs();
    return { oldestMs: data.oldestMs, endMs: endMs === undefined || now - endMs < GOING_ON_MS ? now : endMs };
  }

  #show(view: View): void {
    const before = this.#props.view.peek();
    if (view.fromMs !== before.fromMs || view.toMs !== before.toMs) this.#props.view.value = view;
  }

  /** Someone looks here: the position is followed only while it is in what they look at. */
  #look(view: View): void {
    const ms = this.#props.positionMs.peek();
    this.#isFollowing.value = ms !== undefined && isSeen(view, ms);
    this.#show(view);
  }

  #within(ms: number): number {
    const { data } = this.#props;
    return Math.max(data.oldestMs ?? -Infinity, Math.min(ms, this.#edge() === -Infinity ? ms : this.#edge()));
  }

  #seek(ms: number): void {
    const target = this.#within(ms);
    if (!Number.isFinite(target)) return;
    this.#pending = { ms: target, sinceMs: nowMs() };
    this.#props.onSeek(target);
  }

  #seekBy(ms: number): void {
    const pending = this.#pending && nowMs() - this.#pending.sinceMs < PENDING_MS ? this.#pending.ms : undefined;
    const from = pending ?? this.#props.positionMs.peek();
    if (from !== undefined) this.#seek(from + ms);
  }

  async #toGap(which: 'previous' | 'next'): Promise<void> {
    const ms = this.#props.positionMs.peek();
    if (ms === undefined) return;
    this.#finding?.abort();
    const finding = (this.#finding = new AbortController());
    try {
      const stop = await this.#props.data.findGap(which, ms, finding.signal);
      if (finding.signal.aborted) return;
      if (stop) this.#seek(stop.seekMs);
      else sayDone(which === 'next' ? 'There is no gap after this.' : 'There is no gap before this.');
    } catch (error) {
      if (!finding.signal.aborted) sayError(error);
    }
  }

  #tell(x: number): void {
    const scene = this.#scene;
    if (scene === undefined) return;
    const { oldestMs } = scene;
    const pictureMs = oldestMs === undefined ? undefined : pictureMoment(scene.scale, x, scene.gaps, oldestMs, this.#edge());
    this.#pointed.value = { ...tellPixel(scene, x, zone.peek()), x, pictureMs };
  }
}
