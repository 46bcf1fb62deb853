/**
 * The door: finds out who sent a request and what that opens, and lets it in to its route or not (docs/design/door.md, D1 to D6). What depends on the media that is
 * asked for is judged where that is known: windows.ts.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  ANONYMOUS,
  hasScope,
  LOCAL,
  opensStream,
  type Authorizer,
  type Grant,
  type SignedTokens,
  type TokenStore,
  type Verdict,
} from '../../access/index.js';
import { LivetapeError, type Clock, type Timer } from '../../base/index.js';
import type { ConfigStore } from '../../config/index.js';
import { refuseCrossSite } from '../crossSite.js';
import type { RouteAccess } from './access.js';
import { credentialOf, type Credential } from './credential.js';
import { refuseForeignHost } from './host.js';

/** How often it is looked whether what an open answer was given for still holds; milliseconds. With the answer's own end within 5 s (D3). */
const LOOK_MS = 2000;

/** Anybody, where watching is open. */
const VIEWER: Grant = { ...ANONYMOUS, scopes: new Set(['playback']), streams: ['*'] };

/** What the door knows credentials by. */
export interface Keys {
  readonly tokens: TokenStore;
  readonly signed: SignedTokens;
  readonly authorizer: Authorizer;
}

/** What it is made of. */
export interface DoorOptions extends Keys {
  readonly config: Pick<ConfigStore, 'state'>;
  readonly clock: Clock;
  /** Others than this machine may reach it: then credentials are asked for until its end, also when `auth.enabled` is taken away meanwhile (D1). */
  readonly isExposed?: boolean;
}

/** Counts wrong credentials by address. */
export interface Failures {
  /** False when there were too many. */
  count(request: FastifyRequest): Promise<boolean> | boolean;
}

interface Open {
  readonly grant: Grant;
  readonly credential: Credential | undefined;
  readonly address: string;
  /** It goes on until something ends it: what was let in for some time ends with that. A file that was begun in time is sent to its end. */
  readonly isEndless: boolean;
  readonly end: () => void;
}

/** See the file's head. */
export class Door {
  readonly #options: DoorOptions;
  #failures: Failures = { count: () => true };
  /** Why the credential of a request opens nothing. */
  readonly #refusals = new WeakMap<FastifyRequest, LivetapeError>();
  /** What each route asks for, as it was declared. */
  readonly routes: { readonly method: string; readonly url: string; readonly access: RouteAccess }[] = [];
  readonly #open = new Set<Open>();
  #timer: Timer | undefined;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** Stands before every route of the application that is defined after this. `failures` counts wrong credentials. */
  attach(app: Pick<FastifyInstance, 'addHook' | 'decorateRequest'>, failures: Failures): void {
    this.#failures = failures;
    app.addHook('onRoute', (route) => {
      // the page of the description brings its own routes
      if (route.url === '/docs' || route.url.startsWith('/docs/')) route.config = { ...route.config, access: 'open' };
      if (route.config?.access === undefined)
        throw new LivetapeError('INVARIANT_BROKEN', `${String(route.method)} ${route.url} does not say who may ask for it`);
      const methods = [route.method].flat();
      // all but a few: one for whatever method
      const named = methods.length > 4 ? ['ANY'] : methods;
      for (const method of named) this.routes.push({ method, url: route.url, access: route.config.access });
    });
    app.decorateRequest('grant', null as never);
    app.addHook('onRequest', async (request, reply) => this.#meet(request, reply));
    app.addHook('onClose', async () => this.#timer?.cancel());
  }

  /** Whether credentials are asked for. */
  get isGuarded(): boolean {
    return this.#options.isExposed === true || this.#options.config.state.config.auth.enabled;
  }

  /** Why the request is not let in: what is wrong with its credential, or that it opens something else. */
  refusal(request: FastifyRequest, what: string): LivetapeError {
    const wrong = this.#refusals.get(request);
    if (wrong !== undefined) return wrong;
    return request.grant.kind === 'anonymous' ? unauthenticated('a credential is asked for') : forbidden(what);
  }

  /**
   * Lets a playback request in to its stream.
   * @param question - asked of the authoriser when no credential of ours opens the stream
   * @throws LivetapeError UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, AUTHORIZER_FAILED, TOO_MANY_REQUESTS
   */
  async letWatch(request: FastifyRequest, reply: FastifyReply, code: string, name: string, window: Grant['window']): Promise<void> {
    const { grant } = request;
    if (hasScope(grant, 'playback') && opensStream(grant, code)) return;
    // A right credential of ours says what it opens; of all others somebody else may know.
    const isOurs = grant.kind === 'token' || grant.kind === 'signed';
    if (!isOurs && this.#options.config.state.config.auth.http_url !== '') {
      const given = await this.#options.authorizer.ask({
        stream: code,
        name,
        window,
        address: request.ip,
        token: credentialOf(request.raw)?.text,
        agent: request.headers['user-agent'],
      });
      if (given !== undefined) {
        request.grant = given;
        return;
      }
      await this.#failed(request, reply, true);
      throw this.refusal(request, 'the authoriser refuses it');
    }
    await this.#failed(request, reply, this.#refusals.has(request));
    throw this.refusal(request, `the credential is not for watching ${code}`);
  }

