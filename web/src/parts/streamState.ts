/** How a stream does, in a word, a colour and a sentence: the same on the wall, on its page and in the list of what is wrong. */
import type { Stream } from '../api';
import { lengthText, nearText, type Zone } from '../time/format';
import { reasonText } from '../time/reasons';

/** `ok` green, `waiting` amber, `bad` red, `off` grey. */
export type StateTone = 'ok' | 'waiting' | 'bad' | 'off';

/** How a stream does. */
export interface StreamState {
  readonly tone: StateTone;
  /** `Recording`, `No signal`, `Source ended`, `Failed`, `Stopped`, `Archive`. */
  readonly word: string;
  /** `since 03:12:07 (5 min)`, why it failed; empty when there is no more to say. */
  readonly detail: string;
}

/** @param nowMs - UTC milliseconds */
export function streamState({ dvr, status }: Stream, nowMs: number, zone: Zone): StreamState {
  const { recording, error, signal, open_gap: gap, source } = status;
  const since = (from: string): string => {
    const ms = Date.parse(from);
    return `since ${nearText(ms, nowMs, zone)} (${lengthText(nowMs - ms)})`;
  };
  if (!status.configured) return { tone: 'off', word: 'Archive', detail: 'not recorded by this server' };
  if (dvr?.enabled !== true && recording === null) return { tone: 'off', word: 'Stopped', detail: '' };
  if (error !== null) return { tone: 'bad', word: 'Failed', detail: error.message };
  if (recording === null) return { tone: 'waiting', word: 'Starting', detail: '' };
  if (recording.status === 'failed') return { tone: 'bad', word: 'Failed', detail: 'what comes cannot be stored' };
  if (signal === 'present') return { tone: 'ok', word: 'Recording', detail: '' };
  // It is not tried again.
  if (source?.state === 'ended') return { tone: 'bad', word: 'Source ended', detail: source.detail };
  const why = source === null ? 'it has no source' : source.state === 'connected' ? '' : source.detail || `its source is ${source.state}`;
  if (gap !== null && gap.reason !== 'signal') return { tone: 'bad', word: 'Gap', detail: `${reasonText(gap.reason)} ${since(gap.from)}` };
  const from = gap?.from ?? recording.started_at;
  return { tone: 'waiting', word: 'No signal', detail: [since(from), why].filter(Boolean).join(', ') };
}
