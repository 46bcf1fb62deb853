/** tcp: a transport stream over a plain TCP connection. */
export { openTcp } from './tcpSource.js';
