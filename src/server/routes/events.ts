/** `GET /api/v1/events`: what happens, as server-sent events. */
import { z } from 'zod';
import { opensStream } from '../../access/index.js';
import { checkStreamCode } from '../../model/index.js';
import { forbidden } from '../door/door.js';
import { errorResponses } from '../openapi.js';
import type { Routes } from '../route.js';

export const eventRoutes: Routes =
  ({ events: feed, door }, limits) =>
  async (app) => {
    // Before connections are closed: each is told that this was all.
    app.addHook('preClose', async () => feed.close());

    app.get(
      '/api/v1/events',
      {
        // There is no answer that ends.
        exposeHeadRoute: false,
        config: { access: { scope: 'api' } },
        schema: {
          operationId: 'listenToEvents',
          tags: ['events'],
          summary: 'What happens, as it happens',
          description:
            'Server-sent events: `recording.started`, `recording.stopped`, `recording.failed`, `archive.healed`, `segment.written`, `segment.pruned`, `gap.opened`, `gap.closed`, `source.ended`; ' +
            'docs/reference/http.md says what each carries. A client that comes back says the id of the last it heard, as browsers do by themselves, and misses none; ' +
            '`reset` says that some it had not heard are not kept any more: then read the streams anew. A comment comes every 15 seconds.',
          headers: z.looseObject({ 'last-event-id': z.string().optional().describe('Of the last event that was heard.') }),
          querystring: z.strictObject({
            stream: z.string().optional().describe('Only the events of this stream.'),
            last_event_id: z.string().optional().describe('As the header, for clients that cannot send one.'),
          }),
          response: {
            200: { description: 'Events, without an end.', content: { 'text/event-stream': { schema: z.string() } } },
            ...errorResponses('STREAM_CODE_INVALID', 'LIMIT_REACHED'),
          },
        },
      },
      async (request, reply) => {
        const { query, headers, grant } = request;
        const streamCode = query.stream === undefined ? undefined : checkStreamCode(query.stream);
        if (streamCode !== undefined && !opensStream(grant, streamCode)) throw forbidden(`the credential is not for ${streamCode}`);
        // A browser that comes back by itself sends the header, beside the query that it was first given.
        const lastId = headers['last-event-id'] ?? query.last_event_id;
        const { event_streams: most } = limits.settings;
        if (feed.clients >= most) throw limits.reached('event_streams', `${most} listen: that is all at a time`);
        const body = feed.open({ lastId, streamCode, opens: (code) => opensStream(grant, code) });
        body.once(
          'close',
          door.whileOpen(request, () => body.destroy()),
        );
        // A proxy is not to gather them (nginx).
        return reply
          .headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
          .type('text/event-stream')
          .send(body as never);
      },
    );
  };
