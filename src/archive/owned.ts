/**
 * A place as its owner uses it: what changes what others rely on is done only after a look whether the place is still ours (K7).
 * Reading needs no ownership and goes straight through.
 */
import { LivetapeError, isLivetapeError } from '../base/index.js';
import type { JournalParts, OpenedFile, Ownership, PlaceFiles, StreamStorage, Upload } from '../storage/index.js';

/** `place`, changed only while `ownership` holds. */
export class OwnedPlace implements StreamStorage {
  readonly location: string;
  readonly files: PlaceFiles;
  readonly #place: StreamStorage;
  readonly #ownership: Ownership;

  constructor(place: StreamStorage, ownership: Ownership) {
    this.location = place.location;
    this.files = place.files;
    this.#place = place;
    this.#ownership = ownership;
  }

  create(): Promise<void> {
    return this.#place.create();
  }

  own(): Promise<Ownership> {
    return this.#place.own();
  }

  put(name: string): Upload {
    // Made behind the first look: making it moves aside what stands in its way, which may be another's live upload by now.
    let upload: Upload | undefined;
    let isGivenUp = false;
    // One look after another, so that what is written stays in order. Before each write: what is being written may be another's to recover by now.
    let looked: Promise<void> = Promise.resolve();
    const ifOurs = (step: (made: Upload) => Promise<void>): Promise<void> => {
      looked = looked.then(() => this.#ownership.check());
      const done = looked.then(() => {
        if (isGivenUp) throw new LivetapeError('CLOSED', `the upload of ${name} was given up`);
        upload ??= this.#place.put(name);
        return step(upload);
      });
      // Not lost when nobody waits: the commit rejects with the same.
      done.catch(() => undefined);
      return done;
    };
    return {
      write: (bytes) => ifOurs((made) => made.write(bytes)),
      commit: async () => {
        try {
          await ifOurs((made) => made.commit());
        } catch (error) {
          // A folder that is gone fails everything in it: that it is gone is what the writer has to know.
          if (!isLivetapeError(error, 'OWNERSHIP_LOST')) await this.#ownership.check();
          throw error;
        }
      },
      abort: async () => {
        isGivenUp = true;
        await upload?.abort();
      },
    };
  }

  isTaken(name: string): Promise<boolean> {
    return this.#place.isTaken(name);
  }

  size(name: string): Promise<number | undefined> {
    return this.#place.size(name);
  }

  read(name: string, fromByte: number, toByte: number): Promise<Uint8Array | undefined> {
    return this.#place.read(name, fromByte, toByte);
  }

  open(name: string): Promise<OpenedFile | undefined> {
    return this.#place.open(name);
  }

  list(after?: string): Promise<string[]> {
    return this.#place.list(after);
  }

  async remove(name: string): Promise<boolean> {
    await this.#ownership.check();
    return this.#place.remove(name);
  }

  journalSize(): Promise<number | undefined> {
    return this.#place.journalSize();
  }

  journalStamp(): Promise<string | undefined> {
    return this.#place.journalStamp();
  }

  readJournal(fromByte: number, toByte: number): Promise<Uint8Array> {
    return this.#place.readJournal(fromByte, toByte);
  }

  async appendJournal(text: string, at: number): Promise<void> {
    await this.#ownership.check();
    return this.#place.appendJournal(text, at);
  }

  async replaceJournal(parts: JournalParts): Promise<void> {
    await this.#ownership.check();
    return this.#place.replaceJournal(parts);
  }

  async putCache(name: string, text: string): Promise<void> {
    await this.#ownership.check();
    return this.#place.putCache(name, text);
  }
}
