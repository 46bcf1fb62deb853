/**
 * The player over hls.js (docs/design/page.md, G7): moments of wall time in, the moment that is shown out. One playlist at a time (places.ts): live, or a window
 * of an hour; where one ends the next takes its place. What goes wrong is understood (trouble.ts) and tried again for as long as somebody watches.
 */
import { computed, signal } from '@preact/signals';
import Hls, { type ErrorData, type LevelDetails } from 'hls.js';
import { nowMs } from '../state/clock';
import type { Player, PlayerProblem } from './contract';
import { Frames } from './frames';
import { foreignCodec, isPlaylistGrown, nextMedia, oldestMedia } from './lookups';
import { placeOf, placeUrl, REWIND_SEC, windowOf, type Bounds, type Place } from './places';
import { canPlay, Source } from './source';
import { codecProblem, isOutage, troubleOf, waitMs, type Trouble } from './trouble';
import { endWall } from './wallTime';

/** How a player is opened. */
export interface PlayerOptions {
  /** Plays from here on; live when nothing is said. UTC milliseconds. */
  readonly atMs?: number | undefined;
  /** Plays within this alone, with this token. */
  readonly bounds?: Bounds | undefined;
}

/** Within so many target durations of the end it is live, and until it is so many behind. A player begins three behind. */
const LIVE_WITHIN = 3.6;
const LIVE_UNTIL = 5;
/** An estimate is mended so often. */
const MAX_CORRECTIONS = 4;
/** The decoder is begun anew so often, then all of it. */
const MAX_RECOVERIES = 2;
/** From one place to the next without a frame, at most: an archive that is pruned while it is asked for. */
const MAX_MOVES = 6;
/** What is stopped is looked at so often, for whether it goes on. */
const ENDED_LOOK_MS = 5000;
/** Played so long without an error, all is well again. */
const WELL_MS = 10_000;

/** Plays a stream in a video element, which is the player's until it is closed. */
export function openPlayer(code: string, video: HTMLVideoElement, options: PlayerOptions = {}): Player {
  return new HlsPlayer(code, video, options);
}

