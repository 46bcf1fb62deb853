/** What a `file:` URL says: `file:PATH[?loop=1][&pace=0]`, the path relative or absolute and percent-encoded where it holds `?` or `%`. */
import { decode, invalid, parseOptions, splitQuery } from '../sourceUrl.js';

/** A file to be played. */
export interface FileTarget {
  /** Relative to the working directory, or absolute. */
  readonly path: string;
  /** Begin again at the end, for ever. */
  readonly loop: boolean;
  /** In real time by its own time stamps; else as fast as the sink takes it. */
  readonly pace: boolean;
}

/**
 * Reads a `file:` URL. `file:///abs` and `file://localhost/abs` name an absolute path too.
 * @throws LivetapeError SOURCE_INVALID
 */
export function parseFileUrl(url: string): FileTarget {
  const rest = splitQuery(url).base.slice('file:'.length);
  let encoded = rest;
  if (rest.startsWith('//')) {
    const match = /^\/\/(?:localhost)?(\/.*)$/is.exec(rest);
    if (!match) throw invalid(url, 'it names a file on another machine (an absolute path is file:///PATH)');
    encoded = match[1] ?? '';
  }
  const path = decode(url, encoded);
  if (path === '') throw invalid(url, 'it has no path');
  if (path.includes('\0')) throw invalid(url, 'the path holds a zero byte');
  const options = parseOptions(url, ['loop', 'pace']);
  const flag = (name: string, otherwise: boolean): boolean => {
    const value = options.get(name);
    if (value === undefined) return otherwise;
    if (value !== '0' && value !== '1') throw invalid(url, `${name} is neither 0 nor 1`);
    return value === '1';
  };
  return { path, loop: flag('loop', false), pace: flag('pace', true) };
}
