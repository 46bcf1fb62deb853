/**
 * Source URLs (docs/guide/sources.md): their common parts, and what of them may be shown. They are taken apart as text, since
 * `udp://@:5000` is no URL to the WHATWG parser and the query of an HTTP source must reach its server unchanged.
 */
import { isIP } from 'node:net';
import { LivetapeError } from '../base/index.js';

/** A source URL without what is the recorder's business, and that. */
export interface SourceOptions {
  /** What the protocol is to see. */
  readonly url: string;
  /** `program=`: the one to record, or all; undefined when the URL does not say. */
  readonly program: number | 'all' | undefined;
}

/**
 * Takes `program=` out of a source URL.
 * @throws LivetapeError SOURCE_INVALID when it is neither `all` nor a program_number (ISO/IEC 13818-1, 2.4.4.5: 0 is not a program)
 */
export function sourceOptions(url: string): SourceOptions {
  const { base, query } = splitQuery(url);
  if (query === undefined) return { url, program: undefined };
  let program: number | 'all' | undefined;
  const rest = query.split('&').filter((pair) => {
    if (!pair.startsWith('program=')) return true;
    const value = pair.slice('program='.length);
    if (program !== undefined) throw invalid(url, 'program is given twice');
    program = value === 'all' ? value : /^\d{1,5}$/.test(value) ? Number(value) : 0;
    if (program !== 'all' && (program < 1 || program > 0xffff)) throw invalid(url, 'program is neither "all" nor a number from 1 to 65535');
    return false;
  });
  return { url: rest.length > 0 ? `${base}?${rest.join('&')}` : program === undefined ? url : base, program };
}

/** A URL's text before the first `?`, and after it. */
export function splitQuery(url: string): { base: string; query: string | undefined } {
  const at = url.indexOf('?');
  return at < 0 ? { base: url, query: undefined } : { base: url.slice(0, at), query: url.slice(at + 1) };
}

/**
 * The options in a query, decoded.
 * @throws LivetapeError SOURCE_INVALID for one that is not in `known`, or is given twice
 */
export function parseOptions(url: string, known: readonly string[]): Map<string, string> {
  const options = new Map<string, string>();
  for (const pair of (splitQuery(url).query ?? '').split('&')) {
    if (pair === '') continue;
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    if (!known.includes(name)) {
      throw invalid(url, `there is no option "${name}"${known.length > 0 ? ` (there is ${known.join(', ')})` : ''}`);
    }
    if (options.has(name)) throw invalid(url, `${name} is given twice`);
    options.set(name, decode(url, value));
  }
  return options;
}

/** Host and port of `scheme://[user@]host:port`; the host without brackets. */
export interface Address {
  readonly user: string | undefined;
  /** A name, an IPv4 address, or an IPv6 address (with its `%scope`, if given); may be empty. */
  readonly host: string;
  readonly port: number;
}

/**
 * @throws LivetapeError SOURCE_INVALID, saying what is wrong
 */
export function parseAddress(url: string): Address {
  const match = /^[a-z]+:\/\/(?:([^@/?#]*)@)?(\[[^\]]*\]|[^:/?#[\]]*)(?::([^/?#]*))?\/?(?:[?#].*)?$/is.exec(url);
  if (!match) throw invalid(url, 'it is not of the form scheme://host:port');
  const [, user, hostText = '', portText] = match;
  if (portText === undefined || portText === '') throw invalid(url, 'it has no port');
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65535) throw invalid(url, `${quoted(url, portText)} is not a port`);
  const host = hostText.startsWith('[') ? decode(url, hostText.slice(1, -1)) : hostText;
  if (hostText.startsWith('[') && isIP(host) !== 6) throw invalid(url, `${quoted(url, host)} is not an IPv6 address`);
  // what looks like an IPv4 address and is none would be looked up as a name for ever
  if (/^[\d.]+$/.test(host) && isIP(host) !== 4) throw invalid(url, `"${host}" is not an IPv4 address`);
  if (host !== '' && isIP(host) === 0 && !/^[a-z0-9_.-]+$/i.test(host)) throw invalid(url, `${quoted(url, host)} is not a host`);
  return { user, host, port };
}

/** A part of a URL for people; where there is user info it may be a part of that (`tcp://me:word#1@host:1`). */
function quoted(url: string, part: string): string {
  return url.includes('@', 8) ? 'what stands there' : `"${part}"`;
}

/** Percent-decoding. */
export function decode(url: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new LivetapeError('SOURCE_INVALID', `source ${redactUrl(url)}: a % that is not one of percent-encoding (write it %25)`, {
      cause,
    });
  }
}

/** What is wrong with a source URL; the message does not hold its secrets. */
export function invalid(url: string, why: string): LivetapeError {
  return new LivetapeError('SOURCE_INVALID', `source ${redactUrl(url)}: ${why}`, { context: { source: redactUrl(url) } });
}

/** Names of query parameters that hold secrets, in whole or in part. */
const SECRET_NAMES =
  /token|secret|pass|pwd|auth|sign?$|signature|key|session|jwt|hmac|hash|credential|cred$|user|login|policy|streamid|md5/i;
const HIDDEN = '***';

/**
 * A source URL as it may be logged and shown: without user info, values of query parameters that may be secrets, tokens in paths
 * (`/t/TOKEN/…`, and the `/live/USER/PASSWORD/…` of IPTV panels) and the fragment. Works on what is no URL, too.
 */
export function redactUrl(url: string): string {
  const { base, query } = splitQuery(hideUserInfo(url));
  const path = base.replace(/#.*$/s, '').replace(/^([a-z]+:\/\/[^/]*)?(.*)$/is, (_all, authority: string | undefined, rest: string) => {
    if (authority === undefined) return rest;
    const shown = rest.replace(/^\/t\/[^/]+/, `/t/${HIDDEN}`).replace(/^\/(live|movie|series)\/[^/]+\/[^/]+\//, `/$1/${HIDDEN}/${HIDDEN}/`);
    return authority + shown;
  });
  if (query === undefined) return path;
  const pairs = query.replace(/#.*$/s, '').split('&');
  const shown = pairs.map((pair) => {
    const [name = '', value] = pair.split(/=(.*)/s);
    return value !== undefined && SECRET_NAMES.test(safeDecode(name)) ? `${name}=${HIDDEN}` : pair;
  });
  return `${path}?${shown.join('&')}`;
}

/** User info ends at the last `@` before the path; where the URL is broken (a `/` in a password), at the last `@` there is. */
function hideUserInfo(url: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)?.[0];
  if (scheme === undefined || scheme.toLowerCase() === 'file://') return url;
  const rest = url.slice(scheme.length);
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? '';
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const sound = /^(\[[^\]]*\]|[^:&=%]*)(:\d+)?$/.test(host) && (host !== '' || authority.length <= 1);
  const at = sound ? authority.lastIndexOf('@') : rest.lastIndexOf('@');
  return at > 0 ? `${scheme}${HIDDEN}@${rest.slice(at + 1)}` : url;
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // shown as it is; only the name of the parameter is looked at
  }
}
