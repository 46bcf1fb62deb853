/** What each route asks of who comes (docs/design/door.md, D5): declared where the route is defined, as `config: { access: … }`. */
import type { Grant, Scope } from '../../access/index.js';

/** What a route asks for. */
export type RouteAccess =
  /** Nothing: it tells nothing of the installation (D6). */
  | 'open'
  /** A scope, or (`any`) a right credential of whatever scope. The route itself leaves out what is not the grant's own. */
  | { readonly scope: Scope | 'any'; readonly stream?: undefined }
  /** A scope, and the stream that `params.code` names among the grant's. */
  | { readonly scope: Scope; readonly stream: 'code' }
  /** Watching the stream that the path begins with; windows are judged where they are known. */
  | 'playback';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess;
  }
  interface FastifyRequest {
    /** What whoever sent it may do. Set before any route runs. */
    grant: Grant;
  }
}

/** Whether it is a route of those who watch, which pages of other origins may ask for (L5). */
export function isPlayback(access: RouteAccess | undefined): boolean {
  return access === 'playback' || (typeof access === 'object' && access.scope === 'playback');
}
