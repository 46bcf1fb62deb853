/** One playlist in hls.js, from loading to closing: how hls.js is set up, and which of its events the player (openPlayer.ts) hears of (docs/design/page.md, G7). */
import Hls, { type ErrorData, type HlsConfig, type LevelDetails, type LoadPolicy } from 'hls.js';
import workerUrl from 'hls.js/dist/hls.worker.js?url';
import { credentialHeaders } from '../api';
import { isPassing } from './trouble';
import { secAt, wallAt } from './wallTime';

/** What the player does about it. */
export interface SourceHandlers {
  /** The playlist is there. @returns where playing begins, in media time; undefined to leave this source alone, since another takes its place */
  onOpen(source: Source, details: LevelDetails): number | undefined;
  /** It was read again. */
  onUpdate(details: LevelDetails): void;
  /** A fragment can be played, and it is known exactly where its pictures lie. */
  onFragment(): void;
  /** The video element is taken, and given back: at the beginning, and when hls.js begins the decoder anew. */
  onDetaching(): void;
  onAttached(): void;
  onError(error: ErrorData): void;
}

/** The server does not answer, or cannot: it is asked again for as long as somebody watches. */
function patient(timeoutMs: number): LoadPolicy {
  const retry = { maxNumRetry: 1_000_000, retryDelayMs: 1000, maxRetryDelayMs: 5000 };
  return {
    default: {
      maxTimeToFirstByteMs: 10_000,
      maxLoadTimeMs: timeoutMs,
      timeoutRetry: retry,
      errorRetry: {
        ...retry,
        shouldRetry: (_config, _count, isTimeout, response) => isTimeout || isPassing(response?.code ?? 0),
      },
    },
  };
}

/** Loaded ahead at most; seconds. */
const AHEAD_SEC = 30;

const CONFIG: Partial<HlsConfig> = {
  autoStartLoad: false,
  workerPath: workerUrl,
  // What is held is bounded: a minute back, half a minute to come.
  maxBufferLength: AHEAD_SEC,
  maxMaxBufferLength: 4 * AHEAD_SEC,
  backBufferLength: 60,
  lowLatencyMode: false,
  // Not of ours: no keys, no advertisements.
  enableInterstitialPlayback: false,
  emeEnabled: false,
  // The first try of a playlist is judged by the player.
  manifestLoadPolicy: { default: { maxTimeToFirstByteMs: 10_000, maxLoadTimeMs: 20_000, timeoutRetry: null, errorRetry: null } },
  playlistLoadPolicy: patient(20_000),
  fragLoadPolicy: patient(60_000),
};

/** Whether this browser can play at all. */
export const canPlay = (): boolean => Hls.isSupported();

/** A playlist that is being played. */
export class Source {
  readonly #hls: Hls;
  readonly #origins = new Map<number | 'initSegment', number>();
  #details: LevelDetails | undefined;
  #isOpen = false;

  constructor(video: HTMLVideoElement, url: string, handlers: SourceHandlers) {
    const hls = new Hls({
      ...CONFIG,
      xhrSetup: (xhr) => {
        // What a playlist names lies below the same token.
        for (const [name, value] of Object.entries(credentialHeaders(url))) xhr.setRequestHeader(name, value);
      },
    });
    this.#hls = hls;
    // By now hls.js has taken it in, and waits to be told where to begin. An empty one is an error, which comes next.
    hls.on(Hls.Events.MANIFEST_LOADED, (_name, { levels }) => {
      const details = levels[0]?.details;
      if (details?.fragments.length === 0) return;
      this.#isOpen = true;
      this.#details = details;
      const at = details ? handlers.onOpen(this, details) : -1;
      if (at !== undefined) hls.startLoad(at);
    });
    hls.on(Hls.Events.LEVEL_UPDATED, (_name, { details }) => {
      this.#details = details;
      for (const sn of this.#origins.keys()) if (typeof sn === 'number' && sn < details.startSN) this.#origins.delete(sn);
      if (this.#isOpen) handlers.onUpdate(details);
    });
    hls.on(Hls.Events.FRAG_PARSED, (_name, { frag }) => {
      const video = frag.hasStreams ? frag.elementaryStreams.video : null;
      if (video) this.#origins.set(frag.sn, video.startPTS);
    });
    hls.on(Hls.Events.FRAG_BUFFERED, () => handlers.onFragment());
    hls.on(Hls.Events.MEDIA_DETACHING, () => handlers.onDetaching());
    hls.on(Hls.Events.MEDIA_ATTACHED, () => handlers.onAttached());
    hls.on(Hls.Events.ERROR, (_name, data) => handlers.onError(data));
    hls.attachMedia(video);
    hls.loadSource(url);
  }

  /** As last read. */
  get details(): LevelDetails | undefined {
    return this.#details;
  }

  /** When a frame was; undefined while nothing says. */
  wallAt(sec: number): number | undefined {
    return this.#details && wallAt(this.#details.fragments, this.#origins, sec);
  }

  /** Where a moment lies. */
  secAt(ms: number): number | 'before' | 'after' {
    return this.#details ? secAt(this.#details.fragments, this.#origins, ms) : 'after';
  }

  /** Where one who follows live is to be; media time. */
  get livePosition(): number | undefined {
    return this.#details?.live ? (this.#hls.liveSyncPosition ?? undefined) : undefined;
  }

  /** What is loaded ahead, lasts as long at any speed; up to four times. */
  setRate(rate: number): void {
    this.#hls.config.maxBufferLength = AHEAD_SEC * Math.max(1, rate / 2);
  }

  /** Begins the decoder anew. */
  recover(): void {
    this.#origins.clear();
    this.#hls.recoverMediaError();
  }

  close(): void {
    this.#hls.destroy();
  }
}
