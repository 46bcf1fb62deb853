/** file: a transport stream from a file, in real time or as fast as it is taken, once or in a loop. */
export { openFile } from './fileSource.js';
