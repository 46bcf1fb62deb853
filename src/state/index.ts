/** state: the server's own small files (docs/design/door.md): replaced whole, or grown line by line. Imports `base` alone. */
export { readFileText, replaceFile, watchFile, type FileKind, type FileText } from './files.js';
export { openLineLog, type LineLog, type LineLogOptions } from './lineLog.js';
export { makeFolder, withLock } from './lock.js';
export { openQueueFile, type QueueFile, type QueueFileOptions } from './queueFile.js';
export { listFolders, removeFolder } from './folders.js';
