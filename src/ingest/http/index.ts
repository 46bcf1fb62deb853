/** http: a transport stream as the body of a GET. */
export { openHttp } from './httpSource.js';
