/** What answers say to caches, and how a client's copy is told to be still good (docs/design/server.md, H3). */

/** Playlists and facts that change with every segment. */
export const CHANGES = 'max-age=1';
/** Windows that are past: retention may take them. */
export const PAST = 'max-age=60';
/** Segments: a number is never used again. */
export const NEVER_CHANGES = 'max-age=31536000, immutable';

/**
 * What an answer says to caches that others share: one to a request whose URL itself opens it, or whose sender was looked at (an address), is for nobody else. Of what a
 * header opened they keep away by themselves (RFC 9111, 3.5), and a CDN that is set up to fetch so may keep it.
 */
export function cacheControl(text: string, isPrivate: boolean): string {
  return isPrivate ? `private, ${text}` : text;
}

/** A weak entity tag: the same text, however it is coded (RFC 9110, 8.8.1), so it is known before any coding is chosen. */
export function weakTag(version: string): string {
  return `W/"${version}"`;
}

/** A strong entity tag: the same bytes. */
export function strongTag(version: string): string {
  return `"${version}"`;
}

/** Whether If-None-Match names the tag: weak comparison (RFC 9110, 13.1.2). */
export function isKnown(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  const opaque = tag.replace(/^W\//, '');
  return (ifNoneMatch.match(/"[^"]*"/g) ?? []).some((known) => known === opaque);
}
