/** What the dialogs of tokens and webhooks hold, and what is sent of it. Pure. */
import { EVENT_NAMES, type Hook, type HookEdit, type Scope } from '../../api';

/** What each scope opens (docs/guide/access.md), the most wished for first. */
export const SCOPES: readonly (readonly [scope: Scope, means: string])[] = [
  ['playback', 'watch the streams: for players and viewers'],
  ['api', 'see and change the streams: for programs and for this page'],
  ['publish', 'push media to the streams'],
  ['metrics', 'read the metrics, and all that /readyz says'],
  ['admin', 'everything, of all streams'],
];

/** How long a token lasts; days, 0 for ever. */
export const EXPIRIES: readonly (readonly [days: number, words: string])[] = [
  [0, 'Never'],
  [1, 'In a day'],
  [7, 'In 7 days'],
  [30, 'In 30 days'],
  [90, 'In 90 days'],
  [365, 'In a year'],
];

/** When it ends, of days from now; null for never. */
export const expiryOf = (days: number, nowMs: number): string | null =>
  days === 0 ? null : new Date(nowMs + days * 86_400_000).toISOString();

/** Stream codes and patterns, as they are typed: one a line, or with commas or spaces between. */
export const patternsOf = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter((word) => word !== ''))];

/** What is wrong with patterns; undefined when nothing is. */
export function patternsProblem(patterns: readonly string[]): string | undefined {
  const wrong = patterns.find((pattern) => !/^[A-Za-z0-9_/*-]{1,256}$/.test(pattern));
  return wrong === undefined
    ? undefined
    : `“${wrong}” is neither a stream code nor a pattern of one: “*” stands for any run of characters.`;
}

/** Events that a webhook can be sent. */
export const HOOK_EVENTS = EVENT_NAMES.filter((name) => name !== 'reset');

/** The fields of a webhook. */
export interface HookForm {
  readonly id: string;
  readonly url: string;
  readonly allEvents: boolean;
  readonly events: readonly string[];
  readonly streams: string;
  /** Empty: as it is. */
  readonly secret: string;
  readonly dropsSecret: boolean;
}

export const HOOK_FIELDS = ['id', 'url', 'events', 'streams', 'secret'] as const;
export type HookField = (typeof HOOK_FIELDS)[number];

export function hookFormOf(hook?: Hook): HookForm {
  return {
    id: hook?.id ?? '',
    url: hook?.url ?? '',
    allEvents: (hook?.events ?? null) === null,
    events: hook?.events ?? ['recording.failed', 'gap.opened', 'gap.closed'],
    streams: hook?.streams?.join(', ') ?? '',
    secret: '',
    dropsSecret: false,
  };
}

/** @param present - ids that are there */
export function hookProblems(form: HookForm, present: readonly string[], hook?: Hook): Partial<Record<HookField, string>> {
  const found: Partial<Record<HookField, string>> = {};
  const url = form.url.trim();
  const streams = patternsProblem(patternsOf(form.streams));
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(form.id)) found.id = 'A name of 1 to 64 letters, digits, “_” and “-” is needed.';
  else if (hook === undefined && present.includes(form.id)) found.id = `There is a webhook ${form.id} already: choose another name.`;
  if (!/^https?:\/\/[^/]/i.test(url)) found.url = 'An address that begins with http:// or https:// is needed.';
  else if (url.includes('***') && url !== hook?.url) found.url = 'Where *** stands is a secret that is not shown: write the whole address.';
  if (!form.allEvents && form.events.length === 0) found.events = 'Choose one event at least.';
  if (streams !== undefined) found.streams = streams;
  if (form.secret !== '' && form.secret.length < 16) found.secret = 'A secret has 16 characters at least.';
  return found;
}

/** What is sent: PUT replaces all, so what the form does not show goes along as it is. */
export function hookEditOf(form: HookForm, hook?: Hook): HookEdit {
  const streams = patternsOf(form.streams);
  return {
    url: form.url.trim(),
    events: form.allEvents ? null : HOOK_EVENTS.filter((name) => form.events.includes(name)),
    streams: streams.length === 0 ? null : streams,
    ...(form.dropsSecret ? { secret: null } : form.secret === '' ? {} : { secret: form.secret }),
    ...(hook === undefined ? {} : { batch: hook.batch, batch_ms: hook.batch_ms, restricted: hook.restricted }),
  };
}

/** A secret of 24 random bytes, as Standard Webhooks writes them (docs/guide/webhooks.md). */
export const newSecret = (): string => `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(24))))}`;
