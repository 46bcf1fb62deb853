/** What a credential opens (docs/design/door.md, D5): scopes, streams, a window. Plain values, and the judgement over them. */

/** What a token may be for: `admin` all; `api` control of its streams; `publish` pushing to them; `playback` watching them; `metrics` /metrics and the whole of /readyz. */
export const SCOPES = ['admin', 'api', 'publish', 'playback', 'metrics'] as const;
/** One of {@link SCOPES}. */
export type Scope = (typeof SCOPES)[number];

/** A span of media; UTC milliseconds. Infinite where it has no end. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What whoever sent a request may do. */
export interface Grant {
  /** `local`: auth is off. `anonymous`: no credential. */
  readonly kind: 'local' | 'anonymous' | 'token' | 'signed' | 'authorizer';
  /** For logs and the audit: a token's id, a key's id. Never a secret. */
  readonly id: string;
  /** For people: a token's name. */
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Stream codes, or patterns of them. */
  readonly streams: readonly string[];
  /** All that it may see of a stream; undefined for everything. */
  readonly window: Window | undefined;
  /** UTC milliseconds; Infinity where it does not end by itself. */
  readonly expiresMs: number;
}

/** Where auth is off: everything. */
export const LOCAL: Grant = {
  kind: 'local',
  id: '',
  name: 'local',
  scopes: new Set(SCOPES),
  streams: ['*'],
  window: undefined,
  expiresMs: Infinity,
};

/** Without a credential: nothing. */
export const ANONYMOUS: Grant = {
  kind: 'anonymous',
  id: '',
  name: 'anonymous',
  scopes: new Set(),
  streams: [],
  window: undefined,
  expiresMs: Infinity,
};

/** Whether the grant has a scope; `admin` has all. */
export function hasScope(grant: Grant, scope: Scope): boolean {
  return grant.scopes.has('admin') || grant.scopes.has(scope);
}

/** Whether a stream is among the grant's. An admin's are all. */
export function opensStream(grant: Grant, code: string): boolean {
  return grant.scopes.has('admin') || matchesAny(grant.streams, code);
}

/** Whether one of the patterns names the code: letter by letter, `*` standing for any run of characters, `/` too. */
export function matchesAny(patterns: readonly string[], code: string): boolean {
  return patterns.some((pattern) => matches(pattern, code));
}

/** Whether all that `pattern` names is named by one of `patterns`: judged on the safe side. */
export function coversPattern(patterns: readonly string[], pattern: string): boolean {
  return patterns.some(
    (own) => own === '*' || own === pattern || (!pattern.includes('*') && matches(own, pattern)) || prefixCovers(own, pattern),
  );
}

/** `sport/*` covers `sport/f1*`. */
function prefixCovers(own: string, pattern: string): boolean {
  return own.endsWith('*') && !own.slice(0, -1).includes('*') && (pattern.split('*')[0] ?? '').startsWith(own.slice(0, -1));
}

/** Without backtracking: each part is looked for after the one before it. */
function matches(pattern: string, code: string): boolean {
  const parts = pattern.split('*');
  const [first = '', last = ''] = [parts[0], parts.at(-1)];
  if (parts.length === 1) return pattern === code;
  if (!code.startsWith(first) || !code.endsWith(last) || code.length < first.length + last.length) return false;
  let at = first.length;
  const end = code.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = code.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
