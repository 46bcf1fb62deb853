/** What a file in routes/ exports. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { ServerContext } from './context.js';
import type { Limits } from './door/limits.js';

/** Given what all routes are given, a plugin of the application. */
export type Routes = (context: ServerContext, limits: Limits) => FastifyPluginAsyncZod;
