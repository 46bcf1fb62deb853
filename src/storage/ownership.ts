/**
 * Who may write to a stream's place. A medium shows it in its own way (a socket in the folder, later a lease); this is what
 * all of them promise.
 */
import { LivetapeError } from '../base/index.js';

/** A place that is ours to write to, until it is released, lost, or this process dies. */
export interface Ownership {
  /**
   * Kept when the place is still ours. Costs one look at the medium. Nobody can rule out that it is lost right after.
   * @throws LivetapeError OWNERSHIP_LOST, and from then on always; or what the look failed with
   */
  check(): Promise<void>;
  /** Lets go of it, so that another can take it at once. Any number of times; also after a loss, when what others have is left alone. Never rejects. */
  release(): Promise<void>;
}

/** The refusal of a second writer (K6). */
export function ownedByAnother(location: string): LivetapeError {
  return new LivetapeError('STREAM_OWNED', `another writer is at work in ${location}`, { context: { path: location } });
}

/** What a writer is told that must stop (K7). */
export function ownershipLost(location: string, why: string): LivetapeError {
  return new LivetapeError('OWNERSHIP_LOST', `${location} is not ours to write to any more: ${why}`, { context: { path: location } });
}
