/** The archives of a service as they are stored: read by their folders, and windows of them held for good. The same wherever the sessions run. */
import {
  listKeeps,
  loadIndex,
  makeKeep,
  parsePlaylist,
  removeKeep,
  type ArchiveIndex,
  type Keep,
  type KeepRequest,
  type ListedKeep,
  type SegmentMeta,
} from '../archive/index.js';
import type { Clock } from '../base/index.js';
import { checkStreamCode, type StreamCode } from '../model/index.js';
import type { Storage, StreamStorage } from '../storage/index.js';

/** Where the archives are. */
export interface StoredArchivesOptions {
  readonly clock: Clock;
  /** The root of all, and those of streams with a storage path of their own. */
  storages(): Iterable<Storage>;
  /** The root under which a stream lies. */
  storageOf(code: StreamCode): Storage;
  /** The place of one stream, by its folder. */
  openFolder(segmentDir: string): StreamStorage;
}

/** What DvrService says of archives, done. */
export class StoredArchives {
  readonly #options: StoredArchivesOptions;

  constructor(options: StoredArchivesOptions) {
    this.#options = options;
  }

  loadIndex(segmentDir: string): Promise<ArchiveIndex | undefined> {
    return loadIndex(this.#options.openFolder(segmentDir));
  }

  parsePlaylist(segmentDir: string): Promise<SegmentMeta[]> {
    return parsePlaylist(this.#options.openFolder(segmentDir));
  }

  async keep(streamCode: StreamCode, window: KeepRequest): Promise<Keep> {
    const code = checkStreamCode(streamCode);
    return makeKeep(this.#options.storageOf(code), code, window, this.#options.clock);
  }

  async keeps(streamCode: StreamCode | undefined): Promise<ListedKeep[]> {
    const lists = await Promise.all([...new Set(this.#options.storages())].map((storage) => listKeeps(storage, streamCode)));
    return lists.flat();
  }

  async removeKeep(streamCode: StreamCode, name: string): Promise<void> {
    const code = checkStreamCode(streamCode);
    await removeKeep(this.#options.storageOf(code), code, name);
  }
}
