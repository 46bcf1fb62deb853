/**
 * Counts requests: how many, how long until the answer began, how many bytes went out; by route and status, never by path. Bytes are counted
 * while they go, since a `stream.ts` lasts for days.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../base/index.js';

/** The status under which an answer is counted whose client went away before it began; as nginx has it. */
const GONE = 499;
const BUCKETS_SEC = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Counters of HTTP. */
export class HttpStats {
  readonly #clock: Clock;
  readonly #requests: Counter<'route' | 'status'>;
  readonly #startSeconds: Histogram<'route'>;
  readonly #sentBytes: Counter<'route'>;
  readonly #names = new WeakMap<IncomingMessage, string>();
  readonly #active = new Set<FastifyRequest>();
  /** Of a connection that is used for one request after another: what was counted of it. */
  readonly #counted = new WeakMap<Socket, number>();

  constructor(clock: Clock, registry: Registry) {
    this.#clock = clock;
    const registers = [registry];
    this.#requests = new Counter({
      name: 'livetape_http_requests_total',
      help: 'Requests that were answered, by route and status (499: the client went away before the answer began).',
      labelNames: ['route', 'status'],
      registers,
    });
    this.#startSeconds = new Histogram({
      name: 'livetape_http_response_start_seconds',
      help: 'From a request to the beginning of its answer.',
      labelNames: ['route'],
      buckets: BUCKETS_SEC,
      registers,
    });
    this.#sentBytes = new Counter({
      name: 'livetape_http_sent_bytes_total',
      help: 'Bytes of answers that were sent, headers included; those that are being sent too.',
      labelNames: ['route'],
      registers,
      collect: () => this.#active.forEach((request) => this.#countBytes(request)),
    });
  }

  /** Counts every request of an application. To be called before its routes are added. */
  attach(app: Pick<FastifyInstance, 'addHook'>): void {
    app.addHook('onRequest', async (request, reply) => {
      const startMs = this.#clock.monotonicMs();
      const { raw } = reply;
      this.#active.add(request);
      const writeHead = raw.writeHead.bind(raw) as (...args: unknown[]) => typeof raw;
      let startSec: number | undefined;
      // the one place that every answer passes, those that are sent without Fastify too
      raw.writeHead = (...args: unknown[]) => {
        startSec ??= (this.#clock.monotonicMs() - startMs) / 1000;
        return writeHead(...args);
      };
      const over = (): void => {
        if (!this.#active.has(request)) return;
        this.#countBytes(request);
        this.#active.delete(request);
        const route = this.#route(request);
        if (startSec !== undefined) this.#startSeconds.observe({ route }, startSec);
        this.#requests.inc({ route, status: String(raw.headersSent ? raw.statusCode : GONE) });
      };
      raw.once('finish', over);
      raw.once('close', over);
    });
  }

  /** Names what a request was for, where one route answers many. */
  name(request: FastifyRequest, name: string): void {
    this.#names.set(request.raw, name);
  }

  #route(request: FastifyRequest): string {
    const { url } = request.routeOptions;
    return this.#names.get(request.raw) ?? (url === undefined || url.endsWith('*') ? 'none' : url);
  }

  #countBytes(request: FastifyRequest): void {
    const { socket } = request.raw;
    const sent = socket.bytesWritten ?? 0;
    this.#sentBytes.inc({ route: this.#route(request) }, Math.max(0, sent - (this.#counted.get(socket) ?? 0)));
    this.#counted.set(socket, sent);
  }
}
