/** `/metrics`, for Prometheus. docs/reference/metrics.md says what each is. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { opensStream } from '../../access/index.js';
import type { ServerContext } from '../context.js';
import { enterMetrics } from '../metrics.js';
import { Snapshots } from '../metricsSnapshot.js';
import type { Snapshot } from '../metricsTable.js';
import type { Viewing } from '../viewing.js';

/** The metrics' route. */
export function metricsRoutes(context: ServerContext, viewing: Viewing): FastifyPluginAsyncZod {
  return async (app) => {
    const { registry } = viewing;
    const snapshots = new Snapshots(context, viewing);
    app.addHook('onClose', () => snapshots.close());
    let snapshot: Snapshot | undefined;
    enterMetrics(registry, () => snapshot);
    app.get('/metrics', { config: { access: { scope: 'metrics' } }, schema: { hide: true } }, async ({ grant }, reply) => {
      snapshot = await snapshots.take((code) => opensStream(grant, code));
      return reply.headers({ 'content-type': registry.contentType, 'cache-control': 'no-store' }).send(await registry.metrics());
    });
  };
}
