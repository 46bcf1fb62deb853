/** gzip and brotli for playlists: whole ones in one go, long ones as they are made. */
import { Readable, pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip, type BrotliOptions, type ZlibOptions } from 'node:zlib';
import type { Coding } from './acceptEncoding.js';

/** Playlists repeat themselves: a low quality comes within a few percent of the best at a tenth of its time. */
const BROTLI: BrotliOptions = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT },
};
const GZIP: ZlibOptions = { level: 4 };

const gzipWhole = promisify<Uint8Array, ZlibOptions, Buffer>(gzip);
const brotliWhole = promisify<Uint8Array, BrotliOptions, Buffer>(brotliCompress);

/** The bytes, coded. */
export async function compressWhole(bytes: Uint8Array, coding: Coding): Promise<Uint8Array> {
  if (coding === 'identity') return bytes;
  return coding === 'br' ? brotliWhole(bytes, BROTLI) : gzipWhole(bytes, GZIP);
}

/** The body, coded as it is pulled; it fails as the body does, and ends the body when nobody wants more. */
export async function* compressed(body: AsyncIterable<Uint8Array>, coding: Coding): AsyncGenerator<Uint8Array> {
  if (coding === 'identity') {
    yield* body;
    return;
  }
  const coder = coding === 'br' ? createBrotliCompress(BROTLI) : createGzip(GZIP);
  // its end, good or bad, is seen where the coder is read
  pipeline(Readable.from(body, { highWaterMark: 1 }), coder, () => undefined);
  yield* coder as AsyncIterable<Uint8Array>;
}
