/** pictures: what was to be seen at a moment, for the wall and the timeline. */
import { nowMs } from '../state/clock';
import { PictureCache } from './cache';
import { loadPicture } from './load';

export type { Picture, PictureAnswer, PictureRequest, Pictures } from './contract';

// Wider than twice is more than a picture of a keyframe shows.
const density = (): number => Math.min(2, devicePixelRatio);

/** The page's. */
export const pictures = new PictureCache(loadPicture, nowMs, density);

/** Those that a signed token opens, for who has nothing else (docs/design/page.md, G9). */
export const signedPictures = (token: string): PictureCache => new PictureCache((...wish) => loadPicture(...wish, token), nowMs, density);
