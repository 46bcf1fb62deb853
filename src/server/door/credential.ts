/**
 * Where a credential comes in a request (docs/design/door.md, D4): a path prefix `/t/{token}/…`, which is taken off before anything is routed; a bearer header; `?token=`.
 * The first of them that is there counts.
 */
import type { IncomingMessage } from 'node:http';

/** Characters of tokens that can stand in a path as they are (RFC 3986, 2.3), as many as a URL may hold. */
const IN_PATH = /^\/t\/([A-Za-z0-9_.~-]{1,8192})(\/[^]*)$/;
const PATH_TOKEN = /^[A-Za-z0-9_.~-]+$/;
const BEARER = /^Bearer +([^\s,]+) *$/i;

/** A credential, and where it stood. */
export interface Credential {
  readonly text: string;
  readonly from: 'path' | 'header' | 'query';
}

/** What was taken off the path of a request. */
const taken = new WeakMap<IncomingMessage, string>();

/** What a proxy is sent, and every server has to take (RFC 9112, 3.2.2): the whole address. */
const ABSOLUTE = /^https?:\/\/[^/?#]*/i;

/** The URL that is routed: a path, without the prefix, whose token is remembered. For Fastify's `rewriteUrl`. */
export function takeFromPath(request: IncomingMessage): string {
  const url = (request.url ?? '/').replace(ABSOLUTE, '').replace(/^(?=\?|$)/, '/');
  const [, token, rest] = IN_PATH.exec(url) ?? [];
  if (token === undefined || rest === undefined) return url;
  taken.set(request, token);
  return rest;
}

/** The credential of a request; undefined where there is none. */
export function credentialOf(request: IncomingMessage): Credential | undefined {
  const inPath = taken.get(request);
  if (inPath !== undefined) return { text: inPath, from: 'path' };
  const [, bearer] = BEARER.exec(request.headers.authorization ?? '') ?? [];
  if (bearer !== undefined) return { text: bearer, from: 'header' };
  const inQuery = queryOf(request.url ?? '').get('token');
  return inQuery === null || inQuery === '' ? undefined : { text: inQuery, from: 'query' };
}

/** Whether a token can be a path's prefix as it stands. */
export function fitsPath(token: string): boolean {
  return PATH_TOKEN.test(token);
}

/** The same URL with a token of its query as its path's prefix, where relative URIs inherit it. */
export function withTokenInPath(url: string, token: string): string {
  const [path = ''] = url.split('?', 1);
  // As it was written, so that nothing is coded anew that a stream's time may hold.
  const rest = url
    .slice(path.length + 1)
    .split('&')
    .filter((pair) => !/^token(=|$)/.test(pair));
  const query = rest.join('&');
  return `/t/${token}${path}${query === '' ? '' : `?${query}`}`;
}

function queryOf(url: string): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
}
