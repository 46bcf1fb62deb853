/**
 * What is too much (docs/design/door.md, L1, L2): asked before a request is looked at any further, and by what is bounded in number. The limits are read at each use, so
 * that a change of livetape.yaml holds at once. What is refused is counted by kind, for the metrics.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LivetapeError } from '../../base/index.js';
import type { ServerContext } from '../context.js';
import { HttpRefusal } from '../errors.js';
import { addressMatcher, clientOf } from './address.js';
import { RateLimiter } from './rate.js';

/** A longer address is none that we made. */
const MAX_URL_CHARS = 8 * 1024;
/** A rate is averaged over so long; milliseconds. */
const AVERAGED_MS = 10_000;
const MINUTE_MS = 60_000;
/** No address has more than one in so many of the exports at a time. */
const EXPORT_SHARE = 4;

/** What is refused, as `livetape_http_refused_total` counts it. */
export const REFUSED = [
  'connections',
  'address_connections',
  'pipelining',
  'requests',
  'failures',
  'sessions',
  'event_streams',
  'exports',
  'streams',
  'probes',
  'slow_readers',
] as const;
/** One of {@link REFUSED}. */
export type RefusedKind = (typeof REFUSED)[number];

/** The numbers of livetape.yaml. */
export type LimitSettings = ServerContext['config']['state']['config']['http']['limits'];

/** Something that is bounded, and given back. */
export interface Held {
  /** May be called any number of times. */
  release(): void;
}

/** Limits of one application. */
export class Limits {
  /** How often each was refused. */
  readonly refused = new Map<RefusedKind, number>(REFUSED.map((kind) => [kind, 0]));
  /** Wrong credentials, by address. */
  readonly failures: {
    /** Counts one. False when there were too many: the answer is TOO_MANY_REQUESTS then, and the connection is to end. */
    count(request: Pick<FastifyRequest, 'ip'>): boolean;
  };
  /** Whether an address is that of a proxy that is believed (L4). As `trustProxy` of Fastify. */
  readonly trusts: (address: string) => boolean;
  readonly #context: Pick<ServerContext, 'config'>;
  readonly #requests: RateLimiter;
  /** Exports that are being sent, by client. */
  readonly #exports = new Map<string, number>();

  constructor(context: Pick<ServerContext, 'clock' | 'config'>) {
    this.#context = context;
    const { clock, config } = context;
    this.trusts = addressMatcher(() => config.state.config.http.trusted_proxies);
    this.#requests = new RateLimiter(clock, () => ({
      count: (this.settings.requests_per_second * AVERAGED_MS) / 1000,
      periodMs: AVERAGED_MS,
    }));
    const failures = new RateLimiter(clock, () => ({ count: this.settings.failures_per_minute, periodMs: MINUTE_MS }));
    this.failures = {
      count: ({ ip }) => {
        const within = failures.count(clientOf(ip));
        if (!within) this.note('failures');
        return within;
      },
    };
  }

  /** As they are now. */
  get settings(): LimitSettings {
    return this.#context.config.state.config.http.limits;
  }

  /** One was refused. */
  note(kind: RefusedKind): void {
    this.refused.set(kind, (this.refused.get(kind) ?? 0) + 1);
  }

  /**
   * Judges a request by what is known at once: its address, its size, who sends it.
   * @throws LivetapeError TOO_MANY_REQUESTS; HttpRefusal 414 for a URL that is too long, 415 for a body that is coded
   */
  check(request: Pick<FastifyRequest, 'ip' | 'originalUrl' | 'headers'>, reply: Pick<FastifyReply, 'header'>): void {
    const tooMany = this.tooMany(request, reply);
    if (tooMany !== undefined) throw tooMany;
    if (request.originalUrl.length > MAX_URL_CHARS) throw new HttpRefusal(414, `the address is longer than ${MAX_URL_CHARS} characters`);
    const coding = request.headers['content-encoding'];
    if (coding !== undefined && coding.trim().toLowerCase() !== 'identity')
      throw new HttpRefusal(415, 'the body of a request is not to be coded');
  }

  /** Counts a request of an address: the error when there were too many. */
  tooMany({ ip }: Pick<FastifyRequest, 'ip'>, reply: Pick<FastifyReply, 'header'>): LivetapeError | undefined {
    if (this.#requests.count(clientOf(ip))) return undefined;
    this.note('requests');
    // whoever does not wait has to connect again, too
    void reply.header('connection', 'close');
    return new LivetapeError(
      'TOO_MANY_REQUESTS',
      `more than ${this.settings.requests_per_second} requests a second came from this address`,
    );
  }

  /**
   * One more export, until it is released. One address has a quarter of them at most.
   * @throws LivetapeError LIMIT_REACHED
   */
  holdExport(request: Pick<FastifyRequest, 'ip'>): Held {
    const client = clientOf(request.ip);
    const own = this.#exports.get(client) ?? 0;
    const total = [...this.#exports.values()].reduce((sum, count) => sum + count, 0);
    const { exports: most } = this.settings;
    if (total >= most) throw this.reached('exports', `${most} exports are being sent: that is all at a time`);
    if (own >= Math.ceil(most / EXPORT_SHARE))
      throw this.reached('exports', `${own} exports are being sent to your address: that is all at a time`);
    this.#exports.set(client, own + 1);
    let held = true;
    return {
      release: () => {
        if (!held) return;
        held = false;
        const left = (this.#exports.get(client) ?? 1) - 1;
        if (left === 0) this.#exports.delete(client);
        else this.#exports.set(client, left);
      },
    };
  }

  /** The error of a limit that is reached; it is counted. */
  reached(kind: RefusedKind, message: string): LivetapeError {
    this.note(kind);
    return new LivetapeError('LIMIT_REACHED', message);
  }
}
