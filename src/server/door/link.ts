/** The link that a signed token makes: what a player is given after the server's address. */

/** The path; undefined for a pattern of streams. A window without a beginning is watched live. */
export function linkOf(token: string, stream: string, fromMs: number | undefined, toMs: number | undefined): string | undefined {
  if (stream.includes('*')) return undefined;
  const window = fromMs === undefined ? '' : `?from=${fromMs / 1000}${toMs === undefined ? '' : `&dur=${(toMs - fromMs) / 1000}`}`;
  return `/t/${token}/${stream}/index.m3u8${window}`;
}
