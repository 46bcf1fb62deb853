/**
 * `http://` and `https://`: a transport stream as the endless body of a GET. Redirects are followed; whatever ends the body or is not a
 * transport stream is tried again with backoff, since an origin that is restarting answers with all sorts of pages.
 */
import type { Timer } from '../../base/index.js';
import { Gate, reasonOf } from '../gate.js';
import { Reconnect } from '../reconnect.js';
import { SilenceTimer } from '../silence.js';
import type { OpenOptions, Source, SourceSink, SourceStats } from '../source.js';
import { redactUrl } from '../sourceUrl.js';
import { BodyStart, type BodyKind } from './bodyKind.js';
import { HttpRequest, type RequestEvents } from './httpRequest.js';
import { parseHttpUrl, redirectTarget, type HttpTarget } from './httpUrl.js';

const MAX_REDIRECTS = 5;
const CONNECT_TIMEOUT_MS = 10_000;
/** Silence after which a connection is given up, before the answer and within it. */
const IDLE_TIMEOUT_MS = 30_000;

/**
 * Opens an `http://` or `https://` source.
 * @throws LivetapeError SOURCE_INVALID
 */
export function openHttp(url: string, options: OpenOptions): Source {
  return new HttpSource(url, parseHttpUrl(url), options);
}

class HttpSource implements Source {
  readonly url: string;
  readonly #target: HttpTarget;
  readonly #options: OpenOptions;
  readonly #gate = new Gate();
  readonly #reconnect: Reconnect;
  readonly #idle: SilenceTimer;
  #request: HttpRequest | undefined;
  #connectTimer: Timer | undefined;
  /** Connections that are being let go of. */
  readonly #leaving = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(url: string, target: HttpTarget, options: OpenOptions) {
    this.url = redactUrl(url);
    this.#target = target;
    this.#options = options;
    this.#reconnect = new Reconnect(options.clock, () => this.#get(this.#target, 0));
    this.#idle = new SilenceTimer(options.clock, IDLE_TIMEOUT_MS, () => this.#silent());
  }

  get stats(): SourceStats {
    return this.#gate.stats;
  }

  start(sink: SourceSink): void {
    if (this.#gate.start(sink)) this.#get(this.#target, 0);
  }

  close(): Promise<void> {
    this.#gate.close();
    this.#reconnect.stop();
    this.#leave();
    this.#closing ??= Promise.all(this.#leaving).then(() => undefined);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #get(target: HttpTarget, redirects: number): void {
    let start: BodyStart | undefined = new BodyStart();
    let what = 'HTTP';
    this.#idle.start();
    this.#connectTimer = this.#options.clock.after(CONNECT_TIMEOUT_MS, () =>
      this.#lost(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`),
    );
    const begin = (kind: BodyKind, bytes: Uint8Array): boolean => {
      if (kind === 'undecided') return false;
      start = undefined;
      if (kind === 'hls') this.#end('HLS sources come later');
      else if (kind === 'other') this.#lost(`${what} is not a transport stream`);
      else {
        this.#gate.connected(`${what} from ${target.url.host}`);
        this.#take(bytes);
      }
      return true;
    };
    const events: RequestEvents = {
      connected: () => this.#connectTimer?.cancel(),
      responded: (status, headers) => {
        this.#idle.touch();
        const location = oneOf(headers['location']);
        if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) this.#redirect(target, location, redirects);
        else if (status > 299) this.#lost(`HTTP ${status}`);
        else what = `HTTP ${status} ${oneOf(headers['content-type']) ?? 'without a content type'}`;
      },
      body: (chunk) => {
        this.#idle.touch();
        if (start) begin(start.push(chunk), start.bytes);
        else this.#take(chunk);
      },
      finished: () => {
        if (start) begin(start.end(), start.bytes);
        if (this.#request) this.#lost('the server ended the stream');
      },
      failed: (error) => this.#failed(error),
    };
    this.#request = new HttpRequest(target, events, this.#options.guard);
  }

  #failed(error: Error): void {
    this.#leave();
    if (!this.#gate.refused(error)) this.#lost(reasonOf(error));
  }

  #take(bytes: Uint8Array): void {
    this.#reconnect.flowing();
    this.#gate.data(bytes);
    if (this.#request) this.#gate.holdBack(this.#request, () => this.#idle.touch());
  }

  #redirect(from: HttpTarget, location: string, redirects: number): void {
    const to = redirectTarget(from, location);
    if (!to) this.#lost(`redirected to ${redactUrl(location)}, which is not HTTP`);
    else if (redirects === MAX_REDIRECTS) this.#lost(`more than ${MAX_REDIRECTS} redirects`);
    else {
      this.#leave();
      this.#get(to, redirects + 1);
    }
  }

  #silent(): void {
    // it is we who do not read: the silence is ours
    if (this.#gate.isHeld) this.#idle.start();
    else this.#lost(`nothing received for ${IDLE_TIMEOUT_MS / 1000} s`);
  }

  #lost(reason: string): void {
    this.#leave();
    if (!this.#gate.isOpen) return;
    const retryMs = this.#reconnect.retry();
    this.#options.log.info({ source: this.url, reason, retryMs: Math.round(retryMs) }, 'connection lost; trying again');
    this.#gate.lost(reason);
  }

  #end(reason: string): void {
    this.#leave();
    this.#gate.failed('SOURCE_UNSUPPORTED', reason);
  }

  /** Lets go of the connection; nothing more is heard of it. */
  #leave(): void {
    this.#idle.stop();
    this.#connectTimer?.cancel();
    const request = this.#request;
    if (!request) return;
    this.#request = undefined;
    const gone = request.destroy().finally(() => this.#leaving.delete(gone));
    this.#leaving.add(gone);
  }
}

function oneOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