  /** Calls `end` when what a long answer was given for holds no more. Answers with what to call when the answer is over. */
  whileOpen(request: Pick<FastifyRequest, 'grant' | 'ip' | 'raw'>, end: () => void, isEndless = true): () => void {
    const open: Open = { grant: request.grant, credential: credentialOf(request.raw), address: request.ip, isEndless, end };
    this.#open.add(open);
    this.#timer ??= this.#options.clock.every(LOOK_MS, () => void this.#look());
    return () => {
      this.#open.delete(open);
      if (this.#open.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    };
  }

  async #look(): Promise<void> {
    for (const open of [...this.#open]) if (!(await this.#holds(open))) open.end();
  }

  /** Whether what was opened would be opened now: the credential may be over, and so may be what let in those who had none. */
  async #holds({ grant, credential, address, isEndless }: Open): Promise<boolean> {
    const { tokens, signed, clock, config } = this.#options;
    const stands = (verdict: Verdict): boolean => 'grant' in verdict || (!isEndless && verdict.refused === 'expired');
    if (isEndless && clock.nowMs() >= Math.min(grant.expiresMs, grant.window?.toMs ?? Infinity)) return false;
    switch (grant.kind) {
      case 'local':
        return !this.isGuarded;
      case 'anonymous':
        return !this.isGuarded || config.state.config.auth.playback === 'open';
      case 'token':
        return credential === undefined || stands(tokens.verify(credential.text));
      case 'signed':
        return credential === undefined || stands(await signed.verify(credential.text, address));
      case 'authorizer':
        return true;
    }
  }

  async #meet(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    request.grant = ANONYMOUS;
    const { access } = request.routeOptions.config;
    const { http } = this.#options.config.state.config;
    if (!this.isGuarded) refuseForeignHost(request.headers.host, http.hosts);
    refuseCrossSite(request);
    const credential = credentialOf(request.raw);
    // A prefix is for what people watch: links to anything else are none of ours.
    if (credential?.from === 'path' && access !== 'playback' && request.routeOptions.url !== '/playlist.m3u') {
      throw new LivetapeError('ROUTE_NOT_FOUND', 'there is nothing at this address');
    }
    request.grant = await this.#grantOf(request, credential);
    if (access === undefined || access === 'open' || access === 'playback') return;
    if (isLetIn(request, access)) return;
    await this.#failed(request, reply, this.#refusals.has(request));
    throw this.refusal(
      request,
      access.stream === undefined ? `it takes the scope ${access.scope}` : `it takes the scope ${access.scope}, for this stream`,
    );
  }

  async #grantOf(request: FastifyRequest, credential: Credential | undefined): Promise<Grant> {
    if (!this.isGuarded) return LOCAL;
    const nobody = this.#options.config.state.config.auth.playback === 'open' ? VIEWER : ANONYMOUS;
    if (credential === undefined) return nobody;
    const verdict = await this.#verify(credential.text, request.ip);
    if ('grant' in verdict) return verdict.grant;
    this.#refusals.set(request, REFUSALS[verdict.refused]());
    return nobody;
  }

  async #verify(text: string, address: string): Promise<Verdict> {
    const { tokens, signed } = this.#options;
    if (tokens.isToken(text)) return tokens.verify(text);
    if (signed.isSigned(text)) return signed.verify(text, address);
    return { refused: 'wrong' };
  }

  /** A wrong credential was shown. @throws LivetapeError TOO_MANY_REQUESTS */
  async #failed(request: FastifyRequest, reply: FastifyReply, isWrong: boolean): Promise<void> {
    if (!isWrong || (await this.#failures.count(request))) return;
    void reply.header('connection', 'close');
    throw new LivetapeError('TOO_MANY_REQUESTS', 'too many wrong credentials came from this address');
  }
}

function isLetIn({ grant, params }: FastifyRequest, access: Exclude<RouteAccess, 'open' | 'playback'>): boolean {
  if (access.scope !== 'any' && !hasScope(grant, access.scope)) return false;
  if (grant.kind === 'anonymous' && access.scope === 'any') return false;
  return access.stream === undefined || opensStream(grant, (params as { readonly code?: string }).code ?? '');
}

const REFUSALS: Readonly<Record<'wrong' | 'expired' | 'early' | 'address', () => LivetapeError>> = {
  wrong: () => unauthenticated('the credential is not known'),
  expired: () => new LivetapeError('TOKEN_EXPIRED', 'the credential has expired'),
  early: () => new LivetapeError('TOKEN_EXPIRED', 'the time of the credential has not begun'),
  address: () => forbidden('the credential is for another address'),
};

function unauthenticated(why: string): LivetapeError {
  return new LivetapeError('UNAUTHENTICATED', why);
}

/** The error for what a credential does not open. */
export function forbidden(why: string): LivetapeError {
  return new LivetapeError('FORBIDDEN', why);
}
