/** Which protocol a source URL means. A new one is a folder beside this file and a line here. */
import { LivetapeError } from '../base/index.js';
import { openFile } from './file/index.js';
import { openHttp } from './http/index.js';
import type { OpenOptions, Source } from './source.js';
import { invalid, redactUrl, sourceOptions, splitQuery } from './sourceUrl.js';
import { openStdin } from './stdin/index.js';
import { openTcp } from './tcp/index.js';
import { openUdp } from './udp/index.js';

const PROTOCOLS: ReadonlyMap<string, (url: string, options: OpenOptions) => Source> = new Map([
  ['udp', openUdp],
  ['rtp', openUdp], // told apart by content
  ['tcp', openTcp],
  ['http', openHttp],
  ['https', openHttp],
  ['file', openFile],
  ['-', openStdin],
]);

/** Promised, and still to come. */
const NOT_YET = new Set(['srt', 'rtmp', 'rtsp', 'publish']);

/**
 * Makes the source that a URL names; nothing is opened before `start`. `program=` is left to the recorder ({@link sourceOptions}).
 * @throws LivetapeError SOURCE_INVALID, saying what is wrong with the URL; SOURCE_UNSUPPORTED for a protocol that is not known; with a guard SOURCE_REFUSED for
 * what is on this machine
 */
export function openSource(url: string, options: OpenOptions): Source {
  const seen = sourceOptions(url.trim()).url;
  const scheme = schemeOf(seen);
  if (scheme === undefined)
    throw invalid(url, 'it has no protocol; a source is udp://…, tcp://…, http://…, file:PATH, or - for standard input');
  const open = PROTOCOLS.get(scheme);
  if (open !== undefined && options.guard !== undefined && LOCAL.has(scheme ?? '')) {
    throw new LivetapeError('SOURCE_REFUSED', `source ${redactUrl(url)}: files and standard input are not opened for others than an admin`);
  }
  if (open) return open(seen, options);
  const why = NOT_YET.has(scheme) ? `${scheme} is not supported yet` : `there is no protocol "${scheme}"`;
  throw new LivetapeError('SOURCE_UNSUPPORTED', `source ${redactUrl(url)}: ${why}`, { context: { source: redactUrl(url) } });
}

/** Whether a source is opened on this machine, whoever asks: a file, or standard input (docs/design/door.md, E3). */
export function isLocalSource(url: string): boolean {
  return LOCAL.has(schemeOf(url.trim()) ?? '');
}

const LOCAL = new Set(['file', '-']);

function schemeOf(url: string): string | undefined {
  return splitQuery(url).base === '-' ? '-' : /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase();
}
