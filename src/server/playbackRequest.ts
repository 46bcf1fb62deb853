/** A request of playback, understood: what every sender of an answer is given. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Window } from '../access/index.js';
import type { ServerContext } from './context.js';
import type { Asked } from './door/windows.js';
import type { Viewing } from './viewing.js';

/** One request for a stream, and how it is answered. */
export interface PlaybackExchange {
  readonly context: ServerContext;
  readonly viewing: Viewing;
  readonly code: string;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** The answer is for who sent this alone: caches that are shared may not keep it (docs/design/door.md, D4). */
  readonly isPrivate: boolean;
  /** The window that the credential opens, and what it is held against; undefined where it opens all. */
  readonly opened: { readonly window: Window; readonly asked: Asked } | undefined;
}
