/** {@link KeepStorage} in memory: files are shared. */
import { LivetapeError } from '../../base/index.js';
import { keepExists } from '../keeps.js';
import { checkName } from '../names.js';
import type { KeepBuilder, KeepId, KeepStorage, StreamStorage } from '../storage.js';

/** A place as it is in memory. */
interface MemoryPlace extends StreamStorage {
  readonly kept: Map<string, Uint8Array>;
}

export class MemoryKeeps<P extends MemoryPlace> implements KeepStorage {
  readonly #make: (code: string) => P;
  readonly #stream: (code: string) => P;
  readonly #keeps = new Map<string, { readonly id: KeepId; readonly place: P }>();

  /** @param make - an empty place; `stream` - that of a stream */
  constructor(make: (code: string) => P, stream: (code: string) => P) {
    this.#make = make;
    this.#stream = stream;
  }

  async *list(): AsyncGenerator<KeepId> {
    await Promise.resolve();
    for (const { id } of [...this.#keeps.values()]) yield id;
  }

  place(id: KeepId): StreamStorage {
    return this.#keeps.get(pathOf(id))?.place ?? this.#make(pathOf(id));
  }

  async make<T>(id: KeepId, fill: (builder: KeepBuilder) => Promise<T>): Promise<T> {
    if (this.#keeps.has(pathOf(id))) throw keepExists(id);
    const place = this.#make(pathOf(id));
    await place.create();
    const from = this.#stream(id.streamCode);
    const answer = await fill({
      place,
      link: async (name) => {
        await Promise.resolve();
        const bytes = from.kept.get(checkName(name));
        if (bytes === undefined) return false;
        if (place.kept.has(name)) throw new LivetapeError('STORAGE_FAILED', `${name} is there already`);
        place.kept.set(name, bytes);
        return true;
      },
    });
    if (this.#keeps.has(pathOf(id))) throw keepExists(id);
    this.#keeps.set(pathOf(id), { id, place });
    return answer;
  }

  remove(id: KeepId): Promise<boolean> {
    return Promise.resolve(this.#keeps.delete(pathOf(id)));
  }

  /** All keeps' places. */
  places(): P[] {
    return [...this.#keeps.values()].map(({ place }) => place);
  }
}

const pathOf = ({ streamCode, name }: KeepId): string => `.keeps/${streamCode}/${name}`;
