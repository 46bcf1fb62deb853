/**
 * gzip and brotli for playlists: whole ones in one go, long ones as they are made. Coding a long one anew for each who asks is the dearest thing that can be asked for, and
 * it takes the threads that files are read with: few are coded at a time, and who comes meanwhile is given the text itself.
 */
import { Readable, pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip, type BrotliOptions, type ZlibOptions } from 'node:zlib';
import type { Coding } from './acceptEncoding.js';

/** Playlists repeat themselves: a low quality comes within a few percent of the best at a tenth of its time, and a short window does. */
const BROTLI: BrotliOptions = {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 4,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_LGWIN]: 18,
  },
};
const GZIP: ZlibOptions = { level: 4 };

/** Bodies that are coded as they are made, at a time: half of the threads that Node has unless it is told otherwise. */
const MAX_CODED = 2;
let coded = 0;

const gzipWhole = promisify<Uint8Array, ZlibOptions, Buffer>(gzip);
const brotliWhole = promisify<Uint8Array, BrotliOptions, Buffer>(brotliCompress);

/** The bytes, coded. */
export async function compressWhole(bytes: Uint8Array, coding: Coding): Promise<Uint8Array> {
  if (coding === 'identity') return bytes;
  return coding === 'br' ? brotliWhole(bytes, BROTLI) : gzipWhole(bytes, GZIP);
}

/** The coding that a body is given now: none while as many are being coded as may. To be asked right before {@link compressed} is first pulled. */
export function codingNow(coding: Coding): Coding {
  return coded < MAX_CODED ? coding : 'identity';
}

/** The body, coded as it is pulled; it fails as the body does, and ends the body when nobody wants more. */
export async function* compressed(body: AsyncIterable<Uint8Array>, coding: Coding): AsyncGenerator<Uint8Array> {
  if (coding === 'identity') {
    yield* body;
    return;
  }
  coded += 1;
  try {
    const coder = coding === 'br' ? createBrotliCompress(BROTLI) : createGzip(GZIP);
    // its end, good or bad, is seen where the coder is read
    pipeline(Readable.from(body, { highWaterMark: 1 }), coder, () => undefined);
    yield* coder as AsyncIterable<Uint8Array>;
  } finally {
    coded -= 1;
  }
}
