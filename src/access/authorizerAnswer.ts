/** What an authoriser's answer says (docs/design/door.md, D9): how long it holds, and the window that it opens. What is not understood opens nothing and lasts no longer. */
import { z } from 'zod';
import type { Window } from './grant.js';

/** No answer holds longer; seconds. */
const MAX_AGE_SEC = 3600;

/**
 * Seconds that an answer holds by its Cache-Control; 0 for the request alone. A directive that is said twice or in quotes counts for nothing: a part of what is
 * quoted might be taken for one.
 */
export function maxAgeOf(header: string | readonly string[] | undefined): number {
  const text = (typeof header === 'string' ? [header] : (header ?? [])).join(',');
  if (text.includes('"')) return 0;
  const directives = text.split(',').map((directive) => directive.trim().toLowerCase());
  if (directives.some((directive) => /^no-(store|cache)\b/.test(directive))) return 0;
  const ages = directives.filter((directive) => /^max-age\b/.test(directive));
  const [, seconds = '0'] = (ages.length === 1 && /^max-age=(\d{1,10})$/.exec(ages[0] ?? '')) || [];
  return Math.min(Number(seconds), MAX_AGE_SEC);
}

/** Seconds since 1970; null is as good as not said. */
const secondsSchema = z.number().min(0).max(1e11).nullish();
const answerSchema = z.object({ from: secondsSchema, to: secondsSchema });

/** What the body of an answer that allows says: a window, or nothing of one (undefined). */
export type SaidWindow = { readonly window: Window | undefined };

/** Reads the body of an answer that allows; undefined when it is neither empty nor a JSON object with a window that can be. */
export function windowSaid(text: string): SaidWindow | undefined {
  if (text.trim() === '') return { window: undefined };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = answerSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const from = parsed.data.from ?? undefined;
  const to = parsed.data.to ?? undefined;
  if (from === undefined && to === undefined) return { window: undefined };
  const window = {
    fromMs: from === undefined ? -Infinity : Math.round(from * 1000),
    toMs: to === undefined ? Infinity : Math.round(to * 1000),
  };
  return window.fromMs < window.toMs ? { window } : undefined;
}