class HlsPlayer implements Player {
  readonly positionMs = signal<number | undefined>(undefined);
  readonly isLive = signal(false);
  readonly isPaused = signal(false);
  readonly isWaiting = signal(true);
  readonly rate = signal(1);
  readonly volume = signal(1);
  readonly isMuted = signal(false);
  /** Shown when the picture stands still: what is held goes on to play while the server is asked again. */
  readonly problem = computed(() => (this.#trouble.value && (this.isWaiting.value || !this.#isPassing) ? this.#trouble.value : undefined));

  readonly #code: string;
  readonly #video: HTMLVideoElement;
  readonly #bounds: Bounds | undefined;
  readonly #frames: Frames;
  readonly #listening = new AbortController();
  readonly #trouble = signal<PlayerProblem | undefined>(undefined);
  #isPassing = true;
  #source: Source | undefined;
  #place: Place | undefined;
  /** What was asked for and is not shown yet; undefined is the live edge while `#isSettled` is not. */
  #target: number | undefined;
  #isSettled = false;
  #corrections = 0;
  /** Between two sources the element pauses by itself. */
  #isAttached = false;
  #moves = 0;
  #tries = 0;
  #recoveries = 0;
  #troubledAtMs = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: AbortController | undefined;
  #isLookedAt = false;

  constructor(code: string, video: HTMLVideoElement, { atMs, bounds }: PlayerOptions) {
    this.#code = code;
    this.#video = video;
    this.#bounds = bounds;
    this.isMuted.value = video.muted;
    this.volume.value = video.volume;
    this.#frames = new Frames(video, (sec) => this.#onFrame(sec));
    const { signal: until } = this.#listening;
    for (const name of ['waiting', 'seeking', 'playing', 'canplay', 'loadeddata', 'emptied', 'timeupdate'] as const) {
      video.addEventListener(name, () => this.#look(), { signal: until });
    }
    video.addEventListener('seeked', () => this.#settle(), { signal: until });
    video.addEventListener('ended', () => this.#onEnded(), { signal: until });
    // By the keys of a keyboard, a headset, or the little window of picture-in-picture.
    video.addEventListener('pause', () => this.#onPausedBy(true), { signal: until });
    video.addEventListener('play', () => this.#onPausedBy(false), { signal: until });
    video.addEventListener('volumechange', () => this.#onVolume(), { signal: until });
    if (canPlay()) this.#goTo(bounds ? (atMs ?? bounds.fromMs) : atMs);
    else {
      this.#isPassing = false;
      this.#trouble.value = {
        code: 'CODEC_UNSUPPORTED',
        message: 'This browser does not play video in pieces (Media Source Extensions): use another.',
      };
    }
  }

  seek(ms: number): void {
    const at = this.#bounded(ms);
    this.#moves = 0;
    if (at >= nowMs()) return this.#followLive();
    this.positionMs.value = at;
    this.#goTo(at);
  }

  goLive(): void {
    this.isPaused.value = false;
    this.#moves = 0;
    this.#followLive();
  }

  togglePlay(): void {
    this.isPaused.value = !this.isPaused.value;
    if (this.isPaused.value) return this.#video.pause();
    if (this.#trouble.value) return this.#again();
    // At the end of a window of a token's: from its beginning.
    if (this.#bounds && this.#video.ended) return this.seek(this.#bounds.fromMs);
    this.#play();
  }

  setRate(rate: number): void {
    this.rate.value = Math.min(8, Math.max(0.25, this.isLive.value ? Math.min(1, rate) : rate));
    this.#video.defaultPlaybackRate = this.rate.value;
    this.#video.playbackRate = this.rate.value;
    this.#source?.setRate(this.rate.value);
  }

  setVolume(volume: number): void {
    this.#video.volume = Math.min(1, Math.max(0, volume));
    if (volume > 0) this.#video.muted = false;
  }

  setMuted(isMuted: boolean): void {
    this.#video.muted = isMuted;
  }

  step(frames: 1 | -1): void {
    this.isPaused.value = true;
    this.#video.pause();
    const { shownSec, frameSec } = this.#frames;
    // To the middle of the frame, so that no rounding shows its neighbour.
    const to = shownSec + (frames + 0.5) * frameSec;
    const { buffered } = this.#video;
    const isHeld = Array.from({ length: buffered.length }, (_, i) => i).some((i) => buffered.start(i) <= to && to < buffered.end(i));
    // What is not there yet has to be asked for as a moment, which is found to the frame.
    if (!isHeld) return this.seek((this.positionMs.value ?? nowMs()) + frames * frameSec * 1000);
    this.#video.currentTime = to;
  }

  close(): void {
    this.#listening.abort();
    this.#frames.close();
    this.#quiet();
    this.#source?.close();
    this.#source = undefined;
    this.#video.removeAttribute('src');
    this.#video.load();
  }

  #bounded(ms: number): number {
    return this.#bounds ? Math.min(Math.max(ms, this.#bounds.fromMs), this.#bounds.toMs - 1) : ms;
  }

  #followLive(): void {
    const at = this.#source?.livePosition;
    if (this.#bounds) return this.#goTo(this.#bounds.toMs - 1);
    // Within a window that has grown to now, there is no need of another.
    if (at === undefined || this.#place?.kind !== 'live') this.#goTo(undefined);
    else {
      this.#target = undefined;
      this.#isSettled = true;
      this.#video.currentTime = at;
      if (this.isPaused.value) this.#look();
      else this.#play();
    }
  }

  /** Shows a moment, or the live edge: of what is loaded when it is there, else of another place. */
  #goTo(target: number | undefined): void {
    const details = this.#source?.details;
    if (target !== undefined && details && this.#isAttached && this.#trouble.value === undefined) {
      const sec = this.#source?.secAt(target);
      if (typeof sec === 'number') {
        this.#target = target;
        this.#isSettled = false;
        this.#corrections = 0;
        this.#video.currentTime = sec;
        return this.#look();
      }
    }
    this.#open(target === undefined ? { kind: 'live' } : placeOf(target, nowMs(), this.#bounds), target);
  }

  #open(place: Place, target: number | undefined): void {
    this.#quiet();
    this.#source?.close();
    this.#place = place;
    this.#target = target;
    this.#isSettled = false;
    this.#corrections = 0;
    this.#isAttached = false;
    this.isWaiting.value = true;
    if (++this.#moves > MAX_MOVES) {
      this.#moves = 0;
      return this.#later({ code: 'MEDIA_FAILED', message: 'What was asked for was not found. It is tried again.' });
    }
    const source: Source = new Source(this.#video, placeUrl(this.#code, place, this.#bounds), {
      onOpen: (opened, details) => this.#onOpen(place, opened, details),
      onUpdate: (details) => this.#onUpdate(details),
      onFragment: () => this.#onFragment(),
      onDetaching: () => void (this.#isAttached = false),
      onAttached: () => {
        this.#isAttached = true;
        this.setRate(this.rate.value);
        if (!this.isPaused.value) this.#play();
      },
      onError: (error) => this.#onError(error),
    });
    this.#source = source;
  }

  /** Where playing begins in a place; or, where the moment is not in it, off to another. */
  #onOpen(place: Place, source: Source, { fragments, live, edge, targetduration }: LevelDetails): number | undefined {
    const target = this.#target;
    if (target === undefined) return live ? -1 : Math.max(0, edge - 3 * targetduration);
    const sec = source.secAt(target);
    if (typeof sec === 'number') return sec;
    if (sec === 'before') {
      // Live does not reach so far back; a window that does not begins after a gap, or where the archive does.
      if (place.kind === 'window') return fragments[0]?.start ?? 0;
      this.#soon(() => this.#open(windowOf(target, this.#bounds), target));
      return undefined;
    }
    if (place.kind === 'live') {
      this.#target = undefined;
      return live ? -1 : Math.max(0, edge - 0.5);
    }
    this.#soon(() => void this.#lookFor('next', target));
    return undefined;
  }

  #onUpdate(details: LevelDetails): void {
    this.#healed();
    this.#look();
    const at = this.positionMs.value;
    if (this.#place?.kind !== 'live' || !this.#isSettled || at === undefined || details.totalduration < REWIND_SEC / 2) return;
    // Live moves on without one who is paused, or slow: from here on a window.
    if (this.#video.currentTime < details.fragmentStart + details.targetduration)
      this.#soon(() => this.#open(windowOf(at, this.#bounds), at));
  }

  #onFragment(): void {
    if (!this.#isLookedAt && this.#video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
      this.#isLookedAt = true;
      if (this.#video.videoWidth === 0) void this.#lookForPicture();
    }
    this.#healed();
    this.#settle();
  }

  /** What was asked for was estimated before its fragment was there: now it is known to the frame. */
  #settle(): void {
    const { readyState, seeking, currentTime } = this.#video;
    if (!this.#isSettled && readyState >= HTMLMediaElement.HAVE_METADATA) {
      const sec = this.#target === undefined ? undefined : this.#source?.secAt(this.#target);
      // Also while it seeks: where a fragment's sound begins there may be no picture yet, and none to wait for.
      if (typeof sec === 'number' && Math.abs(sec - currentTime) > 0.005 && this.#corrections < MAX_CORRECTIONS) {
        this.#corrections++;
        this.#video.currentTime = sec;
      } else if (!seeking && readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
        this.#isSettled = true;
        // Frames were told while it was on the way.
        this.#onFrame(this.#frames.shownSec);
      }
    }
    this.#look();
  }

  #onFrame(sec: number): void {
    if (this.#video.readyState === 0 || (!this.#isSettled && this.#video.seeking)) return;
    const ms = this.#source?.wallAt(sec);
    if (ms === undefined) return;
    this.#moves = 0;
    this.positionMs.value = Math.round(ms);
    if (this.#bounds && ms >= this.#bounds.toMs && !this.isPaused.value) this.togglePlay();
  }

  /** What the state of the element means. */
  #look(): void {
    const { readyState, seeking, ended, paused } = this.#video;
    const enough = paused ? HTMLMediaElement.HAVE_CURRENT_DATA : HTMLMediaElement.HAVE_FUTURE_DATA;
    this.isWaiting.value = !ended && (seeking || readyState < enough);
    const details = this.#source?.details;
    const behind = details ? details.edge - this.#video.currentTime : Infinity;
    const within = (this.isLive.value ? LIVE_UNTIL : LIVE_WITHIN) * (details?.targetduration ?? 0);
    const isThere = this.#isSettled || this.#target === undefined;
    this.isLive.value = details?.live === true && isThere && readyState > 0 && !this.isPaused.value && behind <= within;
    if (this.isLive.value && this.rate.value > 1) this.setRate(1);
    if (performance.now() - this.#troubledAtMs > WELL_MS) this.#recoveries = 0;
  }

  #play(): void {
    this.#video.play().catch((error: unknown) => {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return;
      // A browser lets no page make a sound that nobody has touched.
      if (this.#video.muted) this.isPaused.value = true;
      else {
        this.#video.muted = true;
        this.#play();
      }
    });
  }

  #onPausedBy(isPaused: boolean): void {
    if (this.#isAttached && !this.#video.ended && !this.#video.error && this.#video.readyState > 0) this.isPaused.value = isPaused;
    this.#look();
  }

  #onVolume(): void {
    this.volume.value = this.#video.volume;
    this.isMuted.value = this.#video.muted;
  }

  /** A window is at its end, or what was recorded is. */
  #onEnded(): void {
    const details = this.#source?.details;
    const end = details && endWall(details.fragments);
    if (end === undefined) return;
    if (this.#bounds && end >= this.#bounds.toMs - 1000) this.isPaused.value = true;
    else if (this.#place?.kind === 'window') this.#open(placeOf(end, nowMs(), this.#bounds), end);
    else this.#wait(ENDED_LOOK_MS, () => void this.#lookForMore(end));
    this.#look();
  }

  /** Of a recording that was stopped: whether it goes on. */
  async #lookForMore(end: number): Promise<void> {
    const looking = this.#begin();
    const isGrown = await isPlaylistGrown(placeUrl(this.#code, { kind: 'live' }), end, looking.signal);
    if (looking.signal.aborted) return;
    if (isGrown) this.#open({ kind: 'live' }, end);
    else this.#wait(ENDED_LOOK_MS, () => void this.#lookForMore(end));
  }

  #onError(error: ErrorData): void {
    const playlistUrl = this.#playlistUrl();
    if (!error.fatal && error.details !== Hls.ErrorDetails.LEVEL_EMPTY_ERROR) {
      // hls.js asks again by itself.
      if (isOutage(error)) this.#say(troubleOf(error, playlistUrl).problem, true);
      return;
    }
    const trouble = troubleOf(error, playlistUrl);
    // hls.js has begun the decoder anew by itself, and again.
    if (error.details === Hls.ErrorDetails.MEDIA_SOURCE_REQUIRES_RESET) this.#recoveries = MAX_RECOVERIES;
    this.#soon(() => this.#remedy(trouble));
  }

  #remedy({ remedy, problem }: Trouble): void {
    const at = this.#isSettled ? this.positionMs.value : this.#target;
    switch (remedy) {
      case 'give up':
        this.#quiet();
        this.#source?.close();
        this.#say(problem, false);
        break;
      case 'recover':
        this.#troubledAtMs = performance.now();
        if (++this.#recoveries <= MAX_RECOVERIES) this.#source?.recover();
        else void this.#explain(problem);
        break;
      case 'live':
        this.#open({ kind: 'live' }, at);
        break;
      case 'next':
      case 'oldest':
        void this.#lookFor(remedy, at ?? nowMs());
        break;
      case 'wait':
        this.#later(problem);
        break;
    }
  }

  /** Where there is media, as the server says; and there. */
  async #lookFor(what: 'next' | 'oldest', ms: number): Promise<void> {
    const looking = this.#begin();
    try {
      const token = this.#bounds?.token;
      const toMs = this.#bounds?.toMs ?? nowMs();
      const found =
        what === 'next'
          ? await nextMedia(this.#code, ms, toMs, looking.signal, token)
          : await oldestMedia(this.#code, looking.signal, token);
      if (looking.signal.aborted) return;
      if (found !== undefined) this.#open(placeOf(found, nowMs(), this.#bounds), found);
      else if (this.#bounds) this.#later({ code: 'WINDOW_IN_GAP', message: 'Nothing was recorded in this window.' });
      else this.#open({ kind: 'live' }, undefined);
    } catch (error) {
      if (!looking.signal.aborted) this.#later({ code: 'UNREACHABLE', message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** What cannot be decoded again and again: whether the stream is of a codec that no browser has a decoder for. */
  async #explain(problem: PlayerProblem): Promise<void> {
    const looking = this.#begin();
    const name = await this.#foreign(looking.signal);
    if (looking.signal.aborted) return;
    if (name === undefined) return this.#later(problem);
    this.#source?.close();
    this.#say(codecProblem(name, this.#playlistUrl()), false);
  }

  /** There is sound alone: hls.js leaves out video that it does not know. */
  async #lookForPicture(): Promise<void> {
    const name = await this.#foreign(this.#listening.signal);
    if (name === undefined || this.#listening.signal.aborted) return;
    this.#source?.close();
    this.#say(codecProblem(name, this.#playlistUrl()), false);
  }

  /** Who has a link to a window may not ask what the stream is made of. */
  async #foreign(signal: AbortSignal): Promise<string | undefined> {
    return this.#bounds ? undefined : foreignCodec(this.#code, signal);
  }

  /** For other players. */
  #playlistUrl(): string {
    return new URL(`/${this.#code}/index.m3u8`, location.href).href;
  }

  #say(problem: PlayerProblem, isPassing: boolean): void {
    this.#isPassing = isPassing;
    this.#trouble.value = problem;
    this.#troubledAtMs = performance.now();
  }

  #healed(): void {
    this.#trouble.value = undefined;
    this.#tries = 0;
  }

  /** Tried again, from where it was. */
  #later(problem: PlayerProblem): void {
    this.#say(problem, true);
    this.isWaiting.value = true;
    this.#wait(waitMs(++this.#tries), () => this.#again());
  }

  #again(): void {
    const at = this.isLive.value ? undefined : this.#isSettled ? this.positionMs.value : this.#target;
    this.#open(at === undefined ? { kind: 'live' } : placeOf(at, nowMs(), this.#bounds), at);
  }

  /** hls.js is closed outside of its own events. */
  #soon(what: () => void): void {
    const source = this.#source;
    queueMicrotask(() => {
      if (this.#source === source && !this.#listening.signal.aborted) what();
    });
  }

  #wait(ms: number, what: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(what, ms);
  }

  #begin(): AbortController {
    this.#quiet();
    return (this.#looking = new AbortController());
  }

  /** Nothing that was begun goes on. */
  #quiet(): void {
    clearTimeout(this.#timer);
    this.#looking?.abort();
  }
}
