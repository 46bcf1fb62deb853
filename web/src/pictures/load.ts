/**
 * Loads a preview and has the browser decode it: a hidden video shows its one frame, which is made a bitmap. WebCodecs would do without the video, but is only there on
 * HTTPS and on localhost, where few servers of a plant are.
 */
import { credentialHeaders, previewUrl, withToken } from '../api';
import type { Loaded } from './cache';
import { isWhole } from './whole';

/** What is not there (a gap, expired, not recorded); milliseconds. */
const NOT_THERE_MS = 30_000;
/** What may come at the next try (the server is busy or away, a picture is damaged); milliseconds. */
const FAILED_MS = 5000;
/** A preview has come and is decoded by then; milliseconds. */
const LIMIT_MS = 15_000;

/** Videos that rest: making one costs more than a picture. There are never more than loads at a time. */
const resting: HTMLVideoElement[] = [];

/**
 * Loads a picture; {@link Load}.
 * @param token - a signed one, in the place of the page's own credential
 */
export async function loadPicture(code: string, atMs: number, dots: number, wanted: AbortSignal, token?: string): Promise<Loaded> {
  const limit = AbortSignal.any([wanted, AbortSignal.timeout(LIMIT_MS)]);
  // Not api's request: an answer out of the browser's cache carries a date that is a minute old, from which it would learn a wrong clock.
  const plain = previewUrl(code, atMs);
  const url = token === undefined ? plain : withToken(token, plain);
  const response = await fetch(url, { signal: limit, headers: credentialHeaders(url) });
  if (!response.ok) return refused(response);
  const blob = await response.blob();
  return decode(blob, dots, limit);
}

async function refused(response: Response): Promise<Loaded> {
  const text = await response.text();
  if (text.includes('"PREVIEW_UNSUPPORTED"')) return { kind: 'unsupported' };
  const isNotThere = response.status >= 400 && response.status < 500 && response.status !== 429;
  return { kind: 'none', forMs: isNotThere ? NOT_THERE_MS : FAILED_MS };
}

async function decode(blob: Blob, dots: number, limit: AbortSignal): Promise<Loaded> {
  const video = resting.pop() ?? newVideo();
  const url = URL.createObjectURL(blob);
  try {
    const isShown = await shows(video, url, limit);
    if (!isShown) {
      // Half a file ends in the same error as a codec without a decoder, and says nothing of the stream.
      const isRefused = video.error?.code === MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED;
      const isUnknown = isRefused && isWhole(new Uint8Array(await blob.arrayBuffer()));
      return isUnknown ? { kind: 'unsupported' } : { kind: 'none', forMs: NOT_THERE_MS };
    }
    const { videoWidth, videoHeight } = video;
    const resizeWidth = Math.min(dots, videoWidth);
    const resizeHeight = Math.max(1, Math.round((videoHeight * resizeWidth) / videoWidth));
    const bitmap = await createImageBitmap(video, { resizeWidth, resizeHeight, resizeQuality: 'medium' });
    return { kind: 'picture', bitmap };
  } finally {
    URL.revokeObjectURL(url);
    video.removeAttribute('src');
    // Lets go of its decoder, and of what it still loads.
    video.load();
    resting.push(video);
  }
}

function newVideo(): HTMLVideoElement {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.preload = 'auto';
  return video;
}

/** Whether the first frame is there to be drawn. Rejects with the limit's reason. */
function shows(video: HTMLVideoElement, url: string, limit: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const done = new AbortController();
    const end = (isShown: boolean): void => {
      done.abort();
      resolve(isShown);
    };
    const stop = (): void => {
      done.abort();
      reject(limit.reason as Error);
    };
    const { signal } = done;
    video.addEventListener('loadeddata', () => end(video.videoWidth > 0), { signal });
    video.addEventListener('error', () => end(false), { signal });
    limit.addEventListener('abort', stop, { signal });
    if (limit.aborted) return stop();
    video.src = url;
  });
}
