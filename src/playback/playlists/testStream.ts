/** A stream that is played through its life for tests of playlists: it grows, is lost, stops, starts again, is pruned; and somebody who watches a URL of it. */
import { PlaylistChecker, type Violation } from '../../../test/playlistChecker.js';
import { isLivetapeError, type ErrorCode } from '../../base/index.js';
import type { GapReason } from '../../model/index.js';
import type { PlaylistLimits, PlaylistRequest, Timeline, TimelineEntry } from '../contract.js';
import { START_MS, entryAt, timelineOver } from '../testTimeline.js';
import { answerPlaylist } from './answer.js';
import { readStreamRequest } from './request.js';

/** 30 s live, a day at most. */
export const LIMITS: PlaylistLimits = { liveWindowMs: 30_000, maxWindowMs: 86_400_000 };

/** The stream and the time. */
export class TestStream {
  nowMs = START_MS;
  life = 1;
  target: number;
  readonly entries: TimelineEntry[] = [];
  readonly retention: boolean;
  #first = 0;
  #ended = false;
  /** Exact, as date-times are cut to milliseconds. */
  #endUs = START_MS * 1000;
  #lost: GapReason | undefined;

  constructor({ retention = false, target = 6 } = {}) {
    this.retention = retention;
    this.target = target;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get endMs(): number {
    return this.#endUs / 1000;
  }

  /** What is kept, oldest first. */
  get kept(): readonly TimelineEntry[] {
    return this.entries.slice(this.#first);
  }

  /** A segment is committed a moment after its end. */
  segment(durationUs = 4_000_000): void {
    const wallMs = Math.floor(this.#endUs / 1000);
    const last = this.entries.at(-1);
    const lastEndMs = last === undefined ? 0 : Math.floor(last.wallMs + last.durationUs / 1000);
    const discontinuity = this.#lost !== undefined;
    this.entries.push(
      entryAt(0, {
        mediaSequence: this.entries.length,
        discontinuitySequence: (last?.discontinuitySequence ?? 0) + (discontinuity ? 1 : 0),
        discontinuity,
        wallMs,
        durationUs,
        uri: `${String(this.entries.length).padStart(6, '0')}.ts`,
        gap: this.#lost === undefined || last === undefined ? undefined : { fromMs: lastEndMs, toMs: wallMs, reason: this.#lost },
      }),
    );
    this.#endUs += durationUs;
    this.#lost = undefined;
    this.nowMs = Math.max(this.nowMs, Math.ceil(this.#endUs / 1000) + 20);
  }

  /** Nothing comes for so long; what comes then has a gap before it. */
  lose(ms: number, reason: GapReason = 'signal'): void {
    this.nowMs += ms;
    this.#endUs = this.nowMs * 1000;
    if (this.entries.length > 0) this.#lost = reason;
  }

  stop(): void {
    this.#ended = true;
  }

  /** A new life with its first segment. */
  start(pauseMs: number, target = this.target): void {
    this.lose(pauseMs, 'restart');
    this.#ended = false;
    this.life += 1;
    this.target = target;
    this.segment();
  }

  /** What ended earlier than this goes, but the newest that last three target durations (RFC 8216, 6.2.2). */
  prune(keepMs: number): void {
    if (!this.retention) throw new Error('this stream keeps everything');
    let [sumUs, stays] = [0, this.entries.length];
    while (stays > this.#first && sumUs < 3e6 * this.target) sumUs += this.entries[--stays]!.durationUs;
    const oldest = this.entries.findIndex((entry, at) => at >= this.#first && entry.wallMs + entry.durationUs / 1000 > this.nowMs - keepMs);
    const first = Math.min(stays, oldest < 0 ? stays : oldest);
    if (first > this.#first && this.#ended) this.life += 1;
    this.#first = Math.max(this.#first, first);
  }

  timeline(): Timeline {
    const end = this.entries.length;
    return timelineOver(this.entries, this.#first, end, {
      version: `${this.life}.${this.#first}.${end}.${this.#ended}`,
      targetDurationSec: this.target,
      type: this.#ended ? 'VOD' : this.retention ? undefined : 'EVENT',
      ended: this.#ended,
      pruned: this.#first > 0,
    });
  }
}

/** An answer as it arrived. */
export interface Seen {
  readonly text: string;
  readonly uris: readonly string[];
  readonly violations: readonly Violation[];
  readonly version: string;
  readonly age: 'live' | 'past';
  readonly reachMs: number;
}

/** The request that a URL makes of a stream. */
export function requestOf(url: string, nowMs: number): PlaylistRequest {
  const [name = '', query] = url.split('?');
  const request = readStreamRequest(name, new URLSearchParams(query), nowMs);
  if (request?.kind !== 'live' && request?.kind !== 'delayed' && request?.kind !== 'window' && request?.kind !== 'archive') {
    throw new Error(`${url} is no playlist`);
  }
  return request;
}

/** What the URL is answered with, or the code of the error. */
export async function ask(stream: TestStream, url: string, limits = LIMITS): Promise<Omit<Seen, 'violations'> | ErrorCode> {
  try {
    const answer = await answerPlaylist(stream.timeline(), requestOf(url, stream.nowMs), { nowMs: stream.nowMs, limits });
    let text = '';
    for await (const chunk of answer.body()) text += new TextDecoder().decode(chunk);
    const uris = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return { text, uris, version: answer.version, age: answer.age, reachMs: answer.reachMs };
  } catch (error) {
    if (isLivetapeError(error)) return error.code;
    throw error;
  }
}

/** A client that reloads a URL: it begins anew where it is told of an end or an error; it asks for what is new alone when it may. */
export class Viewer {
  #checker = new PlaylistChecker();
  #lastMs = -Infinity;
  #last: { version: string; text: string } | undefined;
  #target = 0;

  constructor(readonly url: string) {}

  async poll(stream: TestStream, judgePace = false): Promise<Seen | ErrorCode> {
    // A longer target may make a live playlist reach further back, once.
    if (stream.target !== this.#target) this.#anew();
    this.#target = stream.target;
    // A client that reloads a window is told of its end within the minute in which its header stays as it was (P7).
    if (requestOf(this.url, stream.nowMs).kind === 'window' && stream.nowMs - this.#lastMs > 60_000) this.#anew();
    // No older than half the skip boundary (rfc8216bis, 6.2.5.1).
    const recent = stream.nowMs - this.#lastMs <= stream.target * 3000;
    const answer = await ask(stream, recent ? this.url : this.url.replace('_HLS_skip=YES', ''));
    if (typeof answer === 'string') {
      this.#anew();
      return answer;
    }
    const violations = this.#checker.see(answer.text, judgePace ? stream.nowMs : undefined, stream.life);
    if (this.#last && (this.#last.version === answer.version) !== (this.#last.text === answer.text)) {
      const message = `version ${this.#last.version} was\n${this.#last.text}\nand ${answer.version} is\n${answer.text}`;
      violations.push({ clause: 'version', message });
    }
    this.#last = answer;
    this.#lastMs = stream.nowMs;
    if (answer.text.endsWith('#EXT-X-ENDLIST\n')) this.#anew();
    return { ...answer, violations };
  }

  #anew(): void {
    this.#checker = new PlaylistChecker();
    this.#lastMs = -Infinity;
  }
}
