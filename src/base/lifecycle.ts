/**
 * What every long-lived object offers: it can be closed, any number of times, and `await using` closes it.
 */

/** Something that holds resources until it is closed. */
export interface Closable extends AsyncDisposable {
  /** Lets go of everything; nothing is left behind when it is kept. May be called any number of times. */
  close(): Promise<void>;
}
