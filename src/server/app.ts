/**
 * The HTTP application: one plugin for each file in routes/, and what all of them share: schemas checked both ways, errors in one shape, a log line for each
 * request, the description of it all and a page to read it on. It listens to nothing: serve.ts does.
 */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RawServerDefault,
} from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LivetapeError, type Logger } from '../base/index.js';
import { AllowedMethods } from './allowedMethods.js';
import type { ServerContext } from './context.js';
import { auditActions } from './door/auditActions.js';
import { takeFromPath } from './door/credential.js';
import { isPlayback } from './door/access.js';
import { allowOrigin } from './door/cors.js';
import { securityHeaders } from './door/headers.js';
import { makeServer } from './door/httpServer.js';
import { answerClientError, errorAnswer } from './errors.js';
import { swaggerOptions, type DocumentedPaths } from './openapi.js';
import type { Routes } from './route.js';
import { PLAYBACK_PATHS } from './playbackDocument.js';
import { auditRoutes } from './routes/audit.js';
import { channelListRoutes } from './routes/channelList.js';
import { eventRoutes } from './routes/events.js';
import { healthRoutes } from './routes/health.js';
import { hookRoutes } from './routes/hooks.js';
import { keepRoutes } from './routes/keeps.js';
import { metricsRoutes } from './routes/metrics.js';
import { pageRoutes } from './routes/page.js';
import { playbackRoutes } from './routes/playback.js';
import { probeRoutes } from './routes/probe.js';
import { recordingListRoutes } from './routes/recordingList.js';
import { recordingRoutes } from './routes/recordings.js';
import { streamRoutes } from './routes/streams.js';
import { systemRoutes } from './routes/system.js';
import { timelineRoutes } from './routes/timeline.js';
import { tokenRoutes } from './routes/tokens.js';
import { Viewing } from './viewing.js';

/** A Fastify application whose schemas are zod's. */
export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

/** Every route there is. */
const ROUTES: readonly Routes[] = [
  tokenRoutes,
  auditRoutes,
  streamRoutes,
  recordingListRoutes,
  recordingRoutes,
  timelineRoutes,
  keepRoutes,
  probeRoutes,
  eventRoutes,
  hookRoutes,
  healthRoutes,
  systemRoutes,
];

/** Paths that are described by hand. */
const DOCUMENTED: readonly DocumentedPaths[] = [PLAYBACK_PATHS];

/** The largest body that a request may have; a stream's settings are far smaller. */
const MAX_BODY_BYTES = 64 * 1024;
/** More than any URL that Node takes: what is wrong with a long stream code is said as such. */
const MAX_PARAM_CHARS = 64 * 1024;
/** Nothing from elsewhere (the page's icons are data URLs; its library sets style attributes). */
const DOCS_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The application, ready for requests. `close()` ends connections that are open, event streams too. */
export async function buildApp(context: ServerContext): Promise<App> {
  const { log } = context;
  const viewing = new Viewing(context);
  const { limits } = viewing;
  const app: App = Fastify({
    logger: false,
    serverFactory: (listener) => makeServer(listener, context, limits),
    trustProxy: limits.trusts,
    bodyLimit: MAX_BODY_BYTES,
    // Clients come again; a slow one is not to hold up the end.
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    clientErrorHandler: (error, socket) => answerClientError(error, socket, securityHeaders(context)),
    rewriteUrl: takeFromPath,
    frameworkErrors: (error, request, reply) => {
      void reply.headers(securityHeaders(context));
      sendError(log, limits.tooMany(request, reply) ?? error, request, reply);
      logRequest(context, request, reply);
    },
    schemaErrorFormatter: (issues, part) => {
      const said = issues.map(({ instancePath, message }) => {
        const field = instancePath.split('/').filter((word) => word !== '');
        return `${[part === 'querystring' ? 'query' : part, ...field].join('.')}: ${message ?? 'invalid'}`;
      });
      return new LivetapeError('REQUEST_INVALID', said.join('; '));
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  // JSON is what is taken.
  app.removeContentTypeParser('text/plain');

  app.setErrorHandler((error, request, reply) => sendError(log, error, request, reply));
  const allowed = new AllowedMethods(app);
  app.setNotFoundHandler((request, reply) => sendError(log, allowed.refusal(request, reply), request, reply));
  app.addHook('onResponse', async (request, reply) => logRequest(context, request, reply));

  viewing.http.attach(app);
  // Before all else, since what is refused is answered with the same headers, and what is too much is not looked at.
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers(securityHeaders(context));
    // Who may see it now may not in a moment; a route may say otherwise.
    if (request.routeOptions.url?.startsWith('/api/') === true) void reply.header('cache-control', 'no-store');
    if (isPlayback(request.routeOptions.config.access)) allowOrigin(context, request, reply);
    limits.check(request, reply);
  });
  // What is sent as it is read has no length: who has read all of it cannot know before it is over (connections.ts).
  app.addHook('onSend', async (_request, reply, payload) => {
    if (typeof payload === 'object' && payload !== null && 'pipe' in payload) reply.removeHeader('content-length');
  });
  context.door.attach(app, limits.failures);
  auditActions(app, context.audit);

  app.addHook('onClose', () => viewing.close());

  await app.register(swagger, swaggerOptions(context.version, DOCUMENTED));
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: DOCS_CSP,
    theme: { title: 'Livetape: HTTP interface' },
    uiConfig: { docExpansion: 'list', defaultModelsExpandDepth: 0 },
  });
  // One text for all who ask: whoever has no credential and takes nothing holds no copy of it.
  let document: Buffer | undefined;
  app.get('/openapi.json', { config: { access: 'open' }, schema: { hide: true } }, async (_request, reply) => {
    document ??= Buffer.from(JSON.stringify(app.swagger()));
    return reply.type('application/json; charset=utf-8').send(document);
  });
  for (const routes of ROUTES) await app.register(routes(context, limits));
  await app.register(pageRoutes(context, limits));
  await app.register(channelListRoutes(context));
  await app.register(metricsRoutes(context, viewing));
  // Before playback, which answers any path that no other does.
  app.all('/api/*', { config: { access: 'open' }, schema: { hide: true } }, (_request, reply) => reply.callNotFound());
  await app.register(playbackRoutes(context, viewing));
  await app.ready();
  return app;
}

function sendError(log: Logger, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, body } = errorAnswer(error);
  const fields = { method: request.method, route: request.routeOptions.url, status, err: error };
  if (body.error.code === 'INVARIANT_BROKEN') log.error(fields, 'a request failed by a fault of ours');
  else if (status >= 500) log.warn(fields, 'a request failed');
  // A cache may keep a 404 or a 410 by itself (RFC 9110, 15.1), and what is not there now may be there in a moment.
  void reply.header('cache-control', 'no-store');
  // As text: the schema of a route may not know this error, and it is to be told all the same.
  void reply.code(status).headers(headers).type('application/json; charset=utf-8').send(JSON.stringify(body));
}

/** The route, never the query: tokens come there. */
function logRequest({ log }: { readonly log: Logger }, request: FastifyRequest, reply: FastifyReply): void {
  const ms = Math.round(reply.elapsedTime);
  log.debug({ method: request.method, route: request.routeOptions.url, status: reply.statusCode, ms }, 'request');
}
