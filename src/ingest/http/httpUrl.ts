/** HTTP URLs: of the source, and of what it redirects to. */
import { decode, invalid } from '../sourceUrl.js';

/** A request to be made. */
export interface HttpTarget {
  /** Without user info and fragment. */
  readonly url: URL;
  /** The Authorization header, when the URL has user info. */
  readonly authorization: string | undefined;
}

/**
 * Reads an `http://` or `https://` URL; user info becomes Basic authentication (RFC 7617).
 * @throws LivetapeError SOURCE_INVALID
 */
export function parseHttpUrl(text: string): HttpTarget {
  if (!URL.canParse(text)) throw invalid(text, 'it is not a URL');
  const url = new URL(text);
  const user = decode(text, url.username);
  const password = decode(text, url.password);
  url.username = '';
  url.password = '';
  url.hash = '';
  const authorization = user === '' && password === '' ? undefined : `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return { url, authorization };
}

/** Where `location` leads from `from`; undefined when that is no HTTP URL. Credentials stay with the origin they were given for. */
export function redirectTarget(from: HttpTarget, location: string): HttpTarget | undefined {
  if (!URL.canParse(location, from.url.href)) return undefined;
  const url = new URL(location, from.url.href);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return undefined;
  const target = parseHttpUrl(url.href);
  const kept = target.url.origin === from.url.origin ? from.authorization : undefined;
  return { url: target.url, authorization: target.authorization ?? kept };
}
