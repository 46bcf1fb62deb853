/**
 * Whether what is asked for lies in the window that a credential opens (docs/design/door.md, D8). Judged before an answer is made where the request says enough, and
 * on what the answer holds where only that tells: the oldest entry of a live playlist, the keyframe before a moment.
 */
import type { Window } from '../../access/index.js';
import type { Playback, PlaylistAnswer, StreamRequest } from '../../playback/index.js';
import { forbidden } from './door.js';

/** The window that a request names; undefined for live, and for what shows all. */
export function askedWindow(asked: StreamRequest): Window | undefined {
  switch (asked.kind) {
    case 'window':
      return { fromMs: asked.fromMs, toMs: asked.durationMs === undefined ? Infinity : asked.fromMs + asked.durationMs };
    case 'export':
      return { fromMs: asked.fromMs, toMs: asked.fromMs + asked.durationMs };
    case 'preview':
      // what lasts no time overlaps with nothing that begins there
      return { fromMs: asked.atMs, toMs: asked.atMs + 1 };
    case 'status':
      return asked.fromMs === undefined || asked.toMs === undefined ? undefined : { fromMs: asked.fromMs, toMs: asked.toMs };
    case 'live':
    case 'delayed':
    case 'archive':
    case 'segment':
    case 'stream':
      return undefined;
  }
}

/** What the window is held against. */
export interface Asked {
  readonly playback: Playback;
  readonly code: string;
  readonly asked: StreamRequest;
  readonly nowMs: number;
}

/**
 * Before the answer is made.
 * @throws LivetapeError FORBIDDEN
 */
export async function checkWindow(window: Window, { playback, code, asked, nowMs }: Asked): Promise<void> {
  switch (asked.kind) {
    case 'window': {
      // one that grows shows all up to now
      const toMs = asked.durationMs === undefined ? nowMs : asked.fromMs + asked.durationMs;
      return within(window, asked.fromMs, toMs);
    }
    case 'export':
      return within(window, asked.fromMs, asked.fromMs + asked.durationMs);
    case 'status':
      return within(window, asked.fromMs ?? -Infinity, asked.toMs ?? Infinity);
    case 'preview':
      return within(window, asked.atMs, asked.atMs);
    case 'live':
    case 'archive':
    case 'stream':
      return within(window, nowMs, nowMs);
    case 'delayed':
      return within(window, nowMs - asked.delayMs, nowMs - asked.delayMs);
    case 'segment': {
      const span = await playback.spanOf(code, asked.name);
      if (span === undefined || !overlaps(window, span)) throw outside();
    }
  }
}

/**
 * When a playlist was planned: its oldest entry is told by how far back it reaches. Windows were judged by what they ask for.
 * @throws LivetapeError FORBIDDEN
 */
export function checkReach(window: Window, { asked, nowMs }: Asked, { reachMs, targetDurationSec }: PlaylistAnswer): void {
  if (asked.kind === 'window') return;
  // its first segment may begin before what it is to hold
  if (nowMs - reachMs + 1000 * targetDurationSec < window.fromMs) throw outside();
}

/**
 * When a keyframe was found: the one before a moment can lie far before it, across a gap.
 * @throws LivetapeError FORBIDDEN
 */
export async function checkKeyframe(window: Window, { playback, code }: Asked, wallMs: number): Promise<void> {
  const timeline = await playback.timelines.timeline(code);
  const sequence = await timeline.at(wallMs);
  if (sequence >= timeline.endSequence) throw outside();
  const entry = await timeline.entry(sequence);
  if (!overlaps(window, { fromMs: entry.wallMs, toMs: entry.wallMs + entry.durationUs / 1000 })) throw outside();
}

function within(window: Window, fromMs: number, toMs: number): void {
  if (!(fromMs >= window.fromMs && toMs <= window.toMs)) throw outside();
}

function overlaps(window: Window, span: Window): boolean {
  return span.toMs > window.fromMs && span.fromMs < window.toMs;
}

const outside = (): Error => forbidden('the credential is for another window');
