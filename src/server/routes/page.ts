/** The page itself (docs/design/page.md, G3): what Vite has built of web/, as files. Open to all (docs/design/door.md, D6): it says what the software is, nothing of the installation. */
import fastifyStatic from '@fastify/static';
import type { FastifyReply } from 'fastify';
import { join } from 'node:path';
import type { Routes } from '../route.js';

/** Nothing from elsewhere, nothing inline. Media is made of what was fetched, hence `blob:`; pictures are drawn on a canvas. */
const PAGE_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A file whose name tells its content never changes; a year. */
const ASSET_MS = 365 * 86_400_000;

const OPEN = { config: { access: 'open' as const }, schema: { hide: true } };

export const pageRoutes: Routes =
  ({ page }) =>
  async (app) => {
    await app.register(fastifyStatic, { root: page, serve: false, preCompressed: true, index: false, dotfiles: 'ignore' });

    // Asked again each time, which costs a 304: what it names changes with each version.
    const document = (reply: FastifyReply, name: string): FastifyReply => {
      void reply.header('content-security-policy', PAGE_CSP).header('cache-control', 'no-cache').header('vary', 'accept-encoding');
      return reply.sendFile(name, { cacheControl: false });
    };
    app.get('/', OPEN, (_request, reply) => document(reply, 'index.html'));
    app.get('/licenses.md', OPEN, (_request, reply) => document(reply, 'licenses.md'));
    app.get<{ Params: { '*': string } }>('/assets/*', OPEN, ({ params }, reply) =>
      reply.header('vary', 'accept-encoding').sendFile(params['*'], join(page, 'assets'), { maxAge: ASSET_MS, immutable: true }),
    );
  };
