/**
 * Another program that says who may watch, asked by HTTP (docs/design/door.md, D9). Whatever goes wrong opens nothing. What it answered is kept as long as it
 * says, for the same stream, address, token and agent; the same question is asked once at a time.
 */
import { createHash } from 'node:crypto';
import { Agent, request } from 'undici';
import { LivetapeError, type Clock, type Closable, type Logger } from '../base/index.js';
import { maxAgeOf, windowSaid } from './authorizerAnswer.js';
import type { Authorizer, AuthorizerQuestion } from './contract.js';
import type { Grant, Window } from './grant.js';
import { LruMap } from './lru.js';

/** Bytes of an answer's body. */
const MAX_BODY_BYTES = 64 * 1024;
/** Viewers whose grants are kept, and grants of one of them. */
const MAX_VIEWERS = 100_000;
const MAX_GRANTS_EACH = 8;
/** Refusals that are kept: fewer, since anybody can make them. */
const MAX_REFUSALS = 10_000;
/** Questions at a time, and connections to ask them on; beyond it a question fails at once. */
const MAX_WAITING = 1000;
const MAX_CONNECTIONS = 64;
/** A connection that is idle for longer, and whose server says nothing of it, is closed before the server does: a question on it would be lost. */
const IDLE_MS = 1000;

