/**
 * What stands between the bytes of a media buffer: events of the source that a reader must know at their place
 * in the stream, since what comes after one need not continue what came before.
 */

/**
 * - `session`: a connection begins; what follows does not join on to what came before
 * - `lost`: the source says its connection is gone or silent
 * - `overflow`: made by the buffer itself, for one subscriber: so many bytes did not fit into its queue here
 * - `source_switch`: the stream was given another source
 * - `end`: nothing more will come; `error` when the source failed
 */
export type Mark =
  | { readonly kind: 'session'; readonly detail: string }
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'overflow'; readonly droppedBytes: number }
  | { readonly kind: 'source_switch' }
  | { readonly kind: 'end'; readonly reason: string; readonly error?: Error | undefined };
