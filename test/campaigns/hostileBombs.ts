/** Requests that are small to send and dear to answer, or that want to be understood in two ways; with what each is to be answered. */
import { gzipSync } from 'node:zlib';

/** One of them. */
export interface Bomb {
  readonly name: string;
  /** Statuses; or the connection is closed, whatever was answered before. */
  readonly expected: readonly string[] | 'closed';
  /** The bytes, in pieces. */
  request(adminToken: string): (string | Buffer)[];
}

const HOST = 'Host: localhost\r\n';

function get(name: string, path: string, expected: Bomb['expected'], headers = ''): Bomb {
  return { name, expected, request: (token) => [`GET ${path} HTTP/1.1\r\n${HOST}Authorization: Bearer ${token}\r\n${headers}\r\n`] };
}

function put(name: string, body: string | Buffer, expected: Bomb['expected'], headers = ''): Bomb {
  return {
    name,
    expected,
    request: (token) => [
      `PUT /api/v1/streams/bomb HTTP/1.1\r\n${HOST}Authorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n`,
      body,
    ],
  };
}

const raw = (name: string, text: string, expected: Bomb['expected']): Bomb => ({ name, expected, request: () => [text] });

/** All of them. None of them makes anything. */
export const BOMBS: readonly Bomb[] = [
  put('JSON: arrays in arrays', `{"source":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, ['400']),
  put('JSON: objects in objects', `${'{"dvr":'.repeat(8000)}1${'}'.repeat(8000)}`, ['400']),
  put('JSON: a number of 60,000 digits', `{"dvr":{"retention_sec":${'9'.repeat(60_000)}}}`, ['400']),
  put('JSON: infinite', '{"dvr":{"retention_sec":1e999}}', ['400']),
  put('JSON: the same key 4000 times', `{${'"sourcex":"a",'.repeat(4000)}"sourcex":1}`, ['400']),
  put('JSON: 5000 keys', `{${Array.from({ length: 5000 }, (_, n) => `"k${n}":0`).join(',')}}`, ['400']),
  put('JSON: __proto__', '{"__proto__":{"enabled":true}}', ['400']),
  put('JSON: __proto__, escaped', '{"\\u005f_proto__":{"dvr":{}}}', ['400']),
  put('JSON: constructor', '{"constructor":{"prototype":{"source":"x"}}}', ['400']),
  put('JSON: not ended', `{"title":"${'a'.repeat(60_000)}`, ['400']),
  put('gzip: ten megabytes of nothing', gzipSync(Buffer.alloc(10_000_000)), ['415'], 'Content-Encoding: gzip\r\n'),
  put('gzip, said otherwise', gzipSync(Buffer.alloc(10_000_000)), ['415'], 'Content-Encoding: GZIP, identity\r\n'),
  put('a body of 200 KB', 'a'.repeat(200_000), ['413']),
  {
    name: 'a body that says it has 10 GB',
    expected: ['413'],
    request: (token) => [
      `PUT /api/v1/streams/bomb HTTP/1.1\r\n${HOST}Authorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 10000000000\r\n\r\n{`,
    ],
  },
  {
    name: 'a body in chunks, of 400 KB',
    expected: ['413'],
    request: (token) => [
      `PUT /api/v1/streams/bomb HTTP/1.1\r\n${HOST}Authorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
      ...Array.from({ length: 100 }, () => `1000\r\n${'a'.repeat(4096)}\r\n`),
    ],
  },
  get('headers of 40 KB', '/healthz', ['431'], `${'X-Bomb: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(1000)}`),
  get('a URL of 12 KB', `/news/index.m3u8?x=${'a'.repeat(12_000)}`, ['414']),
  get('a URL of 30 KB', `/${'a/'.repeat(15_000)}index.m3u8`, ['431']),
  get('a thousand parameters', `/news/index.m3u8?${'from=1&'.repeat(1000)}`, ['200', '400', '404', '410']),
  get('a window of ages', '/news/index.m3u8?from=0&dur=1e308', ['400', '404']),
  get('a thousand ranges', '/big/099999.ts', ['416'], `Range: bytes=${'0-,'.repeat(1000)}0-\r\n`),
  get('ranges that overlap', '/big/099999.ts', ['416'], `Range: bytes=${Array.from({ length: 500 }, (_, n) => `${n}-`).join(',')}\r\n`),
  { name: 'a hundred requests at once', expected: 'closed', request: () => [`GET /news/index.m3u8 HTTP/1.1\r\n${HOST}\r\n`.repeat(100)] },
  raw('no HTTP', '\u0000\u0001\u0002\r\n\r\n', ['400']),
  raw('a version that is none', `GET / HTTP/9.9\r\n${HOST}\r\n`, ['400', '505']),
  raw('two lengths', `PUT /api/v1/streams/bomb HTTP/1.1\r\n${HOST}Content-Length: 3\r\nContent-Length: 4\r\n\r\n{}  `, ['400']),
  raw(
    'a length and chunks',
    `PUT /api/v1/streams/bomb HTTP/1.1\r\n${HOST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ['400'],
  ),
  raw('a tunnel', `CONNECT 169.254.169.254:80 HTTP/1.1\r\n${HOST}\r\n`, 'closed'),
];
