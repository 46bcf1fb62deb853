/** What to say where no route answers: that there is nothing, or (405) that it is there for other methods. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LivetapeError } from '../base/index.js';

/** Where the API is; what no route of it answers is not there. */
const API = '/api/';

/** Remembers the routes of an application from now on. */
export class AllowedMethods {
  readonly #routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];

  constructor(app: Pick<FastifyInstance, 'addHook'>) {
    app.addHook('onRoute', ({ url, method }) => {
      if (url !== `${API}*`) this.#routes.push({ pattern: patternOf(url), methods: [method].flat() });
    });
  }

  /** What a request that no route answers is refused with; `Allow` is set when others would be. */
  refusal(request: FastifyRequest, reply: FastifyReply): LivetapeError {
    const [path = ''] = request.url.split('?', 1);
    const there = this.#routes.filter(({ pattern }) => pattern.test(path));
    const methods = [...new Set(there.flatMap((route) => route.methods))].sort();
    // With its method among them it was the route itself that found nothing.
    if (methods.length === 0 || methods.includes(request.method)) {
      return new LivetapeError('ROUTE_NOT_FOUND', 'there is nothing at this address');
    }
    void reply.header('allow', methods.join(', '));
    return new LivetapeError('METHOD_NOT_ALLOWED', `${request.method} is not for this address; ${methods.join(', ')} are`);
  }
}

/** Of the router's form: `:name` stands for a word, `*` for the rest. */
function patternOf(url: string): RegExp {
  const source = url.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z_]+|\*/g, (part) => (part === '*' ? '.*' : '[^/]+'));
  // Playback's `/*` is for what is not the API's.
  return new RegExp(url === '/*' ? `^/(?!${API.slice(1)}).*$` : `^${source}$`);
}