/** What it is opened with. */
export interface AuthorizerOptions {
  /** Where it is asked: `auth.http_url`. A name and password in it are sent as Basic authentication. */
  readonly url: () => string;
  /** In how many milliseconds it has answered, to the last byte. */
  readonly timeoutMs: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Asks an authoriser; nothing is connected before the first question. */
export function openAuthorizer(options: AuthorizerOptions): Authorizer & Closable {
  return new HttpAuthorizer(options);
}

/** What was answered, and until when it holds; monotonic. */
interface Kept {
  readonly grant: Grant;
  readonly untilMs: number;
  /** The question was of a window. */
  readonly ofWindow: boolean;
}

class HttpAuthorizer implements Authorizer, Closable {
  readonly #options: AuthorizerOptions;
  readonly #agent = new Agent({ connections: MAX_CONNECTIONS, maxResponseSize: MAX_BODY_BYTES, keepAliveTimeout: IDLE_MS });
  readonly #grants = new LruMap<readonly Kept[]>(MAX_VIEWERS);
  /** Until when; monotonic. */
  readonly #refusals = new LruMap<number>(MAX_REFUSALS);
  readonly #asking = new Map<string, Promise<Grant | undefined>>();
  readonly #closing = new AbortController();
  /** Whether the last question failed: it is said once. */
  #fails = false;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  async ask(question: AuthorizerQuestion): Promise<Grant | undefined> {
    const url = this.#options.url();
    const viewer = hashOf([url, question.stream, question.address, question.token, question.agent]);
    const { window } = question;
    const key = window === undefined ? viewer : `${viewer} ${window.fromMs} ${window.toMs}`;
    const nowMs = this.#options.clock.monotonicMs();
    const kept = this.#grants.get(viewer)?.find((one) => nowMs < one.untilMs && answers(one, window));
    if (kept !== undefined) return kept.grant;
    if (nowMs < (this.#refusals.get(key) ?? 0)) return undefined;
    const asked = this.#asking.get(key) ?? this.#askOnce(url, question, viewer, key);
    return asked;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#agent.destroy();
    await Promise.allSettled(this.#asking.values());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #askOnce(url: string, question: AuthorizerQuestion, viewer: string, key: string): Promise<Grant | undefined> {
    const asked = this.#ask(url, question, viewer, key).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return asked;
  }

  async #ask(url: string, question: AuthorizerQuestion, viewer: string, key: string): Promise<Grant | undefined> {
    if (this.#closing.signal.aborted) throw failed('the server is ending');
    if (this.#asking.size >= MAX_WAITING) throw this.#failed(failed('too many questions wait for the authoriser'));
    let answer: Answer;
    try {
      answer = await this.#post(url, question);
    } catch (error) {
      throw this.#failed(error instanceof LivetapeError ? error : failed('the authoriser cannot be asked, or broke off', error));
    }
    const { clock } = this.#options;
    const { status, maxAgeSec, text } = answer;
    // What is neither yes nor no: an answer that leads elsewhere, a fault of its own.
    if (status < 200 || (status >= 300 && status < 400) || status >= 500)
      throw this.#failed(failed(`the authoriser answered with status ${status}`));
    const untilMs = clock.monotonicMs() + maxAgeSec * 1000;
    if (status >= 400) {
      this.#works();
      if (maxAgeSec > 0) this.#refusals.set(key, untilMs);
      return undefined;
    }
    const said = windowSaid(text);
    if (said === undefined) throw this.#failed(failed('the body of the authoriser’s answer is neither empty nor JSON {from, to}'));
    this.#works();
    const grant: Grant = {
      kind: 'authorizer',
      id: '',
      name: 'authorizer',
      scopes: new Set(['playback']),
      streams: [question.stream],
      window: said.window ?? question.window,
      expiresMs: maxAgeSec > 0 ? clock.nowMs() + maxAgeSec * 1000 : Infinity,
    };
    if (maxAgeSec > 0) this.#keep(viewer, { grant, untilMs, ofWindow: question.window !== undefined });
    return grant;
  }

  /** @throws LivetapeError AUTHORIZER_FAILED, and whatever the connection failed with */
  async #post(url: string, question: AuthorizerQuestion): Promise<Answer> {
    const { clock, timeoutMs } = this.#options;
    const limit = new AbortController();
    const timer = clock.after(timeoutMs(), () => limit.abort(failed('the authoriser did not answer in time')));
    try {
      const { statusCode, headers, body } = await request(url, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', ...credentialsOf(url) },
        body: JSON.stringify(bodyOf(question)),
        signal: AbortSignal.any([limit.signal, this.#closing.signal]),
        // the timer above is the one limit
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      return { status: statusCode, maxAgeSec: maxAgeOf(headers['cache-control']), text: await body.text() };
    } finally {
      timer.cancel();
    }
  }

  #keep(viewer: string, kept: Kept): void {
    const nowMs = this.#options.clock.monotonicMs();
    const others = (this.#grants.get(viewer) ?? []).filter(({ untilMs }) => nowMs < untilMs);
    this.#grants.set(viewer, [kept, ...others].slice(0, MAX_GRANTS_EACH));
  }

  #failed(error: LivetapeError): LivetapeError {
    if (!this.#fails && !this.#closing.signal.aborted) {
      this.#fails = true;
      this.#options.log.error({ code: error.code, err: error.cause }, `${error.message}; nobody is let in by it`);
    }
    return error;
  }

  #works(): void {
    if (!this.#fails) return;
    this.#fails = false;
    this.#options.log.info({}, 'the authoriser answers again');
  }
}

interface Answer {
  readonly status: number;
  readonly maxAgeSec: number;
  readonly text: string;
}

/** The question as it is sent; times are Unix seconds. */
function bodyOf({ stream, name, window, address, token, agent }: AuthorizerQuestion): Record<string, string | number | null> {
  return {
    stream,
    name,
    from: secondsOf(window?.fromMs),
    to: secondsOf(window?.toMs),
    address,
    token: token ?? null,
    agent: agent ?? null,
  };
}

/** Null for what has no end. */
function secondsOf(ms: number | undefined): number | null {
  return ms !== undefined && Number.isFinite(ms) ? ms / 1000 : null;
}

/**
 * Whether a question was answered before: one of no window by what was said to such a one; one of a window by any that opens a window which holds it. Who was let in to live
 * without a word on the past has to be asked about, before he sees a part of it.
 */
function answers({ grant: { window: granted }, ofWindow }: Kept, asked: Window | undefined): boolean {
  if (asked === undefined) return !ofWindow;
  return granted !== undefined && granted.fromMs <= asked.fromMs && asked.toMs <= granted.toMs;
}

function credentialsOf(url: string): Record<string, string> {
  const { username, password } = new URL(url);
  if (username === '' && password === '') return {};
  const text = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(text).toString('base64')}` };
}

/** Tokens are long, and are not to lie about in memory. */
function hashOf(parts: readonly (string | undefined)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

function failed(message: string, cause?: unknown): LivetapeError {
  return new LivetapeError('AUTHORIZER_FAILED', message, { cause });
}
