/** Addresses of media, as docs/reference/http.md has them. Words of a stream code need no escaping. Times are UTC milliseconds. */

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

/** Live, with so much to rewind. */
export const liveUrl = (code: string, rewindSec: number): string => `/${code}/index.m3u8?dvr=${rewindSec}`;

/** A window; it grows while its end is to come. */
export const windowUrl = (code: string, fromMs: number, durationSec: number): string =>
  `/${code}/index.m3u8?from=${seconds(fromMs)}&dur=${durationSec}`;

/** The keyframe at or before a moment, as a one-frame MP4. */
export const previewUrl = (code: string, atMs: number): string => `/${code}/${seconds(atMs)}-preview.mp4`;

/** A window as one transport stream. */
export const archiveTsUrl = (code: string, fromMs: number, toMs: number): string =>
  `/${code}/archive-${seconds(fromMs)}-${seconds(toMs - fromMs)}.ts`;

/** The same for whoever has a signed token, who needs no header: what a browser downloads by itself. */
export const withToken = (token: string, url: string): string => `/t/${token}${url}`;
