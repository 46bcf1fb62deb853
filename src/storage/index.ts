/** storage: bytes under names on a medium; knows nothing of video. Imports `base` and `model` alone. */
export type {
  Disk,
  KeepBuilder,
  KeepId,
  KeepStorage,
  JournalPart,
  JournalParts,
  OpenedFile,
  Storage,
  StreamStorage,
  Upload,
} from './storage.js';
export { copyAside, setAside, type FileFacts, type PlaceFiles } from './placeFiles.js';
export type { Ownership } from './ownership.js';
export { storageError } from './errors.js';
export { CORRUPT_MARK, INDEX_NAME, JOURNAL_NAME, PART_SUFFIX, TMP_SUFFIX } from './names.js';
export { openFolder, openFsStorage, type FsStorageOptions } from './fs/fsStorage.js';
export { createMemoryStorage, type MemoryStorageOptions } from './memory/memoryStorage.js';
