/**
 * Places of windows that are held for good, beside the streams: a keep's files are those of the stream, linked where the medium can link.
 * A keep is there when all of it is, and not before.
 */
import { LivetapeError } from '../base/index.js';
import type { StreamStorage } from './storage.js';

/** Which keep. */
export interface KeepId {
  /** The stream that it was taken from. */
  readonly streamCode: string;
  readonly name: string;
}

/** A keep that is being made. */
export interface KeepBuilder {
  /** Where its files are put until it is there. */
  readonly place: StreamStorage;
  /** Puts a committed file of the stream into it under the same name, without copying it where that can be. False when there is no such file. */
  readonly link: (name: string) => Promise<boolean>;
}

/** The keeps of a medium. Names are checked already. */
export interface KeepStorage {
  /** All there are, in no order. */
  list(): AsyncIterable<KeepId>;
  /** The place of one, to be read. */
  place(keep: KeepId): StreamStorage;
  /**
   * Makes one: what `fill` has put into it is there, under its name and durable, when the promise is kept. When it rejects nothing is left.
   * Rejects with KEEP_EXISTS where there is one of that name, and with whatever `fill` rejects with.
   */
  make<T>(keep: KeepId, fill: (builder: KeepBuilder) => Promise<T>): Promise<T>;
  /** Removes one with all its files. False when there was none. */
  remove(keep: KeepId): Promise<boolean>;
}

/** The refusal of a name that is taken. */
export function keepExists({ streamCode, name }: KeepId): LivetapeError {
  return new LivetapeError('KEEP_EXISTS', `there is a keep ${name} of ${streamCode} already`, { context: { code: streamCode, name } });
}
