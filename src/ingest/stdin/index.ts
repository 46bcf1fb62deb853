/** stdin: standard input. */
export { openStdin } from './stdinSource.js';
