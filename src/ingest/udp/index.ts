/** udp: MPEG-TS in datagrams, raw or in RTP. */
export { openUdp } from './udpSource.js';
