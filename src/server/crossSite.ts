/**
 * What a page of another site may not have a visitor's browser do: stop recordings, open sources. A browser says where a request comes from (Fetch Metadata's
 * Sec-Fetch-Site; Origin in older ones); programs say nothing, and are not concerned. What is asked for is told by the route: the router decodes paths, and `/%61pi/` is
 * the API, too.
 */
import type { FastifyRequest } from 'fastify';
import { LivetapeError } from '../base/index.js';

/** @throws LivetapeError ORIGIN_REFUSED for a request to the API that a browser made for a page of another site */
export function refuseCrossSite({ routeOptions, headers }: Pick<FastifyRequest, 'routeOptions' | 'headers'>): void {
  if (routeOptions.url?.startsWith('/api/') !== true) return;
  const site = headers['sec-fetch-site'];
  const isOwn = site === undefined ? isOwnOrigin(headers.origin, headers.host) : site === 'same-origin' || site === 'none';
  if (!isOwn) throw new LivetapeError('ORIGIN_REFUSED', 'a page of another site may not ask the API for anything');
}

function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
}
